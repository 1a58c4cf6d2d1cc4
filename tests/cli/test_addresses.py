"""open, and what a shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, without a terminal."""
    command = [sys.executable, "-m", "samplemind_tasks.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


def completed(line: str, shell: str) -> str:
    """What a shell is offered for the last word of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_TYPER_COMPLETE_ARGS": line}
    words["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    program = "from samplemind_tasks.cli import main; import sys; sys.argv[0] = 'samplemind'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **words, "_SAMPLEMIND_COMPLETE": f"complete_{shell}"},
    )
    return done.stdout


def test_open_says_where_the_api_is_described() -> None:
    told = run("open", "--url", "http://10.0.0.7:8000/")
    assert (told.returncode, told.stdout) == (0, "http://10.0.0.7:8000/docs\n")
    assert run("open", "--json", "--url", "http://10.0.0.7:8000").stdout == '{"url": "http://10.0.0.7:8000/docs"}\n'


def test_open_flower_needs_a_stack_here(tmp_path: Path) -> None:
    told = run("open", "flower", "--data-dir", str(tmp_path))
    assert told.returncode == 1
    assert told.stderr.startswith("not_running: ")
    assert run("open", "kitchen").returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    offered = completed("samplemind re", shell)
    assert all(name in offered for name in ("reprocess", "retry", "resume"))
    assert "export" not in offered
    offered = completed("samplemind export --f", shell)
    assert "--format" in offered
    assert "--vectors" not in offered


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in run("--help").stdout
