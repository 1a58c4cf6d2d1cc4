"""A lesson over HTTP: what was learned, what was set aside, and what it changed in the library."""

from typing import Any

import httpx
import numpy as np
import pytest

from samplemind_tasks.errors import BadRequest
from samplemind_tasks.reindex import rebuild_stretch
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.teaching import learn

from .world import World


def around(axis: int, seed: int, spread: float = 0.1, size: int = 8) -> list[float]:
    """A unit vector near an axis."""
    vector = np.eye(size)[axis] + spread * np.random.default_rng(seed).standard_normal(size)
    return [float(value) for value in vector / np.linalg.norm(vector)]


@pytest.fixture
def sorted_ones(world: World) -> World:
    """A folder that somebody sorted, of sounds that the model calls rims, and what else the library holds."""
    for number in range(8):
        world.sample(f"Sorted/Kicks/{number}.wav", vector=around(0, number), heard_as={"rim": 0.6})
        world.sample(f"Sorted/dusty/{number}.wav", vector=around(1, number), heard_as={"rim": 0.6})
    world.sample("Sorted/few/1.wav", vector=around(2, 1))
    world.sample("Sorted/Kicks/silence.wav", vector=[])
    world.sample("Sorted/Kicks/new.wav")
    world.sample("Sorted/loose.wav", vector=around(3, 1))
    world.copy(world.sample("Sorted/Kicks/both.wav", vector=around(0, 9)), "Sorted/dusty/both.wav")
    world.sample("near kick.wav", vector=around(0, 20), heard_as={"rim": 0.6})
    world.sample("stranger.wav", vector=around(5, 20), heard_as={"synth bass": 0.6})
    named = world.sample("named.wav", vector=around(0, 21), heard_as={"rim": 0.6})
    world.db.audio_files.update_one({"_id": named}, {"$set": {"user.category": "snare"}})
    return world


def teach(world: World, held: Stores, folder: str) -> None:
    """As the AI worker learns, and the control worker labels the library anew."""
    learn(held, "local", str(world.folder), str(world.folder / folder))
    label_anew(held)


def label_anew(held: Stores) -> None:
    model = held.settings.model_card.collection
    held.rebuilds.begin(model, "local")
    while rebuild_stretch(held, model, "local"):
        pass


def category(client: httpx.Client, name: str) -> tuple[str | None, str | None]:
    (sample,) = client.get("/v1/lookup", params={"text": name}).json()["samples"]
    return sample["category"], sample["category_source"]


def test_a_lesson_says_what_was_learned_and_what_it_changed(
    client: httpx.Client, sorted_ones: World, held: Stores
) -> None:
    teach(sorted_ones, held, "Sorted")
    lesson = client.get("/v1/teach").json()
    assert lesson["sounds"] == {"Kicks": 8, "dusty": 8}
    assert (lesson["categories"], lesson["left_out"]) == ({"Kicks": "kick"}, {"few": 1})
    assert lesson["set_aside"] == {"silent": 1, "not heard yet": 1, "in no subfolder": 1, "in several": 1}
    assert lesson["accuracy"] > 0.9
    labelling = lesson["labelling"]
    assert (labelling["under_way"], labelling["written"]) == (False, labelling["samples"])
    kicks = sum(
        row["heard"]["category"] == "kick" for row in sorted_ones.db.audio_files.find({"heard": {"$exists": 1}})
    )
    dusty = sorted_ones.db.audio_files.count_documents({"tags": "dusty"})
    assert (labelling["changed"], labelling["tagged"]) == (kicks - 1, dusty)  # one of them a person named
    assert kicks >= 9  # those that were sorted, and the one that is near
    assert dusty >= 8
    kicks_again = [category(client, f"Sorted/Kicks/{number}.wav") for number in range(8)]
    assert kicks_again == [("kick", "taught")] * 8


def test_a_lesson_reaches_what_is_near_and_leaves_strangers_and_a_persons_word(
    client: httpx.Client, sorted_ones: World, held: Stores
) -> None:
    teach(sorted_ones, held, "Sorted")
    assert category(client, "near kick.wav") == ("kick", "taught")
    assert category(client, "stranger.wav") == ("bass", "model")
    assert category(client, "named.wav") == ("snare", "person")
    assert client.delete("/v1/teach").status_code == 204
    label_anew(held)
    assert category(client, "near kick.wav") == ("rim", "model")
    assert client.get("/v1/teach").status_code == 404


def test_a_lesson_taken_back_while_it_is_being_written_leaves_nothing(
    client: httpx.Client, sorted_ones: World, held: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(held, "local", str(sorted_ones.folder), str(sorted_ones.folder / "Sorted"))
    write, model = held.samples.ready, held.settings.model_card.collection

    def taken_back(*facets: Any) -> None:
        monkeypatch.undo()
        assert client.delete("/v1/teach").status_code == 204
        write(*facets)

    monkeypatch.setattr(held.samples, "ready", taken_back)
    label_anew(held)
    assert category(client, "near kick.wav") == ("rim", "model")
    assert sorted_ones.db.audio_files.count_documents({"tags": "dusty"}) == 0
    assert held.rebuilds.under_way() == {}
    assert client.get("/v1/teach").json()["code"] == "nothing_taught"
    assert rebuild_stretch(held, model, "local") is False


def test_labelling_under_way_says_how_far_it_is(client: httpx.Client, sorted_ones: World, held: Stores) -> None:
    learn(held, "local", str(sorted_ones.folder), str(sorted_ones.folder / "Sorted"))
    assert client.get("/v1/teach").json()["labelling"] is None
    held.rebuilds.begin(held.settings.model_card.collection, "local")
    labelling = client.get("/v1/teach").json()["labelling"]
    assert (labelling["under_way"], labelling["written"], labelling["changed"]) == (True, 0, 0)


def test_only_a_label_that_names_a_category_decides_one(client: httpx.Client, world: World, held: Stores) -> None:
    """A folder called Robots became fx and no tag, because the vocabulary reads a robot as a zap."""
    named = {
        "Kicks": "kick", "BD": "kick", "Hi-Hats": "closed hat", "Bongos": "conga", "My Snares 2.0": "snare",
        "Percussion": "other percussion", "Sound Effects": "fx", "Glitch FX": "fx",
    }  # fmt: skip
    tags = ["Robots", "Rain", "Tabla", "Drums", "808", "Kicks and Snares", "Ambient Robots"]
    for axis, label in enumerate([*named, *tags]):
        for number in range(5):
            world.sample(f"Sorted/{label}/{number}.wav", vector=around(axis, number, size=16), heard_as={"rim": 0.6})
    teach(world, held, "Sorted")
    lesson = client.get("/v1/teach").json()
    assert lesson["sounds"].keys() == {*named, *tags}
    assert lesson["categories"] == named
    robots = client.get("/v1/samples", params={"tag": "Robots"}).json()["samples"]
    assert len(robots) == 5


def test_a_folder_that_teaches_nothing_leaves_the_lesson_before(
    client: httpx.Client, sorted_ones: World, held: Stores
) -> None:
    teach(sorted_ones, held, "Sorted")
    with pytest.raises(BadRequest, match="sort sounds into subfolders"):
        teach(sorted_ones, held, "Sorted/Kicks")
    assert client.get("/v1/teach").json()["folder"].endswith("Sorted")
