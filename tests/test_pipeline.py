"""The protocol, on real stores with nobody at work: each death, duplicate and loss is played by hand."""

import os
import time
from pathlib import Path

import orjson
import pytest
from kombu.transport.redis import QoS
from redis import Redis

from samplemind_tasks import queues
from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.pipeline import claim, close, dispatch, hand_on
from samplemind_tasks.planning import current_versions, take_over_scan
from samplemind_tasks.queues import Queue
from samplemind_tasks.reconcile import ATTEMPTS, HELD_SECONDS, reconcile, take_away
from samplemind_tasks.scan import Scan, scan_turn
from samplemind_tasks.schemas import Job, JobKind, JobState
from samplemind_tasks.store.chunks import Chunk, ChunkSample, ChunkState, SpinOff, Stage
from samplemind_tasks.store.deliveries import DELIVERED_AT, UNACKED
from samplemind_tasks.store.jobs import JobRecord, new_job_document
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.windows import windows_key

MEASURE = {"analyze": str(ANALYSIS_VERSION)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve files old enough to be believed whole. Nothing here reads them."""
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(12):
        path = folder / f"{number:02d}.wav"
        path.write_bytes(b"x" * (number + 1))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


def submit(held: Stores, folder: Path, **request: object) -> str:
    document = new_job_document(user_id="local", kind=JobKind.FOLDER, path=str(folder), root="/", request=dict(request))
    connect(held.settings).jobs.insert_one(document)
    held.progress.rebuild(JobRecord.from_document(document), [])
    return str(document["_id"])


def with_settings(held: Stores, **changes: object) -> Stores:
    return Stores(held.settings.model_copy(update=changes))


def polled(held: Stores, job_id: str) -> Job:
    view = held.progress.read(job_id)
    assert view
    counts = view.job.counts
    parts = (counts.waiting, counts.leased, counts.done, counts.failed, counts.skipped, counts.cancelled)
    assert counts.found == sum(parts)
    assert min(parts) >= 0
    return view.job


def flying(held: Stores, job_id: str) -> list[Chunk]:
    return sorted(held.chunks.in_flight(job_id), key=lambda chunk: chunk.id)


def lease(held: Stores, chunk: Chunk, token: str = "worker-1") -> Chunk:
    leased = claim(held, chunk.id, Stage.ANALYZE, MEASURE, token)
    assert leased
    return leased


def measured(held: Stores, chunk: Chunk) -> Chunk:
    """Play the stages of a chunk to its end."""
    samples = tuple(ChunkSample(place, place, "0" * 64) for place in chunk.places)
    handed = hand_on(held, chunk, Stage.EMBED, samples=samples)
    assert handed
    ended = close(held, handed)
    assert ended
    return ended


def mongo(held: Stores, collection: str) -> int:
    return connect(held.settings)[collection].count_documents({})


def settle(held: Stores, looks: int = 6) -> None:
    """Let the reconciler look as often as its patience lasts."""
    for _ in range(looks):
        reconcile(held)


def test_a_folder_becomes_chunks_and_only_a_window_of_them_is_sent(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=2, chunks_in_flight=4)
    job_id = submit(held, folder)
    assert scan_turn(held, job_id) is False
    assert len(flying(held, job_id)) == 4
    assert held.queue_length("cpu") == 4
    assert polled(held, job_id).counts.waiting == 12
    measured(held, lease(held, flying(held, job_id)[0]))
    assert len(flying(held, job_id)) == 4  # a finished chunk tops the window up
    assert polled(held, job_id).counts.done == 2


def test_a_chunk_carries_the_tempi_its_job_expects(held: Stores, folder: Path) -> None:
    expecting, plain = submit(held, folder, tempo_range_bpm=[70, 140]), submit(held, folder)
    scan_turn(held, expecting)
    scan_turn(held, plain)
    assert {chunk.tempo_range_bpm for chunk in flying(held, expecting)} == {(70, 140)}
    assert {chunk.tempo_range_bpm for chunk in flying(held, plain)} == {None}


def test_a_job_is_done_when_its_last_chunk_is(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=5)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    while chunks := flying(held, job_id):
        measured(held, lease(held, chunks[0]))
    job = polled(held, job_id)
    assert job.state is JobState.DONE
    assert job.counts.done == job.counts.found == 12
    again = submit(held, folder)
    scan_turn(held, again)
    second = polled(held, again)
    assert (second.state, second.counts.skipped, second.counts.found) == (JobState.DONE, 12, 12)


def test_windows_that_a_dead_worker_left_go_with_the_job(held: Stores, folder: Path) -> None:
    other = windows_key("another job", "chunk", "token")
    held.blobs.put(other, b"of a job that goes on")
    held = with_settings(held, chunk_places=5)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    first = flying(held, job_id)[0]
    measured(held, lease(held, first))
    left = windows_key(job_id, first.id, "the token of a lease that was lost")
    held.blobs.put(left, b"cut by a worker that did not know it yet")
    while chunks := flying(held, job_id):
        measured(held, lease(held, chunks[0]))
    assert polled(held, job_id).state is JobState.DONE
    assert not held.blobs.exists(left)
    assert held.blobs.exists(other)


def test_a_job_that_ended_while_its_view_could_not_be_told_is_told_later(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    deaf = with_settings(held, redis_url="redis://127.0.0.1:1/0")
    for chunk in flying(held, job_id):
        measured(deaf, lease(deaf, chunk))
    ended = held.jobs.get(job_id)
    assert ended
    assert ended.state is JobState.DONE
    assert polled(held, job_id).state is JobState.RUNNING
    reconcile(held)
    assert polled(held, job_id).state is JobState.DONE


def test_of_two_workers_with_one_message_one_works(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = flying(held, job_id)[0]
    first = claim(held, chunk.id, Stage.ANALYZE, MEASURE, "a")
    assert first
    assert claim(held, chunk.id, Stage.ANALYZE, MEASURE, "b") is None
    assert measured(held, first).state is ChunkState.DONE
    assert claim(held, chunk.id, Stage.ANALYZE, MEASURE, "c") is None
    assert hand_on(held, first, Stage.EMBED) is None  # a late repetition changes nothing
    assert polled(held, job_id).counts.done == 12


def test_a_worker_of_another_version_leaves_the_chunk_alone(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = flying(held, job_id)[0]
    assert claim(held, chunk.id, Stage.ANALYZE, {"analyze": "older"}, "a") is None
    assert lease(held, chunk).state is ChunkState.LEASED


def test_a_lease_that_beats_is_left_alone_and_one_that_stands_still_is_taken(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = lease(held, flying(held, job_id)[0])
    held.marks.begin(chunk.id, "worker-1")
    for _ in range(10):
        assert held.chunks.beat(chunk.id, "worker-1")
        reconcile(held)
    assert flying(held, job_id)[0].state is ChunkState.LEASED
    settle(held)
    freed = flying(held, job_id)[0]
    assert freed.state is ChunkState.WAITING
    assert freed.attempts == 0
    assert not held.chunks.beat(chunk.id, "worker-1")
    assert hand_on(held, chunk, Stage.EMBED) is None  # the dead come back too late
    assert polled(held, job_id).counts.waiting == 12


def test_only_the_file_that_was_begun_pays_for_a_death(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = lease(held, flying(held, job_id)[0])
    poison = chunk.places[7]
    held.marks.begin(chunk.id, "worker-1", poison, 60.0)
    take_away(held, chunk)
    alone, *halves = sorted(flying(held, job_id), key=lambda row: len(row.places))
    assert (alone.places, alone.attempts) == ((poison,), 1)
    assert [(len(half.places), half.attempts) for half in halves] == [(5, 0), (6, 0)]
    assert {place for half in halves for place in half.places} == {*chunk.places} - {poison}
    for _ in range(ATTEMPTS - 1):
        again = lease(held, next(row for row in flying(held, job_id) if row.places == (poison,)))
        held.marks.begin(again.id, "worker-1", poison, 60.0)
        take_away(held, again)
    assert polled(held, job_id).failures == {FailureCode.CRASHED.value: 1}
    for half in flying(held, job_id):
        measured(held, lease(held, half))
    job = polled(held, job_id)
    assert (job.state, job.counts.done, job.counts.failed) == (JobState.DONE, 11, 1)


@pytest.mark.parametrize(
    ("by_watchdog", "limit_s", "code"),
    [
        (True, 60.0, FailureCode.TIMEOUT),
        (False, 0.0, FailureCode.CRASHED),  # noticed after the file's limit was over
        (None, 60.0, FailureCode.CRASHED),
        (None, 0.0, FailureCode.TIMEOUT),
    ],
)
def test_the_code_of_a_file_says_how_its_workers_ended(
    held: Stores, folder: Path, by_watchdog: bool | None, limit_s: float, code: FailureCode
) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    poison = flying(held, job_id)[0].places[7]
    for _ in range(ATTEMPTS):
        chunk = lease(held, next(row for row in flying(held, job_id) if poison in row.places))
        held.marks.begin(chunk.id, "worker-1", poison, limit_s)
        take_away(held, chunk, by_watchdog=by_watchdog)
    assert polled(held, job_id).failures == {code.value: 1}


def test_without_a_mark_the_chunk_is_halved_and_nothing_is_counted(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    take_away(held, lease(held, flying(held, job_id)[0]))
    halves = flying(held, job_id)
    assert sorted(len(half.places) for half in halves) == [6, 6]
    assert len({place for half in halves for place in half.places}) == 12
    assert all(half.attempts == 0 for half in halves)
    assert polled(held, job_id).counts.waiting == 12


def test_a_death_between_noting_a_spin_off_and_making_it_loses_nothing(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = flying(held, job_id)[0]
    noted = held.chunks.change(
        chunk, places=chunk.places[:6], spin_offs=(SpinOff("half", chunk.places[6:], attempts=0),)
    )
    assert noted
    reconcile(held)
    assert sorted(len(row.places) for row in flying(held, job_id)) == [6, 6]
    assert polled(held, job_id).counts.found == 12


def test_a_wiped_broker_gets_its_messages_again(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=4)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    with Redis.from_url(held.settings.redis_url) as redis:
        redis.flushall()
    settle(held)
    assert held.queue_length("cpu") == 3
    settle(held)
    assert held.queue_length("cpu") == 3  # what waits in a queue is not sent again and again
    assert polled(held, job_id).counts.waiting == 12  # and the view is back


def test_a_message_whose_worker_lost_its_broker_goes_back(
    held: Stores, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = with_settings(held, chunk_places=4)
    scan_turn(held, submit(held, folder))
    monkeypatch.setattr(QoS, "restore_at_shutdown", False)  # a worker that ends in good order gives its messages back
    with queues.app.connection_for_read() as connection, connection.channel() as lost, connection.channel() as next_one:
        taken = [lost.basic_get("cpu") for _ in range(3)]
        chunks = {str(message.delivery_tag): orjson.loads(message.body)[0][0] for message in taken}
        assert held.queue_length("cpu") == 0
        at_work, *stray = chunks
        begun = held.chunks.get(chunks[at_work])
        assert begun
        lease(held, begun)
        reconcile(held)
        next_one.qos.restore_visible()
        assert held.queue_length("cpu") == 0  # they were only just taken
        with Redis.from_url(held.settings.redis_url) as redis:
            redis.zadd(DELIVERED_AT, dict.fromkeys(chunks, time.time() - 2 * HELD_SECONDS))
            reconcile(held)
            next_one.qos.restore_visible(interval=1)
            assert [tag.decode() for tag in redis.hkeys(UNACKED)] == [at_work]
        assert held.queue_length("cpu") == len(stray)


def test_a_scan_whose_message_was_lost_is_sent_again(held: Stores, folder: Path) -> None:
    submit(held, folder)
    settle(held)
    assert held.queue_length(Queue.SCAN.value) == 1


def test_a_killed_scan_goes_on_where_it_was(held: Stores, folder: Path) -> None:
    slow = with_settings(held, scan_slice_paths=6, scan_turn_s=0.0, chunk_places=2)
    job_id = submit(slow, folder)
    assert scan_turn(slow, job_id) is True  # one slice, then the turn is over
    assert polled(slow, job_id).counts.found == 5
    assert scan_turn(slow, job_id) is True
    assert scan_turn(slow, job_id) is False
    job = polled(slow, job_id)
    assert (job.counts.found, job.scan_done) == (12, True)


def test_an_overtaken_scanner_leaves_nothing_that_counts(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    record = held.jobs.get(job_id)
    assert record
    sleeper = take_over_scan(held, record)
    assert sleeper
    assert scan_turn(held, job_id) is False  # another scanner does the whole work meanwhile
    assert Scan(held, sleeper).turn() is False
    scanned = held.jobs.get(job_id)
    assert scanned
    assert mongo(held, "chunks") > len(held.chunks.of_job(job_id, scanned.scan))  # it did leave strays
    dispatch(held, job_id)
    assert polled(held, job_id).counts.found == 12
    while chunks := flying(held, job_id):
        measured(held, lease(held, chunks[0]))
    assert polled(held, job_id).counts.done == 12


def test_cancel_ends_what_waits_and_what_is_claimed_later(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=2, chunks_in_flight=3)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    working = lease(held, flying(held, job_id)[0])
    connect(held.settings).jobs.update_one({"_id": job_id}, {"$set": {"cancel": True}})
    dispatch(held, job_id)
    assert polled(held, job_id).counts.cancelled == 10
    handed = hand_on(held, working, Stage.EMBED, samples=(ChunkSample(working.places[0], "s", "0" * 64),))
    assert handed
    assert claim(held, handed.id, Stage.EMBED, {}, "gpu") is None
    job = polled(held, job_id)
    assert (job.state, job.counts.cancelled, job.counts.leased) == (JobState.CANCELLED, 12, 0)


def test_a_paused_job_stands_still_and_goes_on(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=2, chunks_in_flight=3)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    jobs = connect(held.settings).jobs
    jobs.update_one({"_id": job_id}, {"$set": {"pause": True}})
    assert claim(held, flying(held, job_id)[0].id, Stage.ANALYZE, MEASURE, "a") is None
    with Redis.from_url(held.settings.redis_url) as redis:
        redis.delete("cpu")
    settle(held, 8)
    assert held.queue_length("cpu") == 0
    jobs.update_one({"_id": job_id}, {"$set": {"pause": False}})
    settle(held, 8)
    assert held.queue_length("cpu") == 3
    assert lease(held, flying(held, job_id)[0])


def test_a_chunk_that_wants_versions_nobody_gives_is_renewed(held: Stores, folder: Path) -> None:
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    chunk = flying(held, job_id)[0]
    held.chunks.change(chunk, versions={"analyze": "0", "embed": "gone"})
    with Redis.from_url(held.settings.redis_url) as redis:
        redis.delete("cpu")
    settle(held)
    assert flying(held, job_id)[0].versions == current_versions(held.settings)


def test_counts_hold_when_reports_come_late_twice_or_never(held: Stores, folder: Path) -> None:
    held = with_settings(held, chunk_places=3)
    job_id = submit(held, folder)
    scan_turn(held, job_id)
    before = flying(held, job_id)
    leased = [lease(held, chunk) for chunk in before]
    held.progress.report(job_id, before)  # late: older revisions
    assert polled(held, job_id).counts.leased == 12
    held.progress.report(job_id, leased)  # twice
    assert polled(held, job_id).counts.leased == 12
    with Redis.from_url(held.settings.redis_url) as redis:
        redis.delete(f"job:{job_id}", f"job:{job_id}:parts")  # never
    assert held.progress.report(job_id, leased) is False
    reconcile(held)
    assert polled(held, job_id).counts.leased == 12
