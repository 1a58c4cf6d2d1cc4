"""Play the campaign, print and keep what came of it: `make chaos`."""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.campaign import Round, play
from benchmarks.chaos.reference import Reference
from benchmarks.figures import RESULTS, conditions
from benchmarks.sizes import FULL
from benchmarks.world import World

OUT = Console()


def main() -> int:
    """Play the rounds asked for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--files", type=int, default=200, help="in a round, one in twenty of them hostile")
    parser.add_argument("--faults", type=int, default=6, help="in a round")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; a round is repeated by its seed")
    parser.add_argument("--json", type=Path, help="where to keep the report")
    asked = parser.parse_args()
    began, rounds = conditions(), []
    with tempfile.TemporaryDirectory(prefix="samplemind-chaos-") as folder:
        world = World(Path(folder), FULL)
        try:
            reference = Reference(world.stack.settings)
            for seed in range(asked.seed, asked.seed + asked.rounds):
                told = play(world, reference, Path(folder) / "music", seed, asked.files, asked.faults)
                rounds.append(told)
                _say(told)
        finally:
            world.stop()
    _sum_up(rounds)
    file = asked.json or RESULTS / f"{time.strftime('%Y-%m-%d')}-chaos.json"
    report = {"conditions": asdict(began), "rounds": [told.to_json() for told in rounds]}
    file.write_text(json.dumps(report, indent=1) + "\n")
    OUT.print(f"kept in {file}")
    return int(any(told.broken for told in rounds))


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
