"""Events over HTTP: nothing is lost by a cut, and nothing is told twice."""

from dataclasses import replace

import httpx
import pytest

from samplemind_tasks.store.event_scripts import MOST_TOPICS
from samplemind_tasks.store.events import MOST_NAMED

from .streams import Event, Worker, edited, listening
from .world import World

UNKNOWN = "0" * 24


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world)


# --------------------------------------------------------------------------------------------------------- of one job


def test_a_stream_of_a_job_begins_with_how_it_is_and_ends_with_its_end(client: httpx.Client, worker: Worker) -> None:
    with listening(client, f"/v1/jobs/{worker.job}/events") as stream:
        first = next(stream)
        assert (first.name, first.data) == ("job", client.get(f"/v1/jobs/{worker.job}").json())
        worker.lose(1)
        changed = next(stream)
        assert (changed.name, changed.data["counts"]["cancelled"]) == ("job", 1)
        worker.end()
        last = next(stream)
        assert (last.name, last.data["state"], last.data["counts"]["done"]) == ("done", "done", 8)
        assert list(stream) == []
    assert 0 < (first.id or 0) < (changed.id or 0) < (last.id or 0)


def test_a_browser_that_was_told_the_end_is_told_not_to_ask_again(client: httpx.Client, worker: Worker) -> None:
    worker.end()
    path = f"/v1/jobs/{worker.job}/events"
    with listening(client, path) as stream:
        [done] = list(stream)
    assert client.get(path, headers={"Last-Event-ID": str(done.id)}).status_code == 204
    assert client.get(path, params={"after": done.id}).status_code == 204
    worker.world.redis.flushall()  # a day later
    with listening(client, path) as stream:
        assert [event.name for event in stream] == ["done"]


def test_a_stream_of_a_job_goes_on_where_it_was_cut(client: httpx.Client, worker: Worker) -> None:
    path = f"/v1/jobs/{worker.job}/events"
    with listening(client, path) as stream:
        known = next(stream).id
    with listening(client, path, last=known) as stream:  # nothing has changed: it waits
        worker.lose(2)
        event = next(stream)
        assert event.data["counts"]["cancelled"] == 2
    worker.lose(3)
    worker.lose(4)
    with listening(client, path, after=event.id) as stream:
        assert next(stream).data["counts"]["cancelled"] == 4
        worker.end()
        assert next(stream).name == "done"


def test_a_report_without_news_is_no_event(client: httpx.Client, worker: Worker) -> None:
    with listening(client, f"/v1/jobs/{worker.job}/events") as stream:
        before = next(stream)
        for _ in range(5):  # as the reconciler does, every two seconds
            worker.progress.report(worker.job, [worker.chunk], worker.world.record(worker.job))
        assert worker.world.redis.zscore("events:local", f"job:{worker.job}") == before.id
        worker.lose(1)
        assert next(stream).data["counts"]["cancelled"] == 1


def test_what_a_job_waits_for_is_told_and_taken_back(client: httpx.Client, worker: Worker) -> None:
    with listening(client, f"/v1/jobs/{worker.job}/events") as stream:
        next(stream)
        worker.progress.waiting_for(worker.job, "chroma")
        worker.progress.waiting_for(worker.job, "chroma")
        assert next(stream).data["waiting_for"] == "chroma"
        worker.world.redis.hset(f"job:{worker.job}", "waiting_until", "1")  # 15 s later
        worker.progress.report(worker.job, (), worker.world.record(worker.job))
        assert next(stream).data["waiting_for"] is None


def test_unknown_and_foreign_jobs_have_no_stream(client: httpx.Client, world: World) -> None:
    foreign = world.job(user="ada")
    for job in (UNKNOWN, foreign):
        answer = client.get(f"/v1/jobs/{job}/events")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/v1/events", headers={"Last-Event-ID": "x"}).status_code == 422
    assert client.get("/v1/events", params={"after": "-1"}).status_code == 422


# ------------------------------------------------------------------------------------------------------ of everything


def test_a_stream_of_everything_begins_with_the_order_to_read(client: httpx.Client, worker: Worker) -> None:
    with listening(client, "/v1/events") as stream:
        assert next(stream).name == "start"
        other = worker.world.job(user="ada")
        worker.progress.rebuild(worker.world.record(other), [])
        edited(worker.world, ["a" * 24], user="ada")
        worker.lose(1)
        edited(worker.world, ["b" * 24, "c" * 24])
        edited(worker.world, [f"{number:024x}" for number in range(MOST_NAMED + 1)])
        heard = [next(stream) for _ in range(3)]
    assert [event.name for event in heard] == ["job", "samples", "library"]
    assert heard[0].data["id"] == worker.job
    assert heard[1].data == {"ids": ["b" * 24, "c" * 24]}
    assert heard[2].data == {"ready": 0, "edits": MOST_NAMED + 1}


