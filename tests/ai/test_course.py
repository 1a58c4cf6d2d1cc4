"""How a sound goes."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.ai.course import LOG_DIVISOR, LOG_GAIN, SIZE, course


def as_window(power: NDArray[np.float64]) -> NDArray[np.float16]:
    """Mel power [frames, 96] as one window [1, 100, 96] of the front-end."""
    window = np.zeros((1, 100, 96), np.float16)
    window[0, : len(power)] = np.log10(LOG_GAIN * power + 1) / LOG_DIVISOR
    return window


def burst(fall_frames: float, *, late: int = 0, centre: int = 50) -> NDArray[np.float16]:
    """A band that falls by 1/e in so many frames."""
    power = np.exp(-np.arange(100 - late) / fall_frames)[:, None] * np.exp(-(((np.arange(96) - centre) / 8) ** 2))
    return as_window(np.concatenate([np.full((late, 96), 0.0), power]))


def test_there_are_as_many_numbers_as_said_and_all_are_finite() -> None:
    for windows in (burst(5), burst(1e9), as_window(np.eye(1, 96)), np.concatenate([burst(5)] * 6)):
        told = course(windows)
        assert told.shape == (SIZE,)
        assert told.dtype == np.float32
        assert np.isfinite(told).all()


def test_a_longer_fall_is_another_course_and_another_start_hardly_is() -> None:
    short, late, long = course(burst(3)), course(burst(3, late=2)), course(burst(20))
    pictured = slice(0, 192)
    apart = np.linalg.norm((short - long)[pictured])
    assert np.linalg.norm((short - late)[pictured]) < 0.1 * apart


def test_one_frame_of_sound_has_a_course() -> None:
    assert np.isfinite(course(as_window(np.full((1, 96), 0.5)))).all()
