"""The command line over the whole embedded stack: programs get JSON and nothing else."""

import json
import subprocess
import sys
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.calling import STARTING_S, Outcome, lines, run_program
from samplemind_tasks.cli.running import running_stack
from samplemind_tasks.schemas import (
    Failure,
    Job,
    JobState,
    Sample,
    SampleDetail,
)


def program(*arguments: str, data_dir: Path) -> Outcome:
    """The command line at the stack of a data directory."""
    return run_program(*arguments, "--data-dir", str(data_dir))


def addresses(told: Iterable[str]) -> dict[str, Any]:
    """What `up --json` says when everything is ready."""
    for line in told:
        value: dict[str, Any] = json.loads(line)
        if "url" in value:
            return value
    raise AssertionError("the stack does not start")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where `samplemind up` runs a stack, until `samplemind down`."""
    folder = tmp_path_factory.mktemp("up")
    command = [sys.executable, "-m", "samplemind_tasks.cli", "up", "--json", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stack:
        try:
            assert stack.stdout is not None
            assert addresses(stack.stdout)["url"].startswith("http://127.0.0.1:")
            yield folder
            assert lines(program("down", "--json", data_dir=folder)) == [{"stopped": True, "pid": stack.pid}]
            assert stack.wait(10) == 0
        finally:
            stack.terminate()
    assert running_stack(folder) is None


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sounds and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    for name, pitch_hz in {"low.wav": 110.0, "middle.wav": 220.0, "high.wav": 880.0}.items():
        write_tone(folder / name, pitch_hz)
    (folder / "broken.wav").write_bytes(b"this is no sound" * 100)
    return folder


def write_tone(path: Path, pitch_hz: float, rate_hz: int = 22_050, seconds: float = 1.5) -> None:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-2 * time_s)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes((tone * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def job(data_dir: Path, music: Path) -> Job:
    """The job that took the sounds in."""
    [told] = lines(program("add", str(music), "--json", data_dir=data_dir))
    return Job.model_validate(told)


@pytest.fixture(scope="module")
def samples(data_dir: Path, job: Job) -> dict[str, Sample]:
    """By name."""
    told = map(Sample.model_validate, lines(program("list", "--json", data_dir=data_dir)))
    return {sample.name: sample for sample in told}


@pytest.mark.timeout(STARTING_S)
def test_a_stack_that_is_up_is_well(data_dir: Path) -> None:
    [told] = lines(program("doctor", "--json", data_dir=data_dir))
    assert told["ok"] is True
    assert {"stack", "gateway"} < {part["name"] for part in told["parts"]}


def test_a_second_up_is_refused(data_dir: Path) -> None:
    outcome = program("up", data_dir=data_dir)
    assert outcome.code == 1
    assert outcome.err.startswith("already_running: ")


def test_add_waits_until_every_file_has_a_result(job: Job) -> None:
    assert job.state is JobState.DONE
    assert (job.counts.found, job.counts.done, job.counts.failed) == (4, 3, 1)


def test_adding_again_skips_what_is_known(data_dir: Path, music: Path, job: Job) -> None:
    outcome = program("add", str(music), data_dir=data_dir)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err


def test_jobs_lists_the_job_and_shows_it_by_the_start_of_its_id(data_dir: Path, job: Job) -> None:
    assert job.id in [told["id"] for told in lines(program("jobs", "--json", data_dir=data_dir))]
    [told] = lines(program("jobs", job.id[:10], "--json", data_dir=data_dir))
    assert told["id"] == job.id
    assert "4 found" in program("jobs", job.id, data_dir=data_dir).out


def test_failures_say_which_file_and_why(data_dir: Path, job: Job) -> None:
    [failure] = map(Failure.model_validate, lines(program("failures", job.id, "--json", data_dir=data_dir)))
    assert Path(failure.path).name == "broken.wav"
    shown = program("failures", job.id, data_dir=data_dir).out
    assert "broken.wav" in shown
    assert failure.code in shown


def test_retry_takes_the_failures_up_again_as_a_new_job(data_dir: Path, job: Job) -> None:
    [told] = lines(program("retry", job.id, "--json", data_dir=data_dir))
    again = Job.model_validate(told)
    assert again.retry_of == job.id
    assert (again.counts.found, again.counts.failed) == (1, 1)


def test_list_narrows(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    assert set(samples) == {"low.wav", "middle.wav", "high.wav"}
    assert len(lines(program("list", "--path", str(music), "--json", data_dir=data_dir))) == len(samples)
    [only] = lines(program("list", "--name", "low", "--json", data_dir=data_dir))
    assert only["name"] == "low.wav"
    assert lines(program("list", "--bpm", "20-30", "--json", data_dir=data_dir)) == []
    for options, count in (
        (["--duration", "1.4-1.6", "--loudness", "..0", "--brightness", "50-5000"], 3),
        (["--duration", "2-"], 0),
        (["--brightness", "700-"], 1),
        (["--folder", str(music), "--loudness", "0.."], 0),
    ):
        assert len(lines(program("list", *options, "--json", data_dir=data_dir))) == count, options


def test_show_takes_an_id_its_start_or_a_path(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    wanted = samples["low.wav"]
    for name in (wanted.id, wanted.id[:8], str(music / "low.wav")):
        [told] = lines(program("show", name, "--json", data_dir=data_dir))
        assert SampleDetail.model_validate(told).sample.id == wanted.id
    assert "LUFS" in program("show", wanted.id, data_dir=data_dir).out


def test_similar_takes_a_sample_or_any_sound(data_dir: Path, samples: dict[str, Sample], tmp_path: Path) -> None:
    [told] = lines(program("similar", samples["low.wav"].id, "--json", data_dir=data_dir))
    assert {hit["sample"]["name"] for hit in told["hits"]} == {"middle.wav", "high.wav"}
    write_tone(tmp_path / "stranger.wav", 111.0)
    outcome = program("similar", str(tmp_path / "stranger.wav"), "--limit", "1", data_dir=data_dir)
    assert outcome.code == 0, outcome.err
    assert "low.wav" in outcome.out


def test_a_deleted_sample_comes_back_when_asked_for(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    wanted = samples["high.wav"]
    assert lines(program("delete", wanted.id, "--json", data_dir=data_dir)) == [{"deleted": wanted.id}]
    assert program("show", wanted.id, data_dir=data_dir).err.startswith("not_found: ")
    assert program("add", str(music), "--restore", data_dir=data_dir).code == 0
    assert program("show", wanted.id, data_dir=data_dir).code == 0


def test_run_uses_the_stack_that_is_there_and_leaves_it_running(data_dir: Path, music: Path) -> None:
    outcome = program("run", "--once", "--library", str(music), data_dir=data_dir)
    assert outcome.code == 0, outcome.err
    assert "low.wav" in outcome.out
    assert "/docs" in outcome.out
    assert running_stack(data_dir) is not None


@pytest.mark.timeout(STARTING_S)
def test_run_once_starts_everything_and_leaves_nothing_behind(tmp_path: Path, music: Path) -> None:
    outcome = program("run", "--once", "--library", str(music), data_dir=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "high.wav" in outcome.out
    assert running_stack(tmp_path) is None
    assert not (tmp_path / "run.json").exists()
