"""Search over HTTP: by samples, by a sound that is sent, by text, with filters; and what is refused."""

import base64
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from samplemind_tasks.features import Kind
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.samples import Arrival

from .world import VERSION, World, eventually, features

UNKNOWN = "0" * 24
SOUND = {"Content-Type": "application/octet-stream"}


def search(client: httpx.Client, **query: Any) -> dict[str, Any]:
    """The answer to a query."""
    answer = client.post("/v1/search", json=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def found(client: httpx.Client, **query: Any) -> list[str]:
    """Names of what a query finds, the best first."""
    return [hit["sample"]["name"] for hit in search(client, **query)["hits"]]


# ---------------------------------------------------------------------------------------------------------- by samples


def test_like_a_sample_leaves_out_itself_and_other_users(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0, 0.0])
    near = world.sample("near.wav", vector=[0.9, 0.1])
    far = world.sample("far.wav", vector=[0.0, 1.0])
    world.sample("hers.wav", user="ada", vector=[1.0, 0.0])
    answer = search(client, like=[asked])
    assert [hit["sample"]["id"] for hit in answer["hits"]] == [near, far]
    assert answer["hits"][0]["parts"]["timbre"] == pytest.approx(0.9939, abs=5e-3)
    assert answer["hits"][1]["parts"]["timbre"] == pytest.approx(0.0, abs=5e-3)
    assert answer["hits"][0]["mode"] == ["sound"]
    assert (answer["model"], answer["searched"]) == (world.settings.model_card.collection, 3)
    short = client.get(f"/v1/samples/{asked}/similar", params={"limit": 1}).json()
    assert short["hits"] == answer["hits"][:1]


def test_more_like_these_less_like_those(client: httpx.Client, world: World) -> None:
    one = world.sample("one.wav", vector=[1.0, 0.0, 0.0])
    two = world.sample("two.wav", vector=[0.0, 1.0, 0.0])
    away = world.sample("away.wav", vector=[0.0, 0.0, 1.0])
    world.sample("between.wav", vector=[0.6, 0.6, 0.5])
    world.sample("like one.wav", vector=[1.0, 0.2, 0.0])
    world.sample("clean between.wav", vector=[0.6, 0.55, 0.0])
    assert found(client, like=[one, two])[:2] == ["clean between.wav", "between.wav"]
    told = found(client, like=[one, two], unlike=[away])
    assert told.index("like one.wav") < told.index("between.wav")


def test_aspects_change_the_order(client: httpx.Client, world: World) -> None:
    asked = world.sample("asked.wav", vector=[1.0, 0.0], pitch_midi=60, kind=Kind.ONE_SHOT)
    world.sample("same sound.wav", vector=[1.0, 0.1], pitch_midi=30, kind=Kind.ONE_SHOT)
    world.sample("same note.wav", vector=[0.5, 0.5], pitch_midi=60, kind=Kind.ONE_SHOT)
    assert found(client, like=[asked])[0] == "same sound.wav"
    assert found(client, like=[asked], weights={"timbre": 0, "pitch": 1, "spectrum": 0})[0] == "same note.wav"
    (best, *_) = search(client, like=[asked], weights={"timbre": 0.2, "pitch": 1})["hits"]
    assert set(best["parts"]) == {"timbre", "pitch", "spectrum"}


# --------------------------------------------------------------------------------------------------------- by a sound


def work_once(world: World, answer: dict[str, object], asked: list[object]) -> threading.Thread:
    """A query worker that takes one task and answers; `asked` gets the task's name and its argument."""

    def work() -> None:
        taken = world.redis.blpop("live", timeout=20)
        message = json.loads(taken[1])
        argument, *_ = json.loads(base64.b64decode(message["body"]))[0]
        is_sound = message["headers"]["task"] == "live.embed_sound"
        asked.append(Blobs(world.settings.blob_location).get(f"queries/{argument}") if is_sound else argument)
        result = json.dumps({"status": "SUCCESS", "result": answer})
        world.redis.set(f"celery-task-meta-{message['headers']['id']}", result)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def heard(world: World, *vector: float) -> dict[str, object]:
    """What the query worker says of a sound."""
    whole = [*vector, *[0.0] * (world.settings.model_card.vector_size - len(vector))]
    return {"vector": whole, "leaves": None, "features": features(pitch_midi=60).model_dump(mode="json")}


def test_a_sound_that_is_sent_can_be_used_again(client: httpx.Client, world: World) -> None:
    world.sample("near.wav", vector=[1.0, 0.0])
    world.sample("far.wav", vector=[0.0, 1.0])
    asked: list[object] = []
    worker = work_once(world, heard(world, 1.0), asked)
    rest = json.dumps({"limit": 1})
    answer = client.post("/v1/search", params={"query": rest}, content=b"a sound", headers=SOUND).json()
    worker.join()
    assert [hit["sample"]["name"] for hit in answer["hits"]] == ["near.wav"]
    assert asked == [b"a sound"]
    assert not [path for path in (world.settings.data_dir / "blobs").rglob("*") if path.is_file()]
    assert found(client, unlike=[answer["sound"]]) == ["far.wav", "near.wav"]
    assert found(client, like=[answer["sound"]], weights={"pitch": 1}) == ["near.wav", "far.wav"]


def test_a_sound_of_another_time_model_or_user_is_refused(
    client: httpx.Client, world: World, serve: Callable[[Settings], AbstractContextManager[httpx.Client]]
) -> None:
    gone = client.post("/v1/search", json={"like": ["sound-" + "0" * 32]})
    assert (gone.status_code, gone.json()["code"]) == (404, "sound_gone")
    worker = work_once(world, heard(world, 1.0), [])
    sound = client.post("/v1/search", content=b"a sound", headers=SOUND).json()["sound"]
    worker.join()
    with serve(world.settings.model_copy(update={"model": "musicnn-mtt"})) as other:
        answer = other.post("/v1/search", json={"like": [sound]})
    assert (answer.status_code, answer.json()["code"]) == (409, "other_model")
    assert world.settings.model_card.collection in answer.json()["message"]


