"""A model's input: fixed-size log-mel windows, cut as its front-end asks. Needs neither librosa nor numba."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.decode import Audio
from samplemind_tasks.audio.mel import mel_filterbank
from samplemind_tasks.audio.mono import mono
from samplemind_tasks.audio.spectrum import frame_count, mel_frames
from samplemind_tasks.schemas import FrontEnd


def windows(audio: Audio, front_end: FrontEnd) -> NDArray[np.float16]:
    """Cut the windows a model hears.

    The mel spectrogram equals librosa's `feature.melspectrogram(y, sr, n_fft, hop_length, n_mels, htk)` of the whole
    sound with power 2 and zero padding at the edges; the model sees log10(log_gain * mel + 1).

    Parameters
    ----------
    audio : the decoded sound, any rate and channels
    front_end : rate, transform, mels, frames of a window and how many windows at most

    Returns
    -------
    float16 [n, front_end.frames, front_end.mels], 1 <= n <= front_end.max_windows: as many windows as fit, spread
    evenly from the first frame to the last. A sound shorter than a window is followed by silence.
    """
    signal = mono(audio.samples, audio.rate_hz, front_end.rate_hz)
    shortest = (front_end.frames - 1) * front_end.hop_samples
    if len(signal) < shortest:
        signal = np.pad(signal, (0, shortest - len(signal)))
    total_frames = frame_count(len(signal), front_end.hop_samples)
    return np.stack([_window(signal, start, front_end) for start in window_starts(total_frames, front_end)])


def window_starts(total_frames: int, front_end: FrontEnd) -> list[int]:
    """First frame of each window: the sound's length in windows, rounded, spread evenly; a lone one at the start."""
    count = min(max(round(total_frames / front_end.frames), 1), front_end.max_windows)
    return [round(start) for start in np.linspace(0, total_frames - front_end.frames, count)]


def _window(signal: NDArray[np.float32], start_frame: int, front_end: FrontEnd) -> NDArray[np.float16]:
    """One window float16 [frames, mels] of the whole sound's spectrogram, transforming its own samples only."""
    half = front_end.fft_samples // 2
    margin_frames = -(-half // front_end.hop_samples)
    first_frame = max(start_frame - margin_frames, 0)
    first = first_frame * front_end.hop_samples
    last = (start_frame + front_end.frames - 1) * front_end.hop_samples + half
    filterbank = mel_filterbank(front_end.rate_hz, front_end.fft_samples, front_end.mels, front_end.mel_scale)
    mel = mel_frames(signal[first:last], front_end.fft_samples, front_end.hop_samples, filterbank)
    skip = start_frame - first_frame
    log_mel = np.log10(front_end.log_gain * mel[skip : skip + front_end.frames] + 1.0)
    return np.asarray(log_mel, dtype=np.float16)
