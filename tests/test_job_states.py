"""The states of a job, walked through by a machine that looks for an order of events in which a promise breaks.

Workers claim, work, die, come back too late and hear everything twice; people pause, resume and cancel; Redis forgets;
the reconciler looks whenever it likes. Nobody else is at work: what happens is what the machine picks, on real stores.
"""

import os
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.pipeline import STAGES, claim, close, dispatch, hand_on
from samplemind_tasks.reconcile import reconcile, take_away
from samplemind_tasks.scan import scan_turn
from samplemind_tasks.schemas import TERMINAL_STATES, Failure, Job, JobKind, JobState
from samplemind_tasks.store.chunks import Chunk, ChunkSample, ChunkState, Stage
from samplemind_tasks.store.jobs import JobRecord, new_job_document
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.stores import Stores

FILES = 7
WALKS, STEPS = int(os.environ.get("JOB_STATE_WALKS", "0")), 40
"""CI walks the same few ways every time; JOB_STATE_WALKS=1000 looks for new ones."""
WALKS_IN_CI = 40
LAST_ROUNDS = 60
MEASURE = {"analyze": str(ANALYSIS_VERSION)}
NEXT = {step.stage: following for step, following in zip(STAGES, [*list(Stage)[1:]], strict=False)}
picks = st.integers(0, 1_000)