@pytest.mark.parametrize(("code", "status"), [("not_audio", 422), ("silent", 422), ("model_unavailable", 503)])
def test_sound_that_cannot_be_heard_says_why(client: httpx.Client, world: World, code: str, status: int) -> None:
    worker = work_once(world, {"code": code, "message": "it is a picture"}, [])
    answer = client.post("/v1/search", content=b"a picture", headers=SOUND)
    worker.join()
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (status, code, "it is a picture")


def test_nothing_to_hear_names_the_body(client: httpx.Client) -> None:
    answer = client.post("/v1/search", content=b"", headers=SOUND)
    assert answer.json()["detail"]["fields"][0]["field"] == "body"


def test_sound_that_is_too_large_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    line = HTTPConnection(client.base_url.host, client.base_url.port)
    line.putrequest("POST", "/v1/search")
    line.putheader("Content-Length", str(65 << 20))
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "too_large")
    line.close()


# ----------------------------------------------------------------------------------------------------- a person's word


def test_a_persons_category_wins_and_stays(client: httpx.Client, world: World) -> None:
    sample = world.sample("thing.wav", vector=[1.0], heard_as={"rim": 0.9})
    shown = client.get(f"/v1/samples/{sample}").json()
    assert (shown["sample"]["category"], shown["sample"]["category_source"]) == ("rim", "model")
    assert shown["heard_as"] == [{"name": "rim", "score": pytest.approx(0.9, abs=0.01)}]
    change = {"category": "snare", "tags": ["mine"], "note": "from the attic", "favourite": True}
    changed = client.patch(f"/v1/samples/{sample}", json=change).json()
    assert (changed["category"], changed["category_source"], changed["category_confidence"]) == (
        "snare",
        "person",
        None,
    )
    again = world.db.audio_files.find_one({"_id": sample})
    assert again is not None
    world.samples.arrive("local", [Arrival(again["file_hash"], "thing.wav", 10)], {}, VERSION)
    world.hear_again(sample, {"clap": 0.95})
    shown = client.get(f"/v1/samples/{sample}").json()
    assert (shown["sample"]["category"], shown["sample"]["favourite"], shown["note"]) == (
        "snare",
        True,
        "from the attic",
    )
    assert shown["sample"]["tags"] == ["mine"]
    assert eventually(lambda: found(client, filters={"category": ["snare"], "tags": ["mine"]}) == ["thing.wav"])
    assert found(client, filters={"category": ["clap", "rim"]}) == []
    taken_back = client.patch(f"/v1/samples/{sample}", json={"category": None}).json()
    assert (taken_back["category"], taken_back["category_source"], taken_back["favourite"]) == ("clap", "model", True)


@pytest.mark.parametrize("change", [{"category": "spoon"}, {"colour": "x"}, {"tags": [""]}, {"note": "x" * 2001}])
def test_a_change_that_makes_no_sense_is_refused(client: httpx.Client, world: World, change: dict[str, Any]) -> None:
    sample = world.sample("thing.wav")
    assert client.patch(f"/v1/samples/{sample}", json=change).status_code == 422
    assert client.patch(f"/v1/samples/{UNKNOWN}", json={}).status_code == 404


# ----------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({}, 422, "text"),
        ({"text": "  "}, 422, "text"),
        ({"text": "x" * 10_000}, 422, "text"),
        ({"like": [UNKNOWN] * 33}, 422, "like"),
        ({"like": [UNKNOWN]}, 404, None),
        ({"like": ["kick"]}, 422, "like.0"),
        ({"like": [UNKNOWN], "unlike": [UNKNOWN]}, 422, "unlike"),
        ({"text": "kick", "limit": 201}, 422, "limit"),
        ({"text": "kick", "weights": {"timbre": 0, "spectrum": 0}}, 422, "weights"),
        ({"text": "kick", "weights": {"pitch": 2}}, 422, "weights.pitch"),
        ({"filters": {"tempo_bpm": {"least": 2, "most": 1}}}, 422, "filters.tempo_bpm"),
        ({"filters": {"key": "H major"}}, 422, "filters.key"),
        ({"filters": {"words": ["purple"]}}, 422, "filters.words"),
        ({"filters": {"colour": "red"}}, 422, "filters.colour"),
    ],
)
def test_a_query_that_makes_no_sense(
    client: httpx.Client, world: World, query: dict[str, Any], status: int, field: str | None
) -> None:
    answer = client.post("/v1/search", json=query)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["detail"]["fields"][0]["field"].startswith(field)


def test_no_json_is_told(client: httpx.Client) -> None:
    answer = client.post("/v1/search", content=b"{", headers={"Content-Type": "application/json; charset=utf-8"})
    assert (answer.status_code, answer.json()["detail"]["fields"][0]["field"]) == (422, "body")
    answer = client.post("/v1/search", params={"query": "[]"}, content=b"a sound", headers=SOUND)
    assert (answer.status_code, answer.json()["detail"]["fields"][0]["field"]) == (422, "query")


def test_sample_that_was_not_heard_yet_is_a_conflict(client: httpx.Client, world: World) -> None:
    answer = client.post("/v1/search", json={"like": [world.sample("new.wav")]})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_json_that_is_nested_too_deep_is_a_bad_request(client: httpx.Client) -> None:
    answer = client.post("/v1/search", content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
