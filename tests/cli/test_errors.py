"""What a person reads who gave the command line something that cannot be meant."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text
from typer.testing import CliRunner

from samplemind_tasks.cli import app
from samplemind_tasks.cli.call import Call
from samplemind_tasks.cli.show import failure_table
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.schemas import Failure
from samplemind_tasks.settings import Settings

NOWHERE = "http://127.0.0.1:9"


def said(*words: str) -> str:
    outcome = CliRunner().invoke(app, list(words))
    assert outcome.exit_code in (1, 2), outcome.output
    return " ".join(outcome.stderr.replace("│", " ").split())


@pytest.mark.parametrize("url", ["banana", "127.0.0.1:8321", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_said_with_one_that_is(url: str) -> None:
    assert "is no web address: write http://HOST:PORT" in said("list", "--url", url)


def test_so_it_is_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_URL", "")  # which the option sets
    assert "is no web address: write http://HOST:PORT" in said("--url", "ftp://127.0.0.1", "list")


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


def test_where_to_ask_may_be_said_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAMPLEMIND_URL", "SAMPLEMIND_KEY"):
        monkeypatch.setenv(name, "")
    told = said("--url", NOWHERE, "--key", "sm_mine", "list", "--key", "Am")
    assert told.startswith(f"unreachable: no answer from {NOWHERE}")


def test_a_name_cannot_move_the_cursor_or_break_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(
        place="0" * 24, path="/music/a\x1b[2J\x9b1mb\nc.wav", code=FailureCode.NOT_AUDIO, message="No audio."
    )
    call = Call(Settings())
    call.show(failure_table([failure], "/music"))
    call.tell(Text("a\x1b]0;mine.wav"))
    told = capsys.readouterr()
    assert told.out.splitlines()[1].split("  ")[1] == "a\\x1b[2J\\x9b1mb\\nc.wav"
    assert len(told.out.splitlines()) == 2
    assert told.err == "a\\x1b]0;mine.wav\n"
