"""A figure with its bar, the table of them, and the file they are kept in."""

import json
import os
import platform
import subprocess
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("samplemind", "celery", "kombu", "redis", "pymongo", "chromadb", "fastapi", "uvicorn", "numpy", "torch")


@dataclass(frozen=True)
class Figure:
    """Something measured, and what it should be."""

    name: str
    what: str
    """With the numbers of files, processes and threads, and the baseline where there is one."""
    measured: str
    bar: str = ""
    ok: bool | None = None
    """None: told, not judged."""
    values: dict[str, object] = field(default_factory=dict)
    """The numbers behind the words."""
    peers: str = ""
    """What others reach in the same run."""


def show(figures: list[Figure], *, quick: bool) -> None:
    """Print the table."""
    title = "SampleMind benchmarks" + (" (--quick: smaller numbers, not the bars' own)" if quick else "")
    with_peers = any(row.peers for row in figures)
    heads = ("name", "what", "measured", "bar", "ok", *(["others, in the same run"] if with_peers else []))
    table = Table(*heads, title=title, show_lines=True)
    for row in figures:
        cells = (row.name, row.what, row.measured, row.bar, {True: "yes", False: "NO", None: ""}[row.ok])
        table.add_row(*cells, *([row.peers] if with_peers else []))
    Console(width=150 if not os.isatty(1) else None).print(table)


@dataclass(frozen=True)
class Conditions:
    """How things were when the measuring began."""

    commit: str
    changed_since_commit: bool
    load_before: tuple[float, ...]


def conditions() -> Conditions:
    """Look before anything runs: someone may commit meanwhile."""
    return Conditions(
        commit=_git("rev-parse", "--short", "HEAD") or "no-commit",
        changed_since_commit=bool(_git("status", "--porcelain", "--", "samplemind_tasks", "api_gateway", "config")),
        load_before=os.getloadavg(),
    )


def write(figures: list[Figure], began: Conditions, *, quick: bool, file: Path | None = None, of: str = "") -> Path:
    """Keep the figures with the machine they were measured on."""
    commit = began.commit
    of = f"-{of}" if of else ""
    file = file or RESULTS / f"{time.strftime('%Y-%m-%d')}-{commit}{of}{'-quick' if quick else ''}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "commit": commit,
        "changed_since_commit": began.changed_since_commit,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "quick": quick,
        "machine": machine() | {"load_before": began.load_before, "load_after": os.getloadavg()},
        "figures": [asdict(row) for row in figures],
    }
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return file


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _git(*words: str) -> str:
    asked = subprocess.run(  # the commands are ours
        ["git", *words],  # noqa: S607
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()
