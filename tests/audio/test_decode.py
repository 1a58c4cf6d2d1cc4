"""Opening, hashing and decoding: what is refused, with which code, and what is put right."""

import hashlib
import io
import os
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest
import soundfile

from audio.sounds import RATE_HZ, noise, sine
from samplemind_tasks.audio import ffmpeg
from samplemind_tasks.audio.decode import Sound, open_sound
from samplemind_tasks.audio.files import content_hash, open_regular
from samplemind_tasks.audio.stream import Format
from samplemind_tasks.errors import AudioError, FailureCode


@dataclass(frozen=True)
class Audio:
    """A whole decoded file."""

    samples: np.ndarray
    format: Format
    duration_s: float
    measured_s: float
    notes: tuple[str, ...]


def decoded(
    path: bytes | str | Path, *, max_bytes: int = 1 << 30, max_duration_s: float = 3600, max_seconds: float = 300
) -> Audio:
    with open_regular(path) as file:
        return read(file, max_bytes=max_bytes, max_duration_s=max_duration_s, max_seconds=max_seconds)


def read(file: BinaryIO, *, max_bytes: int = 1 << 30, max_duration_s: float = 3600, max_seconds: float = 300) -> Audio:
    with open_sound(
        file, name="kick.wav", max_bytes=max_bytes, max_duration_s=max_duration_s, max_seconds=max_seconds
    ) as sound:
        return read_whole(sound)


def read_whole(sound: Sound) -> Audio:
    for _ in range(2):
        blocks: list[np.ndarray] = []
        extent = sound.read(lambda block: blocks.append(block.copy()))  # noqa: B023 - called within the turn
        if extent is not None:
            samples = np.concatenate(blocks)
            assert len(samples) == extent.frames
            return Audio(samples, sound.format, extent.duration_s, extent.measured_s, extent.notes)
    raise AssertionError("the second pass gave no extent either")


def refused(path: bytes | str | Path, **limits: float) -> FailureCode:
    with pytest.raises(AudioError) as caught:
        decoded(path, **limits)
    assert caught.value.message.endswith(".")
    return caught.value.failure


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([sine(440, 1.0), sine(220, 1.0)], axis=1), RATE_HZ, subtype="PCM_24")
    return path


def test_a_wav_decodes_to_what_was_written(wav: Path) -> None:
    audio = decoded(wav)
    assert (audio.format.rate_hz, audio.format.container, audio.format.codec, audio.format.bit_depth) == (
        RATE_HZ,
        "WAV",
        "PCM_24",
        24,
    )
    assert (audio.duration_s, audio.measured_s, audio.notes) == (1.0, 1.0, ())
    assert audio.samples.dtype == np.float32
    np.testing.assert_allclose(audio.samples[:, 1], sine(220, 1.0), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_of_whole_numbers_of_64_bits(tmp_path: Path, channels: int) -> None:
    """Nobody records so, but a damaged header may say it, and FFmpeg reads it."""
    tone = np.stack([sine(440, 0.5), sine(220, 0.5)][:channels], axis=1)
    data = (tone.astype(np.float64) * 2.0**62).astype("<i8").tobytes()
    frame_bytes = 8 * channels
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE_HZ, RATE_HZ * frame_bytes, frame_bytes, 64)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    path = tmp_path / "long.wav"
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    audio = decoded(path)
    assert audio.format.codec == "pcm_s64le"
    np.testing.assert_allclose(audio.samples, tone / 2, atol=1e-6)


def test_bytes_in_memory_decode_like_a_file(wav: Path) -> None:
    audio = read(io.BytesIO(wav.read_bytes()))
    np.testing.assert_array_equal(audio.samples, decoded(wav).samples)


