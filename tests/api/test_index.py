"""The index of vectors: what health says of it, what a search does without it, and after a change of the model."""

import json

import httpx
from redis import Redis

from samplemind_tasks.store.rebuilds import RebuildLog
from samplemind_tasks.store.search import collection_name
from samplemind_tasks.store.vectors import VectorIndex

from .test_search import SOUND, found, heard, work_once
from .world import World, eventually


def lose_index(world: World) -> None:
    """As if Chroma's folder were deleted."""
    database = "/api/v2/tenants/default_tenant/databases/default_database"
    url = f"{world.settings.chroma_url}{database}/collections/{collection_of(world)}"
    httpx.delete(url, trust_env=False).raise_for_status()


def collection_of(world: World) -> str:
    return collection_name(world.settings.model_card.collection, "local")


def index_part(client: httpx.Client) -> dict[str, object]:
    (part,) = [part for part in client.get("/v1/health/ready").json()["parts"] if part["name"] == "index"]
    return dict(part)


def forget_numbers(world: World) -> None:
    """Have the library counted anew."""
    with Redis.from_url(world.settings.cache_url) as cache:
        cache.flushall()


def test_a_lost_index_is_told_by_health_and_costs_no_answer(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0, 0.0])
    world.sample("near.wav", vector=[0.9, 0.1])
    before = found(client, like=[asked])
    lose_index(world)
    assert found(client, like=[asked]) == before == ["near.wav"]
    forget_numbers(world)
    assert not index_part(client)["ok"]


def test_health_compares_the_index_with_the_library(client: httpx.Client, world: World) -> None:
    assert index_part(client)["ok"]
    for number in range(10):
        world.sample(f"{number}.wav", vector=[1.0, number / 10])
    forget_numbers(world)
    assert index_part(client)["ok"]
    VectorIndex(world.settings).delete(collection_of(world), [world.sample("lost.wav", vector=[0.5, 0.5])])
    forget_numbers(world)
    part = index_part(client)
    assert (part["ok"], part["message"]) == (False, "10 of 11 sounds are in the index")
    assert "samplemind reindex" in str(part["advice"])
    assert client.get("/v1/health/ready").json()["ready"]
    job = world.job()
    forget_numbers(world)
    assert index_part(client)["ok"]
    world.db.jobs.delete_one({"_id": job})
    forget_numbers(world)
    assert not index_part(client)["ok"]


def test_silent_sounds_are_told_and_miss_nothing(client: httpx.Client, world: World) -> None:
    world.sample("one.wav", vector=[1.0])
    world.sample("silence.wav", vector=[])
    part = index_part(client)
    assert (part["ok"], part["message"]) == (True, "1 of 1 sounds are in the index; 1 silent, with nothing to hear")


def test_a_rebuilding_is_told(client: httpx.Client, world: World) -> None:
    world.sample("one.wav", vector=[1.0])
    lose_index(world)
    RebuildLog(world.db).begin(world.settings.model_card.collection, "local")
    part = index_part(client)
    assert (part["ok"], part["message"]) == (False, "0 of 1 sounds are in the index")
    assert str(part["advice"]).startswith("it is being filled again")


def test_after_a_change_of_the_model_the_library_waits_to_be_heard(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0])
    world.sample("near.wav", vector=[1.0, 0.1])
    world.db.audio_files.update_many({}, {"$set": {"heard.by": "other-1", "heard.timbre": b"1234"}})
    world.db.analyses.update_many({"stage": "embed"}, {"$set": {"version": "other-1"}})
    worker = work_once(world, heard(world, 1.0), [])
    answer = client.post("/v1/search", content=b"a sound", headers=SOUND)
    worker.join()
    assert (answer.status_code, answer.json()["code"]) == (409, "not_heard")
    assert answer.json()["message"].startswith("none of the 2 samples has been heard by ears-")
    assert client.post("/v1/search", json={"like": [asked]}).status_code == 409
    assert set(found(client, filters={"kind": ["loop"]})) == {"asked.wav", "near.wav"}
    part = index_part(client)
    assert not part["ok"]
    assert "2 wait to be heard by ears-" in str(part["message"])
    assert "samplemind reprocess" in str(part["advice"])


def test_silence_is_like_nothing(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0])
    world.sample("near.wav", vector=[1.0, 0.1])
    world.sample("silence.wav", vector=[])
    assert found(client, like=[asked]) == ["near.wav"]
    assert "silence.wav" in found(client, filters={"kind": ["loop"]})


def test_reindex_is_asked_for(client: httpx.Client, world: World) -> None:
    world.sample("one.wav", vector=[1.0])
    answer = client.post("/v1/reindex")
    assert (answer.status_code, answer.json()["samples"]) == (202, 1)
    assert eventually(lambda: len(world.queued("control")) == 1)
    assert json.loads(world.queued("control")[0])["headers"]["task"] == "control.reindex"
