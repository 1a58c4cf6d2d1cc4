"""Measure, print, keep."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.audio.costs import costs
from benchmarks.audio.kinds import kinds
from benchmarks.audio.loudness import loudness
from benchmarks.audio.material import Missing
from benchmarks.audio.notes import notes
from benchmarks.audio.scores import key, tempo
from benchmarks.audio.shared import shared
from benchmarks.figures import Figure, conditions, show, write

PARTS: dict[str, Callable[[bool], list[Figure]]] = {
    "tempo": tempo, "key": key, "kinds": kinds, "notes": notes, "loudness": loudness, "shared": shared, "costs": costs,
}  # fmt: skip


def main() -> int:
    """Run the parts named, all without names; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="make bench-audio ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all without a name")
    parser.add_argument("--quick", action="store_true", help="some of the files, for a look while developing")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    asked = parser.parse_args()
    began, figures = conditions(), []
    for name in asked.parts or PARTS:
        try:
            figures += PARTS[name](asked.quick)
        except Missing as missing:
            figures.append(Figure(name, str(missing), "not measured"))
    show(figures, quick=asked.quick)
    kept = write(figures, began, quick=asked.quick, file=asked.json, of="audio")
    print(f"kept in {kept}")
    return int(any(row.ok is False for row in figures))


if __name__ == "__main__":
    sys.exit(main())
