"""A fingerprint for near duplicates: the same sound re-encoded, resampled, turned up or down, or cut a little.

The picture of a sound, 32 bands by at most 64 moments, 16 steps of 2 dB deep. Energy in bands over time is the idea of
Haitsma and Kalker, A highly robust audio fingerprinting system, 2002; that one and Chromaprint hold one bit of each
band and moment, which needs seconds of music. One-shots have a tenth of a second to go by, so levels are kept.

Two pictures of one sound are alike wherever its file begins and whatever silence is around it: moments are counted from
where a tenth of the energy has passed, they are as long as the span of the energy asks for, by powers of two, and
energy is summed before it is cut into moments, so that they may begin between two frames of the spectrum.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio import MELS, RATE_HZ
from samplemind_tasks.audio.mel import hz_to_mel, mel_to_hz

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Levels = NDArray[np.uint8]

NEAR_DUPLICATE = 0.66
"""Two sounds at least this similar are near duplicates.

Measured on drum kits, loops and music: of copies re-encoded (mp3, ogg, opus, aac, 64 to 128 kbit/s), resampled, turned
down or with silence added 98 % are; with 5 ms cut off or faded in 87 %; of pairs of different sounds in one folder
0.08 %, nearly all two strokes on one drum; of a bass or kick and itself a semitone away 1 %, of any sound 9 %; of
sounds from two folders none in 50,000. Clicks shorter than 0.1 s are found less often.
"""

_VERSION = 1
_HEAD = struct.Struct("<BBBH")
"""Version, octave, lead and sixteenths of a semitone; levels of two bands to a byte follow."""
_BAND_EDGES = (
    *(0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 21, 24, 27),
    *(30, 34, 38, 42, 46, 51, 56, 61, 67, 73, 80, 87, 95, 104, 114),
)
"""First of the 128 mel bands in each of 32: single ones at the bottom, where kicks differ, and ever more above."""
_BANDS = len(_BAND_EDGES)
_MOST_MOMENTS = 64
_ANCHOR = 0.1
"""Share of the energy that has passed at the moment that all others are counted from."""
_QUIET_SHARE = 0.001
"""Of the energy at either end lies outside the picture: it may be cut off."""
_LEVEL_DB = 2.0
_TOP_LEVEL = 15
_SILENT_POWER = 1e-9
_MOST_DB = 4.0
"""A cell can differ by no more: a click that was cut off is one difference, not twenty."""
_LOW_SEMITONES = 87.0
"""Above 1 Hz: 152 Hz. A sound whose energy lies below it is a kick or a bass."""
_RETUNED_SEMITONES = 0.8
"""Two of those further apart are two: the bands are too wide to tell one 808 from that of the next key."""
_STEPS: Doubles = np.linspace(0.0, 1.0, 17)


@dataclass(frozen=True)
class _Picture:
    octave: int
    """A moment is 2 ** octave hops long."""
    lead: int
    """Moments before the anchor."""
    centre_semitones: float
    """Mean pitch of the energy, above 1 Hz, to a sixteenth."""
    levels: Levels
    """[moments, 32], 0 to 15; 15 is the loudest cell, 0 is 30 dB below it or less."""


def fingerprint(mel_power: Floats, *, silent: bool) -> str | None:
    """Describe a sound for finding its near duplicates.

    Parameters
    ----------
    mel_power : float32 [frames, 128], at least one frame: the shared Slaney mel spectrum of 2048 samples every 512 at
        22.05 kHz, see audio/spectrum.py
    silent : whether there is nothing to hear

    Returns
    -------
    URL-safe base64, 28 characters for a click to 1.4 kB for a track, compared by `similarity`; None for silence alone
    """
    if silent:
        return None
    bands = np.add.reduceat(mel_power, _BAND_EDGES, axis=1)
    passed = np.zeros((len(bands) + 1, _BANDS))
    np.cumsum(bands, axis=0, dtype=np.float64, out=passed[1:])
    total: Doubles = passed.sum(axis=1)
    if not total[-1] > _SILENT_POWER:
        return None
    first, last = np.interp(total[-1] * np.array([_QUIET_SHARE, 1.0 - _QUIET_SHARE]), total, np.arange(len(total)))
    anchor = _anchor(total)
    octave = int(np.ceil(np.log2(max(1.0, (last - first) / (_MOST_MOMENTS - 2)))))
    moment = 2.0**octave
    lead, rest = int(np.ceil((anchor - first) / moment)), max(1, int(np.ceil((last - anchor) / moment)))
    edges: Doubles = anchor + moment * np.arange(-lead, rest + 1, dtype=np.float64)
    power = np.diff(_between(passed, edges), axis=0)
    return _packed(_Picture(octave, lead, _centre_semitones(mel_power), _levels(power)))


def similarity(one: str, other: str) -> float:
    """Compare two fingerprints.

    Parameters
    ----------
    one, other : as `fingerprint` returns them

    Returns
    -------
    0 to 1, the same in either order: 1 is the same picture, NEAR_DUPLICATE and above is most likely the same recording

    Raises
    ------
    ValueError : this is no fingerprint
    """
    left, right = _unpacked(one), _unpacked(other)
    if abs(left.octave - right.octave) > 1:
        return 0.0
    if left.octave < right.octave:
        left = _coarser(left)
    elif right.octave < left.octave:
        right = _coarser(right)
    apart = abs(left.centre_semitones - right.centre_semitones)
    low = max(left.centre_semitones, right.centre_semitones) < _LOW_SEMITONES
    same_tuning = (_RETUNED_SEMITONES / apart) ** 2 if low and apart > _RETUNED_SEMITONES else 1.0
    lead = max(left.lead, right.lead)
    moments = lead + max(len(left.levels) - left.lead, len(right.levels) - right.lead)
    difference_db = _difference_db(_placed(left, lead, moments), _placed(right, lead, moments))
    return same_tuning * (1.0 - difference_db / _MOST_DB)


def _difference_db(left: Floats, right: Floats) -> float:
    """Mean difference of two pictures, loud cells first, after the gain between them is taken out: 0 to 4 dB."""
    difference = left - right
    heard = np.minimum(left, right) > 0
    if heard.any():
        difference[heard] -= np.median(difference[heard])
    weight = np.maximum(left, right)
    return float((weight * np.minimum(np.abs(difference) * _LEVEL_DB, _MOST_DB)).sum() / weight.sum())


@cache
def _mel_bands() -> tuple[Doubles, Doubles]:
    """Centre of each mel band in semitones above 1 Hz, and its width in Hz."""
    lowest_mel, highest_mel = hz_to_mel(np.array([0.0, RATE_HZ / 2]), "slaney")
    centre_hz = mel_to_hz(np.linspace(lowest_mel, highest_mel, MELS + 2), "slaney")[1:-1]
    return 12.0 * np.log2(centre_hz), np.gradient(centre_hz)


def _centre_semitones(mel_power: Floats) -> float:
    semitones, width_hz = _mel_bands()
    power = mel_power.sum(axis=0, dtype=np.float64) * width_hz
    return float((power * semitones).sum() / power.sum())


def _anchor(total: Doubles) -> float:
    """The time in hops when a tenth of the energy has passed; `total` is what has passed at each hop."""
    share = total[-1] * _ANCHOR
    before = int(np.interp(share, total, np.arange(len(total))))
    passed = _between(total[:, np.newaxis], before + _STEPS)[:, 0]
    return before + float(np.interp(share, passed, _STEPS))


def _between(passed: Doubles, times: Doubles) -> Doubles:
    """Values of float64 [hops, bands] at any times, by the cubic through the four nearest; the ends go on level."""
    last = len(passed) - 1
    times = np.clip(times, 0, last)
    before = np.minimum(times.astype(np.int64), last - 1)
    part = (times - before)[:, None]
    ahead, left, beyond = part + 1, part - 1, part - 2
    return np.asarray(
        passed[np.maximum(before - 1, 0)] * (-part * left * beyond / 6)
        + passed[before] * (ahead * left * beyond / 2)
        + passed[before + 1] * (-ahead * part * beyond / 2)
        + passed[np.minimum(before + 2, last)] * (ahead * part * left / 6)
    )


def _levels(power: Doubles) -> Levels:
    """Steps of 2 dB below the loudest cell, which is 15."""
    relative = np.maximum(power, 0.0) / power.max()
    level = np.rint(_TOP_LEVEL + 10.0 / _LEVEL_DB * np.log10(np.maximum(relative, 1e-9)))
    return np.asarray(np.maximum(level, 0), dtype=np.uint8)


def _coarser(picture: _Picture) -> _Picture:
    """The same sound in moments twice as long."""
    power = np.where(picture.levels > 0, 10.0 ** (_LEVEL_DB / 10.0 * picture.levels), 0.0)
    front = picture.lead % 2
    power = np.pad(power, ((front, (len(power) + front) % 2), (0, 0)))
    levels = _levels(power[::2] + power[1::2])
    return _Picture(picture.octave + 1, (picture.lead + front) // 2, picture.centre_semitones, levels)


def _placed(picture: _Picture, lead: int, moments: int) -> Floats:
    """Levels in a picture of so many moments, so many of them before the anchor."""
    placed = np.zeros((moments, _BANDS), dtype=np.float32)
    start = lead - picture.lead
    placed[start : start + len(picture.levels)] = picture.levels
    return placed


def _packed(picture: _Picture) -> str:
    cells = picture.levels[:, ::2] << 4 | picture.levels[:, 1::2]
    head = _HEAD.pack(_VERSION, picture.octave, picture.lead, round(16 * picture.centre_semitones))
    return base64.urlsafe_b64encode(head + cells.tobytes()).decode()


def _unpacked(print_: str) -> _Picture:
    try:
        content = base64.urlsafe_b64decode(print_)
    except (ValueError, binascii.Error) as error:
        raise ValueError("a fingerprint is base64") from error
    cells = np.frombuffer(content[_HEAD.size :], np.uint8)
    if not cells.any() or len(cells) % (_BANDS // 2) or content[0] != _VERSION:
        raise ValueError("this is no fingerprint of this version")
    _, octave, lead, sixteenths = _HEAD.unpack_from(content)
    halves = np.stack([cells >> 4, cells & 15], axis=1)
    return _Picture(octave, lead, sixteenths / 16, halves.reshape(-1, _BANDS))
