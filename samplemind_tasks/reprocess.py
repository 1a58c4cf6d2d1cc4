"""Taking samples that are there already through a stage again, slice by slice.

Nothing is listed but the library itself. Progress is saved with every slice, as a scan's is; a killed listing goes on
behind the last. A sample none of whose files is there now is left as it is, and listed among the job's failures.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from samplemind_tasks.errors import FailureCode
from samplemind_tasks.logs import get_log
from samplemind_tasks.pipeline import dispatch
from samplemind_tasks.planning import current_versions, cut, save_slice, take_turn
from samplemind_tasks.schemas import Failure, JobKind, SampleState
from samplemind_tasks.store.chunks import Chunk, ChunkSample, Stage
from samplemind_tasks.store.jobs import JobRecord
from samplemind_tasks.store.pages import AS_JSON, keeps
from samplemind_tasks.store.places import Place, PlaceState, lives_at
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.stretches import Known

STRETCH = 256
"""Samples looked at between two savings."""
LOOKED_UP = 32
"""Samples whose analyses are asked for at once: two stages of each, and the embedded server is slow at more."""

log = get_log(__name__)


@dataclass(frozen=True)
class Slice:
    """What a stretch of the library comes to."""

    work: list[tuple[Known, Place]] = field(default_factory=list)
    vanished: list[Failure] = field(default_factory=list)
    """Samples no file of which is there now."""
    current: int = 0
    """Samples that have a result of today's version."""
    unready: int = 0
    """Samples that the stage before has not passed yet, or of which no file was ever seen."""