@pytest.mark.parametrize("buffering", [0, -1, 1 << 20])
def test_ffmpeg_reads_from_the_start_after_libsndfile_gave_up(tmp_path: Path, buffering: int) -> None:
    path = tmp_path / "tone.mka"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray((noise(1.0)[None] * 20_000).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with path.open("rb", buffering=buffering) as file:
        content_hash(file)
        audio = read(file)
    assert (audio.format.container, audio.format.codec) == ("MATROSKA", "pcm_s16le")
    assert audio.measured_s == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(audio.samples[:, 0], (noise(1.0) * 20_000).astype(np.int16) / 32768, atol=1e-6)


def test_a_name_that_is_not_utf8_decodes(wav: Path) -> None:
    odd = os.fsencode(wav.parent) + b"/kick_\xe9.wav"
    os.link(wav, odd)
    assert decoded(odd).measured_s == 1.0


def test_the_hash_is_that_of_the_bytes_and_leaves_the_file_at_its_start(wav: Path) -> None:
    with open_regular(wav) as file:
        assert content_hash(file) == hashlib.sha256(wav.read_bytes()).hexdigest()
        assert file.tell() == 0


def test_only_the_first_part_of_a_long_file_is_measured_and_the_result_says_so(wav: Path) -> None:
    audio = decoded(wav, max_seconds=0.25)
    assert (audio.duration_s, audio.measured_s, len(audio.samples)) == (1.0, 0.25, RATE_HZ // 4)
    assert "first 0 s of 1 s" in audio.notes[0]


def test_limits_refuse_with_their_codes(wav: Path) -> None:
    assert refused(wav, max_bytes=1000) is FailureCode.TOO_LARGE
    assert refused(wav, max_duration_s=0.5) is FailureCode.TOO_LONG


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "dangling.wav").symlink_to("nowhere.wav")
    assert refused(tmp_path / "pipe.wav") is FailureCode.NOT_REGULAR
    assert refused("/dev/zero") is FailureCode.NOT_REGULAR
    assert refused(tmp_path) is FailureCode.NOT_REGULAR
    assert refused(tmp_path / "loop.wav") is FailureCode.UNREADABLE
    assert refused(tmp_path / "dangling.wav") is FailureCode.UNREADABLE
    assert refused(tmp_path / "gone.wav") is FailureCode.VANISHED
    assert refused("nul\0.wav") is FailureCode.UNREADABLE


def test_bytes_that_are_no_audio_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"")
    assert refused(path) is FailureCode.EMPTY
    path.write_bytes(b"this is a text, not a sound\n" * 100)
    assert refused(path) is FailureCode.NOT_AUDIO
    path.write_bytes(b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n")
    assert refused(path) is FailureCode.NOT_AUDIO


def test_a_wav_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.empty((0, 1)), RATE_HZ)
    assert refused(tmp_path / "none.wav") in {FailureCode.EMPTY, FailureCode.NOT_AUDIO}


def test_half_a_wav_is_measured(wav: Path) -> None:
    wav.write_bytes(wav.read_bytes()[: wav.stat().st_size // 2])
    assert decoded(wav).duration_s == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("rate_hz", [1_000, 1_000_000])
def test_an_impossible_rate_is_refused(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "x.wav", noise(0.1), rate_hz)
    assert refused(tmp_path / "x.wav") is FailureCode.BAD_RATE


def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros((100, 33)), RATE_HZ)
    assert refused(tmp_path / "x.wav") is FailureCode.TOO_MANY_CHANNELS


def test_samples_that_are_no_numbers_become_zero_with_a_note(tmp_path: Path) -> None:
    signal = sine(440, 0.5)
    signal[[3, 5, 7]] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "x.wav", signal, RATE_HZ, subtype="FLOAT")
    audio = decoded(tmp_path / "x.wav")
    assert np.isfinite(audio.samples).all()
    assert audio.notes == ("3 samples were not finite and were set to zero",)


