"""A search that is asked again: quick, and never older than the library."""

import httpx
import pytest
from redis import Redis

from samplemind_tasks.library import kept_search

from .world import World, eventually


@pytest.fixture
def asked(world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """A search that is kept however quick it was: the sample that is asked for, among four."""
    monkeypatch.setattr(kept_search, "WORTH_S", 0.0)
    ids = [world.sample(f"{name}.wav", vector=[1.0, n / 10]) for n, name in enumerate(("kick", "snare", "hat", "tom"))]
    assert eventually(lambda: len(found(client, ids[0])) == 3)
    return ids[0]


def found(client: httpx.Client, like: str) -> list[str]:
    answer = client.post("/v1/search", json={"like": [like]})
    return [hit["sample"]["name"] for hit in answer.json()["hits"]] if answer.status_code == 200 else []


def hits_of_the_cache(world: World, client: httpx.Client, like: str) -> int:
    """How often asking again reads what is kept."""
    with Redis.from_url(world.settings.cache_url) as cache:
        before = int(cache.info("stats")["keyspace_hits"])
        found(client, like)
        return int(cache.info("stats")["keyspace_hits"]) - before


def test_the_same_question_is_answered_from_the_cache(world: World, client: httpx.Client, asked: str) -> None:
    first = client.post("/v1/search", json={"like": [asked]}).json()
    assert hits_of_the_cache(world, client, asked) == 1
    assert client.post("/v1/search", json={"like": [asked]}).json() == first


def test_a_sample_that_was_deleted_is_not_found_again(client: httpx.Client, asked: str) -> None:
    hits = client.post("/v1/search", json={"like": [asked]}).json()["hits"]
    assert client.delete(f"/v1/samples/{hits[0]['sample']['id']}").status_code == 204
    assert found(client, asked) == [hit["sample"]["name"] for hit in hits[1:]]


def test_hits_show_what_was_said_a_moment_ago(client: httpx.Client, asked: str) -> None:
    hit = client.post("/v1/search", json={"like": [asked]}).json()["hits"][0]["sample"]
    client.patch(f"/v1/samples/{hit['id']}", json={"favourite": True})
    again = client.post("/v1/search", json={"like": [asked]}).json()["hits"][0]["sample"]
    assert (again["id"], again["favourite"]) == (hit["id"], True)


def test_what_arrives_is_found(world: World, client: httpx.Client, asked: str) -> None:
    found(client, asked)
    world.sample("clap.wav", vector=[1.0, 0.05])
    assert eventually(lambda: "clap.wav" in found(client, asked))


def test_nobody_is_answered_from_another_ones_question(client: httpx.Client, asked: str) -> None:
    found(client, asked)
    few = client.post("/v1/search", json={"like": [asked], "limit": 1}).json()["hits"]
    assert len(few) == 1
    assert client.post("/v1/search", json={"like": [asked], "filters": {"name": "hat"}}).json()["searched"] == 1