class Reprocess:
    """One turn of listing the samples of a job."""

    def __init__(self, stores: Stores, job: JobRecord) -> None:
        self._stores = stores
        self._stage = Stage(job.request["stage"])
        self._everything = job.request["which"] == "all"
        self._ids: list[str] | None = job.request["ids"]
        self._wanted = AS_JSON.validate_python(job.request["filter"])
        self._lives_at = lives_at(job.path) if job.path is not None else None
        self._versions = current_versions(stores.settings)
        self.job = job

    def turn(self) -> bool:
        """List slices until the turn is over. True when there is more to list."""
        ends_at = time.monotonic() + self._stores.settings.scan_turn_s
        while not self.job.scan.done:
            current = self._stores.jobs.get(self.job.id)
            if current is None or current.finished_at or current.cancel or current.pause:
                return False
            self.job = replace(self.job, state=current.state, pause=current.pause)
            if not self._slice():
                return False
            dispatch(self._stores, self.job.id)
            if time.monotonic() >= ends_at:
                return not self.job.scan.done
        return False

    def _slice(self) -> bool:
        """List one slice and save it; False when another listing took over."""
        stores, job, scan = self._stores, self.job, self.job.scan
        after = int(scan.cursor or 0)
        end = min(after + STRETCH, self._last())
        found = self._looked_at(self._stretch(after, end))
        chunks = self._chunks(found.work)
        stores.chunks.insert(chunks)
        if found.vanished:
            stores.failures.record(job.id, job.user_id, f"{job.id}:scan:{scan.rev}", found.vanished)
        vanished = Counter(scan.failed) + Counter(row.code.value for row in found.vanished)
        done = end >= self._last()
        saved = save_slice(
            stores,
            job,
            replace(
                scan, rev=scan.rev + 1, cursor=str(end), walked=done, done=done, next_seq=scan.next_seq + len(chunks),
                skipped=scan.skipped + found.current, failed=dict(vanished),
                cancelled=scan.cancelled + found.unready,
            ),
            chunks,
        )  # fmt: skip
        if saved:
            self.job = saved
            log.info("samples_listed", chunks=len(chunks), skipped=found.current, failures=len(found.vanished))
        return saved is not None

    def _last(self) -> int:
        """Where the listing ends: samples that arrive from now on have passed every stage by themselves."""
        return int(self.job.request["last"]) if self._ids is None else len(self._ids)

    def _stretch(self, after: int, end: int) -> list[Known]:
        user_id, stretches = self.job.user_id, self._stores.stretches
        if self._ids is None:
            return stretches.numbered(user_id, after, end)
        return stretches.named(user_id, self._ids[after:end])

    # -- which of them, and where from --------------------------------------------------------------------------------

    def _looked_at(self, stretch: Sequence[Known]) -> Slice:
        kept = [row for row in stretch if keeps(self._wanted, row.sample)]
        places = self._stores.stretches.places(self.job.user_id, [row.sample.file_hash for row in kept])
        if self._lives_at is not None:
            kept = [row for row in kept if any(map(self._lives_at, places[row.sample.file_hash]))]
        stages = self._stages([row.sample.file_hash for row in kept])
        work, vanished, current, unready = [], [], 0, 0
        for row in kept:
            known, its_places = stages[row.sample.file_hash], places[row.sample.file_hash]
            if not self._everything and self._is_current(row, known):
                current += 1
            elif (place := self._place(its_places, known)) is not None:
                work.append((row, place))
            elif its_places and self._stage is not Stage.INDEX:
                vanished.append(_vanished(its_places[0]))
            else:
                unready += 1
        return Slice(work, vanished, current, unready)

    def _stages(self, file_hashes: Sequence[str]) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {}
        for start in range(0, len(file_hashes), LOOKED_UP):
            known |= self._stores.samples.known_stages(file_hashes[start : start + LOOKED_UP], self._versions)
        return known

    def _is_current(self, row: Known, known: set[str]) -> bool:
        if self._stage is Stage.INDEX:
            shown = row.heard_by == self._stores.settings.model_card.collection
            return row.sample.state is SampleState.READY and shown
        return self._stage.value in known

    def _place(self, places: Sequence[Place], known: set[str]) -> Place | None:
        """Where to read the bytes; the index needs no bytes, but what the model heard."""
        if self._stage is Stage.INDEX:
            return next(iter(places), None) if Stage.EMBED.value in known else None
        return next((place for place in places if _is_there(place)), None)

    # -- chunks -------------------------------------------------------------------------------------------------------

    def _chunks(self, work: Sequence[tuple[Known, Place]]) -> list[Chunk]:
        scan, is_index = self.job.scan, self._stage is Stage.INDEX
        row_of = {place.id: row.sample for row, place in work}
        # to be indexed, a long track is no more work than a short one
        places = [replace(place, size_bytes=0) if is_index else place for _, place in work]
        chunks = cut(self.job, places, scan.scanners[-1][0], scan.next_seq, self._stores.settings)
        chunks = [replace(chunk, everything=self._everything, only=self._stage) for chunk in chunks]
        if not is_index:
            return chunks
        return [
            replace(
                chunk,
                stage=Stage.INDEX,
                samples=tuple(ChunkSample(name, row_of[name].id, row_of[name].file_hash) for name in chunk.places),
            )
            for chunk in chunks
        ]


def _vanished(place: Place) -> Failure:
    """What is told of a sample that cannot be read now. Its place is not marked: a scan finds out, not we."""
    offline = place.state is PlaceState.OFFLINE
    message = "Its folder is offline: mount its disk and scan it." if offline else "The file is not there any more."
    return Failure(place=place.id, path=place.path, code=FailureCode.VANISHED, message=message)


def _is_there(place: Place) -> bool:
    """Whether the bytes can be read now. What a scan found gone is not asked about again: a scan finds it, too."""
    if place.state is not PlaceState.PRESENT:
        return False
    return place.is_upload or os.path.isfile(place.location)  # noqa: PTH113 - pathlib refuses bytes, and raises


def reprocess_turn(stores: Stores, job_id: str) -> bool:
    """Give a job's listing a turn. True when there is more to list."""
    mine = take_turn(stores, job_id, JobKind.REPROCESS)
    return Reprocess(stores, mine).turn() if mine else False
