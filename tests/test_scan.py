"""The scan, on real folders and real stores: what it takes, what it waits for, what it never forgets."""

import os
import shutil
import time
from pathlib import Path

import pytest

from samplemind_tasks.planning import current_versions, stamp
from samplemind_tasks.reconcile import reconcile
from samplemind_tasks.scan import scan_turn
from samplemind_tasks.schemas import Job, JobKind, JobState
from samplemind_tasks.store.jobs import JobRecord, new_job_document
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.places import Place, PlaceState
from samplemind_tasks.store.stores import Stores

LONG_AGO = (1_700_000_000, 1_700_000_000)


def sound(path: Path, content: bytes = b"RIFF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, LONG_AGO)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for name in ("drums/kick.wav", "drums/snare.wav", "loops/amen.flac", "loops/deep/pad.ogg"):
        sound(tmp_path / "library" / name)
    return tmp_path / "library"


def scan(held: Stores, path: Path, **request: object) -> Job:
    document = new_job_document(user_id="local", kind=JobKind.FOLDER, path=str(path), root="/", request=dict(request))
    connect(held.settings).jobs.insert_one(document)
    held.progress.rebuild(JobRecord.from_document(document), [])
    while scan_turn(held, document["_id"]):
        pass
    return look(held, document["_id"])


def look(held: Stores, job_id: str) -> Job:
    view = held.progress.read(job_id)
    assert view
    return view.job


def places(held: Stores) -> dict[str, Place]:
    rows = connect(held.settings).places.find()
    return {Path(row["path"]).name: Place.from_document(row) for row in rows}


def make_current(held: Stores) -> None:
    """As if the whole trip had been made."""
    held.places.current([place.id for place in places(held).values()], stamp(current_versions(held.settings)))


def test_the_second_scan_skips_what_did_not_change(held: Stores, library: Path) -> None:
    assert scan(held, library).counts.waiting == 4
    make_current(held)
    sound(library / "new.wav")
    sound(library / "drums/kick.wav", b"RIFF, longer")
    job = scan(held, library)
    assert (job.counts.skipped, job.counts.waiting, job.counts.found) == (3, 2, 5)


def test_everything_means_everything(held: Stores, library: Path) -> None:
    scan(held, library)
    make_current(held)
    assert scan(held, library, rerun="everything").counts.waiting == 4


def test_a_new_stage_version_takes_all_up_again(held: Stores, library: Path) -> None:
    scan(held, library)
    held.places.current([place.id for place in places(held).values()], "analyze:0+embed:old")
    assert scan(held, library).counts.waiting == 4


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        (["**/*.wav"], [], {"kick.wav", "snare.wav"}),
        ([], ["loops/"], {"kick.wav", "snare.wav"}),
        (["loops/**"], ["deep/"], {"amen.flac"}),
        (["*.ogg", "*.flac"], [], {"amen.flac", "pad.ogg"}),
    ],
)
def test_globs(held: Stores, library: Path, include: list[str], exclude: list[str], names: set[str]) -> None:
    scan(held, library, include=include, exclude=exclude)
    assert set(places(held)) == names


def test_other_audio_is_listed_as_unsupported(held: Stores, library: Path) -> None:
    sound(library / "old.wma")
    sound(library / "notes.txt")
    job = scan(held, library)
    assert (job.counts.found, job.counts.failed, job.failures) == (5, 1, {"unsupported": 1})
    make_current(held)
    assert scan(held, library).counts.skipped == 5


def test_a_file_is_taken_when_it_has_stopped_growing(held: Stores, library: Path) -> None:
    held = Stores(held.settings.model_copy(update={"settle_s": 0.5}))
    growing = library / "recording.wav"
    growing.write_bytes(b"RIFF")
    job = scan(held, library)
    assert (job.counts.waiting, job.counts.found, job.scan_done) == (5, 5, False)
    for _ in range(3):  # it grows between the looks
        with growing.open("ab") as file:
            file.write(b"more")
        wait_for_look(held, job.id)
        assert not look(held, job.id).scan_done
        assert look(held, job.id).waiting_for == "files that are still being written"
        assert "recording.wav" not in places(held)
    deadline = time.monotonic() + 10
    while not look(held, job.id).scan_done and time.monotonic() < deadline:
        wait_for_look(held, job.id)
    job = look(held, job.id)
    assert (job.scan_done, job.counts.found, job.counts.waiting, job.waiting_for) == (True, 5, 5, None)
    assert places(held)["recording.wav"].size_bytes == growing.stat().st_size