def test_an_absurd_scale_is_brought_down_with_a_note_and_a_loud_one_is_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "absurd.wav", sine(440, 0.5) * np.float32(1e30), RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "loud.wav", sine(440, 0.5, peak=4.0), RATE_HZ, subtype="FLOAT")
    absurd, loud = decoded(tmp_path / "absurd.wav"), decoded(tmp_path / "loud.wav")
    assert np.abs(absurd.samples).max() == pytest.approx(1.0)
    assert "scaled down" in absurd.notes[0]
    assert np.abs(loud.samples).max() == pytest.approx(4.0, rel=1e-3)
    assert loud.notes == ()


def test_a_sound_can_be_read_again(wav: Path, tmp_path: Path) -> None:
    mp4 = tmp_path / "two.m4a"
    with av.open(str(mp4), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for start in range(0, RATE_HZ, 1024):
            part = noise(1.0)[start : start + 1024][None]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for path in (wav, mp4):
        with (
            path.open("rb") as file,
            open_sound(file, name="x", max_bytes=1 << 30, max_duration_s=60, max_seconds=60) as sound,
        ):
            first, again = read_whole(sound), read_whole(sound)
        np.testing.assert_array_equal(first.samples, again.samples)


def test_a_long_file_is_read_in_blocks_that_join_without_a_seam(tmp_path: Path) -> None:
    signal = np.stack([sine(440, 10.0), noise(10.0)], axis=1)
    soundfile.write(tmp_path / "x.wav", signal, RATE_HZ, subtype="FLOAT")
    np.testing.assert_array_equal(decoded(tmp_path / "x.wav").samples, signal)


def test_an_absurd_scale_late_in_the_file_counts_for_all_of_it(tmp_path: Path) -> None:
    signal = np.concatenate([sine(440, 5.0), sine(440, 1.0) * np.float32(1e9)])
    soundfile.write(tmp_path / "x.wav", signal, RATE_HZ, subtype="FLOAT")
    samples = decoded(tmp_path / "x.wav").samples
    assert np.abs(samples).max() == pytest.approx(1.0)
    assert np.abs(samples[:RATE_HZ]).max() < 1e-8


def encoded(path: Path, codec: str, signal: np.ndarray, rate_hz: int) -> None:
    """Write a mono signal with FFmpeg."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        for start in range(0, len(signal), 960):
            part = np.ascontiguousarray(signal[start : start + 960][None], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, start
            frame.time_base = Fraction(1, rate_hz)
            for resampled in av.AudioResampler(stream.format, "mono", rate_hz).resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def test_an_opus_file_is_read_to_its_end(tmp_path: Path) -> None:
    # libsndfile 1.2 gave up on files like this one after 22 s
    encoded(tmp_path / "x.opus", "libopus", noise(60.0, 48_000), 48_000)
    audio = decoded(tmp_path / "x.opus")
    assert audio.measured_s == pytest.approx(60.0, abs=0.05)
    assert audio.notes == ()


def test_vorbis_is_what_libsndfile_decodes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.ogg", np.stack([sine(440, 3.0), noise(3.0)], axis=1), RATE_HZ)
    expected, _ = soundfile.read(tmp_path / "x.ogg", dtype="float32")
    np.testing.assert_allclose(decoded(tmp_path / "x.ogg").samples, expected, atol=1e-5)


def test_an_ogg_that_ffmpeg_refuses_is_read_by_libsndfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # FFmpeg calls the headers of some old encoders invalid; here it knows no Ogg at all
    monkeypatch.setattr(ffmpeg, "_FORMATS", "wav")
    soundfile.write(tmp_path / "x.ogg", sine(440, 1.0), RATE_HZ)
    found = decoded(tmp_path / "x.ogg")
    assert (found.format.codec, found.measured_s) == ("VORBIS", pytest.approx(1.0, abs=0.01))


def test_what_neither_decoder_reads_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ogg").write_bytes(b"OggS" + bytes(range(256)) * 20)
    assert refused(tmp_path / "x.ogg") is FailureCode.NOT_AUDIO
