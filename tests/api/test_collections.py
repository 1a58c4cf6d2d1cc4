"""Collections and saved searches: kept in order, by name, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from .world import World

GONE = "0" * 24


def made(client: httpx.Client, name: str, samples: list[str] | None = None) -> str:
    answer = client.post("/v1/collections", json={"name": name, "samples": samples or []})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def members(client: httpx.Client, collection: str, **query: Any) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(f"/v1/collections/{collection}/samples", params={**query, **cursor}).raise_for_status().json()
        found += [row["name"] for row in page["samples"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_samples_are_kept_in_their_order_and_go_with_the_sample(client: httpx.Client, world: World) -> None:
    a, b, c = (world.sample(f"{name}.wav", vector=[1.0]) for name in "abc")
    best = made(client, "Best", [c, a])
    answer = client.post(f"/v1/collections/{best}/samples", json={"add": [b, a, GONE], "at": 0}).json()
    assert (answer["added"], answer["unknown"], answer["collection"]["samples"]) == (1, [GONE], 3)
    assert members(client, best, limit=1) == ["b.wav", "a.wav", "c.wav"]
    assert [row["name"] for row in client.get("/v1/samples", params={"collection": best}).json()["samples"]] == [
        "b.wav", "a.wav", "c.wav",
    ]  # fmt: skip
    assert client.delete(f"/v1/samples/{a}").status_code == 204
    assert members(client, best) == ["b.wav", "c.wav"]
    again = client.post(f"/v1/collections/{best}/samples", json={"remove": [b]}).json()
    assert (again["removed"], members(client, best)) == (1, ["c.wav"])


def test_samples_that_come_at_the_same_time_are_all_kept(client: httpx.Client, world: World) -> None:
    ids = [world.sample(f"{number}.wav") for number in range(8)]
    best = made(client, "Best")
    url = f"/v1/collections/{best}/samples"
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda name: client.post(url, json={"add": [name]}), ids))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(members(client, best)) == [f"{number}.wav" for number in range(8)]
    assert client.get(f"/v1/collections/{best}").json()["samples"] == 8


def test_a_search_looks_in_a_collection_as_it_is_now(client: httpx.Client, world: World) -> None:
    a, b = world.sample("a.wav", vector=[1.0]), world.sample("b.wav", vector=[0.0, 1.0])
    best = made(client, "Best", [a])
    found = {"filters": {"collection": best}}
    for add, expected in (([], ["a.wav"]), ([b], ["b.wav", "a.wav"])):
        if add:
            client.post(f"/v1/collections/{best}/samples", json={"add": add})
        hits = client.post("/v1/search", json=found).json()["hits"]
        assert [hit["sample"]["name"] for hit in hits] == expected


def test_names_are_unique_in_any_case_and_may_change(client: httpx.Client) -> None:
    best = made(client, "Best")
    assert client.post("/v1/collections", json={"name": "best"}).status_code == 409
    assert client.patch(f"/v1/collections/{best}", json={"name": "BEST"}).json()["name"] == "BEST"
    other = made(client, "Other")
    assert client.patch(f"/v1/collections/{other}", json={"name": "best"}).status_code == 409
    assert client.delete(f"/v1/collections/{best}").status_code == 204
    assert client.get(f"/v1/collections/{best}").status_code == 404


def test_a_filter_of_a_collection_that_is_gone_says_so(client: httpx.Client) -> None:
    assert client.get("/v1/samples", params={"collection": GONE}).status_code == 404
    assert client.post("/v1/search", json={"filters": {"collection": GONE}}).status_code == 404


def test_a_search_is_kept_run_and_told_when_it_is_not_understood_any_more(client: httpx.Client, world: World) -> None:
    world.sample("kick.wav", vector=[1.0], heard_as={"kick": 0.9})
    query = {"text": "kick", "filters": {"kind": ["loop"]}}
    kept = client.post("/v1/searches", json={"name": "Kicks", "query": query}).json()
    hits = client.get(f"/v1/searches/{kept['id']}/results").json()["hits"]
    assert [hit["sample"]["name"] for hit in hits] == ["kick.wav"]

    world.db.searches.update_one({"_id": kept["id"]}, {"$set": {"query.filters.shininess": 3}})
    (row,) = client.get("/v1/searches").json()["searches"]
    assert row["query"] is None
    assert "shininess" in row["problem"]
    assert client.get(f"/v1/searches/{kept['id']}/results").status_code == 409
    assert client.patch(f"/v1/searches/{kept['id']}", json={"query": query}).json()["problem"] is None
    assert client.delete(f"/v1/searches/{kept['id']}").status_code == 204


def test_a_search_is_kept_with_a_key_however_it_is_spelled(client: httpx.Client, world: World) -> None:
    world.sample("low.wav", vector=[1.0], key="B minor", key_camelot="10A")
    kept = client.post("/v1/searches", json={"name": "Low", "query": {"filters": {"key": "H-Moll"}}}).json()
    assert kept["query"]["filters"]["key"] == "B minor"
    for spelled in ("B minor", "10A", "h-moll"):
        world.db.searches.update_one({"_id": kept["id"]}, {"$set": {"query.filters.key": spelled}})
        hits = client.get(f"/v1/searches/{kept['id']}/results").json()["hits"]
        assert [hit["sample"]["name"] for hit in hits] == ["low.wav"]


def test_a_search_of_nothing_and_of_a_passing_sound_is_not_kept(client: httpx.Client) -> None:
    for query in ({}, {"like": ["sound-" + "0" * 24]}):
        assert client.post("/v1/searches", json={"name": "x", "query": query}).status_code == 422
