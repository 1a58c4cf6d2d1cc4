"""How the loudness of a sound goes: how fast it rises, how fast it dies away, and its outline."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.features import Reason

Floats = NDArray[np.float32]

RATE_HZ = 22_050
HOP_SAMPLES = 64
"""2.9 ms: an attack of 5 ms is not yet one of 0."""
SLICES = 32
SILENCE = 1e-5
"""-100 dBFS: what never rises above is silent."""
_ATTACK_FROM, _ATTACK_TO = 0.1, 0.9
_DECAYED = 0.1
"""-20 dB."""
_NAMES = ("attack_s", "decay_s", "envelope")


@dataclass(frozen=True)
class Shape:
    """A sound's loudness over time.

    Attributes
    ----------
    amplitude : float32 [frames], root mean square of 128 samples, frame t beginning at sample 64 t; never empty
    attack_s : from 10 % to 90 % of the loudest frame
    decay_s : from the loudest frame until it stays 20 dB below it
    envelope : root mean square of 32 equal slices, the loudest is 1
    reasons : why one of the three is None
    """

    amplitude: Floats
    attack_s: float | None = None
    decay_s: float | None = None
    envelope: list[float] | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)

    @classmethod
    def of_many_events(cls, amplitude: Floats) -> "Shape":
        """The shape of a loop or a track, which has no single attack or decay."""
        return cls(amplitude, reasons=dict.fromkeys(_NAMES, Reason.NOT_ONE_SHOT))


def shape(signal: Floats) -> Shape:
    """Measure how a sound rises and dies away.

    Attack is the effort to reach 90 % from 10 % of the loudest (Peeters, A large set of audio features for sound
    description, 2004, with fixed thresholds). Both edges are taken from outside, the first time above and the last time
    below, so that the ripple of a low note is neither an attack nor a decay.

    Parameters
    ----------
    signal : float32 [samples], at least one, finite, at 22.05 kHz

    Returns
    -------
    Shape; the reasons are SILENT, and ENDLESS for a decay where the file ends before the sound has fallen by 20 dB
    """
    amplitude = _amplitude(signal)
    loudest = int(np.argmax(amplitude))
    peak = float(amplitude[loudest])
    if peak < SILENCE:
        return Shape(amplitude, reasons=dict.fromkeys(_NAMES, Reason.SILENT))
    decay_s = _decay_s(amplitude[loudest:] / peak)
    reasons = {} if decay_s is not None else {"decay_s": Reason.ENDLESS}
    return Shape(amplitude, _attack_s(amplitude[: loudest + 1] / peak), decay_s, _outline(amplitude), reasons)


def _attack_s(rise: Floats) -> float:
    """Time between two heights of float32 [frames], 1 at its end; 0 where it begins above both."""
    highest = np.maximum.accumulate(rise)
    return (_first_frame(highest, _ATTACK_TO) - _first_frame(highest, _ATTACK_FROM)) * HOP_SAMPLES / RATE_HZ


def _decay_s(fall: Floats) -> float | None:
    """Time until float32 [frames], 1 at its start, stays below a tenth; None where it never does."""
    if fall[-1] > _DECAYED:
        return None
    still_to_come = np.maximum.accumulate(fall[::-1])
    return (len(fall) - 1 - _first_frame(still_to_come, _DECAYED)) * HOP_SAMPLES / RATE_HZ


def _first_frame(rising: Floats, height: float) -> float:
    """Where float32 [frames], never falling, passes a height, between frames; 0 where it begins above."""
    after = int(np.searchsorted(rising, height))
    if after == 0:
        return 0.0
    if after == len(rising):
        return float(after - 1)
    below, above = float(rising[after - 1]), float(rising[after])
    return after - 1 + (height - below) / (above - below)


def _outline(amplitude: Floats) -> list[float]:
    """Root mean square of equal slices of float32 [frames], however many frames there are; the loudest is 1."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(amplitude, dtype=np.float64))])
    edges = np.linspace(0.0, len(amplitude), SLICES + 1)
    slices = np.sqrt(np.maximum(np.diff(np.interp(edges, np.arange(len(energy)), energy)), 0.0))
    return [float(part) for part in slices / slices.max()]


@kernel("float32[::1](float32[::1])")
def _amplitude(signal: Floats) -> Floats:
    """Root mean square of two hops at a time; the last, shorter hop counts the samples it has."""
    hops = (len(signal) + HOP_SAMPLES - 1) // HOP_SAMPLES
    amplitude = np.empty(hops, dtype=np.float32)
    power, samples = np.float32(0.0), 0
    for hop in range(hops - 1, -1, -1):
        start = hop * HOP_SAMPLES
        end = min(start + HOP_SAMPLES, len(signal))
        hop_power = np.float32(0.0)
        for position in range(start, end):
            hop_power += signal[position] * signal[position]
        amplitude[hop] = np.sqrt((hop_power + power) / np.float32(end - start + samples))
        power, samples = hop_power, end - start
    return amplitude
