"""A meter for a sound that comes block by block: loudness, peaks, clipping, silence and stereo image in one pass."""

import math

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.k_weighting import KWeighting
from samplemind_tasks.audio.levels import Clipping, Levels, LevelSums, LoudSpan, Stereo
from samplemind_tasks.audio.loudness import (
    HOPS_A_SECOND,
    MOMENTARY_HOPS,
    SHORT_TERM_HOPS,
    highest_lufs,
    integrated_lufs,
    loudness_range_lu,
)
from samplemind_tasks.audio.true_peak import TruePeak
from samplemind_tasks.features import Reason

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_SILENT_PEAK = 1e-4
"""A sound that never rises above -80 dBFS is silence."""
_NOTHING: dict[str, float | None] = dict.fromkeys(
    (
        "loudness_lufs", "loudness_range_lu", "loudness_momentary_max_lufs", "loudness_short_term_max_lufs",
        "true_peak_dbtp", "sample_peak_dbfs", "rms_dbfs", "crest_db", "stereo_width", "stereo_correlation",
    )
)  # fmt: skip
"""What silence does not have."""
_OF_STEREO = ("stereo_width", "stereo_correlation")
_OF_3_SECONDS = ("loudness_range_lu", "loudness_short_term_max_lufs")


class Meter:
    """Measures a sound at its own rate and channels, and gives the same result however it is cut into blocks.

    Everything is measured in whole hops of 100 ms: what a block leaves over waits for the next one.

    Parameters
    ----------
    rate_hz : frames per second, 4,000 to 768,000
    channels : 1 to 32; five are taken as 5.0 and six as 5.1, where the low frequencies do not count
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._weighting = KWeighting(rate_hz, channels)
        self._sums = LevelSums(channels)
        self._clipping = Clipping(channels)
        self._span = LoudSpan()
        self._between = TruePeak(rate_hz, channels)
        self._true_peak = 0.0
        self._energy: list[Doubles] = []
        self._hops = 0
        self._begun_hop = np.empty((self._edge(1) + 1, channels), dtype=np.float32)
        self._begun_frames = 0
        self._levels: Levels | None = None

    def feed(self, block: Floats) -> None:
        """Measure the next block: float32 [frames, channels], C-contiguous, finite, any number of frames."""
        start = self._edge(self._hops)
        if self._begun_frames:
            missing = self._edge(self._hops + 1) - start - self._begun_frames
            self._begin(block[:missing])
            if len(block) < missing:
                return
            self._measure_hops(self._begun_hop[: self._begun_frames])
            block, self._begun_frames = block[missing:], 0
            start = self._edge(self._hops)
        whole_frames = self._edge(self._last_hop(start + len(block))) - start
        if whole_frames:
            self._measure_hops(block[:whole_frames])
        self._begin(block[whole_frames:])

    def levels(self) -> Levels:
        """What the meter shows of everything fed; the sound ends here.

        A sound shorter than 400 ms has the loudness it would have with silence after it. Range and the short-term
        maximum need 3 s, as on any meter.

        Returns
        -------
        Levels; a value that does not exist is None and has its reason: SILENT, TOO_SHORT or MONO
        """
        if self._levels is None:
            self._end()
            self._levels = self._told()
        return self._levels

    def _edge(self, hop: int) -> int:
        """The first frame of a hop: 100 ms may be no whole number of frames."""
        return hop * self._rate_hz // HOPS_A_SECOND

    def _last_hop(self, frame: int) -> int:
        """The last hop that begins at this frame or before."""
        return ((frame + 1) * HOPS_A_SECOND - 1) // self._rate_hz

    def _begin(self, samples: Floats) -> None:
        """Let the first frames of a hop wait for the rest of it."""
        self._begun_hop[self._begun_frames : self._begun_frames + len(samples)] = samples
        self._begun_frames += len(samples)

    def _measure_hops(self, samples: Floats) -> None:
        """Measure the next hops, all of them whole."""
        start = self._edge(self._hops)
        last = self._last_hop(start + len(samples))
        edges = np.arange(self._hops, last + 1) * self._rate_hz // HOPS_A_SECOND - start
        self._measure_levels(samples, edges)
        self._energy.append(self._weighting.energy(samples, edges))
        self._hops = last

    def _measure_levels(self, samples: Floats, edges: Integers) -> None:
        self._sums.feed(samples, edges)
        peak = self._sums.peak
        self._clipping.feed(samples, peak)
        self._span.feed(samples, peak)
        self._true_peak = self._between.feed(samples, max(peak, self._true_peak))

    def _end(self) -> None:
        """Measure the last, incomplete hop: its energy counts only where it is needed for 400 ms."""
        rest = self._begun_hop[: self._begun_frames]
        if len(rest):
            self._measure_levels(rest, np.array([0, len(rest)]))
        self._true_peak = self._between.finish(self._true_peak)
        if self._hops < MOMENTARY_HOPS:
            edges = np.arange(self._hops, MOMENTARY_HOPS + 1) * self._rate_hz // HOPS_A_SECOND - self._edge(self._hops)
            padded = np.zeros((edges[-1], self._channels), dtype=np.float32)
            padded[: len(rest)] = rest
            self._energy.append(self._weighting.energy(padded, edges))

    def _told(self) -> Levels:
        silent = self._sums.peak < _SILENT_PEAK
        values = _NOTHING if silent else self._measured()
        silence_start, silence_end = self._span.silence_frames()
        return Levels(
            is_silent=silent,
            clipped_samples=self._clipping.samples,
            dc_offset=self._sums.dc_offset(),
            silence_start_s=silence_start / self._rate_hz,
            silence_end_s=silence_end / self._rate_hz,
            reasons={name: self._reason(name, silent=silent) for name, value in values.items() if value is None},
            **values,
        )

    def _measured(self) -> dict[str, float | None]:
        """The values that silence has not."""
        energy = np.concatenate(self._energy)
        sample_peak_dbfs, rms_dbfs = _decibels(self._sums.peak), _decibels(self._sums.rms())
        stereo = self._sums.stereo() if self._channels > 1 else Stereo(None, None)
        return {
            "loudness_lufs": integrated_lufs(energy),
            "loudness_range_lu": loudness_range_lu(energy),
            "loudness_momentary_max_lufs": highest_lufs(energy, MOMENTARY_HOPS),
            "loudness_short_term_max_lufs": highest_lufs(energy, SHORT_TERM_HOPS),
            "true_peak_dbtp": _decibels(self._true_peak),
            "sample_peak_dbfs": sample_peak_dbfs,
            "rms_dbfs": rms_dbfs,
            "crest_db": max(sample_peak_dbfs - rms_dbfs, 0.0),
            "stereo_width": stereo.width,
            "stereo_correlation": stereo.correlation,
        }

    def _reason(self, name: str, *, silent: bool) -> Reason:
        """Why this value does not exist."""
        if name in _OF_STEREO and self._channels == 1:
            return Reason.MONO
        if name in _OF_3_SECONDS and self._hops < SHORT_TERM_HOPS and not silent:
            return Reason.TOO_SHORT
        return Reason.SILENT if silent or name in _OF_STEREO else Reason.QUIET


def _decibels(amplitude: float) -> float:
    return 20.0 * math.log10(amplitude)
