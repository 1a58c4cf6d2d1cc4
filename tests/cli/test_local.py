"""What concerns this machine: doctor, down, a stack that cannot start, and what the command line loads."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.calling import Called, run_program
from samplemind_tasks.cli.running import running_stack

HEAVY = ("librosa", "numba", "torch", "transformers", "soundfile", "pymongo", "chromadb", "redis", "celery")


def test_doctor_says_what_is_wrong_and_what_to_do(call: Called) -> None:
    outcome = call("doctor")
    assert outcome.code == 1
    assert "no stack runs on" in outcome.out
    assert "samplemind up" in outcome.out


def test_doctor_speaks_json_to_programs(call: Called) -> None:
    outcome = call("doctor", "--json")
    assert outcome.code == 1
    told = json.loads(outcome.out)
    assert told["ok"] is False
    assert {part["name"]: part["ok"] for part in told["parts"]}["gateway"] is False
    assert told["versions"]["samplemind"]


def test_down_where_nothing_runs_is_no_error(call: Called) -> None:
    outcome = call("down", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out) == {"stopped": False, "pid": None}


@pytest.mark.parametrize(
    "left", ['{"pid": 1, "url": "http://127.0.0.1:1"}', '{"pid": 99999999}', "", "[]", '{"pid": "x"}']
)
def test_a_run_file_left_by_a_dead_stack_is_not_believed(tmp_path: Path, left: str) -> None:
    (tmp_path / "run.json").write_text(left)
    (tmp_path / "lock").touch()
    assert running_stack(tmp_path) is None


def test_a_library_that_does_not_exist_is_said_before_anything_starts(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", "run", "--library", "nowhere", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("no_such_folder: ")
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_loads_nothing_heavy() -> None:
    program = f"import sys, samplemind_tasks.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SAMPLEMIND_DATA_DIR": "/proc/x"}, "unusable_folder: the data folder /proc/x cannot be used: "),
        ({"SAMPLEMIND_DATA_DIR": __file__}, "unusable_folder: "),
        ({"SAMPLEMIND_BLOB_URL": "ftp://x"}, "bad_setting: SAMPLEMIND_BLOB_URL begins with 'ftp'"),
        ({"SAMPLEMIND_DEVICE": "tpu"}, "bad_setting: SAMPLEMIND_DEVICE is 'tpu'; it may be auto, cpu, cuda"),
    ],
)
@pytest.mark.parametrize("command", ["up", "run"])
def test_a_stack_that_cannot_start_says_why_and_what_to_do(
    tmp_path: Path, command: str, environment: dict[str, str], said: str
) -> None:
    outcome = run_program(command, **{"SAMPLEMIND_DATA_DIR": str(tmp_path), **environment})
    assert outcome.code == 1
    assert outcome.err.startswith(said)
    assert outcome.err.splitlines()[1].startswith("next: ")


def test_up_and_run_take_the_short_word_for_help_too() -> None:
    assert "--root" in run_program("up", "-h").out
    assert "--library" in run_program("run", "-h").out
    assert run_program("--version").out.startswith("samplemind ")


def test_measure_says_that_there_is_no_such_file_and_ends_quietly_when_nobody_reads() -> None:
    assert "There is no such file." in run_program("measure", "/nowhere.wav").out
    command = f"{sys.executable} -m samplemind_tasks.cli measure /a.wav /b.wav /c.wav | true"
    quiet = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in quiet.stderr


@pytest.mark.parametrize("after_s", [0.5, 1.0])
def test_ctrl_c_while_it_loads_ends_it_quietly(tmp_path: Path, after_s: float) -> None:
    command = [sys.executable, "-m", "samplemind_tasks.cli", "up", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        time.sleep(after_s)
        up.send_signal(signal.SIGINT)
        _, said = up.communicate(timeout=30)
    assert up.returncode != 0  # which number depends on how far it had come
    assert "Traceback" not in said
