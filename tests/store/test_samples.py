"""Samples and places as workers write them, on a real server."""

from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.places import Place
from samplemind_tasks.store.stores import Stores


def test_each_place_learns_its_own_hash_and_a_removed_one_none(held: Stores) -> None:
    places = [Place.new("local", "/", f"{number}.wav", 1, 1) for number in range(5)]
    held.places.write(places, [])
    connect(held.settings).places.update_one({"_id": places[2].id}, {"$set": {"removed": True}})
    assert held.places.learned({place.id: f"hash {place.key}" for place in places}) is False
    found = held.places.get([place.id for place in places])
    assert [place.file_hash for place in found] == [
        None if number == 2 else f"hash {number}.wav" for number in range(5)
    ]


def test_each_sample_gets_its_own_tags_and_the_dead_stay_dead(held: Stores) -> None:
    samples = connect(held.settings).audio_files
    samples.insert_many(
        {"_id": name, "user_id": "local", "file_hash": name, "state": "analyzed", "tags": []} for name in "abc"
    )
    held.samples.ready({"a": ["kick", "dark"], "c": [], "gone": ["x"]})
    assert {row["_id"]: (row["state"], row["tags"]) for row in samples.find()} == {
        "a": ("ready", ["kick", "dark"]),
        "b": ("analyzed", []),
        "c": ("ready", []),
    }
