"""What a person reads who gave the command line something that cannot be meant."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from samplemind_tasks.cli import app

NOWHERE = "http://127.0.0.1:9"


def said(*words: str) -> str:
    outcome = CliRunner().invoke(app, list(words))
    assert outcome.exit_code in (1, 2), outcome.output
    return " ".join(outcome.stderr.replace("│", " ").split())


@pytest.mark.parametrize("url", ["banana", "127.0.0.1:8321", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_said_with_one_that_is(url: str) -> None:
    assert "is no web address: write http://HOST:PORT" in said("list", "--url", url)


def test_a_job_that_cannot_be_one_leads_to_the_list_of_jobs() -> None:
    told = said("failures", "zz", "--url", NOWHERE)
    assert told.startswith("no_such_job: 'zz' is no job id")
    assert "jobs` lists them" in told


def test_what_is_nothing_in_the_library_and_no_file_leads_to_what_is_there() -> None:
    assert "unreachable" in said("show", "quux", "--url", NOWHERE)


def test_a_folder_to_allow_has_to_be_there(tmp_path: Path) -> None:
    words = ["up", "--root", str(tmp_path / "gone"), "--data-dir", str(tmp_path / "data")]
    told = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", *words], capture_output=True, text=True, check=False
    ).stderr
    assert told.startswith(f"no_such_folder: there is no folder {tmp_path}/gone\n")
    assert "next: name a folder that is there" in told
    assert not (tmp_path / "data").exists()