def wait_for_look(held: Stores, job_id: str) -> None:
    """Look again as the reconciler would, once the file has had the time to settle that it is given."""
    record = held.jobs.get(job_id)
    assert record
    seen = [row.first_seen for row in record.scan.unsettled]
    while seen and time.time() - max(seen) < held.settings.settle_s:
        reconcile(held)
    scan_turn(held, job_id)


def test_a_vanished_file_is_marked_and_a_vanished_disk_deletes_nothing(held: Stores, library: Path) -> None:
    scan(held, library)
    make_current(held)
    (library / "drums/kick.wav").unlink()
    scan(held, library)
    assert places(held)["kick.wav"].state is PlaceState.MISSING
    away = library.rename(library.with_name("unplugged"))
    job = scan(held, library)
    assert (job.state, job.problem and job.problem.code) == (JobState.FAILED, "folder_offline")
    assert {place.state for place in places(held).values()} == {PlaceState.OFFLINE}
    library.mkdir()  # an empty mount point
    assert scan(held, library).state is JobState.FAILED
    assert len(places(held)) == 4
    library.rmdir()
    away.rename(library)
    job = scan(held, library)
    assert job.counts.skipped == 3
    assert places(held)["amen.flac"].state is PlaceState.PRESENT


def test_a_folder_that_became_a_link_out_of_the_roots_is_not_listed(held: Stores, library: Path) -> None:
    held = Stores(held.settings.model_copy(update={"roots": (library,)}))
    scan(held, library / "drums")
    secret = library.with_name("secret")
    (library / "drums").rename(secret)
    (library / "drums").symlink_to(secret)
    job = scan(held, library / "drums")
    assert (job.state, job.problem and job.problem.code) == (JobState.FAILED, "outside_roots")
    assert (job.counts.found, job.failures) == (0, {})


def test_a_folder_without_sounds_can_be_cancelled_while_it_is_listed(held: Stores, library: Path) -> None:
    held = Stores(held.settings.model_copy(update={"scan_slice_paths": 10, "scan_turn_s": 0.0}))
    empty = library.with_name("empty")
    for number in range(25):
        (empty / f"{number:02d}").mkdir(parents=True)
    document = new_job_document(user_id="local", kind=JobKind.FOLDER, path=str(empty), root="/", request={})
    connect(held.settings).jobs.insert_one(document)
    assert scan_turn(held, document["_id"])
    record = held.jobs.get(document["_id"])
    assert record
    assert (record.state, record.scan.cursor[-4:]) == (JobState.RUNNING, "/08/")
    connect(held.settings).jobs.update_one({"_id": document["_id"]}, {"$set": {"cancel": True}})
    assert not scan_turn(held, document["_id"])


def test_a_file_next_to_the_folder_is_not_its_business(held: Stores, library: Path) -> None:
    sound(library.with_name("library-2") / "x.wav")
    scan(held, library.parent)
    shutil.rmtree(library.with_name("library-2"))
    scan(held, library)
    assert places(held)["x.wav"].state is PlaceState.PRESENT
    scan(held, library / "drums" / "kick.wav")
    assert {place.state for place in places(held).values()} == {PlaceState.PRESENT}


def test_a_deleted_sample_comes_back_only_when_asked_for(held: Stores, library: Path) -> None:
    scan(held, library)
    make_current(held)
    connect(held.settings).places.update_many({}, {"$set": {"removed": True}})
    assert scan(held, library).counts.skipped == 4
    assert scan(held, library, restore=True).counts.waiting == 4


def test_a_folder_that_cannot_be_listed_is_not_lost(held: Stores, library: Path) -> None:
    here = os.open(library, os.O_DIRECTORY)
    for _ in range(30):  # a path longer than the system takes
        os.mkdir("d" * 200, dir_fd=here)
        here, above = os.open("d" * 200, os.O_DIRECTORY, dir_fd=here), here
        os.close(above)
    os.close(here)
    job = scan(held, library)
    assert (job.counts.waiting, job.failures) == (4, {"unreadable": 1})
