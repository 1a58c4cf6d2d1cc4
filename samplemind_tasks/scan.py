"""Listing a folder in slices: what is new or changed becomes chunks, the rest is skipped, what is gone is marked.

Nothing is read but names, sizes and times. Progress is saved with every slice; a killed scan goes on behind the last.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pathspec import GitIgnoreSpec

from samplemind_tasks.errors import TRANSIENT_CODES, FailureCode
from samplemind_tasks.logs import get_log
from samplemind_tasks.pipeline import dispatch, end_job
from samplemind_tasks.planning import current_versions, cut, save_slice, stamp, take_turn
from samplemind_tasks.roots import Roots
from samplemind_tasks.schemas import Failure, JobKind, JobState, Problem
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.jobs import JobRecord, Unsettled
from samplemind_tasks.store.places import LAST_KEY, Place, PlaceState, key_of
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.walk import Entry, Sight, walk

log = get_log(__name__)

STILL_WRITTEN = "files that are still being written"
_SENTENCES = {
    FailureCode.UNSUPPORTED: "SampleMind does not decode {reason} files.",
    FailureCode.NOT_REGULAR: "Not a file: a pipe, socket or device.",
    FailureCode.UNREADABLE: "Cannot be read: {reason}.",
    FailureCode.STILL_GROWING: "The file kept growing for longer than {reason} s.",
}


@dataclass(frozen=True)
class Rules:
    """What a job wants of its folder."""

    prefix: str
    """Keys of the folder begin with this."""
    include: GitIgnoreSpec | None
    exclude: GitIgnoreSpec
    versions: str
    everything: bool
    restore: bool
    settle_s: float

    @classmethod
    def of(cls, job: JobRecord, folder_key: str, settings: Settings) -> "Rules":
        include = job.request.get("include") or []
        return cls(
            prefix=f"{folder_key}/" if folder_key else "",
            include=GitIgnoreSpec.from_lines(include) if include else None,
            exclude=GitIgnoreSpec.from_lines(job.request.get("exclude") or []),
            versions=stamp(current_versions(settings)),
            everything=job.request.get("rerun") == "everything",
            restore=bool(job.request.get("restore")),
            settle_s=settings.settle_s,
        )

    def wants(self, key: str) -> bool:
        """Whether the job's globs admit a key. They are matched against the path below the job's folder."""
        relative = os.fsdecode(key.removeprefix(self.prefix).encode("latin-1"))
        if self.include is not None and not self.include.match_file(relative):
            return False
        return not self.exclude.match_file(relative)

    def up_to_date(self, entry: Entry, place: Place) -> bool:
        """Whether a known place needs nothing: same size and time, and current, or deleted by its owner."""
        unchanged = (place.size_bytes, place.mtime_ns) == (entry.size_bytes, entry.mtime_ns)
        if place.removed:
            return unchanged and not self.restore
        return unchanged and place.versions == self.versions and not self.everything


@dataclass
class Slice:
    """What a stretch of the folder comes to."""

    skipped: int = 0
    failed_before: int = 0
    new: list[Place] = field(default_factory=list)
    changed: list[Place] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    """Places that were missing or offline and are there again."""
    unsettled: list[Unsettled] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    """Hashes of what was at places that are gone, back, or hold other bytes now."""

    def move(self, place: Place) -> None:
        """Whatever lived there lives elsewhere now, or here again."""
        if place.file_hash is not None:
            self.moved.add(place.file_hash)


def compare(
    entries: Iterable[Entry], known: Sequence[Place], rules: Rules, user_id: str, root: str, now_s: float
) -> Slice:
    """Hold what the walk saw against the places known in the same stretch."""
    found = Slice()
    by_key = {place.key: place for place in known}
    for entry in entries:
        place = by_key.pop(entry.key, None)
        if entry.sight is Sight.FOLDER or not rules.wants(entry.key):
            continue
        if place and rules.up_to_date(entry, place):
            found.skipped += 1
            found.failed_before += place.failed is not None
            if place.state is not PlaceState.PRESENT:
                found.back.append(place.id)
                found.move(place)
        elif entry.sight is not Sight.AUDIO:
            _note_failure(found, entry, place, rules, user_id, root)
        elif now_s - entry.mtime_ns / 1e9 < rules.settle_s:
            found.unsettled.append(Unsettled(entry.key, entry.size_bytes, entry.mtime_ns, now_s))
        else:
            _note_work(found, entry, place, user_id, root)
    for place in by_key.values():
        if place.state is PlaceState.PRESENT:
            found.gone.append(place.id)
            found.move(place)
    return found


def _note_work(found: Slice, entry: Entry, place: Place | None, user_id: str, root: str) -> None:
    fresh = Place.new(user_id, root, entry.key, entry.size_bytes, entry.mtime_ns)
    if place and (place.size_bytes, place.mtime_ns) == (entry.size_bytes, entry.mtime_ns):
        fresh = replace(fresh, file_hash=place.file_hash)  # a deletion of the sample still finds its place
    elif place:
        found.move(place)
    (found.changed if place else found.new).append(fresh)


def _note_failure(found: Slice, entry: Entry, place: Place | None, rules: Rules, user_id: str, root: str) -> None:
    code = FailureCode(entry.sight.value)
    if place:
        found.move(place)
    fresh = Place.new(user_id, root, entry.key, entry.size_bytes, entry.mtime_ns)
    fresh = replace(fresh, failed=code, versions=None if code in TRANSIENT_CODES else rules.versions)
    (found.changed if place else found.new).append(fresh)
    message = _SENTENCES[code].format(reason=entry.reason)
    found.failures.append(Failure(place=fresh.id, path=fresh.path, code=code, message=message))


# ------------------------------------------------------------------------------------------------------------- the scan


class Scan:
    """One turn of listing a job's folder."""

    def __init__(self, stores: Stores, job: JobRecord) -> None:
        assert job.root is not None  # noqa: S101 - a folder job has a root and a path
        assert job.path is not None  # noqa: S101
        self._stores = stores
        self._settings = stores.settings
        self._root = job.root
        self._folder_key = key_of(Path(job.root), Path(job.path))
        self._rules = Rules.of(job, self._folder_key, stores.settings)
        self._roots = Roots(stores.settings.roots)
        self._path = Path(job.path)
        self._is_folder = not self._path.is_file()
        self.job = job

    @property
    def _first(self) -> str:
        """Sorts directly before every key of the folder; where the job names one file, before that file."""
        return self._rules.prefix if self._is_folder else self._folder_key[:-1]

    @property
    def _last(self) -> str:
        return self._rules.prefix + LAST_KEY if self._is_folder else self._folder_key

    def turn(self) -> bool:
        """List slices until the turn is over. True when there is more to list."""
        if not self.job.scan.cursor and not self._path.exists() and not self._path.is_symlink():
            return self._went_offline("is not there")
        entries = walk(os.fsencode(self._root), self._folder_key, self.job.scan.cursor, self._roots.hold)
        ends_at = time.monotonic() + self._settings.scan_turn_s
        while not self.job.scan.walked:
            current = self._stores.jobs.get(self.job.id)
            if current is None or current.finished_at or current.cancel or current.pause:
                return False
            self.job = replace(self.job, state=current.state, pause=current.pause)
            if not self._slice(entries):
                return False
            dispatch(self._stores, self.job.id)
            if time.monotonic() >= ends_at:
                return not self.job.scan.done
        if self.job.scan.unsettled:
            self._look_again()
        dispatch(self._stores, self.job.id)
        return False  # unsettled files are looked at again when the reconciler says so

    def _slice(self, entries: Iterator[Entry]) -> bool:
        """List one slice and save it; False when another scanner took over."""
        job, scan = self.job, self.job.scan
        if self._path.exists() and not self._roots.hold(os.fsencode(self._path)):
            return self._gave_up("outside_roots", "leads outside the folders this server may read")
        stretch, walked = self._stretch(entries)
        last = self._last if walked else stretch[-1].key
        known = self._stores.places.between(job.user_id, self._root, scan.cursor or self._first, last)
        known = [place for place in known if self._is_folder or place.key == self._folder_key]
        if walked and known and not self._path.exists():
            return self._went_offline("has gone away")
        if walked and known and not scan.cursor and all(entry.sight is Sight.FOLDER for entry in stretch):
            return self._went_offline("is empty, although it held samples")
        found = compare(stretch, known, self._rules, job.user_id, self._root, time.time())
        return self._commit(found, cursor=last, walked=walked, settled=())

    def _stretch(self, entries: Iterator[Entry]) -> tuple[list[Entry], bool]:
        """As much as a slice takes, in paths and in time, and whether that was all."""
        stretch: list[Entry] = []
        ends_at = time.monotonic() + self._settings.scan_slice_s
        for entry in entries:
            stretch.append(entry)
            if len(stretch) >= self._settings.scan_slice_paths or time.monotonic() >= ends_at:
                return stretch, False
        return stretch, True

    def _commit(self, found: Slice, *, cursor: str, walked: bool, settled: Iterable[Unsettled]) -> bool:
        """Places first, then chunks, then the saved position that makes them count."""
        stores, job, scan = self._stores, self.job, self.job.scan
        stores.places.write(found.new, found.changed)
        stores.places.mark(found.back, PlaceState.PRESENT)
        stores.places.mark(found.gone, PlaceState.MISSING)
        stores.samples.note_places(job.user_id, found.moved)
        if found.failures:
            stores.failures.record(job.id, job.user_id, f"{job.id}:scan:{scan.rev}", found.failures)
        failed = {row.place for row in found.failures}
        work = [place for place in (*found.new, *found.changed) if place.id not in failed]
        chunks = cut(job, work, scan.scanners[-1][0], scan.next_seq, self._settings)
        stores.chunks.insert(chunks)
        codes = dict(scan.failed)
        for row in found.failures:
            codes[row.code.value] = codes.get(row.code.value, 0) + 1
        gone = set(settled)
        waiting = (*(row for row in scan.unsettled if row not in gone), *found.unsettled)
        saved = save_slice(
            stores,
            job,
            replace(
                scan,
                rev=scan.rev + 1,
                cursor=cursor,
                walked=walked,
                done=walked and not waiting,
                next_seq=scan.next_seq + len(chunks),
                skipped=scan.skipped + found.skipped,
                failed_before=scan.failed_before + found.failed_before,
                failed=codes,
                unsettled=waiting,
            ),
            chunks,
        )
        if saved:
            self.job = saved
            log.info("slice_listed", chunks=len(chunks), skipped=found.skipped, failures=len(found.failures))
        return saved is not None

    # -- files that are still being written ---------------------------------------------------------------------------

    def _look_again(self) -> None:
        """Take up the files that have stopped growing."""
        now_s = time.time()
        found, settled = Slice(), []
        for row in self.job.scan.unsettled:
            if now_s - row.first_seen < self._settings.settle_s:
                continue
            settled.append(row)
            for entry in walk(os.fsencode(self._root), row.key, "", self._roots.hold):
                self._judge(found, row, entry, now_s)
        if len(settled) < len(self.job.scan.unsettled) or found.unsettled:
            self._stores.progress.waiting_for(self.job.id, STILL_WRITTEN)
        else:
            self._stores.progress.waits_no_more(self.job.id, STILL_WRITTEN)
        if settled:
            known = self._stores.places.get([row.id for row in found.new])
            there = {place.id for place in known}
            for place in known:
                found.move(place)
            found.changed = [place for place in found.new if place.id in there]
            found.new = [place for place in found.new if place.id not in there]
            self._commit(found, cursor=self.job.scan.cursor, walked=True, settled=settled)

    def _judge(self, found: Slice, row: Unsettled, entry: Entry, now_s: float) -> None:
        if (entry.size_bytes, entry.mtime_ns) == (row.size_bytes, row.mtime_ns):
            _note_work(found, entry, None, self.job.user_id, self._root)
        elif now_s - row.first_seen < self._settings.settle_limit_s:
            found.unsettled.append(replace(row, size_bytes=entry.size_bytes, mtime_ns=entry.mtime_ns))
        else:
            place = Place.new(self.job.user_id, self._root, entry.key, entry.size_bytes, entry.mtime_ns)
            message = _SENTENCES[FailureCode.STILL_GROWING].format(reason=round(self._settings.settle_limit_s))
            found.new.append(replace(place, failed=FailureCode.STILL_GROWING))
            found.failures.append(
                Failure(place=place.id, path=place.path, code=FailureCode.STILL_GROWING, message=message)
            )

    # -- a folder that is not there -----------------------------------------------------------------------------------

    def _went_offline(self, how: str) -> bool:
        return self._gave_up("folder_offline", how, "mount its disk and add it again, or delete them")

    def _gave_up(
        self, code: str, how: str, advice: str = "put the folder back and add it again, or delete them"
    ) -> bool:
        """A disk that is not mounted is not a deleted library: mark its places, delete nothing, end the job."""
        job = self.job
        self._stores.places.mark_stretch(job.user_id, self._root, self._first, self._last, PlaceState.OFFLINE)
        message = f"{job.path} {how}. Its samples are kept and marked offline: {advice} if they are not to come back."
        done = replace(job, scan=replace(job.scan, done=True, walked=True))
        end_job(self._stores, done, JobState.FAILED, problem=Problem(code=code, message=message))
        return False


def scan_turn(stores: Stores, job_id: str) -> bool:
    """Give a job's scan a turn. True when there is more to list."""
    mine = take_turn(stores, job_id, JobKind.FOLDER)
    return Scan(stores, mine).turn() if mine else False
