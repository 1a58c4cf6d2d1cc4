"""Measure, print, keep."""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench_export import export
from benchmarks.bench_mixed import mixed
from benchmarks.bench_polls import polls
from benchmarks.bench_rescan import rescan
from benchmarks.bench_search import search
from benchmarks.bench_start import idle, start
from benchmarks.bench_streams import streams
from benchmarks.bench_submit import submit
from benchmarks.bench_trip import trip
from benchmarks.figures import Figure, conditions, show, write
from benchmarks.sizes import FULL, QUICK
from benchmarks.world import World

PARTS: dict[str, Callable[[World], list[Figure]]] = {
    "start": start,
    "idle": idle,
    "trip": trip,
    "polls": polls,
    "streams": streams,
    "mixed": mixed,
    "submit": submit,
    "rescan": rescan,
    "search": search,
    "export": export,
}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What SampleMind costs on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"parts to run; all of {', '.join(PARTS)} when none")
    parser.add_argument("--quick", action="store_true", help="smaller numbers: a look, not a verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (default: benchmarks/results/)")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    asked = parser.parse_args()
    if unknown := set(asked.names) - PARTS.keys():
        parser.error(f"no such parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return asked


def measured(name: str, world: World) -> list[Figure]:
    """A part's figures. One that fails says so, and the figures of the others are not lost."""
    try:
        return PARTS[name](world)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        return [Figure(name, "could not be measured", f"{type(error).__name__}: {error}"[:300], ok=False)]


def main() -> int:
    """Run the parts on one stack."""
    asked = arguments()
    before, began, figures = conditions(), time.monotonic(), []
    sizes = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as folder, World(Path(folder), sizes) as world:
        for name in asked.names or PARTS:
            print(f"{time.monotonic() - began:5.0f} s  {name}", file=sys.stderr, flush=True)
            figures += measured(name, world)
    show(figures, quick=asked.quick)
    kept = write(figures, before, quick=asked.quick, file=asked.json)
    print(f"{kept}  ({time.monotonic() - began:.0f} s; load {before.load_before[0]:.1f} before)")
    return 1 if asked.check and any(row.ok is False for row in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
