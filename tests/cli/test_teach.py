"""`samplemind teach`: a person reads what was learned, what was set aside, what it changed, and what to do next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from api.conftest import serving
from api.test_teach import around, label_anew
from api.world import World
from typer.testing import CliRunner

from samplemind_tasks.cli import app
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.teaching import learn


@pytest.fixture
def url(settings: Settings, held: Stores, tmp_path: Path) -> Iterator[str]:
    """A gateway over a library whose owner has just taught two labels; the library is not labelled by them yet."""
    folder = (tmp_path / "music").resolve()
    folder.mkdir()
    with World(settings.model_copy(update={"roots": (folder,)}), folder) as world:
        for number in range(6):
            world.sample(f"Sorted/Kicks/{number}.wav", vector=around(0, number), heard_as={"rim": 0.6})
            world.sample(f"Sorted/dusty/{number}.wav", vector=around(1, number), heard_as={"rim": 0.6})
        world.sample("Sorted/few/1.wav", vector=around(2, 1))
        world.sample("Sorted/Kicks/silence.wav", vector=[])
        learn(held, "local", str(folder), str(folder / "Sorted"))
        with serving(world.settings) as client:
            yield str(client.base_url)


def shown(url: str, *words: str) -> str:
    outcome = CliRunner().invoke(app, ["teach", *words, "--url", url])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_what_was_taught_is_shown_with_what_it_changed_and_the_next_step(url: str, held: Stores) -> None:
    assert "changed" not in shown(url)
    held.rebuilds.begin(held.settings.model_card.collection, "local")
    assert "0 of 14 samples have another category; 14 still to be looked at" in shown(url)
    label_anew(held)
    page = shown(url)
    assert "12 sounds, 2 labels" in page
    assert "6 Kicks  category kick" in page
    assert "6 dusty  a tag" in page
    assert "too few sounds: few (1)" in page
    assert "1 silent" in page
    assert "6 of 14 samples have another category, 6 other tags" in page
    assert "list --category kick` shows what came of it" in page


def test_what_was_taught_can_be_taken_back(url: str) -> None:
    assert "forgotten" in shown(url, "--forget")
    outcome = CliRunner().invoke(app, ["teach", "--url", url])
    assert (outcome.exit_code, outcome.stderr.split(":")[0]) == (1, "nothing_taught")
