"""Words for how a sound is perceived, each by one formula over measured quantities.

The words are those that people search sounds with (Pearce, Brookes and Mason, Timbral attributes for sound effect
library searching, AES 2017) and that mixing engineers use. A score is a straight line from 0, where nobody would say
the word, to 1, where everybody would; a word that needs several things has the lowest of their scores. Where the lines
end was set by hand on drum kits, instruments and music, so that kinds of sounds come out as they are spoken of. Every
quantity is a ratio: loudness changes no word. A word is said from here on:

bright, dark    the centroid lies above 2.5 kHz, below 800 Hz
warm            38 % of the loudness lies between 100 and 630 Hz, and no more than 5.5 % of the power above 2 kHz
thin            no more than 1 % of the audible power lies below 300 Hz
boomy, deep     75 % of the power lies below 250 Hz, 40 % below 90 Hz
nasal           60 % of the power lies between 700 and 2,000 Hz
harsh, crisp    25 % of the power lies between 2 and 5 kHz, above 5 kHz
noisy           the flatness is above 0.025
tonal           the peaks of the octaves stand 27 dB over their valleys (librosa's half decibels)
punchy          a one-shot: an attack of 14 ms, a decay of 0.5 s and 35 % of the power below 250 Hz;
                anything else: the mel spectrum rises by 4 dB in a tenth of the frames, the level by 5 dB within 46 ms
soft            an attack of 63 ms, and no more than 20 % of the power above 2 kHz
short, sustained   a one-shot that falls by 20 dB within 0.12 s, not before 1 s
hollow          odd harmonics (3, 5, 7) that are 7.5 dB over the even ones
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio import MELS, RATE_HZ
from samplemind_tasks.audio.mel import hz_to_mel, mel_to_hz
from samplemind_tasks.audio.spectrum import BIN_HZ, Spectrum
from samplemind_tasks.audio.timbre import Timbre
from samplemind_tasks.features import Word

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

HEARD = 0.5
"""A word that scores less is not said."""
_ENDLESS_S = 60.0
"""Taken as the decay of a sound that has not died away where its file ends."""
_EDGES_HZ = (90.0, 250.0, 700.0, 2_000.0, 5_000.0)
"""Between the bands of `Colour`: sub-bass, bass, low mids, mids, presence, top."""
_HARMONICS = 8
_NEAR = 0.3
"""A harmonic is looked for so far to both sides, in fundamentals."""
_FAINT = 1e-12
"""Powers below this share of the whole count as this."""
_NOTHING = 1e-30
"""Less power than this is rounding; full scale is about 1e8 for each frame."""
_LOUDNESS_EXPONENT = 0.23
"""Loudness of a band grows with this power of its intensity (Zwicker and Fastl, Psychoacoustics, 1990)."""
_BODY_BARK = slice(0, 3)
_WARM_BARK = slice(1, 6)
"""Critical bands from 100 to 630 Hz: where the lower harmonics of voices and instruments lie."""


@dataclass(frozen=True)
class Colour:
    """What the words of colour are made of, over the whole of a sound.

    Attributes
    ----------
    centroid_hz : mean of the frames, weighted by their power
    flatness : the same
    contrast_db : the same, mean of the octaves from 200 Hz
    sub, low, mid, presence, top : shares of the power below 90 Hz, below 250 Hz, from 700 to 2,000 Hz, from 2 to 5 kHz
        and above 5 kHz, 0 to 1
    body : share of the power that is heard (A-weighted) below 300 Hz, 0 to 1
    warmth : share of the loudness between 100 and 630 Hz, 0 to 1
    """

    centroid_hz: float
    flatness: float
    contrast_db: float
    sub: float
    low: float
    mid: float
    presence: float
    top: float
    body: float
    warmth: float


def words(
    sound: Spectrum,
    timbre: Timbre,
    *,
    attack_s: float | None = None,
    decay_s: float | None = None,
    pitch_hz: float | None = None,
) -> list[Word]:
    """Say how a sound is perceived.

    Parameters
    ----------
    sound, timbre : the shared spectrum and what `timbre.timbre` made of it
    attack_s : of a one-shot, see `envelope.shape`; None for anything else
    decay_s : the same; None too for a one-shot that has not died away where its file ends
    pitch_hz : fundamental frequency where there is one; without it nothing is called hollow

    Returns
    -------
    The words that score 0.5 or more, strongest first; none for silence
    """
    heard = colour(sound)
    if timbre.flux is None or heard is None:
        return []
    scores = _colours(heard)
    if attack_s is None:
        scores["punchy"] = min(_weight(heard), _ramp(timbre.flux.p90, 2.0, 6.0), _ramp(rise_db(sound.rms), 2.0, 8.0))
    else:
        scores |= _gestures(heard, attack_s, _ENDLESS_S if decay_s is None else decay_s)
    if pitch_hz is not None:
        scores["hollow"] = _hollow(sound.mean_power, pitch_hz)
    said = [Word(name=name, score=round(score, 3)) for name, score in scores.items() if score >= HEARD]
    return sorted(said, key=lambda word: -word.score)


def colour(sound: Spectrum) -> Colour | None:
    """Weigh and sum what the frames of a sound look like; None where there is no power at all."""
    weight = (sound.mel_power @ _band_widths_hz()).astype(np.float64)
    if weight.sum() < _NOTHING:
        return None
    weight /= weight.sum()
    power = sound.mel_power.sum(axis=0, dtype=np.float64) * _band_widths_hz()
    power /= power.sum()
    below = np.interp(_EDGES_HZ, _band_edges_hz(), np.append(0.0, np.cumsum(power)))
    audible = np.bincount(_band_barks(), power * _audibility())
    loudness = audible**_LOUDNESS_EXPONENT
    return Colour(
        centroid_hz=float(weight @ sound.centroid_hz),
        flatness=float(weight @ sound.flatness),
        contrast_db=float((weight @ sound.contrast_db)[1:].mean()),
        sub=float(below[0]),
        low=float(below[1]),
        mid=float(below[3] - below[2]),
        presence=float(below[4] - below[3]),
        top=float(1.0 - below[4]),
        body=float(audible[_BODY_BARK].sum() / audible.sum()),
        warmth=float(loudness[_WARM_BARK].sum() / loudness.sum()),
    )


def rise_db(rms: Floats) -> float:
    """How far the level rises within 46 ms where something is struck: the 95th percentile over the frames.

    Parameters
    ----------
    rms : float32 [frames]; 40 dB below the loudest is the floor
    """
    level_db = 20.0 * np.log10(np.maximum(rms, rms.max() * 1e-2))
    rises_db = level_db[2:] - level_db[:-2]
    struck = int(0.95 * len(rises_db))
    return float(np.partition(rises_db, struck)[struck]) if len(rises_db) else 0.0


def _colours(heard: Colour) -> dict[str, float]:
    """Scores of what a sound is made of."""
    centroid, body = math.log2(max(heard.centroid_hz, 1.0)), math.log10(max(heard.body, _FAINT))
    return {
        # Brightness goes with the centroid (Grey and Gordon, Perceptual effects of spectral modifications, 1978).
        "bright": _ramp(centroid, math.log2(1_250), math.log2(5_000)),
        "dark": _ramp(centroid, math.log2(1_600), math.log2(400)),
        # Lower harmonics, and little above them.
        "warm": min(_ramp(heard.warmth, 0.28, 0.48), _ramp(heard.presence + heard.top, 0.1, 0.01)),
        "thin": _ramp(body, -1.0, -3.0),
        # Booming is loudness in the lowest critical bands (Hatano and Hashimoto, Booming index, 2000).
        "boomy": _ramp(heard.low, 0.5, 1.0),
        "deep": _ramp(heard.sub, 0.1, 0.7),
        "nasal": _ramp(heard.mid, 0.4, 0.8),
        "harsh": _ramp(heard.presence, 0.1, 0.4),
        "crisp": _ramp(heard.top, 0.05, 0.45),
        "noisy": _ramp(math.log10(max(heard.flatness, _FAINT)), -2.3, -0.9),
        "tonal": _ramp(heard.contrast_db, 22.0, 32.0),
    }


def _gestures(heard: Colour, attack_s: float, decay_s: float) -> dict[str, float]:
    """Scores of how a one-shot moves: time is perceived by its logarithm (McAdams et al. 1995 on attacks)."""
    attack, decay = math.log2(max(attack_s, 1e-3)), math.log2(max(decay_s, 1e-3))
    struck = _ramp(attack, math.log2(0.04), math.log2(0.005))
    return {
        "punchy": min(_weight(heard), struck, _ramp(decay, math.log2(1.0), math.log2(0.25))),
        "soft": min(_ramp(attack, math.log2(0.02), math.log2(0.2)), _ramp(heard.presence + heard.top, 0.3, 0.1)),
        "short": _ramp(decay, math.log2(0.3), math.log2(0.05)),
        "sustained": _ramp(decay, math.log2(0.5), math.log2(2.0)),
    }


def _weight(heard: Colour) -> float:
    """Score of having enough below 250 Hz to be felt as a punch."""
    return _ramp(heard.low, 0.1, 0.6)


def _hollow(mean_power: Floats, pitch_hz: float) -> float:
    """Odd harmonics without even ones: "the quality of tone is hollow" (Helmholtz, On the sensations of tone, 1863)."""
    pitch_bins = pitch_hz / BIN_HZ
    last = min(_HARMONICS, int(len(mean_power) / pitch_bins - 1))
    if pitch_bins < 4 or last < 3:
        return 0.0
    level = [
        float(mean_power[round((n - _NEAR) * pitch_bins) : round((n + _NEAR) * pitch_bins) + 1].max())
        for n in range(1, last + 1)
    ]
    odd, even = sum(level[2::2]), max(sum(level[1::2]), _FAINT * level[0])
    if min(odd, level[0]) <= 0:
        return 0.0
    return min(_ramp(math.log10(odd / even), 0.0, 1.5), _ramp(math.log10(odd / level[0]), -3.0, -1.5))


def _ramp(value: float, none: float, full: float) -> float:
    """Straight line from 0 at `none` to 1 at `full`, flat beyond; `full` may be the smaller of the two."""
    return float(min(max((value - none) / (full - none), 0.0), 1.0))


@cache
def _band_edges_hz() -> Doubles:
    """Where each mel band hands over to the next, float64 [129]: its power is its height times the width between."""
    low, high = hz_to_mel(np.array([0.0, RATE_HZ / 2]), "slaney")
    step = (high - low) / (MELS + 1)
    edges_mel = np.linspace(low + step / 2, high - step / 2, MELS + 1)
    return mel_to_hz(edges_mel, "slaney")


@cache
def _band_widths_hz() -> Floats:
    """Width of each mel band, float32 [128]. The first has none: a constant offset is not heard."""
    widths_hz = np.diff(_band_edges_hz()).astype(np.float32)
    widths_hz[0] = 0.0
    return widths_hz


@cache
def _band_barks() -> NDArray[np.int64]:
    """Critical band of each mel band, int64 [128] (Traunmüller, Expressions for the tonotopic sensory scale, 1990)."""
    centre_hz = (_band_edges_hz()[1:] + _band_edges_hz()[:-1]) / 2
    return np.maximum(26.81 * centre_hz / (1960.0 + centre_hz) - 0.53, 0.0).astype(np.int64)


@cache
def _audibility() -> Doubles:
    """Gain of the A-weighting (IEC 61672-1) on the power of each mel band, float64 [128]."""
    square = ((_band_edges_hz()[1:] + _band_edges_hz()[:-1]) / 2) ** 2
    gain = 12194.0**2 * square**2 / ((square + 20.6**2) * (square + 12194.0**2))
    gain /= np.sqrt((square + 107.7**2) * (square + 737.9**2))
    return np.asarray(gain**2 * 10**0.2)
