"""The CPU worker's door: measure every sound of a chunk and leave its model windows ready."""

import faulthandler
import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import psutil
from celery.signals import worker_init, worker_process_init

from samplemind_tasks.audio.analyze import analyze as measure
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes, in_name
from samplemind_tasks.audio.files import content_hash
from samplemind_tasks.audio.listen import Heard, listen
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.errors import AudioError, FailureCode, NotFound, StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.pipeline import close, hand_on
from samplemind_tasks.planning import current_versions
from samplemind_tasks.queues import app, settings
from samplemind_tasks.roots import Roots
from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.chunks import ChunkSample, Stage
from samplemind_tasks.store.mongo import sample_id
from samplemind_tasks.store.places import Place
from samplemind_tasks.store.samples import Arrival, Measurement
from samplemind_tasks.store.windows import SoundWindows, pack, windows_key
from samplemind_tasks.tasks.give_way import give_way
from samplemind_tasks.tasks.stage import StageTask, Work
from samplemind_tasks.walk import is_decoded
from samplemind_tasks.words.told import category_told

log = get_log(__name__)

VERSIONS = {Stage.ANALYZE.value: current_versions(settings)[Stage.ANALYZE.value]}
ROOTS = Roots(settings.roots)
GROUP_FILES = 20
"""Files held open together, asked about together and stored together: what a death costs at most."""


@app.task(name="cpu.analyze", bind=True, base=StageTask)
def analyze(self: StageTask, chunk_id: str) -> None:
    """Measure every sound of the chunk and leave its model windows ready."""
    with self.claim(chunk_id, Stage.ANALYZE, VERSIONS) as work:
        if work is None:
            return
        findings = Findings(work)
        places = work.stores.places.get(work.chunk.places)
        for first in range(0, len(places), GROUP_FILES):
            if work.heartbeat.lost:
                return
            _listen_to_group(findings, places[first : first + GROUP_FILES])
            findings.flush()
        findings.hand_on()


@dataclass
class Findings:
    """What has been found in a chunk so far, stored every few files."""

    work: Work
    samples: list[ChunkSample] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    windows: dict[str, SoundWindows] = field(default_factory=dict)
    _measurements: list[Measurement] = field(default_factory=list)
    _arrivals: dict[str, Arrival] = field(default_factory=dict)
    """By place."""

    def add(self, place: Place, file_hash: str, measurement: Measurement | None, cut: SoundWindows | None) -> None:
        """Take one file's findings; None for what is known already."""
        if measurement:
            self._measurements.append(measurement)
        if cut is not None:
            self.windows[file_hash] = cut
        name = place.path.rsplit("/", 1)[-1]
        self._arrivals[place.id] = Arrival(file_hash, name, place.size_bytes)
        self.samples.append(ChunkSample(place.id, sample_id(place.user_id, file_hash), file_hash))

    def fail(self, place: Place, code: FailureCode, message: str) -> None:
        """Record that a file has no result."""
        self.failures.append(Failure(place=place.id, path=place.path, code=code, message=message))

    def flush(self) -> None:
        """Store what is at hand: analyses, then hashes, then samples, so that each finds what it refers to."""
        stores, chunk, version = self.work.stores, self.work.chunk, VERSIONS[Stage.ANALYZE.value]
        stores.marks.begin(chunk.id, self.work.token)  # no file is being read: nobody pays for a death here
        stores.samples.save_measurements(self._measurements, version, replace=chunk.redoes(Stage.ANALYZE))
        all_live = stores.places.learned({place: row.file_hash for place, row in self._arrivals.items()})
        places = [] if all_live else stores.places.get(list(self._arrivals))
        removed = {place.id for place in places if place.removed}
        living = [row for place, row in self._arrivals.items() if place not in removed]
        measured = {row.file_hash: row.features for row in self._measurements}
        stores.samples.arrive(chunk.user_id, living, measured, version)
        self._measurements.clear()
        self._arrivals.clear()

    def hand_on(self) -> None:
        """End the stage: the windows left for the model, the chunk sent on its way."""
        stores, chunk = self.work.stores, self.work.chunk
        unseen = len(chunk.places) - len(self.samples) - len(self.failures)
        if not self.samples:
            close(stores, chunk, failures=self.failures, dropped=unseen)
            return
        key = windows_key(chunk.job, chunk.id, self.work.token) if self.windows else None
        if key:
            stores.blobs.put(key, pack(self.windows))
        handed = hand_on(
            stores,
            chunk,
            Stage.EMBED,
            samples=tuple(self.samples),
            failures=tuple(self.failures),
            windows=key,
            dropped=unseen,
        )
        if key and not handed:  # the chunk was taken away meanwhile
            stores.blobs.delete_prefix(key)


