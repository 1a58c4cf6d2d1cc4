"""Measure, print, keep: `make bench-ai`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

# the AI stage is measured beside a bare loop: no process of it may give way, and the windows of a whole job must wait
os.environ.setdefault("SAMPLEMIND_BULK_NICE", "0")
os.environ.setdefault("SAMPLEMIND_CHUNKS_IN_FLIGHT", "64")

from benchmarks.bench_search import search
from benchmarks.bench_trip import trip
from benchmarks.ears.quality import Missing, quality
from benchmarks.ears.stage import stage
from benchmarks.figures import Figure, conditions, show, write
from benchmarks.sizes import FULL, QUICK
from benchmarks.world import World

PARTS = ("quality", "stage", "trip", "search")


def measured(name: str, world: World) -> list[Figure]:
    """A part's figures."""
    if name == "quality":
        try:
            return quality(world.data_dir / "models")
        except Missing as missing:
            return [Figure("quality", str(missing), "not measured")]
    return {"stage": stage, "trip": trip, "search": search}[name](world)


def main() -> int:
    """Run the parts named, all without names; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="make bench-ai ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all without a name")
    parser.add_argument("--quick", action="store_true", help="smaller numbers: a look, not a verdict")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    asked = parser.parse_args()
    began, figures, sizes = conditions(), [], QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as folder, World(Path(folder), sizes) as world:
        for name in asked.parts or PARTS:
            figures += measured(name, world)
    show(figures, quick=asked.quick)
    print(f"kept in {write(figures, began, quick=asked.quick, file=asked.json, of='ai')}")
    return int(any(row.ok is False for row in figures))


if __name__ == "__main__":
    sys.exit(main())
