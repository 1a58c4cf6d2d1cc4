"""`python -m samplemind_tasks.measure` end to end, and what a child that dies costs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from audio.sounds import RATE_HZ, cadence, drum_loop, kick
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.measure import Outcome, audio_paths, measure_all


def run(*arguments: str | bytes) -> tuple[int, list[dict[str, object]]]:
    command = [sys.executable, "-m", "samplemind_tasks.measure", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loops").mkdir()
    soundfile.write(tmp_path / "b_kick.wav", kick(), RATE_HZ)
    soundfile.write(tmp_path / "a_chords.flac", cadence(9, minor=True), RATE_HZ)
    soundfile.write(tmp_path / "loops" / "drums.WAV", drum_loop(120, 2), RATE_HZ, format="WAV")
    (tmp_path / "c_text.wav").write_text("not a sound")
    (tmp_path / "notes.txt").write_text("not asked for")
    (tmp_path / "b_kick.wav").rename(os.fsdecode(os.fsencode(tmp_path) + b"/b_\xe9.wav"))
    return tmp_path


def test_a_folder_gives_one_line_a_file_in_order(folder: Path) -> None:
    code, lines = run(str(folder), "--json", "--jobs", "2")
    assert code == 0
    assert [Path(str(line["path"])).name for line in lines] == ["a_chords.flac", "b_�.wav", "c_text.wav", "drums.WAV"]
    chords, one_shot, text, drums = lines
    assert (chords["ok"], chords["error"], chords["key"]) == (True, None, "A minor")
    assert (one_shot["kind"], one_shot["tempo_bpm"]) == ("one-shot", None)
    assert text["ok"] is False
    assert text["error"]["code"] == "not_audio"
    assert "key" not in text
    assert drums["tempo_bpm"] == pytest.approx(120, rel=0.005)


@pytest.mark.parametrize("arguments", [["/nowhere/at/all.wav"], []], ids=["nothing readable", "usage"])
def test_nothing_measured_ends_with_one(arguments: list[str]) -> None:
    code, lines = run(*arguments)
    assert code == 1
    assert [line["error"]["code"] for line in lines] == ["vanished"] * len(arguments)


def test_a_file_named_by_hand_is_measured_whatever_its_name(folder: Path) -> None:
    (folder / "c_text.wav").rename(folder / "text")
    assert audio_paths([os.fsencode(folder / "text")]) == [os.fsencode(folder / "text")]


def odd_work(path: bytes) -> Outcome:
    """A stand-in for the analysis that dies or never ends where it is told to."""
    if path == b"die":
        os.abort()
    if path == b"hang":
        signal.pause()
    return Outcome(None, FailureCode.EMPTY, path.decode())


def test_a_child_that_dies_or_hangs_costs_only_its_file() -> None:
    paths = [b"one", b"die", b"two", b"hang", b"three", b"die"]
    outcomes = list(measure_all(paths, odd_work, jobs=2, timeout_s=3.0))
    assert [path for path, _ in outcomes] == paths
    codes = [outcome.code for _, outcome in outcomes]
    crashed, late, fine = FailureCode.CRASHED, FailureCode.TIMEOUT, FailureCode.EMPTY
    assert codes == [fine, crashed, fine, late, fine, crashed]