def _listen_to_group(findings: Findings, places: Sequence[Place]) -> None:
    """Open and hash each file, ask once what is known of all, and measure what is not."""
    work = findings.work
    with ExitStack() as held_open:
        files: dict[str, tuple[BinaryIO, str]] = {}
        for place in places:
            with _failing_alone(findings, place), _watched(work, place):
                file = held_open.enter_context(_opened(work, place))
                files[place.id] = (file, content_hash(file))
        known = _known(work, {file_hash for _, file_hash in files.values()})
        for place in places:
            if place.id in files:
                with _failing_alone(findings, place), _watched(work, place):
                    _listen(findings, place, *files[place.id], known)


def _known(work: Work, file_hashes: set[str]) -> dict[str, set[str]]:
    """By hash, the stages there is nothing to do for."""
    chunk = work.chunk
    redone = {stage.value for stage in Stage if chunk.redoes(stage)}
    spared = {stage.value for stage in Stage if chunk.spares(stage)}
    known = work.stores.samples.known_stages(file_hashes, chunk.versions)
    return {file_hash: stages - redone | spared for file_hash, stages in known.items()}


def _listen(findings: Findings, place: Place, file: BinaryIO, file_hash: str, known: dict[str, set[str]]) -> None:
    """Measure a file and cut its windows, as far as its bytes are not known at these versions."""
    wanted = set(findings.work.chunk.versions) - known[file_hash]
    if not wanted or file_hash in findings.windows:  # the latter: the same bytes earlier in this chunk
        findings.add(place, file_hash, None, None)
        return
    front_ends = settings.model_card.front_ends if Stage.EMBED.value in wanted else []
    heard = _heard(file, place, front_ends)
    _unchanged(file, place)
    measurement = None
    if Stage.ANALYZE.value in wanted:
        evidence = (*in_bytes(file), *in_name(place.path), *category_told(place.path))
        measured = measure(heard, evidence, findings.work.chunk.tempo_range_bpm or settings.tempo_range_bpm)
        measurement = Measurement(file_hash, measured.features, measured.peaks, measured.peaks_detail)
    findings.add(place, file_hash, measurement, heard.windows if front_ends else None)


def _heard(file: BinaryIO, place: Place, front_ends: list[FrontEnd]) -> Heard:
    with open_sound(
        file,
        name=place.path.rsplit("/", 1)[-1],
        max_bytes=settings.max_file_bytes,
        max_duration_s=settings.max_duration_s,
        max_seconds=settings.analysis_seconds,
    ) as sound:
        return listen(sound, front_ends)


@contextmanager
def _opened(work: Work, place: Place) -> Iterator[BinaryIO]:
    """The place's bytes, opened once, and as the scan saw them."""
    if place.is_upload:
        try:
            file = work.stores.blobs.open_blob(place.key)
        except NotFound as error:
            raise AudioError(FailureCode.VANISHED, "The upload is not in the blob store any more.") from error
    elif not is_decoded(place.key):  # a retry does not come by the walk
        extension = place.key.rsplit(".", 1)[-1]
        raise AudioError(FailureCode.UNSUPPORTED, f"SampleMind does not decode .{extension} files.")
    else:
        file = ROOTS.open(place.location)
    with file:
        _unchanged(file, place)
        yield file


def _unchanged(file: BinaryIO, place: Place) -> None:
    if place.is_upload:
        return
    found = os.fstat(file.fileno())
    if (found.st_size, found.st_mtime_ns) != (place.size_bytes, place.mtime_ns):
        raise AudioError(FailureCode.CHANGED, "The file changed after it was listed; the next scan takes it up again.")


@contextmanager
def _failing_alone(findings: Findings, place: Place) -> Iterator[None]:
    """A bad file is a result. Only a store being away stops its neighbours."""
    try:
        yield
    except AudioError as error:
        findings.fail(place, error.failure, error.message)
    except MemoryError:
        findings.fail(place, FailureCode.OUT_OF_MEMORY, "Measuring it took more memory than a worker may use.")
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("file_failed", place=place.id, path=place.path)
        findings.fail(place, FailureCode.INTERNAL, f"A fault of SampleMind: {type(error).__name__}.")


@contextmanager
def _watched(work: Work, place: Place) -> Iterator[None]:
    """Note which file is begun, and end this process if it takes too long.

    The watchdog is faulthandler's C thread: it needs no interpreter lock, so it also ends a decoder that never returns.
    Celery's own hard limit would acknowledge the message and lose the chunk.
    """
    limit_s = settings.file_timeout_s + place.size_bytes / 1_000_000
    work.stores.marks.begin(work.chunk.id, work.token, place.id, limit_s)
    faulthandler.dump_traceback_later(limit_s, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@worker_init.connect
def _give_way(**_: Any) -> None:
    give_way(settings.bulk_nice)


@worker_process_init.connect
def _limit_memory(**_: Any) -> None:
    """A file may not take the machine's memory: beyond the limit it fails, and its neighbours go on."""
    now_bytes = psutil.Process().memory_info().vms
    limit = now_bytes + settings.child_memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
