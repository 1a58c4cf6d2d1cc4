"""`python -m samplemind_tasks.demo FOLDER [--seed 7]`: write the demo library, or leave it when it is there already."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from samplemind_tasks.demo.library import PIECES, make_library


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 when the folder cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m samplemind_tasks.demo", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    try:
        made = make_library(chosen.folder, chosen.seed)
    except OSError as error:
        sys.stderr.write(f"Cannot write the demo library to {chosen.folder}: {error}\n")
        return 1
    sys.stdout.write(f"{len(PIECES)} sounds {'written to' if made else 'already in'} {chosen.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