class JobStates(RuleBasedStateMachine):
    """One job over a folder of seven files, in chunks of at most three."""

    def __init__(self, held: Stores, folder: Path) -> None:
        super().__init__()
        self.held = held
        self.db = connect(held.settings)
        user = f"u{uuid.uuid4().hex[:8]}"  # each walk's places are its own
        document = new_job_document(user_id=user, kind=JobKind.FOLDER, path=str(folder), root="/", request={})
        self.db.jobs.insert_one(document)
        self.job_id = str(document["_id"])
        held.progress.rebuild(JobRecord.from_document(document), [])
        self.at_work: list[Chunk] = []
        """As the workers hold them; some have lost their lease and do not know it."""
        self.over: list[Chunk] = []
        """What workers held once."""
        self.ended: Job | None = None
        self.was_cancelled = False

    # the control worker ----------------------------------------------------------------------------------------------

    @initialize(is_listed=st.integers(0, 4))
    def begin(self, is_listed: int) -> None:
        if is_listed:
            self.scan()

    @rule()
    def scan(self) -> None:
        scan_turn(self.held, self.job_id)

    @rule()
    def send_more(self) -> None:
        dispatch(self.held, self.job_id)

    @rule()
    def look(self) -> None:
        reconcile(self.held)

    # workers ---------------------------------------------------------------------------------------------------------

    @rule(pick=picks)
    def take(self, pick: int) -> None:
        flying = self.held.chunks.in_flight(self.job_id)
        if flying:
            chunk = flying[pick % len(flying)]
            versions = MEASURE if chunk.stage is Stage.ANALYZE else {}
            leased = claim(self.held, chunk.id, chunk.stage, versions, f"worker-{uuid.uuid4().hex[:6]}")
            if leased:
                self.at_work.append(leased)

    @precondition(lambda self: self.at_work)
    @rule(pick=picks, bad=st.sets(st.integers(0, 2), max_size=2))
    def finish(self, pick: int, bad: set[int]) -> None:
        chunk = self.at_work.pop(pick % len(self.at_work))
        self.over.append(chunk)
        self._finish(chunk, bad)

    @precondition(lambda self: self.over)
    @rule(pick=picks)
    def finish_what_was_finished_or_lost(self, pick: int) -> None:
        self._finish(self.over[pick % len(self.over)], set())

    @precondition(lambda self: self.at_work)
    @rule(pick=picks, knows_the_file=st.booleans(), is_seen=st.booleans())
    def die(self, pick: int, knows_the_file: bool, is_seen: bool) -> None:
        chunk = self.at_work.pop(pick % len(self.at_work))
        self.over.append(chunk)
        assert chunk.lease
        if knows_the_file:
            self.held.marks.begin(chunk.id, chunk.lease.token, chunk.places[pick % len(chunk.places)], 60.0)
        now = self.held.chunks.get(chunk.id)
        if is_seen and now and now.lease and now.lease.token == chunk.lease.token:
            take_away(self.held, now, by_watchdog=False)

    def _finish(self, chunk: Chunk, bad: set[int]) -> None:
        to = NEXT[chunk.stage]
        if chunk.stage is Stage.INDEX:
            close(self.held, chunk)
        elif chunk.stage is Stage.ANALYZE:
            lost = [place for number, place in enumerate(chunk.places) if number in bad]
            failures = tuple(Failure(place=row, path="", code=FailureCode.NOT_AUDIO, message="bad") for row in lost)
            samples = tuple(ChunkSample(row, row, "0" * 64) for row in chunk.places if row not in lost)
            if samples:
                hand_on(self.held, chunk, to, samples=samples, failures=failures)
            else:
                close(self.held, chunk, failures=failures)
        else:
            hand_on(self.held, chunk, to)

    # people, and what happens to servers -----------------------------------------------------------------------------

    @rule()
    def pause(self) -> None:
        self._raise_flag(pause=True)

    @rule()
    def resume(self) -> None:
        self._raise_flag(pause=False)

    @precondition(lambda self: self.ended is None)
    @rule(really=st.integers(0, 3))
    def cancel(self, really: int) -> None:
        if really == 0:  # seldom, or few walks would come far
            self._raise_flag(cancel=True)
            self.was_cancelled = True

    @rule()
    def forget(self) -> None:
        for url in (self.held.settings.redis_url, self.held.settings.cache_url):
            with Redis.from_url(url) as redis:
                redis.flushall()

    def _raise_flag(self, **flag: bool) -> None:
        self.db.jobs.update_one({"_id": self.job_id, "finished_at": None}, {"$set": flag})

    # promises --------------------------------------------------------------------------------------------------------

    @invariant()
    def every_file_is_counted_once_by_the_view(self) -> None:
        view = self.held.progress.read(self.job_id)
        if view is not None:
            _adds_up(view.job)

    @invariant()
    def what_has_ended_stays_as_it_was(self) -> None:
        record = self.held.jobs.get(self.job_id)
        assert record
        if record.state not in TERMINAL_STATES:
            assert self.ended is None, "a job that had ended goes on"
            return
        told = self._told()
        assert self.ended is None or (told.state, told.counts) == (self.ended.state, self.ended.counts)
        self.ended = told
        assert not self.held.chunks.in_flight(self.job_id)

    def teardown(self) -> None:
        """Whatever has happened: once people let it, the job ends, and every file has one end."""
        for _ in range(LAST_ROUNDS):
            self._raise_flag(pause=False)
            scan_turn(self.held, self.job_id)
            reconcile(self.held)
            for chunk in self.held.chunks.in_flight(self.job_id):
                self.take(0) if chunk.state is ChunkState.WAITING else None
            while self.at_work:
                self.finish(0, set())
            record = self.held.jobs.get(self.job_id)
            if record and record.state in TERMINAL_STATES:
                break
        job = self._told()
        expected = {JobState.CANCELLED, JobState.DONE} if self.was_cancelled else {JobState.DONE}
        assert job.state in expected
        _adds_up(job)
        assert (job.counts.waiting, job.counts.leased) == (0, 0)
        assert self.was_cancelled or (job.counts.found, job.counts.cancelled) == (FILES, 0)
        assert job.counts.failed == sum(job.failures.values())
        assert set(job.failures) <= {FailureCode.NOT_AUDIO.value, FailureCode.CRASHED.value}
        crashed = job.failures.get(FailureCode.CRASHED.value, 0)
        assert crashed == self.db.failures.count_documents({"job": self.job_id, "code": FailureCode.CRASHED.value})
        super().teardown()

    def _told(self) -> Job:
        """The job as its view says once it was rebuilt from MongoDB."""
        record = self.held.jobs.get(self.job_id)
        assert record
        self.held.progress.rebuild(record, self.held.chunks.of_job(self.job_id, record.scan))
        view = self.held.progress.read(self.job_id)
        assert view
        return view.job


def _adds_up(job: Job) -> None:
    counts = job.counts
    parts = (counts.waiting, counts.leased, counts.done, counts.failed, counts.skipped, counts.cancelled)
    assert counts.found == sum(parts), counts
    assert min(parts) >= 0, counts


@pytest.mark.timeout(300)
def test_no_order_of_events_breaks_a_promise(held: Stores, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(FILES):
        path = folder / f"{number:02d}.wav"
        path.write_bytes(b"x" * (number + 1))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    held = Stores(held.settings.model_copy(update={"chunk_places": 3, "chunks_in_flight": 2, "lease_patience": 1}))
    run_state_machine_as_test(
        lambda: JobStates(held, folder),
        settings=settings(
            max_examples=WALKS or WALKS_IN_CI, stateful_step_count=STEPS, deadline=None, derandomize=not WALKS,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
