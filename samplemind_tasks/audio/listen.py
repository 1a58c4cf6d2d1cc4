"""One decode, and everything that needs it: levels, waveform, hash, the signal to analyse and the models' windows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from samplemind_tasks.audio.decode import Extent, Sound
from samplemind_tasks.audio.excerpts import Excerpts, Interval
from samplemind_tasks.audio.levels import Levels
from samplemind_tasks.audio.meter import Meter
from samplemind_tasks.audio.mono import RATE_HZ, MixDown, Resampler
from samplemind_tasks.audio.peaks import Peaks
from samplemind_tasks.audio.stream import Format
from samplemind_tasks.audio.windows import Windows, plan, windows
from samplemind_tasks.cards import FrontEnd

Floats = NDArray[np.float32]

_ROUNDING_SAMPLES = 2
_MOST_PASSES = 3
"""One; another when the header lied about the length, another when the scale was absurd."""


@dataclass(frozen=True)
class Heard:
    """What one pass over a sound gave.

    Attributes
    ----------
    format : what the file claims to hold
    extent : how much it held
    levels : loudness and everything else measured at the file's own rate
    overview, detail : waveforms for drawing, int8 [bins, 2] of (lowest, highest)
    pcm_hash : of the decoded samples, the rate and the channels, in hexadecimal
    signal : float32 [samples], mono at 22.05 kHz, at least one sample
    windows : by front-end name, float16 [n, frames, mels]
    """

    format: Format
    extent: Extent
    levels: Levels
    overview: NDArray[np.int8]
    detail: NDArray[np.int8]
    pcm_hash: str
    signal: Floats
    windows: dict[str, Windows]


def listen(sound: Sound, front_ends: Sequence[FrontEnd] = ()) -> Heard:
    """Decode a sound once and take from it all that is wanted.

    Parameters
    ----------
    sound : as `open_sound` gives it
    front_ends : of the models that will hear it

    Raises
    ------
    AudioError
        as `Sound.read`
    """
    frames = min(sound.format.claimed_frames or 0, sound.most_frames)
    for _ in range(_MOST_PASSES):
        listener = _Listener(sound, _needed(frames, sound.format.rate_hz, front_ends))
        extent = sound.read(listener.take)
        if extent is None:
            continue
        frames = extent.frames
        if listener.excerpts.covers(_needed(frames, sound.format.rate_hz, front_ends)):
            break
    assert extent is not None, "the second pass over an absurd scale is right"  # noqa: S101
    return listener.heard(extent, front_ends)


def _needed(frames: int, rate_hz: int, front_ends: Iterable[FrontEnd]) -> list[Interval]:
    return [cut.needed for front_end in front_ends for cut in plan(frames, rate_hz, front_end)]


class _Listener:
    """Takes the blocks of one pass."""

    def __init__(self, sound: Sound, needed: list[Interval]) -> None:
        rate_hz, channels = sound.format.rate_hz, sound.format.channels
        self.excerpts = Excerpts(needed)
        self._format = sound.format
        self._meter = Meter(rate_hz, channels)
        self._peaks = Peaks(rate_hz)
        self._hash = xxhash.xxh3_128(f"{rate_hz} {channels}".encode())
        self._mix = MixDown(channels)
        self._resampler = Resampler(rate_hz, RATE_HZ)
        promised = min(sound.format.claimed_frames or 0, sound.most_frames)
        self._signal = np.empty(promised * RATE_HZ // rate_hz + _ROUNDING_SAMPLES, dtype=np.float32)
        self._most_samples = sound.most_frames * RATE_HZ // rate_hz + _ROUNDING_SAMPLES
        self._samples = 0

    def take(self, block: Floats) -> None:
        self._hash.update(block.data)
        self._meter.feed(block)
        self._peaks.feed(block)
        mono = self._mix.mix(block)
        self.excerpts.take(mono)
        self._keep(self._resampler.feed(mono))

    def _keep(self, signal: Floats) -> None:
        end = self._samples + len(signal)
        if end > len(self._signal):  # the header promised less: room for all there may be, given where it is written to
            longer = np.empty(max(self._most_samples, end), dtype=np.float32)
            longer[: self._samples] = self._signal[: self._samples]
            self._signal = longer
        self._signal[self._samples : end] = signal
        self._samples = end

    def heard(self, extent: Extent, front_ends: Sequence[FrontEnd]) -> Heard:
        self._keep(self._resampler.rest())
        if self._samples == 0:  # shorter than one sample of the analysed rate
            self._keep(np.zeros(1, dtype=np.float32))
        rate_hz = self._format.rate_hz
        return Heard(
            format=self._format,
            extent=extent,
            levels=self._meter.levels(),
            overview=self._peaks.overview(),
            detail=self._peaks.detail(),
            pcm_hash=self._hash.hexdigest(),
            signal=self._signal[: self._samples],
            windows={
                front_end.name: windows(self.excerpts, extent.frames, rate_hz, front_end) for front_end in front_ends
            },
        )
