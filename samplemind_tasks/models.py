"""`samplemind models [list|verify]`: what models there are, and make their weights ready.

A process of its own, because it loads PyTorch. `make setup` and the launcher run `verify` once, so that no worker has
to convert weights while people wait.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from samplemind_tasks.ai.embed import load
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.schemas import ModelCard
from samplemind_tasks.settings import Settings, model_cards


def cards_table(cards: Iterable[ModelCard]) -> str:
    """One paragraph a model: where it comes from, under what licence, and what it answers with."""
    return "\n\n".join(
        f"{card.name} revision {card.revision}\n"
        f"  weights   {card.package}, {card.file}\n"
        f"  sha256    {card.sha256}\n"
        f"  licence   {card.licence}\n"
        f"  source    {card.source}\n"
        f"  answers   {card.vector_size} numbers and {len(card.tags)} tags"
        for card in cards
    )


def verify(card: ModelCard, cache_dir: Path) -> str:
    """Check and convert the weights, let the model test itself on the CPU, and say so.

    Raises
    ------
    ModelUnavailable with the sentence a person needs.
    """
    load(card, cache_dir, "cpu").self_test()
    return f"{card.name} is ready."


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 when a model is not usable."""
    parser = argparse.ArgumentParser(prog="samplemind models", description=__doc__.split("\n")[0])
    parser.add_argument("action", nargs="?", default="list", choices=["list", "verify"])
    parser.add_argument("--json", action="store_true", help="one JSON object a model")
    chosen = parser.parse_args(arguments)
    cards = list(model_cards().values())
    if chosen.action == "list":
        told = "\n".join(card.model_dump_json() for card in cards) if chosen.json else cards_table(cards)
        sys.stdout.write(f"{told}\n")
        return 0
    try:
        for card in cards:
            sentence = verify(card, Settings().data_dir / "models")
            sys.stdout.write(f"{json.dumps({'name': card.name, 'ok': True}) if chosen.json else sentence}\n")
    except ModelUnavailable as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
