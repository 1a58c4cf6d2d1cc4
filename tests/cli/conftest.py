"""The command line, called within the test's own process."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.calling import Called, Outcome
from samplemind_tasks.cli import app


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Called:
    """Call the command line on a data directory where nothing runs."""
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path))

    def called(*arguments: str) -> Outcome:
        result = CliRunner().invoke(app, list(arguments))
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return called
