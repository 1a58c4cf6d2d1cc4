"""The command line, called within the test's own process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from api.conftest import serving
from api.world import World, eventually
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


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """A gateway over the world of the test's file."""
    with serving(world.settings) as client:
        assert eventually(lambda: client.get("/v1/health/live").status_code == 204)
        yield str(client.base_url)
