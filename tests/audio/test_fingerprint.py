"""Near duplicates are found, and the drums of one kit kept apart."""

import base64
import csv
import io
import itertools
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from samplemind_tasks.audio.fingerprint import NEAR_DUPLICATE, fingerprint, similarity
from samplemind_tasks.audio.mel import mel_filterbank
from tests.audio.sounds import Floats, cadence, drum_loop, kick, noise, sine, times

RATE_HZ = 22_050
CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere"))


def mel_power(signal: Floats) -> Floats:
    """The shared spectrum of a signal at 22.05 kHz."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, 1_024), 2_048)[::512]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2_048) / 2_048)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    return (power @ mel_filterbank(RATE_HZ, 2_048, 128)).astype(np.float32)


def print_of(signal: Floats) -> str:
    found = fingerprint(mel_power(signal), silent=False)
    assert found is not None
    return found


def alike(one: Floats, other: Floats) -> float:
    return similarity(print_of(one), print_of(other))


def tuned_kick(start_hz: float, decay_per_s: float) -> Floats:
    time_s = times(0.4, RATE_HZ)
    sweep = start_hz * time_s + 6 * (1 - np.exp(-time_s * 40))
    return (0.8 * np.exp(-time_s * decay_per_s) * np.sin(2 * np.pi * sweep)).astype(np.float32)


def coded(signal: Floats, rate_hz: int, container: str, subtype: str) -> Floats:
    """Through a lossy codec and back."""
    file = io.BytesIO()
    soundfile.write(file, signal, rate_hz, format=container, subtype=subtype)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


SOUNDS = {
    "kick": kick(RATE_HZ),
    "tuned kick": tuned_kick(55, 9),
    "open hat": (noise(0.5, RATE_HZ, 0.15, 1) * np.exp(-times(0.5, RATE_HZ) * 9)).astype(np.float32),
    "drum loop": drum_loop(120, 2, RATE_HZ),
    "chords": cadence(0, False, RATE_HZ),
    "half a minute": np.tile(np.concatenate([drum_loop(100, 2, RATE_HZ), cadence(5, True, RATE_HZ)]), 5),
}

KICK_PRINT = print_of(SOUNDS["kick"])

CHANGES = {
    "turned down": lambda signal: signal * np.float32(0.05),
    "turned over": lambda signal: -signal,
    "mp3": lambda signal: coded(signal, RATE_HZ, "MP3", "MPEG_LAYER_III"),
    "ogg": lambda signal: coded(signal, RATE_HZ, "OGG", "VORBIS"),
    "resampled": lambda signal: soxr.resample(soxr.resample(signal, RATE_HZ, 16_000), 16_000, RATE_HZ),
    "silence around it": lambda signal: np.pad(signal, (1_777, 9_000)),
    "a cut end": lambda signal: signal[: -len(signal) // 20],
    "a faded end": lambda signal: signal * np.minimum(1, np.linspace(8, 0, len(signal), dtype=np.float32)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sound", SOUNDS)
def test_a_changed_sound_is_still_itself(sound: str, change: str) -> None:
    assert alike(SOUNDS[sound], np.asarray(CHANGES[change](SOUNDS[sound]), dtype=np.float32)) >= NEAR_DUPLICATE


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(SOUNDS, 2)))
def test_different_sounds_are_not(one: str, other: str) -> None:
    assert alike(SOUNDS[one], SOUNDS[other]) < NEAR_DUPLICATE


def test_a_bass_and_the_next_key_of_it_are_two_sounds() -> None:
    fade = np.exp(-times(1.0, RATE_HZ) * 4).astype(np.float32)
    assert alike(sine(50.0, 1.0, RATE_HZ) * fade, sine(50.0 * 2 ** (1 / 12), 1.0, RATE_HZ) * fade) < NEAR_DUPLICATE


def test_kicks_a_whole_tone_or_a_third_of_their_decay_apart_are_two_kicks() -> None:
    assert alike(tuned_kick(50, 9), tuned_kick(56, 9)) < NEAR_DUPLICATE
    assert alike(tuned_kick(50, 9), tuned_kick(50, 12)) < NEAR_DUPLICATE
    assert alike(tuned_kick(50, 9), tuned_kick(50, 9) + noise(0.4, RATE_HZ, 0.0005)) >= NEAR_DUPLICATE


def test_a_loop_twice_is_not_the_loop() -> None:
    loop = drum_loop(120, 2, RATE_HZ)
    assert alike(loop, np.tile(loop, 2)) < NEAR_DUPLICATE


def test_sounds_of_nearly_one_length_are_compared_whatever_moments_they_are_cut_into() -> None:
    sound = noise(4.0, RATE_HZ) * np.exp(-times(4.0, RATE_HZ) * 0.3).astype(np.float32)
    shared = [print_of(sound[: round(seconds * RATE_HZ)]) for seconds in np.arange(2.7, 3.1, 0.05)]
    assert len({base64.urlsafe_b64decode(found)[1] for found in shared}) == 2
    assert min(similarity(one, other) for one, other in itertools.pairwise(shared)) >= NEAR_DUPLICATE


def test_silence_has_no_fingerprint() -> None:
    assert fingerprint(np.zeros((40, 128), np.float32), silent=True) is None
    assert fingerprint(np.zeros((40, 128), np.float32), silent=False) is None


def test_a_quarter_of_an_hour_fits_in_one_and_a_half_kilobytes() -> None:
    frames = np.random.default_rng(0).random((38_760, 128), dtype=np.float32)
    assert len(fingerprint(frames, silent=False) or "") < 1_500


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 80), st.just(128)), elements=st.floats(0, 2.0**40, width=32)))
def test_any_spectrum_has_a_fingerprint_like_itself(power: Floats) -> None:
    found = fingerprint(power, silent=False)
    if found is not None:
        other = KICK_PRINT
        assert similarity(found, found) == 1.0
        assert 0.0 <= similarity(found, other) <= 1.0
        assert similarity(found, other) == pytest.approx(similarity(other, found))


@pytest.mark.parametrize("text", ["", "A", "ä", "AQAA", "not a fingerprint", "AQAAAAAAAAAAAAAAAAAAAAAAAA=="])
def test_other_text_is_no_fingerprint(text: str) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        similarity(text, print_of(SOUNDS["kick"]))


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "oneshots").is_dir(), reason="SAMPLEMIND_CORPUS names no folder with oneshots/")
def test_drums_of_one_kit_and_class_are_kept_apart_and_their_copies_found() -> None:
    kits: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    with (CORPUS / "oneshots" / "truth.csv").open() as table:
        for row in csv.DictReader(table):
            key = row["group"], row["class"]
            if row["package"] == "hydrogen-drumkits" and Path(row["path"]).is_file() and len(kits[key]) < 3:
                samples, rate_hz = soundfile.read(row["path"], frames=96_000, dtype="float32", always_2d=True)
                kits[key].append(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ))
    if len(kits) < 10:
        pytest.skip("the package hydrogen-drumkits is not installed")
    copies = [alike(sounds[0], coded(sounds[0], RATE_HZ, "OGG", "VORBIS")) for sounds in kits.values()]
    assert np.mean(np.array(copies) >= NEAR_DUPLICATE) >= 0.95
    pairs = [pair for sounds in kits.values() for pair in itertools.combinations(sounds, 2)]
    apart = [alike(*pair) for pair in pairs if not same_recording(*pair)]
    assert len(apart) > 50
    # Two strokes on one drum with the same force can be as alike as two encodings of one.
    assert np.mean(np.array(apart) >= NEAR_DUPLICATE) < 0.05


def same_recording(one: Floats, other: Floats) -> bool:
    """Some kits hold one recording at several levels."""
    length = min(len(one), len(other))
    return abs(float(np.corrcoef(one[:length], other[:length])[0, 1])) > 0.99
