"""What a file costs: CPU, memory, and the wait for the first one. One thread; peers in the same run."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy.fft
import soundfile

from benchmarks.audio import ours
from benchmarks.audio.material import HYDROGEN, sounds, tracks
from benchmarks.audio.peers import COST_PEERS
from benchmarks.figures import Figure
from samplemind_tasks.audio.warm import warm
from samplemind_tasks.model_table import front_ends

PAIR = [front_ends()["musicnn"], front_ends()["aisfx"]]
"""The front-ends of the default pair of models."""
_LONG_S = 600
_REPEATS = 3


def costs(quick: bool) -> list[Figure]:
    """CPU of tracks and one-shots, windows, and the bounds of a process."""
    warm(PAIR)
    music, hits = tracks(4 if quick else 12), sounds(HYDROGEN, "hydrogen-drumkits", 30 if quick else 150)
    return [
        *_files("minute", music, 220.0, _minutes),
        *_files("one-shot", hits, 5.0, lambda _: 1.0),
        _memory(),
        _first(),
    ]


def _minutes(path: Path) -> float:
    return soundfile.info(str(path)).duration / 60


def _files(unit: str, paths: Sequence[Path], bar_ms: float, size: Callable[[Path], float]) -> list[Figure]:
    """CPU per unit of everything, and of the windows; the floor and the peers on some of the files."""
    few = paths[:: max(len(paths) // 4, 1)]
    whole = _median_ms(ours.everything, paths, size)
    without = _median_ms(lambda path: ours.hear(path), paths, lambda _: 1.0)
    windows_ms = max(_median_ms(lambda path: ours.hear(path, PAIR), paths, lambda _: 1.0) - without, 0.0)
    floor = _median_ms(_floor, paths, size)
    peers = {peer.name: _median_ms(peer.answer, few, size, repeats=1) for peer in COST_PEERS}
    windows_bar = 150.0 if unit == "minute" else 4.0
    told = {"floor": floor, **peers}
    return [
        Figure(
            f"CPU per {unit}",
            f"median of {len(paths)} files, decode and everything but the models' windows",
            f"{whole:.1f} ms",
            f"< {bar_ms:.0f} ms",
            whole < bar_ms,
            {"ms": whole, "floor_ms": floor, "peers_ms": peers},
            peers=", ".join(f"{name} {ms:,.1f} ({ms / whole:.1f}x)" for name, ms in told.items()),
        ),
        Figure(
            f"windows per {'track' if unit == 'minute' else unit}",
            "front-ends musicnn and aisfx, from the same decode",
            f"{windows_ms:.1f} ms",
            f"< {windows_bar:.0f} ms",
            windows_ms < windows_bar,
            {"ms": windows_ms},
        ),
    ]


def _median_ms(
    work: Callable[[Path], object], paths: Sequence[Path], size: Callable[[Path], float], repeats: int = _REPEATS
) -> float:
    """Median over files of the least CPU milliseconds per unit."""
    costs = []
    for path in paths:
        turns = []
        for _ in range(repeats):
            began = time.process_time()
            work(path)
            turns.append(time.process_time() - began)
        costs.append(1000 * min(turns) / size(path))
    return round(statistics.median(costs), 2)


def _floor(path: Path) -> None:
    """What nobody can go below: decode with soundfile, mix, one float32 FFT pass over half the rate."""
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    signal = (samples @ np.full(samples.shape[1], 1 / samples.shape[1], np.float32))[::2]
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, 1024), 2048)[::512]
    for start in range(0, len(frames), 256):
        scipy.fft.rfft(frames[start : start + 256], workers=1)


# ------------------------------------------------------------------------------------------------------ fresh processes

_MEASURED = r"""
import json, re, sys, time
def peak():  # not getrusage's: that one begins with the peak of the process it was forked from
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
began = time.perf_counter(), time.process_time()
{before}
peak_mb = peak()
{work}
print(json.dumps({{
    "wall_s": time.perf_counter() - began[0],
    "cpu_s": time.process_time() - began[1],
    "grown_mb": peak() - peak_mb,
    "bare_mb": peak_mb,
}}))
"""


def _fresh(before: str, work: str, path: Path) -> dict[str, float]:
    """Run code in a new interpreter; `path` is its first argument."""
    code = _MEASURED.format(before=before, work=work)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _memory() -> Figure:
    """Peak memory over ten minutes of stereo, above the loaded analyser and above a bare interpreter."""
    loaded = "from benchmarks.audio import ours"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.flac"
        part, rate_hz = soundfile.read(tracks(4)[0], dtype="float32", always_2d=True)
        turns = -(-_LONG_S * rate_hz // len(part))
        soundfile.write(path, np.tile(part, (turns, 1))[: _LONG_S * rate_hz, :2], rate_hz)
        work = "ours.everything(__import__('pathlib').Path(sys.argv[1]))"
        beyond_loaded = _fresh(loaded, work, path)
        beyond_bare = _fresh("", f"{loaded}\n{work}", path)
    grown, with_libraries = beyond_loaded["grown_mb"], beyond_bare["grown_mb"]
    return Figure(
        "memory",
        "peak over 10 minutes of stereo beyond the loaded analyser (beyond a bare interpreter, every library included)",
        f"{grown:.0f} MB ({with_libraries:.0f})",
        "< 250 MB",
        grown < 250,
        {"beyond_loaded_mb": grown, "beyond_bare_interpreter_mb": with_libraries},
    )


def _first() -> Figure:
    """The first file of a fresh process: imports, kernels from the cache, and one one-shot."""
    path = sounds(HYDROGEN, "hydrogen-drumkits", 10)[0]
    work = "from benchmarks.audio import ours; ours.everything(__import__('pathlib').Path(sys.argv[1]))"
    mine = min((_fresh("", work, path) for _ in range(_REPEATS)), key=lambda turn: turn["wall_s"])
    theirs = _fresh("", "from benchmarks.audio import peers; peers.librosa_shared(sys.argv[1])", path)
    return Figure(
        "first file",
        "imports, kernels from a warm cache, one one-shot, in a fresh process",
        f"{mine['wall_s']:.2f} s",
        "< 1 s",
        mine["wall_s"] < 1,
        {"wall_s": mine["wall_s"], "cpu_s": mine["cpu_s"], "librosa_wall_s": theirs["wall_s"]},
        peers=f"librosa {theirs['wall_s']:.1f} s ({theirs['wall_s'] / mine['wall_s']:.1f}x)",
    )
