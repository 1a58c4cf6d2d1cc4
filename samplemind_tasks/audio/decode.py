"""From a file's bytes to finite samples, bounded in time and memory; every failure told in a sentence.

libsndfile reads what it can, FFmpeg (through PyAV) the rest, and Ogg: its Vorbis takes half of libsndfile's time for
the same samples to 5e-7, and libsndfile 1.2 gives up some Opus files on the way. The header is a claim: limits are
checked against it, but length is what the bytes gave.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from samplemind_tasks.audio import ffmpeg, libsndfile
from samplemind_tasks.audio.files import size_bytes
from samplemind_tasks.audio.stream import Damaged, Decoder, Floats, Format
from samplemind_tasks.errors import AudioError, FailureCode

_FLAC_HEADER_BYTES = 21
"""Up to the rate in STREAMINFO: 20 bits from byte 18 (RFC 9639, section 8.2)."""
_LOUDEST_BELIEVED = 1_000.0
"""Samples beyond this (+60 dBFS) are not a loud sound but another scale: integers stored as floats, or garbage."""


@dataclass(frozen=True)
class Extent:
    """How much a pass over a sound gave.

    Attributes
    ----------
    frames : how many were read, at least one
    duration_s : of the whole file
    measured_s : of what was read: less than duration_s where the file was longer than the limit
    notes : what a person should know
    """

    frames: int
    duration_s: float
    measured_s: float
    notes: tuple[str, ...]


class Sound:
    """An opened sound: what it claims to be, and its samples block by block."""

    def __init__(self, decoder: Decoder, name: str, max_seconds: float, max_duration_s: float) -> None:
        self.format: Format = decoder.format
        self.most_frames = max(1, int(min(max_seconds, max_duration_s) * decoder.format.rate_hz))
        self._decoder = decoder
        self._name = name
        self._max_duration_s = max_duration_s
        self._divisor = np.float32(1.0)

    def read(self, take: Callable[[Floats], None]) -> Extent | None:
        """Hand every block to `take`, in order, up to the limit.

        Parameters
        ----------
        take : gets float32 [frames, channels], C-contiguous, finite, full scale 1, only good until it returns

        Returns
        -------
        Extent; None where the scale turned out to be absurd: everything taken is void, and the next call gives it right

        Raises
        ------
        AudioError
            NOT_AUDIO or EMPTY where nothing can be decoded, TOO_LONG
        """
        reading = _Reading(self._divisor)
        try:
            for block in self._decoder.blocks():
                kept = reading.finite(block[: self.most_frames - reading.frames])
                if not self._is_absurd(reading):
                    take(kept)
                if reading.frames >= self.most_frames:
                    break
        except Damaged:
            reading.damaged = True
        if self._is_absurd(reading):
            self._divisor = np.float32(reading.peak)
            return None
        return self._extent(reading)

    def _is_absurd(self, reading: "_Reading") -> bool:
        return reading.peak > _LOUDEST_BELIEVED and self._divisor == 1.0

    def _extent(self, reading: "_Reading") -> Extent:
        """Check how much was read, with a note for everything that is not as it should be."""
        rate_hz, claimed = self.format.rate_hz, self.format.claimed_frames
        if reading.frames == 0:
            failure = FailureCode.NOT_AUDIO if reading.damaged or claimed else FailureCode.EMPTY
            raise AudioError(failure, f"{self._name} holds no audio that can be decoded.")
        measured_s = reading.frames / rate_hz
        ended = reading.frames < self.most_frames or reading.frames == claimed
        duration_s = measured_s if ended else max((claimed or 0) / rate_hz, measured_s)
        if duration_s > self._max_duration_s:
            limit = f"{duration_s:.0f} s, the limit is {self._max_duration_s:.0f} s"
            raise AudioError(FailureCode.TOO_LONG, f"The sound is too long: {limit}.")
        notes = []
        if measured_s < duration_s:
            notes.append(f"only the first {measured_s:.0f} s of {duration_s:.0f} s were measured")
        if reading.damaged:
            notes.append(f"the file is damaged after {measured_s:.1f} s; what comes before was measured")
        elif ended and claimed is not None and claimed / rate_hz > measured_s * 1.01 + 0.2:
            notes.append(f"the header promises {claimed / rate_hz:.1f} s, the file holds {measured_s:.1f} s")
        return Extent(reading.frames, duration_s, measured_s, (*notes, *reading.repairs(self._divisor)))


class _Reading:
    """One pass: how far it is, and what had to be put right."""

    def __init__(self, divisor: np.float32) -> None:
        self.frames = 0
        self.damaged = False
        self.peak = 0.0
        self._divisor = divisor
        self._unreal = 0

    def finite(self, block: Floats) -> Floats:
        """The block with what is not a number set to zero, brought to full scale."""
        self.frames += len(block)
        # The extremes of an array with a NaN are NaN: one look finds NaN, infinity and absurd scale alike.
        peak = _peak(block)
        if not np.isfinite(peak):
            unreal = ~np.isfinite(block)
            block = np.where(unreal, np.float32(0.0), block)
            self._unreal += int(unreal.sum())
            peak = _peak(block)
        self.peak = max(self.peak, peak)
        return block if self._divisor == 1.0 else block / self._divisor

    def repairs(self, divisor: np.float32) -> list[str]:
        """A note for everything that was touched."""
        notes = []
        if self._unreal:
            were = "sample was" if self._unreal == 1 else "samples were"
            notes.append(f"{self._unreal} {were} not finite and {were.split()[1]} set to zero")
        if divisor != 1.0:
            notes.append(f"samples reached {divisor:.3g} times full scale and were scaled down to it")
        return notes


def _peak(block: Floats) -> float:
    return max(float(block.max()), -float(block.min()))


@contextmanager
def open_sound(
    file: BinaryIO, *, name: str, max_bytes: int, max_duration_s: float, max_seconds: float
) -> Iterator[Sound]:
    """Open the sound in a file.

    Parameters
    ----------
    file : open for reading and seekable: a file of `open_regular` or bytes in memory
    name : what people call the file; only used in sentences
    max_bytes : a larger file is refused
    max_duration_s : a longer sound is refused
    max_seconds : at most this much is decoded

    Raises
    ------
    AudioError
        TOO_LARGE, EMPTY, TOO_LONG, TOO_MANY_CHANNELS, BAD_RATE, UNSUPPORTED, NOT_AUDIO, UNREADABLE
    """
    size = size_bytes(file)
    if size == 0:
        raise AudioError(FailureCode.EMPTY, "The file is empty: it holds no bytes.")
    if size > max_bytes:
        limit = f"{size / 1e6:.0f} MB, the limit is {max_bytes / 1e6:.0f} MB"
        raise AudioError(FailureCode.TOO_LARGE, f"The file is too large: {limit}.")
    _check_flac_rate(file)
    with ExitStack() as held_open:
        yield Sound(_first_that_can(file, held_open), name, max_seconds, max_duration_s)


def _first_that_can(file: BinaryIO, held_open: ExitStack) -> Decoder:
    """The decoder that finds sound in the file; both are asked, since each knows files that the other refuses."""
    refusals = []
    for opened in (ffmpeg.opened, libsndfile.opened) if _is_ogg(file) else (libsndfile.opened, ffmpeg.opened):
        with ExitStack() as attempt:
            try:
                decoder: Decoder | None = attempt.enter_context(opened(file))
            except AudioError as refusal:
                if refusal.failure not in (FailureCode.NOT_AUDIO, FailureCode.UNSUPPORTED):
                    raise
                refusals.append(refusal)
                decoder = None
            if decoder is not None:
                held_open.push(attempt.pop_all())
                return decoder
        file.seek(0)
    raise refusals[0]


def _check_flac_rate(file: BinaryIO) -> None:
    """Refuse a FLAC file whose header has no rate: FFmpeg would take the rate of some frame instead."""
    header = file.read(_FLAC_HEADER_BYTES)
    file.seek(0)
    if header.startswith(b"fLaC") and len(header) == _FLAC_HEADER_BYTES and int.from_bytes(header[18:21]) >> 4 == 0:
        raise AudioError(FailureCode.BAD_RATE, "The header names no sample rate.")


def _is_ogg(file: BinaryIO) -> bool:
    magic = file.read(4)
    file.seek(0)
    return magic == b"OggS"
