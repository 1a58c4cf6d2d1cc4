"""The demo library: what its truth says is so."""

import csv
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind_tasks.demo import __main__ as command
from samplemind_tasks.demo import library
from samplemind_tasks.demo.library import PIECES, make_library
from samplemind_tasks.demo.music import NOTES, SCALES

FEW = tuple(piece for piece in PIECES if piece.file.startswith(("Kicks/", "Hats/", "Chords/")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole library, made once."""
    folder = tmp_path_factory.mktemp("demo")
    assert make_library(folder)
    return folder


def test_truth_lists_every_file(folder: Path) -> None:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "kind", "bpm", "key"]
    sounds = {str(path.relative_to(folder)) for path in folder.glob("*/*")}
    assert {row["file"] for row in rows} == sounds
    assert len(sounds) == len(PIECES) >= 40
    assert Counter(row["kind"] for row in rows).keys() == {"one-shot", "loop", "track"}
    assert {Path(name).suffix for name in sounds} == {".wav", ".flac", ".ogg"}


@pytest.mark.parametrize("piece", PIECES, ids=[piece.file for piece in PIECES])
def test_every_sound_is_sound(folder: Path, piece: library.Piece) -> None:
    """Finite, loud, not clipped, without an offset, and silent at the end unless it is a loop."""
    sound, rate_hz = soundfile.read(folder / piece.file, always_2d=True)
    assert rate_hz == 44_100
    assert np.isfinite(sound).all()
    assert 0.7 < np.abs(sound).max() < 1.0
    assert np.abs(sound.mean(0)).max() < 0.02
    if piece.kind != "loop":
        assert np.abs(sound[-40:]).max() < 0.02
        return
    assert piece.bpm is not None
    bars = len(sound) / rate_hz / (240 / piece.bpm)
    assert bars == pytest.approx(round(bars), abs=1e-3), "a loop is whole bars long"
    seam = np.abs(sound[0] - sound[-1]).max()
    assert seam <= np.abs(np.diff(sound, axis=0)).max() * 1.05, "it goes round without a click"


@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece.key], ids=lambda piece: piece.file)
def test_the_notes_are_those_of_the_key(folder: Path, piece: library.Piece) -> None:
    sound, rate_hz = soundfile.read(folder / piece.file, always_2d=True)
    spectrum = np.abs(np.fft.rfft(sound.mean(1) * np.hanning(len(sound)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / rate_hz)
    sung = (frequency_hz > 60) & (frequency_hz < 600)
    pitch_class = np.round(12 * np.log2(frequency_hz[sung] / 440) + 9).astype(int) % 12
    energy = np.bincount(pitch_class, spectrum[sung], 12)
    tonic, mode = str(piece.key).split()
    of_key = [(NOTES.index(tonic) + step) % 12 for step in SCALES[mode]]
    assert energy[of_key].sum() / energy.sum() > 0.85


def test_no_two_sounds_are_alike(folder: Path) -> None:
    contents = [(folder / piece.file).read_bytes() for piece in PIECES]
    assert all(one != other for one, other in itertools.combinations(contents, 2))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of the quick sounds only."""
    monkeypatch.setattr(library, "PIECES", FEW)


def wav_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*/*.wav")}


@pytest.mark.usefixtures("few")
def test_a_seed_is_the_same_bytes_and_another_seed_is_not(tmp_path: Path) -> None:
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        make_library(tmp_path / name, seed)
    assert wav_bytes(tmp_path / "first") == wav_bytes(tmp_path / "again")
    assert wav_bytes(tmp_path / "first") != wav_bytes(tmp_path / "other")


@pytest.mark.usefixtures("few")
def test_made_once_and_again_only_when_something_is_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_library(tmp_path, 7)
    assert not make_library(tmp_path, 7)
    assert make_library(tmp_path, 8), "another seed"
    (tmp_path / library.STAMP).unlink()
    assert make_library(tmp_path, 8), "half made"
    monkeypatch.setattr(library, "VERSION", library.VERSION + 1)
    assert make_library(tmp_path, 8), "another version"


@pytest.mark.usefixtures("few")
def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path / "made"), "--seed", "3"]) == 0
    assert "sounds written to" in capsys.readouterr().out
    assert command.main([str(tmp_path / "made"), "--seed", "3"]) == 0
    assert "already in" in capsys.readouterr().out
    (tmp_path / "file").write_text("in the way")
    assert command.main([str(tmp_path / "file")]) == 1
    assert "Cannot write the demo library" in capsys.readouterr().err
