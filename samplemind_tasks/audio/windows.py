"""A model's input: fixed-size log-mel windows, cut as its front-end asks."""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.excerpts import Excerpts, Interval
from samplemind_tasks.audio.mel import MelBands, mel_filterbank, sparse
from samplemind_tasks.audio.mono import resample
from samplemind_tasks.audio.spectrum import frame_count, mel_frames
from samplemind_tasks.cards import SILENCE_DB, FrontEnd

Windows = NDArray[np.float16]
Floats = NDArray[np.float32]

_SILENT_PEAK = 1e-10
_SETTLING_SAMPLES = 256
"""The resampler's filter has no memory beyond this many samples of the slower rate."""


@dataclass(frozen=True)
class Cut:
    """One window: which frames of the sound it needs, and where in them, after resampling, its first sample lies.

    Attributes
    ----------
    needed : frames at the file's own rate
    first_sample : of the signal to transform, at the front-end's rate, counted from the start of `needed`
    sound_samples : how many samples of that signal lie before the end of the sound
    repeats : how often a short sound is heard in this window, from its start to its end
    """

    needed: Interval
    first_sample: int
    sound_samples: int
    repeats: int = 1


def plan(frames: int, rate_hz: int, front_end: FrontEnd) -> list[Cut]:
    """Say which parts of a sound a front-end needs: as many windows as fit, spread evenly from start to end.

    Parameters
    ----------
    frames : length of the sound at its own rate
    rate_hz : its own rate

    Returns
    -------
    1 to front_end.max_windows cuts; a sound shorter than a window has one, at its start
    """
    total_samples = -(-frames * front_end.rate_hz // rate_hz)
    shortest = (front_end.frames - 1) * front_end.hop_samples
    if front_end.padding == "repeat" and 0 < total_samples < shortest:
        return [_cut(0, total_samples, rate_hz, front_end, repeats=shortest // total_samples)]
    total_frames = frame_count(max(total_samples, shortest), front_end.hop_samples)
    count = min(max(round(total_frames / front_end.frames), 1), front_end.max_windows)
    starts = np.linspace(0, total_frames - front_end.frames, count)
    return [_cut(round(start), total_samples, rate_hz, front_end) for start in starts]


def _cut(start_frame: int, total_samples: int, rate_hz: int, front_end: FrontEnd, repeats: int = 1) -> Cut:
    first = start_frame * front_end.hop_samples - front_end.fft_samples // 2
    last = first + (front_end.frames - 1) * front_end.hop_samples + front_end.fft_samples
    if repeats > 1:
        last = total_samples
    # the excerpt begins where a sample of one rate falls on a sample of the other
    common = gcd(rate_hz, front_end.rate_hz)
    step, own_step = front_end.rate_hz // common, rate_hz // common
    settling = 0 if step == own_step else _SETTLING_SAMPLES
    begin = (first - settling) // step
    end = -(-(last + settling) // step)
    return Cut(
        needed=Interval(begin * own_step, end * own_step),
        first_sample=first - begin * step,
        sound_samples=total_samples * repeats - first,
        repeats=repeats,
    )


def windows(excerpts: Excerpts, frames: int, rate_hz: int, front_end: FrontEnd) -> Windows:
    """Cut the windows a model hears.

    The mel spectrogram equals librosa's `feature.melspectrogram(y, sr, n_fft, hop_length, n_mels, htk, norm, fmin,
    fmax)` of the whole sound with power 2 and zero padding at the edges; the model sees its logarithm, as the front-end
    says. CLAP was trained with the edges mirrored (transformers' ClapFeatureExtractor): the first and the last two
    frames of a sound differ from its own.

    Parameters
    ----------
    excerpts : what was kept of the sound
    frames, rate_hz : length and rate of the sound
    front_end : rate, transform, mels, frames of a window and how many windows at most

    Returns
    -------
    float16 [n, front_end.frames, front_end.mels], 1 <= n <= front_end.max_windows. A sound shorter than a window is
    followed by silence, where the front-end says so after whole repetitions ("repeatpad", Wu et al., Large-scale
    contrastive language-audio pretraining, 2023).
    """
    gain = 1.0 / excerpts.peak if front_end.peak_normalised and excerpts.peak > _SILENT_PEAK else 1.0
    cuts = plan(frames, rate_hz, front_end)
    return np.stack([_window(excerpts, cut, rate_hz, front_end, gain) for cut in cuts])


def _window(excerpts: Excerpts, cut: Cut, rate_hz: int, front_end: FrontEnd, gain: float) -> Windows:
    """One window float16 [frames, mels]; frames behind the end of the sound are silence and cost nothing."""
    window = np.full((front_end.frames, front_end.mels), front_end.silence, dtype=np.float16)
    # every frame that begins before the sound ends
    audible = min(max(-(-cut.sound_samples // front_end.hop_samples), 1), front_end.frames)
    samples = (audible - 1) * front_end.hop_samples + front_end.fft_samples
    signal = _repeated(resample(excerpts.cut(cut.needed), rate_hz, front_end.rate_hz), cut, front_end)[:samples]
    signal = np.pad(signal, (0, samples - len(signal))) * np.float32(gain)
    mel = mel_frames(signal, front_end.fft_samples, front_end.hop_samples, _bands(front_end), centred=False)
    window[:audible] = _logarithm(mel, front_end)
    return window


def _repeated(excerpt: Floats, cut: Cut, front_end: FrontEnd) -> Floats:
    """The signal to transform, from half a transform before the sound on."""
    signal = excerpt[cut.first_sample :]
    if cut.repeats == 1:
        return signal
    before = front_end.fft_samples // 2
    once = (cut.sound_samples - before) // cut.repeats
    return np.concatenate([signal[:before], np.tile(signal[before : before + once], cut.repeats)])


def _logarithm(mel: Floats, front_end: FrontEnd) -> Floats:
    if front_end.logarithm == "decibels":
        return np.asarray(10.0 * np.log10(np.maximum(mel, 10.0 ** (SILENCE_DB / 10.0))))
    return np.asarray(np.log10(front_end.log_gain * mel + 1.0) / front_end.log_divisor)


@cache
def _bands(front_end: FrontEnd) -> MelBands:
    """Triangles of equal area, or each summing to one."""
    filterbank = mel_filterbank(
        front_end.rate_hz,
        front_end.fft_samples,
        front_end.mels,
        front_end.mel_scale,
        front_end.lowest_hz,
        front_end.highest_hz,
    )
    if front_end.mel_norm == "sum":
        filterbank = filterbank / np.maximum(filterbank.sum(axis=0, keepdims=True), 1e-12)
    return sparse(filterbank)
