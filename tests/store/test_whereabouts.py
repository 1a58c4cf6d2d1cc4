"""A sample knows where it lives now: copies that arrive, files that are gone, moved or overwritten."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from api.world import VERSION, World

from samplemind_tasks.planning import current_versions, stamp
from samplemind_tasks.scan import scan_turn
from samplemind_tasks.schemas import JobKind
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.jobs import JobRecord, new_job_document
from samplemind_tasks.store.places import Place, PlaceState, key_of
from samplemind_tasks.store.samples import Arrival, Samples
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.whereabouts import KEPT_PATHS


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    folder = (tmp_path / "music").resolve()
    folder.mkdir()
    with World(settings, folder) as world:
        yield world


def shown(world: World, sample: str) -> tuple[str, list[str]]:
    """A sample's name, and its paths below the folder."""
    row = world.db.audio_files.find_one({"_id": sample})
    assert row is not None
    return row["name"], [str(Path(path).relative_to(world.folder)) for path in row["paths"]]


def copy(world: World, sample: str, name: str) -> Place:
    """A file with the bytes of a sample, whose hash its place has learned."""
    row = world.db.audio_files.find_one({"_id": sample})
    assert row is not None
    path = world.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(world.folder / row["name"], path)
    place = Place.new("local", str(world.folder), key_of(world.folder, path), path.stat().st_size, 1)
    held = Stores(world.settings)
    held.places.write([place], [])
    held.places.learned({place.id: row["file_hash"]})
    return place


def scan(held: Stores, folder: Path) -> None:
    """List the folder."""
    document = new_job_document(
        user_id="local", kind=JobKind.FOLDER, path=str(folder), root=str(folder), request={"include": []}
    )
    held.jobs._jobs.insert_one(document)
    held.progress.rebuild(JobRecord.from_document(document), [])
    while scan_turn(held, document["_id"]):
        pass


def places(held: Stores) -> dict[str, Place]:
    """By key, those that are there."""
    found = [Place.from_document(row) for row in held.places._places.find()]
    return {place.key: place for place in found if place.state is PlaceState.PRESENT}


def test_a_copy_that_arrives_is_a_place_of_its_sample_at_once(world: World) -> None:
    kick = world.sample("kick.wav", vector=[1.0])
    before = world.db.audio_files.find_one({"_id": kick})
    place = copy(world, kick, "Favourites/boom.wav")
    assert before is not None
    world.samples.arrive("local", [Arrival(before["file_hash"], "boom.wav", place.size_bytes)], {}, VERSION)
    assert shown(world, kick) == ("kick.wav", ["Favourites/boom.wav", "kick.wav"])
    after = world.db.audio_files.find_one({"_id": kick})
    assert after is not None
    assert after["touched"] > before["touched"]


def test_copies_that_two_workers_note_at_once_are_both_known(world: World) -> None:
    for turn in range(8):
        row = {"file_hash": f"{turn:064x}"}
        kick = world.sample(f"{turn}.wav")
        found = world.db.audio_files.find_one_and_delete({"_id": kick})
        assert found is not None
        row["file_hash"] = found["file_hash"]
        start = Barrier(2)

        def work(name: str, row: dict[str, str] = row, start: Barrier = start) -> None:
            held = Stores(world.settings)
            place = Place.new("local", str(world.folder), name, 1, 1)
            held.places.write([place], [])
            start.wait()
            held.places.learned({place.id: row["file_hash"]})
            Samples(world.db).arrive("local", [Arrival(row["file_hash"], name, 1)], {}, VERSION)

        workers = [Thread(target=work, args=(f"{turn}{part}.wav",)) for part in "ab"]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert shown(world, kick)[1] == [f"{turn}.wav", f"{turn}a.wav", f"{turn}b.wav"]


def test_no_more_than_a_few_paths_are_copied(world: World) -> None:
    kick = world.sample("kick.wav")
    for number in range(KEPT_PATHS + 2):
        copy(world, kick, f"{number}.wav")
    row = world.db.audio_files.find_one({"_id": kick})
    assert row is not None
    world.samples.note_places("local", [row["file_hash"]])
    assert shown(world, kick) == ("kick.wav", [f"{number}.wav" for number in range(KEPT_PATHS)])


def test_a_scan_notes_what_is_gone_back_renamed_or_overwritten(world: World, held: Stores) -> None:
    held = Stores(held.settings.model_copy(update={"settle_s": 0.0}))
    kick = world.sample("kick.wav")
    os.utime(world.folder / "kick.wav", ns=(1, copy(world, kick, "more/kick.wav").mtime_ns))

    def rescan() -> tuple[str, list[str]]:
        scan(held, world.folder)
        for path, place in places(held).items():  # as the CPU worker does
            file_hash = hashlib.sha256((world.folder / path).read_bytes()).hexdigest()
            held.places.learned({place.id: file_hash})
            world.samples.arrive("local", [Arrival(file_hash, place.path, place.size_bytes)], {}, VERSION)
            held.places.current([place.id], stamp(current_versions(held.settings)))
        return shown(world, kick)

    assert rescan() == ("kick.wav", ["kick.wav", "more/kick.wav"])
    away = (world.folder / "kick.wav").rename(world.folder.parent / "kick.wav")
    assert rescan() == ("kick.wav", ["more/kick.wav"])
    away.rename(world.folder / "kick.wav")
    assert rescan() == ("kick.wav", ["kick.wav", "more/kick.wav"])
    (world.folder / "more/kick.wav").write_bytes(b"something else")
    assert rescan() == ("kick.wav", ["kick.wav"])
    (world.folder / "kick.wav").rename(world.folder / "boom.wav")
    assert rescan() == ("boom.wav", ["boom.wav"])
