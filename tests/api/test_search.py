"""Similarity over HTTP."""

import base64
import json
import threading
from http.client import HTTPConnection

import httpx
import pytest
from redis import Redis

from samplemind_tasks.store.blobs import Blobs

from .world import World


def test_similar_to_a_sample_leaves_out_itself_and_other_users(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0, 0.0])
    near = world.sample("near.wav", vector=[0.9, 0.1])
    far = world.sample("far.wav", vector=[0.0, 1.0])
    world.sample("hers.wav", user="ada", vector=[1.0, 0.0])
    found = client.get(f"/v1/samples/{asked}/similar").json()
    assert [hit["sample"]["id"] for hit in found["hits"]] == [near, far]
    assert found["hits"][0]["similarity"] == pytest.approx(0.9939, abs=1e-3)
    assert found["hits"][1]["similarity"] == pytest.approx(0.0, abs=1e-3)
    assert found["model"] == world.settings.model_card.collection
    assert len(client.get(f"/v1/samples/{asked}/similar", params={"limit": 1}).json()["hits"]) == 1


def test_sample_that_was_not_heard_yet_is_a_conflict(client: httpx.Client, world: World) -> None:
    answer = client.get(f"/v1/samples/{world.sample('new.wav')}/similar")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def _work_once(world: World, answer: dict[str, object], heard: list[bytes]) -> threading.Thread:
    """A query worker that takes one task, looks at the blob and answers."""

    def work() -> None:
        taken = world.redis.blpop("live", timeout=20)
        message = json.loads(taken[1])
        (token,) = json.loads(base64.b64decode(message["body"]))[0]
        heard.append(Blobs(world.settings.blob_location).get(f"queries/{token}"))
        result = json.dumps({"status": "SUCCESS", "result": answer})
        world.redis.set(f"celery-task-meta-{message['headers']['id']}", result)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_similar_to_an_uploaded_sound(client: httpx.Client, world: World) -> None:
    near = world.sample("near.wav", vector=[1.0, 0.0])
    world.sample("far.wav", vector=[0.0, 1.0])
    heard: list[bytes] = []
    vector = [1.0, 0.0] + [0.0] * (world.settings.model_card.vector_size - 2)
    worker = _work_once(world, {"vector": vector}, heard)
    found = client.post("/v1/similar", params={"limit": 1}, content=b"a sound").json()
    worker.join()
    assert [hit["sample"]["id"] for hit in found["hits"]] == [near]
    assert heard == [b"a sound"]
    folder = world.settings.data_dir / "blobs"
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_sound_that_cannot_be_heard_says_why(client: httpx.Client, world: World) -> None:
    worker = _work_once(world, {"code": "not_audio", "message": "this is a picture"}, [])
    answer = client.post("/v1/similar", content=b"a picture")
    worker.join()
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
        422,
        "not_audio",
        "this is a picture",
    )


def test_model_that_is_away_is_a_503(client: httpx.Client, world: World) -> None:
    worker = _work_once(world, {"code": "model_unavailable", "message": "no weights"}, [])
    answer = client.post("/v1/similar", content=b"a sound")
    worker.join()
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")


def _forget_numbers(world: World) -> None:
    """Have the library counted anew."""
    with Redis.from_url(world.settings.cache_url) as cache:
        cache.flushall()


def _lose_index(world: World) -> None:
    database = "/api/v2/tenants/default_tenant/databases/default_database"
    url = f"{world.settings.chroma_url}{database}/collections/{world.settings.model_card.collection}"
    httpx.delete(url, trust_env=False).raise_for_status()


def test_index_that_was_lost_is_told_and_not_an_empty_answer(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0, 0.0])
    alone = client.get(f"/v1/samples/{asked}/similar")
    assert (alone.status_code, alone.json()["hits"]) == (200, [])
    _lose_index(world)
    answer = client.get(f"/v1/samples/{asked}/similar")
    assert (answer.status_code, answer.json()["code"]) == (503, "index_lost")
    assert "although 1 samples are ready" in answer.json()["message"]
    assert answer.headers["Retry-After"]


def test_empty_library_has_nothing_similar(client: httpx.Client, world: World) -> None:
    vector = [1.0] + [0.0] * (world.settings.model_card.vector_size - 1)
    worker = _work_once(world, {"vector": vector}, [])
    answer = client.post("/v1/similar", content=b"a sound")
    worker.join()
    assert (answer.status_code, answer.json()["hits"]) == (200, [])


def _index_part(client: httpx.Client) -> dict[str, object]:
    (part,) = [part for part in client.get("/v1/health/ready").json()["parts"] if part["name"] == "index"]
    return dict(part)


def test_health_compares_the_index_with_the_library(client: httpx.Client, world: World) -> None:
    assert _index_part(client)["ok"]
    for number in range(10):
        world.sample(f"{number}.wav", vector=[1.0, number / 10])
    _forget_numbers(world)
    assert _index_part(client)["ok"]
    world.crowd(3, first=11, state="ready")  # 13 ready, 10 in the index
    _forget_numbers(world)
    part = _index_part(client)
    assert (part["ok"], part["message"]) == (False, "10 of 13 ready samples are in the index")
    assert part["advice"]
    assert client.get("/v1/health/ready").json()["ready"]
    job = world.job()
    _forget_numbers(world)
    assert _index_part(client)["ok"]
    world.db.jobs.delete_one({"_id": job})
    _lose_index(world)
    _forget_numbers(world)
    assert not _index_part(client)["ok"]


def test_nothing_to_hear_names_the_body(client: httpx.Client) -> None:
    answer = client.post("/v1/similar", content=b"")
    assert answer.json()["detail"]["fields"][0]["field"] == "body"


def test_sound_that_is_too_large_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    line = HTTPConnection(client.base_url.host, client.base_url.port)
    line.putrequest("POST", "/v1/similar")
    line.putheader("Content-Length", str(65 << 20))
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "too_large")
    line.close()