def test_what_became_searchable_is_counted(client: httpx.Client, worker: Worker) -> None:
    with listening(client, "/v1/events") as stream:
        next(stream)
        worker.end()
        heard = {event.name: event.data for event in (next(stream), next(stream))}
    assert heard["library"] == {"ready": 8, "edits": 0}
    assert heard["done"]["id"] == worker.job


def test_a_cut_loses_nothing_and_repeats_nothing(client: httpx.Client, world: World) -> None:
    workers = [Worker(world) for _ in range(30)]
    heard: list[Event] = []
    with listening(client, "/v1/events") as stream:
        start = next(stream)
        for worker in workers[:10]:
            worker.lose(1)
        heard += [next(stream) for _ in range(4)]  # and the line is cut with six on their way
    for worker in workers[5:]:
        worker.lose(2)
    edited(world, ["d" * 24])
    with listening(client, "/v1/events", last=heard[-1].id) as stream:
        for worker in workers[20:]:
            worker.lose(3)
        edited(world, ["e" * 24])
        while heard[-1].data != {"ids": ["e" * 24]} and "e" * 24 not in heard[-1].data.get("ids", ()):
            heard.append(next(stream))
    ids = [start.id, *(event.id for event in heard)]
    assert ids == sorted(set(ids))
    told = {event.data["id"]: event.data["counts"]["cancelled"] for event in heard if event.name == "job"}
    expected = {row.job: 1 if at < 5 else 2 if at < 20 else 3 for at, row in enumerate(workers)}
    assert told == expected
    states = [(event.data["id"], event.data["counts"]["cancelled"]) for event in heard if event.name == "job"]
    assert len(states) == len(set(states))
    assert {name for event in heard if event.name == "samples" for name in event.data["ids"]} == {"d" * 24, "e" * 24}


def test_an_id_the_log_does_not_reach_back_to_starts_anew(client: httpx.Client, worker: Worker) -> None:
    with listening(client, "/v1/events") as stream:
        old = next(stream).id
    edited(worker.world, *([f"{part:012x}{row:012x}" for row in range(MOST_NAMED)] for part in range(21)))
    assert worker.world.redis.zcard("events:local") == MOST_TOPICS
    for known in (old, 1, 2**53):
        with listening(client, "/v1/events", last=known) as stream:
            assert next(stream).name == "start"
            worker.lose(worker.chunk.dropped + 1)
            assert next(stream).name == "job"


def test_a_log_that_was_lost_while_streams_are_open(client: httpx.Client, worker: Worker) -> None:
    job = f"/v1/jobs/{worker.job}/events"
    with listening(client, job) as of_job, listening(client, "/v1/events") as of_all:
        next(of_job), next(of_all)
        worker.world.redis.flushall()
        worker.progress.rebuild(worker.world.record(worker.job), [replace(worker.chunk, rev=9, dropped=5)])
        assert next(of_job).data["counts"]["cancelled"] == 5
        assert next(of_all).name == "start"


def test_what_a_person_does_is_told_to_those_who_look_on(client: httpx.Client, world: World) -> None:
    sample, gone = world.sample("a.wav"), world.sample("b.wav")
    with listening(client, "/v1/events") as stream:
        assert next(stream).name == "start"

        client.patch(f"/v1/samples/{sample}", json={"favourite": True}).raise_for_status()
        assert next(stream).data == {"ids": [sample]}
        client.delete(f"/v1/samples/{gone}").raise_for_status()
        assert next(stream).data == {"ids": [gone]}

        edit = {"ids": [sample, gone], "add_tags": ["dusty"]}
        client.post("/v1/samples/edit", json={**edit, "preview": True}).raise_for_status()  # changes nothing
        client.post("/v1/samples/edit", json=edit).raise_for_status()
        assert next(stream).data == {"ids": [sample]}
        client.post("/v1/samples/edit", json={"where": {"favourite": True}, "add_tags": ["x"]}).raise_for_status()
        assert next(stream).name == "library"

        best = client.post("/v1/collections", json={"name": "Best"}).raise_for_status().json()["id"]
        assert next(stream).name == "library"
        client.post(f"/v1/collections/{best}/samples", json={"add": [sample]}).raise_for_status()
        assert next(stream).name == "library"
        client.patch(f"/v1/collections/{best}", json={"name": "Better"}).raise_for_status()
        assert next(stream).name == "library"
        client.delete(f"/v1/collections/{best}").raise_for_status()
        assert next(stream).name == "library"
        client.delete("/v1/teach").raise_for_status()
        assert next(stream).name == "library"
