"""K weighting: how strongly each frequency counts for loudness, and the weighted energy of each 100 ms."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_SHELF_HZ, _SHELF_Q = 1681.974450955533, 0.7071752369554196
_SHELF_GAIN = 10 ** (3.999843853973347 / 20)
_SHELF_MIDDLE_GAIN = _SHELF_GAIN**0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
_CHANNEL_WEIGHTS = {
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
"""Left, right, centre, (low frequencies, not counted,) left and right surround; any other number counts all alike."""
_HUM = 1e-30
"""Added to every sample: on digital silence the filters' memory would sink to numbers that processors are slow with."""


def k_coefficients(rate_hz: int) -> Doubles:
    """Two recursive filters of second order, a shelf for the head and then a high pass, for any sample rate.

    BS.1770-4 gives them at 48 kHz alone; these are the analogue prototypes behind them, carried over by the bilinear
    transform (De Man, Evaluation of implementations of the EBU R128 loudness measurement, AES 145, 2018).

    Parameters
    ----------
    rate_hz : above 3,364 Hz, twice the frequency of the shelf

    Returns
    -------
    float64 [7]: gain; b1, b2, a1, a2 of the shelf (b0 = a0 = 1); a1, a2 of the high pass, whose b is 1, -2, 1
    """
    k = float(np.tan(np.pi * _SHELF_HZ / rate_hz))
    middle = _SHELF_MIDDLE_GAIN * k / _SHELF_Q
    b0, b1, b2 = _SHELF_GAIN + middle + k**2, 2 * (k**2 - _SHELF_GAIN), _SHELF_GAIN - middle + k**2
    scale, a1, a2 = _denominator(k, _SHELF_Q)
    pass_scale, pass_a1, pass_a2 = _high_pass_denominator(rate_hz)
    # At 48 kHz the numerator of the high pass is 1, -2, 1 without a scale, which makes everything 0.04 dB too loud. It
    # must do so at any rate: the constant -0.691 of the loudness formula makes up for it.
    gain = b0 / scale * _high_pass_denominator(48_000)[0] / pass_scale
    return np.array([gain, b1 / b0, b2 / b0, a1 / scale, a2 / scale, pass_a1 / pass_scale, pass_a2 / pass_scale])


def _high_pass_denominator(rate_hz: int) -> tuple[float, float, float]:
    return _denominator(float(np.tan(np.pi * _HIGH_PASS_HZ / rate_hz)), _HIGH_PASS_Q)


def _denominator(k: float, q: float) -> tuple[float, float, float]:
    return 1 + k / q + k**2, 2 * (k**2 - 1), 1 - k / q + k**2


class KWeighting:
    """The K-weighted energy of a sound that comes piece by piece.

    Parameters
    ----------
    rate_hz, channels : of all pieces; five channels are taken as 5.0 and six as 5.1
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._coefficients = k_coefficients(rate_hz)
        self._weights = np.array(_CHANNEL_WEIGHTS.get(channels, (1.0,) * channels))
        self._memory = np.zeros((channels, 4))

    def energy(self, samples: Floats, edges: Integers) -> Doubles:
        """Filter the next piece.

        Parameters
        ----------
        samples : float32 [frames, channels], C-contiguous, finite
        edges : int64 [hops + 1]; a hop is samples[edges[i]:edges[i + 1]], the last edge is the end of the piece

        Returns
        -------
        float64 [hops], mean square of the weighted samples of each hop, summed over the weighted channels
        """
        energy = np.zeros(len(edges) - 1)
        _add_energy(samples, edges, self._coefficients, self._weights, self._memory, energy)
        return energy


@kernel(
    "void(Array(float32, 2, 'C', readonly=True), int64[::1],"
    " float64[::1], float64[::1], float64[:, ::1], float64[::1])",
    fastmath={"contract"},
)
def _add_energy(
    samples: Floats, edges: Integers, coefficients: Doubles, weights: Doubles, memory: Doubles, energy: Doubles
) -> None:
    """Both filters in direct form II, whose only wait from one sample to the next is one multiplication.

    Sums must keep their order (only fused multiply-adds): reordered, that wait triples.
    """
    b1, b2, a1, a2 = coefficients[1], coefficients[2], coefficients[3], coefficients[4]
    pass_a1, pass_a2 = coefficients[5], coefficients[6]
    for channel in range(samples.shape[1]):
        weight = weights[channel] * coefficients[0] ** 2
        shelf_1, shelf_2 = memory[channel, 0], memory[channel, 1]
        pass_1, pass_2 = memory[channel, 2], memory[channel, 3]
        for hop in range(len(energy)):
            total = 0.0
            for frame in range(edges[hop], edges[hop + 1]):
                shelf_0 = (samples[frame, channel] + _HUM - a2 * shelf_2) - a1 * shelf_1
                pass_0 = (shelf_0 + b1 * shelf_1 + b2 * shelf_2 - pass_a2 * pass_2) - pass_a1 * pass_1
                weighted = (pass_0 + pass_2) - 2.0 * pass_1
                total += weighted * weighted
                shelf_1, shelf_2 = shelf_0, shelf_1
                pass_1, pass_2 = pass_0, pass_1
            energy[hop] += weight * total / (edges[hop + 1] - edges[hop])
        memory[channel, 0], memory[channel, 1] = shelf_1, shelf_2
        memory[channel, 2], memory[channel, 3] = pass_1, pass_2
