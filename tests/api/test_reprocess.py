"""Reprocess: which samples a stage is done again for, what of them is left alone, and who may ask."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from samplemind_tasks import queues
from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.pipeline import close
from samplemind_tasks.planning import current_versions, stamp
from samplemind_tasks.reprocess import reprocess_turn
from samplemind_tasks.schemas import Job, JobState
from samplemind_tasks.store.chunks import Chunk, Stage
from samplemind_tasks.store.documents import Measurement
from samplemind_tasks.store.places import PlaceState
from samplemind_tasks.store.stores import Stores

from .world import World, features


@pytest.fixture
def held(world: World) -> Stores:
    """A worker's side of the stores of this world."""
    redis_url = world.settings.redis_url
    queues.app.conf.update(broker_url=redis_url, result_backend=queues.RESULTS + redis_url)
    return Stores(world.settings)


class Desk:
    """Asks for a reprocessing, and lists it as a worker does."""

    def __init__(self, client: httpx.Client, held: Stores) -> None:
        self.client, self.held = client, held

    def ask(self, stage: str, query: str = "", **wish: Any) -> httpx.Response:
        return self.client.post(f"/v1/reprocess{query}", json={"stage": stage, **wish})

    def listed(self, stage: str, query: str = "", **wish: Any) -> Job:
        """The job once its samples are listed."""
        answer = self.ask(stage, query, **wish)
        assert answer.status_code == 202, answer.text
        while reprocess_turn(self.held, answer.json()["id"]):
            pass
        return Job.model_validate(self.client.get(answer.headers["Location"]).json())

    def chunks(self, job: Job) -> list[Chunk]:
        record = self.held.jobs.get(job.id)
        assert record
        return self.held.chunks.of_job(job.id, record.scan)

    def taken(self, job: Job) -> set[str]:
        """Names of the files that the job takes up."""
        places = [place for chunk in self.chunks(job) for place in chunk.places]
        return {place.path.rsplit("/", 1)[-1] for place in self.held.places.get(places)}


@pytest.fixture
def desk(client: httpx.Client, held: Stores) -> Desk:
    return Desk(client, held)


def measured_now(world: World, sample: str) -> None:
    """As today's version measures it."""
    row = world.db.audio_files.find_one({"_id": sample})
    assert row
    told = features(analysis_version=ANALYSIS_VERSION)
    measurement = Measurement(row["file_hash"], told, b"\0\0", b"\0\0")
    world.samples.save_measurements([measurement], str(ANALYSIS_VERSION), replace=True)


def test_missing_takes_what_has_no_result_of_todays_version(world: World, desk: Desk) -> None:
    world.sample("heard.wav", vector=[1.0])
    world.sample("waiting.wav")
    job = desk.listed("embed")
    assert (job.kind, job.counts.found, job.counts.waiting, job.counts.skipped) == ("reprocess", 2, 1, 1)
    assert desk.taken(job) == {"waiting.wav"}
    [chunk] = desk.chunks(job)
    assert (chunk.stage, chunk.everything, chunk.in_a_hurry) == (Stage.ANALYZE, False, False)
    measured_now(world, world.sample("new.wav"))
    assert desk.taken(desk.listed("analyze")) == {"heard.wav", "waiting.wav"}  # by an older version


def test_all_does_the_stage_anew_and_spares_the_ones_before_it(world: World, desk: Desk) -> None:
    world.sample("heard.wav", vector=[1.0])
    [embed] = desk.chunks(desk.listed("embed", which="all"))
    assert embed.redoes(Stage.EMBED)
    assert not embed.redoes(Stage.ANALYZE)
    assert embed.spares(Stage.ANALYZE)
    [analyze] = desk.chunks(desk.listed("analyze", which="all"))
    assert analyze.redoes(Stage.ANALYZE)
    assert not analyze.redoes(Stage.EMBED)
    assert not any(map(analyze.spares, Stage))


