"""The crash campaign's short form: two seeded rounds of a real job while services die, and nothing is lost."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos.campaign import play
from benchmarks.chaos.reference import Reference
from benchmarks.sizes import QUICK
from benchmarks.world import World

FILES, FAULTS = 60, 4


@pytest.fixture(scope="module")
def chaos() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="samplemind-chaos-") as folder, World(Path(folder), QUICK) as world:
        assert world.stack
        yield world


@pytest.mark.timeout(420)
def test_nothing_acknowledged_is_lost_while_everything_dies(chaos: World) -> None:
    reference = Reference(chaos.stack.settings)
    for seed in (3, 5):
        told = play(chaos, reference, chaos.folder / "music", seed, FILES, FAULTS)
        assert told.broken == [], (told.faults, told.broken)
        assert told.polls > 0
