"""Play the campaign, print and keep what came of it: `make chaos`.

`make chaos` plays rounds of faults; `make chaos ARGS="poison soak overload items"` measures what else may go wrong.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chaos import island
from benchmarks.chaos.campaign import Round, play
from benchmarks.chaos.items import items
from benchmarks.chaos.mutants import mutants
from benchmarks.chaos.overload import overload
from benchmarks.chaos.poison import poison
from benchmarks.chaos.reference import Reference
from benchmarks.chaos.soak import soak
from benchmarks.chaos.upgrade import upgrade
from benchmarks.figures import RESULTS, Conditions, Figure, conditions, show, write
from benchmarks.sizes import FULL
from benchmarks.world import World

OUT = Console()
PARTS: dict[str, Callable[[World], list[Figure]]] = {
    "poison": poison,
    "soak": soak,
    "overload": overload,
    "items": items,
    "upgrade": upgrade,
    "mutants": mutants,
}


def main() -> int:
    """Play the rounds, or the parts asked for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; rounds of faults when none")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--files", type=int, default=200, help="in a round, one in twenty of them hostile")
    parser.add_argument("--faults", type=int, default=6, help="in a round")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; a round is repeated by its seed")
    parser.add_argument("--json", type=Path, help="where to keep the report")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no such parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    island.enter()
    began = conditions()
    with tempfile.TemporaryDirectory(prefix="samplemind-chaos-") as folder:
        return _measured(Path(folder), asked, began) if asked.parts else _played(Path(folder), asked, began)


def _measured(folder: Path, asked: argparse.Namespace, began: Conditions) -> int:
    """Each part on a stack of its own."""
    figures = []
    for name in asked.parts:
        with _world(folder / name) as world:
            figures += PARTS[name](world)
    show(figures, quick=False)
    OUT.print(f"kept in {write(figures, began, quick=False, file=asked.json, of='chaos')}")
    return int(any(row.ok is False for row in figures))


def _played(folder: Path, asked: argparse.Namespace, began: Conditions) -> int:
    rounds = []
    with _world(folder) as world:
        reference = Reference(world.stack.settings)
        for seed in range(asked.seed, asked.seed + asked.rounds):
            told = play(world, reference, folder / "music", seed, asked.files, asked.faults)
            rounds.append(told)
            _say(told)
    _sum_up(rounds)
    file = asked.json or RESULTS / f"{time.strftime('%Y-%m-%d')}-chaos.json"
    report = {"conditions": asdict(began), "island": island.is_here(), "rounds": [told.to_json() for told in rounds]}
    file.write_text(json.dumps(report, indent=1) + "\n")
    OUT.print(f"kept in {file}")
    return int(any(told.broken for told in rounds))


@contextmanager
def _world(folder: Path) -> Iterator[World]:
    with ExitStack() as ends:
        if island.is_here():
            ends.enter_context(island.settled(folder / "data" / "blobs"))
        yield ends.enter_context(World(folder, FULL))


def _say(told: Round) -> None:
    verdict = "[green]kept[/]" if not told.broken else f"[red]{len(told.broken)} broken[/]"
    OUT.print(f"round {told.seed}: {verdict}, {told.seconds:.0f} s, recovered in {told.recovery_s:.1f} s: "
              f"{'; '.join(told.faults)}", highlight=False)  # fmt: skip
    for sentence in told.broken[:10]:
        OUT.print(f"  [red]{sentence}[/]", highlight=False)


def _sum_up(rounds: list[Round]) -> None:
    table = Table(title="What went wrong, and what was lost")
    for column in ("fault", "times"):
        table.add_column(column)
    kinds: Counter[str] = Counter()
    for told in rounds:
        kinds.update(told.by_kind)
    for name, times in kinds.most_common():
        table.add_row(name, str(times))
    OUT.print(table)
    slowest = max((told.recovery_s for told in rounds), default=0.0)
    OUT.print(
        f"{len(rounds)} rounds, {sum(told.files for told in rounds):,} files, {kinds.total()} faults, "
        f"{sum(told.polls for told in rounds):,} polls; promises broken: {sum(len(told.broken) for told in rounds)}; "
        f"slowest recovery {slowest:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