def test_the_index_is_written_from_what_is_known_without_a_file(world: World, desk: Desk) -> None:
    sample = world.sample("heard.wav", vector=[1.0])
    world.sample("never heard.wav")
    (world.folder / "heard.wav").unlink()
    assert desk.listed("index").counts.skipped == 1  # it is searchable, as this model heard it
    job = desk.listed("index", which="all")
    assert (job.counts.waiting, job.counts.cancelled) == (1, 1)
    [chunk] = desk.chunks(job)
    assert (chunk.stage, [row.sample for row in chunk.samples]) == (Stage.INDEX, [sample])
    world.db.audio_files.update_one({"_id": sample}, {"$set": {"heard.by": "another-model"}})
    assert desk.taken(desk.listed("index")) == {"heard.wav"}


def test_files_that_are_not_there_now_are_left_as_they_are(world: World, desk: Desk) -> None:
    for name in ("missing.wav", "offline.wav", "unmounted.wav", "there.wav"):
        world.sample(name)
    world.db.places.update_one({"key": "missing.wav"}, {"$set": {"state": PlaceState.MISSING.value}})
    world.db.places.update_one({"key": "offline.wav"}, {"$set": {"state": PlaceState.OFFLINE.value}})
    (world.folder / "unmounted.wav").unlink()
    job = desk.listed("embed", which="all")
    assert desk.taken(job) == {"there.wav"}
    assert (job.counts.found, job.counts.failed, job.failures) == (4, 3, {"vanished": 3})
    told = desk.client.get(f"/v1/jobs/{job.id}/failures").json()["failures"]
    assert {Path(row["path"]).name: "mount" in row["message"] for row in told} == {
        "missing.wav": False, "offline.wav": True, "unmounted.wav": False,
    }  # fmt: skip
    assert world.db.places.find_one({"key": "unmounted.wav"})["state"] == "present"  # a scan finds out, not we


def test_one_of_several_files_with_the_same_bytes_is_enough(world: World, desk: Desk) -> None:
    world.sample("kick.wav")
    os.link(world.folder / "kick.wav", world.folder / "same.wav")
    row = world.db.places.find_one({"key": "kick.wav"})
    world.db.places.insert_one(row | {"_id": "f" * 24, "key": "same.wav", "path": str(world.folder / "same.wav")})
    assert desk.listed("embed").counts.found == 1
    (world.folder / "kick.wav").unlink()
    assert desk.taken(desk.listed("embed")) == {"same.wav"}


def test_filters_a_folder_or_ids_narrow_it(world: World, desk: Desk) -> None:
    world.sample("a/loop.wav")
    snare = world.sample("b/snare.wav", kind="one-shot")
    world.sample("b/loop 2.wav", tempo_bpm=90.0, duration_s=7.0)
    assert desk.taken(desk.listed("embed", "?kind=one-shot")) == {"snare.wav"}
    assert desk.taken(desk.listed("embed", "?duration_min=5&loudness_max=0")) == {"loop 2.wav"}
    assert desk.taken(desk.listed("embed", "?tempo_max=100")) == {"loop 2.wav"}
    job = desk.listed("embed", path=str(world.folder / "b"))
    assert desk.taken(job) == {"snare.wav", "loop 2.wav"}
    assert job.path == str(world.folder / "b")
    assert desk.taken(desk.listed("embed", "?kind=one-shot", path=str(world.folder / "a"))) == set()
    by_name = desk.listed("embed", ids=[snare, snare])
    assert (by_name.counts.found, desk.taken(by_name)) == (1, {"snare.wav"})


