"""The second decoder: AAC, M4A, WMA, WavPack and others through PyAV."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from samplemind_tasks.audio.stream import Stream, check_format, wanted_frames
from samplemind_tasks.errors import AudioError, FailureCode

Floats = NDArray[np.float32]

_FORMATS = (
    "aac,ac3,adts,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,iff,loas,matroska,webm,mov,mp4,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,oma,rm,shn,tak,tta,voc,w64,wav,wv"
)
"""Containers that hold sound themselves. Playlists are left out: they make FFmpeg open other files and addresses."""
_NAMES = {"mov,mp4,m4a,3gp,3g2,mj2": "MP4", "matroska,webm": "Matroska"}
_MICROSECONDS_PER_S = 1e6
_DECODE_ERRORS = (av.FFmpegError, ValueError, EOFError, OSError, NotImplementedError)


def read_with_ffmpeg(file: BinaryIO, max_seconds: float) -> Stream:
    """Decode the first audio stream, at most max_seconds of it.

    Raises
    ------
    AudioError
        NOT_AUDIO, UNSUPPORTED, TOO_MANY_CHANNELS, BAD_RATE
    """
    try:
        container = av.open(file, mode="r", metadata_errors="replace", options={"format_whitelist": _FORMATS})
    except _DECODE_ERRORS as error:
        raise AudioError(FailureCode.NOT_AUDIO, "The bytes are not audio of a known format, or damaged.") from error
    with container:
        return _read_stream(container, max_seconds)


def _read_stream(container: InputContainer, max_seconds: float) -> Stream:
    if not container.streams.audio:
        raise AudioError(FailureCode.NOT_AUDIO, "The file holds no audio.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError(FailureCode.UNSUPPORTED, "The file holds audio in a format that is not supported.")
    check_format(stream.channels, stream.rate)
    wanted = wanted_frames(max_seconds, stream.rate, stream.channels)
    # Memory is taken as it is filled: a short file costs no more than it holds.
    samples = np.empty((wanted, stream.channels), dtype=np.float32)
    filled, broken = 0, False
    try:
        for block in _blocks(container, stream):
            kept = block[: wanted - filled]
            samples[filled : filled + len(kept)] = kept
            filled += len(kept)
            if filled >= wanted:
                break
    except _DECODE_ERRORS:
        broken = True
    return Stream(
        samples=samples[:filled],
        rate_hz=stream.rate,
        container=_NAMES.get(container.format.name, container.format.name).upper(),
        codec=stream.codec_context.name,
        bit_depth=None,
        claimed_s=_claimed_s(container, stream),
        ended=filled < wanted,
        broken=broken,
    )


def _claimed_s(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / _MICROSECONDS_PER_S if container.duration else None


def _blocks(container: InputContainer, stream: AudioStream) -> Iterator[Floats]:
    """Decoded frames as float32 [frames, channels]; stops with ValueError where channels or rate change on the way."""
    channels, rate_hz = stream.channels, stream.rate
    for frame in container.decode(stream):
        if frame.layout.nb_channels != channels or frame.sample_rate != rate_hz:
            raise ValueError("the stream changes its channels or its rate")
        yield _as_float(frame, channels)


def _as_float(frame: AudioFrame, channels: int) -> Floats:
    """One decoded frame as float32 [frames, channels], full scale 1."""
    values: NDArray[Any] = frame.to_ndarray()
    interleaved = values.T if frame.format.is_planar else values.reshape(-1, channels)
    floats = np.ascontiguousarray(interleaved, dtype=np.float32)
    if values.dtype == np.uint8:
        return (floats - np.float32(128)) / np.float32(128)
    if np.issubdtype(values.dtype, np.integer):
        return floats / np.float32(2 ** (8 * values.itemsize - 1))
    return floats
