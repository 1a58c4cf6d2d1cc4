"""The other decoder: Ogg, AAC, M4A, WMA, WavPack and what else libsndfile cannot, through PyAV."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from samplemind_tasks.audio.stream import Damaged, Floats, Format, check_format
from samplemind_tasks.errors import AudioError, FailureCode

_FORMATS = (
    "aac,ac3,adts,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,iff,loas,matroska,webm,mov,mp4,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,oma,rm,shn,tak,tta,voc,w64,wav,wv"
)
"""Containers that hold sound themselves. Playlists are left out: they make FFmpeg open other files and addresses."""
_NAMES = {"mov,mp4,m4a,3gp,3g2,mj2": "MP4", "matroska,webm": "Matroska"}
_MICROSECONDS_PER_S = 1e6
_LONG = frozenset({"s64", "s64p"})
_DECODE_ERRORS = (av.FFmpegError, ValueError, EOFError, OSError, NotImplementedError)


class Ffmpeg:
    """A file that FFmpeg reads; see `Decoder`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._container = container = _open(file)
        self._begun = False
        stream = self._stream()
        claimed_s = _claimed_s(container, stream)
        self.format = Format(
            rate_hz=stream.rate,
            channels=stream.channels,
            container=_NAMES.get(container.format.name, container.format.name).upper(),
            codec=stream.codec_context.name,
            bit_depth=None,
            claimed_frames=None if claimed_s is None else round(claimed_s * stream.rate),
        )

    def blocks(self) -> Iterator[Floats]:
        """See `Decoder.blocks`."""
        # frames of a codec are short: they are put together before Python looks at them
        waiting, size = av.AudioFifo(), self.format.block_frames
        try:
            self._rewind()
            for frame in self._frames():
                waiting.write(frame)
                while waiting.samples >= size:
                    yield self._taken(waiting, size)
        except _DECODE_ERRORS as error:
            if waiting.samples:
                yield self._taken(waiting)
            raise Damaged from error
        if waiting.samples:
            yield self._taken(waiting)

    def _taken(self, waiting: av.AudioFifo, frames: int = 0) -> Floats:
        """So many frames, or all, as float32 [frames, channels]."""
        taken = waiting.read(frames)
        if taken is None:
            raise ValueError("fewer frames are there than were counted")
        return _as_float(taken, self.format.channels)

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _stream(self) -> AudioStream:
        if not self._container.streams.audio:
            raise AudioError(FailureCode.NOT_AUDIO, "The file holds no audio.")
        stream = self._container.streams.audio[0]
        if stream.codec_context is None:
            raise AudioError(FailureCode.UNSUPPORTED, "The file holds audio in a format that is not supported.")
        check_format(stream.channels, stream.rate)
        return stream

    def _rewind(self) -> None:
        # opened anew rather than sought: after a seek, codecs with an encoder delay do not leave it out
        if self._begun:
            self._container.close()
            self._file.seek(0)
            self._container = _open(self._file)
        self._begun = True

    def _frames(self) -> Iterator[AudioFrame]:
        """Decoded frames; ValueError where channels or rate change on the way."""
        channels, rate_hz = self.format.channels, self.format.rate_hz
        for frame in self._container.decode(self._stream()):
            if frame.layout.nb_channels != channels or frame.sample_rate != rate_hz:
                raise ValueError("the stream changes its channels or its rate")
            frame.pts = None  # one after the other, whatever the clock of a damaged file says
            yield frame


@contextmanager
def opened(file: BinaryIO) -> Iterator[Ffmpeg]:
    """Open the first audio stream of a file with FFmpeg.

    Raises
    ------
    AudioError
        NOT_AUDIO, UNSUPPORTED, TOO_MANY_CHANNELS, BAD_RATE
    """
    decoder = Ffmpeg(file)
    try:
        yield decoder
    finally:
        decoder.close()


class _Quiet:
    """A file whose seeks to nowhere fail as FFmpeg expects it: what is raised instead, PyAV prints as a traceback."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place; negative where there is none."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _open(file: BinaryIO) -> InputContainer:
    try:
        return av.open(_Quiet(file), mode="r", metadata_errors="replace", options={"format_whitelist": _FORMATS})
    except _DECODE_ERRORS as error:
        raise AudioError(FailureCode.NOT_AUDIO, "The bytes are not audio of a known format, or damaged.") from error


def _claimed_s(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / _MICROSECONDS_PER_S if container.duration else None


def _values(frame: AudioFrame) -> NDArray[Any]:
    """Its samples as they are: [channels, frames] where planar, else [1, frames * channels]."""
    if frame.format.name in _LONG:  # PyAV has no numpy type for these
        long = frame.samples if frame.format.is_planar else frame.samples * frame.layout.nb_channels
        return np.stack([np.frombuffer(plane, np.int64, long) for plane in frame.planes])  # type: ignore[call-overload]
    values: NDArray[Any] = frame.to_ndarray()
    return values


def _as_float(frame: AudioFrame, channels: int) -> Floats:
    """One decoded frame as float32 [frames, channels], full scale 1."""
    values = _values(frame)
    interleaved = values.T if frame.format.is_planar else values.reshape(-1, channels)
    floats = np.ascontiguousarray(interleaved, dtype=np.float32)
    if values.dtype == np.uint8:
        return (floats - np.float32(128)) / np.float32(128)
    if np.issubdtype(values.dtype, np.integer):
        return floats / np.float32(2 ** (8 * values.itemsize - 1))
    return floats