def test_a_large_library_is_listed_in_slices_and_a_killed_listing_goes_on(world: World, desk: Desk) -> None:
    world.crowd(700)
    answer = desk.ask("embed")
    record = desk.held.jobs.get(answer.json()["id"])
    assert record
    world.crowd(5, first=701)  # arrivals pass every stage by themselves
    hasty = Stores(world.settings.model_copy(update={"scan_turn_s": 0.0}))
    turns = 1
    while reprocess_turn(hasty, record.id):
        turns += 1
    assert turns == 3
    job = Job.model_validate(desk.client.get(f"/v1/jobs/{record.id}").json())
    assert (job.state, job.counts.found, job.counts.cancelled) == (JobState.DONE, 700, 700)


def test_a_cancelled_or_paused_job_is_not_listed_on(world: World, desk: Desk) -> None:
    world.sample("kick.wav")
    job_id = desk.ask("embed").json()["id"]
    desk.client.post(f"/v1/jobs/{job_id}/pause")
    assert not reprocess_turn(desk.held, job_id)
    assert desk.held.jobs.get(job_id).scan.next_seq == 0  # type: ignore[union-attr]
    desk.client.post(f"/v1/jobs/{job_id}/resume")
    reprocess_turn(desk.held, job_id)
    assert desk.held.jobs.get(job_id).scan.next_seq == 1  # type: ignore[union-attr]


def test_a_place_is_up_to_date_only_if_every_stage_is(world: World, desk: Desk) -> None:
    """Else the next scan would skip a file that was measured by an older version."""
    old, new = world.sample("old.wav", vector=[1.0]), world.sample("new.wav", vector=[1.0])
    measured_now(world, new)
    [chunk] = desk.chunks(desk.listed("index", which="all"))
    close(desk.held, chunk)
    versions = {row["key"]: row["versions"] for row in world.db.places.find()}
    assert versions == {"old.wav": None, "new.wav": stamp(current_versions(world.settings))}
    assert old != new


def test_what_was_deleted_stays_away(world: World, desk: Desk) -> None:
    sample = world.sample("kick.wav", vector=[1.0])
    assert desk.client.delete(f"/v1/samples/{sample}").status_code == 204
    assert desk.listed("index", which="all").counts.found == 0


def test_somebody_elses_samples_are_neither_taken_nor_told_of(world: World, desk: Desk) -> None:
    world.sample("mine.wav")
    foreign = world.sample("foreign.wav", user="eve")
    assert desk.taken(desk.listed("embed", which="all")) == {"mine.wav"}
    strange, unknown = desk.ask("embed", ids=[foreign]), desk.ask("embed", ids=["0" * 24])
    assert (strange.status_code, unknown.status_code) == (404, 404)
    assert strange.json()["message"].replace(foreign, "X") == unknown.json()["message"].replace("0" * 24, "X")


def test_asking_twice_with_one_key_is_asking_once(world: World, desk: Desk) -> None:
    world.sample("kick.wav")
    key = {"Idempotency-Key": "again"}
    first = desk.client.post("/v1/reprocess", json={"stage": "embed"}, headers=key)
    world.sample("another.wav")
    second = desk.client.post("/v1/reprocess", json={"stage": "embed"}, headers=key)
    assert first.json()["id"] == second.json()["id"]
    other = desk.client.post("/v1/reprocess?kind=loop", json={"stage": "embed"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({}, 422, "stage"),
        ({"stage": "finished"}, 422, "stage"),
        ({"stage": "embed", "which": "some"}, 422, "which"),
        ({"stage": "embed", "ids": []}, 422, "ids"),
        ({"stage": "embed", "ids": ["x"]}, 422, "ids.0"),
        ({"stage": "embed", "path": "relative"}, 422, "path"),
        ({"stage": "embed", "path": "/etc"}, 403, "path"),
        ({"stage": "embed", "path": "nowhere"}, 422, "path"),
        ({"stage": "embed", "force": True}, 422, "force"),
    ],
)
def test_a_wish_that_makes_no_sense_names_the_field(
    client: httpx.Client, wish: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post("/v1/reprocess", json=wish)
    assert answer.status_code == status
    assert answer.json()["detail"]["fields"][0]["field"] == field
