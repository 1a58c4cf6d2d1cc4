"""Our loudness and true peak beside those of ffmpeg's ebur128, file by file."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.audio.material import HYDROGEN, SONIC_PI, Missing, sounds, tracks
from benchmarks.figures import Figure
from samplemind_tasks.audio.levels import Levels
from samplemind_tasks.audio.meter import Meter

Floats = NDArray[np.float32]

MEASURES = (
    "loudness_lufs", "loudness_range_lu", "loudness_momentary_max_lufs", "loudness_short_term_max_lufs",
    "true_peak_dbtp",
)  # fmt: skip
_BAR = 0.1
_BLOCK_FRAMES = 1 << 16
_FEWEST_RANGE_WINDOWS = 70
"""10 s. Where fewer than 5 windows of 3 s pass the gate, ffmpeg takes the gate itself for their 10th percentile."""
_GATE_LUFS = -70.0
_PRINTED_PEAK = 500.0
"""ffmpeg prints peaks with three decimals: they are scaled up to this for enough digits."""
_PAD_S = 0.3
"""ffmpeg tells the peaks of whole 100 ms alone: silence at the end completes the last."""


def loudness(quick: bool) -> list[Figure]:
    """EBU R128 on music, loops and one-shots."""
    paths = [
        *tracks(4 if quick else 16),
        *sounds(SONIC_PI, "sonic-pi-samples", 10 if quick else 60),
        *sounds(HYDROGEN, "hydrogen-drumkits", 10 if quick else 60),
    ]
    found = compare(paths)
    if not found["files"]:
        raise Missing("ffmpeg is not installed: apt-get install ffmpeg")
    spreads = {name: cast("dict[str, float]", found[name]) for name in MEASURES}
    lufs, peak = spreads["loudness_lufs"], spreads["true_peak_dbtp"]
    return [
        _figure("integrated loudness", "LU", lufs, found),
        _figure("loudness range", "LU", spreads["loudness_range_lu"], found),
        _figure("true peak", "dB", peak, found),
    ]


def _figure(name: str, unit: str, spread: dict[str, float], found: dict[str, object]) -> Figure:
    return Figure(
        name,
        f"difference to ffmpeg {found['ffmpeg']} over {spread['files']:.0f} sounds: 95th percentile (median, max)",
        f"{spread['p95']:.3f} {unit} ({spread['median']:.3f}, {spread['max']:.3f})",
        f"<= 0.1 {unit}",
        spread["p95"] <= _BAR,
        dict(found),
    )


def compare(paths: Iterable[Path], seconds: float = 90.0) -> dict[str, object]:
    """Measure files twice and tell how far apart the two are.

    ffmpeg is given our decoder's samples, so that decoders are not compared. At other rates than 44.1 and 48 kHz it is
    itself off the standard: its high pass is scaled by the rate (0.05 dB too loud at 22.05 kHz, 0.02 too quiet at 96).

    Parameters
    ----------
    paths : sounds that libsndfile reads
    seconds : how much of each is measured

    Returns
    -------
    "ffmpeg": its version, or why there is no comparison; "files": how many were measured; and of every measure the
    number of "files" where both have a value, and the "max", "median" and "p95" of the absolute difference in LU or dB
    """
    if shutil.which("ffmpeg") is None:
        return {"ffmpeg": "not installed: nothing to compare with", "files": 0}
    differences: dict[str, list[float]] = {name: [] for name in MEASURES}
    files = 0
    for path in paths:
        try:
            frames = round(seconds * soundfile.info(path).samplerate)
            samples, rate_hz = soundfile.read(path, frames=frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        ours = _ours(samples, rate_hz)
        if ours.is_silent:
            continue
        files += 1
        for name, value in _theirs(samples, rate_hz).items():
            own = getattr(ours, name)
            if own is not None:
                differences[name].append(abs(own - value))
    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout.split()[2]  # noqa: S607
    return {"ffmpeg": version, "files": files, **{name: _spread(found) for name, found in differences.items()}}


def _spread(differences: list[float]) -> dict[str, float]:
    if not differences:
        return {"files": 0}
    found = {"max": np.max(differences), "median": np.median(differences), "p95": np.percentile(differences, 95)}
    return {"files": len(differences), **{name: round(float(value), 4) for name, value in found.items()}}


def _ours(samples: Floats, rate_hz: int) -> Levels:
    meter = Meter(rate_hz, samples.shape[1])
    for start in range(0, len(samples), _BLOCK_FRAMES):
        meter.feed(samples[start : start + _BLOCK_FRAMES])
    return meter.levels()


def _theirs(samples: Floats, rate_hz: int) -> dict[str, float]:
    """What ffmpeg measured, without the values it only has a placeholder for."""
    printed = _printed(samples, rate_hz, "ebur128=metadata=1")
    # A meter's first values, before 400 ms and 3 s have passed, are none.
    momentary, short_term = printed.get("M", [])[3:], printed.get("S", [])[29:]
    found = {}
    if momentary:
        found["loudness_momentary_max_lufs"] = max(momentary)
        if printed["I"][-1] > _GATE_LUFS:
            found["loudness_lufs"] = printed["I"][-1]
    if short_term:
        found["loudness_short_term_max_lufs"] = max(short_term)
    if len(short_term) >= _FEWEST_RANGE_WINDOWS:
        found["loudness_range_lu"] = printed["LRA"][-1]
    gain = _PRINTED_PEAK / float(np.abs(samples).max())
    scaled = _printed(
        samples, rate_hz, f"volume={gain:.6f}:precision=double,apad=pad_dur={_PAD_S},ebur128=peak=true:metadata=1"
    )
    peaks = [values[-1] for name, values in scaled.items() if name.startswith("true_peaks_ch")]
    found["true_peak_dbtp"] = 20.0 * float(np.log10(max(peaks) / gain))
    return found


def _printed(samples: Floats, rate_hz: int, meter: str) -> dict[str, list[float]]:
    """Every value that ffmpeg's meter printed, every 100 ms, by its name."""
    command = ["ffmpeg", "-nostdin", "-nostats", "-f", "f32le", "-ar", str(rate_hz), "-ac", str(samples.shape[1])]
    command += ["-i", "pipe:0", "-af", f"{meter},ametadata=print:file=pipe\\\\:1", "-f", "null", "-"]
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True)
    values: dict[str, list[float]] = {}
    for name, value in re.findall(rb"lavfi\.r128\.(\w+)=(\S+)", done.stdout):
        values.setdefault(name.decode(), []).append(float(value))
    return values
