"""Kernels are compiled by one process at a time, and once."""

import os
import subprocess
import sys
from pathlib import Path

USE = (
    "import numpy as np; from samplemind_tasks.audio.envelope import shape;"
    "print(shape(np.sin(np.arange(4000, dtype=np.float32))).attack_s is not None)"
)


def begun(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen([sys.executable, "-c", USE], env=environment, stdout=subprocess.PIPE, text=True)


def compiled(cache: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in cache.rglob("*.nb?")}


def test_processes_that_start_together_on_an_empty_cache_all_work_and_compile_once(tmp_path: Path) -> None:
    together = [begun(tmp_path) for _ in range(3)]
    assert [process.communicate(timeout=120)[0].strip() for process in together] == ["True"] * 3
    first = compiled(tmp_path)
    assert first
    assert begun(tmp_path).communicate(timeout=120)[0].strip() == "True"
    assert compiled(tmp_path) == first
