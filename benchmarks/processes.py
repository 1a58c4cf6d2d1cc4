"""CPU seconds and memory of a stack's processes.

A process' own seconds and those of its dead children are read from the kernel, so that nobody who died is forgotten as
long as the service's first process lives.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from samplemind_tasks.launch import read_run_file

CpuSeconds = dict[str, float]
"""User and system seconds by service."""


def leaders(data_dir: Path) -> dict[str, psutil.Process]:
    """The first process of each service that runs now."""
    services = read_run_file(data_dir)["services"]
    return {name: psutil.Process(row["pid"]) for name, row in services.items() if psutil.pid_exists(row["pid"])}


def cpu_seconds(data_dir: Path) -> CpuSeconds:
    """Seconds each service has used until now, with all its children, living and dead."""
    return {name: _family_seconds(leader) for name, leader in leaders(data_dir).items()}


def used_between(before: CpuSeconds, after: CpuSeconds) -> CpuSeconds:
    """Seconds used between two looks, the largest first."""
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    return dict(sorted(used.items(), key=lambda row: -row[1]))


def idle_shares(data_dir: Path, seconds: float) -> CpuSeconds:
    """Per cent of a core each service uses over some seconds."""
    before, began = cpu_seconds(data_dir), time.monotonic()
    time.sleep(seconds)
    elapsed_s = time.monotonic() - began
    used = used_between(before, cpu_seconds(data_dir))
    return {name: 100 * spent / elapsed_s for name, spent in used.items()}


def memory_mb(data_dir: Path) -> dict[str, float]:
    """Resident megabytes: each service's first process, and each child of the CPU worker as `cpu-child PID`."""
    found: dict[str, float] = {}
    for name, leader in leaders(data_dir).items():
        found[name] = leader.memory_info().rss / 1e6
        if name == "worker-cpu":
            found |= {f"cpu-child {child.pid}": child.memory_info().rss / 1e6 for child in leader.children()}
    return found


def in_words(values: Mapping[str, float], unit: str, least: float) -> str:
    """Those that are not small, as words."""
    return ", ".join(f"{name} {value:.1f}{unit}" for name, value in values.items() if value >= least)


def _family_seconds(leader: psutil.Process) -> float:
    total = 0.0
    for process in [leader, *leader.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # its seconds are its parent's now; at most one look's worth is missed
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def own_seconds() -> float:
    """Seconds this process itself has used."""
    times = os.times()
    return times.user + times.system
