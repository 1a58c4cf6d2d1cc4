"""The whole trip on the whole stack: folder in, searchable samples out, whatever dies on the way."""

import csv
import os
import shutil
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import soundfile
from chromadb.errors import NotFoundError
from redis import Redis

from samplemind_tasks import queues
from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.audio.files import content_hash
from samplemind_tasks.demo.library import make_library
from samplemind_tasks.launch import Stack, read_run_file
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.vectors import chroma_client, collection_name

pytestmark = pytest.mark.timeout(240)

PATIENCE_SECONDS = 120.0


class Trip:
    """A client of the running stack, and a view behind its doors."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.settings: Settings = stack.settings
        self.http = httpx.Client(base_url=stack.url, timeout=20)
        self.held = Stores(stack.settings)
        self.db = connect(stack.settings)

    def add(self, path: Path, **request: Any) -> str:
        answer = self.http.post("/v1/jobs", json={"path": str(path), **request})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def poll(self, job_id: str) -> dict[str, Any]:
        """A poll of the job, patient while a store is away; its counts must add up every time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._ask(job_id)) is None:
            assert time.monotonic() < deadline, "the gateway does not answer"
        job = answer.raise_for_status().json()
        counts = dict(job["counts"])
        found = counts.pop("found")
        assert found == sum(counts.values()), job
        assert min(counts.values()) >= 0, job
        return dict(job)

    def _ask(self, job_id: str) -> httpx.Response | None:
        try:
            answer = self.http.get(f"/v1/jobs/{job_id}")
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 else answer

    def until(self, job_id: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached(job := self.poll(job_id)):
            assert time.monotonic() < deadline, job
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.until(job_id, lambda job: job["finished_at"] is not None)

    def under_way(self, job_id: str) -> dict[str, Any]:
        """The job once some of it is done and some is not."""
        return self.until(job_id, lambda job: job["counts"]["done"] > 0 or job["finished_at"])

    def pid(self, service: str) -> int:
        """Of a service's process; patient while it is being started again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while service not in (services := read_run_file(self.settings.data_dir).get("services", {})):
            assert time.monotonic() < deadline, f"{service} does not run"
            time.sleep(0.05)
        return int(services[service]["pid"])

    def all_is_searchable(self, folder: Path) -> None:
        """Every sound of the folder is one sample, ready, in MongoDB and in Chroma once, and found by its own likes."""
        hashes = {row["file_hash"] for row in self.db.places.find({"path": {"$regex": f"^{folder}/"}})}
        samples = list(self.db.audio_files.find({"file_hash": {"$in": sorted(hashes)}}))
        assert {row["file_hash"] for row in samples} == hashes
        assert len(samples) == len(hashes)
        assert {row["state"] for row in samples} == {"ready"}
        for row in samples[:3]:
            answer = self.http.get(f"/v1/samples/{row['_id']}/similar", params={"limit": 3})
            assert len(answer.raise_for_status().json()["hits"]) == 3
        key = "windows/"
        left = [path for path in (self.settings.data_dir / "blobs" / key).rglob("*") if path.is_file()]
        assert left == []


@pytest.fixture
def trip(stack: Stack) -> Trip:
    return Trip(stack)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "library"
    make_library(folder)
    return folder


@pytest.fixture
def library(demo: Path, tmp_path: Path) -> Path:
    """The demo library with this test's own bytes, so that nothing of it is known from another test."""
    folder = tmp_path / "library"
    shutil.copytree(demo, folder)
    stamp = np.random.default_rng(abs(hash(str(tmp_path))))
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".wav", ".flac", ".ogg"}:
            sound, rate_hz = soundfile.read(path, dtype="float32")
            soundfile.write(path, sound * stamp.uniform(0.6, 0.9), rate_hz)
    return folder


def test_a_folder_is_analysed_stored_and_searchable_and_the_second_run_skips_it(trip: Trip, library: Path) -> None:
    first = trip.ended(trip.add(library))
    sounds = sum(path.suffix in {".wav", ".flac", ".ogg"} for path in library.rglob("*"))
    assert (first["state"], first["counts"]["done"], first["counts"]["found"]) == ("done", sounds, sounds)
    assert first["stages"] == {"analyzed": sounds, "embedded": sounds, "indexed": sounds}
    trip.all_is_searchable(library)
    analyses, chunks = trip.db.analyses.count_documents({}), trip.db.chunks.count_documents({})
    second = trip.ended(trip.add(library))
    assert (second["counts"]["skipped"], second["counts"]["found"]) == (sounds, sounds)
    assert (trip.db.analyses.count_documents({}), trip.db.chunks.count_documents({})) == (analyses, chunks)


def test_a_killed_cpu_child_loses_nothing(trip: Trip, library: Path) -> None:
    job_id = trip.add(library)
    trip.until(job_id, lambda job: job["counts"]["leased"] > 0)
    for child in psutil.Process(trip.pid("worker-cpu")).children():
        child.send_signal(signal.SIGKILL)
    job = trip.ended(job_id)
    assert (job["counts"]["failed"], job["counts"]["done"]) == (0, job["counts"]["found"])
    trip.all_is_searchable(library)


@pytest.mark.parametrize(
    "services",
    [("worker-cpu", "worker-scan"), ("worker-ai",), ("worker-control", "gateway"), ("chroma",)],
    ids="+".join,
)
def test_killed_services_lose_nothing(trip: Trip, library: Path, services: tuple[str, ...]) -> None:
    job_id = trip.add(library)
    trip.until(job_id, lambda job: job["counts"]["found"] > 0)
    with ExitStack() as killing:
        for service in services:
            killing.enter_context(killed(trip, service))
    job = trip.ended(job_id)
    assert (job["counts"]["failed"], job["counts"]["done"]) == (0, job["counts"]["found"])
    trip.all_is_searchable(library)


def test_the_broker_and_its_data_may_be_lost(trip: Trip, library: Path) -> None:
    job_id = trip.add(library)
    trip.under_way(job_id)
    with killed(trip, "redis"):
        shutil.rmtree(trip.settings.data_dir / "redis" / "appendonlydir")
    job = trip.ended(job_id)
    assert (job["counts"]["failed"], job["counts"]["done"]) == (0, job["counts"]["found"])
    trip.all_is_searchable(library)


def test_the_database_may_be_killed(trip: Trip, library: Path) -> None:
    job_id = trip.add(library)
    trip.under_way(job_id)
    with killed(trip, "mongodb"):
        pass
    job = trip.ended(job_id)
    assert (job["counts"]["failed"], job["counts"]["done"]) == (0, job["counts"]["found"])
    trip.all_is_searchable(library)


@contextmanager
def killed(trip: Trip, service: str) -> Iterator[None]:
    """Kill a service and everything it started, do the block, and wait until the stack has it again."""
    before = trip.pid(service)
    group = os.getpgid(before)
    os.killpg(group, signal.SIGKILL)
    yield
    deadline = time.monotonic() + PATIENCE_SECONDS
    while trip.pid(service) == before or not answers(trip):
        assert time.monotonic() < deadline, service
        threading.Event().wait(0.05)


def answers(trip: Trip) -> bool:
    try:
        return trip.http.get("/v1/health/ready").status_code in (200, 503)
    except httpx.HTTPError:
        return False


def test_every_stage_may_run_again(trip: Trip, library: Path) -> None:
    job = trip.ended(trip.add(library))
    before = state_of(trip, library)
    app = queues.make_app(trip.settings)
    chunk_ids = [row["_id"] for row in trip.db.chunks.find({"job": job["id"]})]
    results = [
        app.send_task(task, args=(chunk_id,), queue=queue)
        for task, queue in (("cpu.analyze", "cpu"), ("gpu.embed", "gpu"), ("control.index", "control"))
        for chunk_id in chunk_ids
    ]
    for result in results:
        result.get(timeout=60)
    assert state_of(trip, library) == before
    again = trip.ended(trip.add(library, rerun="everything"))
    assert again["counts"]["done"] == job["counts"]["found"]
    assert state_of(trip, library) == before


def state_of(trip: Trip, folder: Path) -> dict[str, Any]:
    """What the stores hold of a folder, without times of writing."""
    hashes = sorted({row["file_hash"] for row in trip.db.places.find({"path": {"$regex": f"^{folder}/"}})})
    analyses = {row["_id"]: row for row in trip.db.analyses.find({"file_hash": {"$in": hashes}})}
    for row in analyses.values():
        del row["created_at"]
    samples = {row["_id"]: row for row in trip.db.audio_files.find({"file_hash": {"$in": hashes}})}
    for row in samples.values():
        del row["touched"]
    return {"analyses": analyses, "samples": samples}


def test_a_moved_file_is_the_same_sample_with_another_place(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    count = trip.db.audio_files.count_documents({})
    moved = next(library.rglob("*.wav"))
    moved.rename(library / "renamed.wav")
    job = trip.ended(trip.add(library))
    assert (job["counts"]["done"], trip.db.audio_files.count_documents({})) == (1, count)
    found = trip.http.get("/v1/samples", params={"path": str(library / "renamed.wav")}).json()["samples"]
    places = trip.http.get(f"/v1/samples/{found[0]['id']}").json()["places"]
    assert {(row["path"], row["state"]) for row in places} == {
        (str(library / "renamed.wav"), "present"),
        (str(moved), "missing"),
    }


def test_a_new_model_listens_again_and_measures_nothing(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    mine = {"path": {"$regex": f"^{library}/"}}
    hashes = sorted({row["file_hash"] for row in trip.db.places.find(mine)})
    trip.db.analyses.delete_many({"file_hash": {"$in": hashes}, "stage": "embed"})
    trip.db.places.update_many(mine, {"$set": {"versions": f"analyze:{ANALYSIS_VERSION}+embed:older"}})
    written = {"file_hash": {"$in": hashes}, "stage": "analyze"}
    before = {row["_id"]: row["created_at"] for row in trip.db.analyses.find(written)}
    job = trip.ended(trip.add(library))
    assert job["counts"]["done"] == job["counts"]["found"], job
    assert {row["_id"]: row["created_at"] for row in trip.db.analyses.find(written)} == before
    assert trip.db.analyses.count_documents({"file_hash": {"$in": hashes}, "stage": "embed"}) == len(hashes)


def test_a_raised_analysis_version_measures_again_and_listens_to_nothing(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    mine = {"path": {"$regex": f"^{library}/"}}
    hashes = sorted({row["file_hash"] for row in trip.db.places.find(mine)})
    trip.db.analyses.delete_many({"file_hash": {"$in": hashes}, "stage": "analyze"})
    embedded = {"file_hash": {"$in": hashes}, "stage": "embed"}
    collection = trip.settings.model_card.collection
    trip.db.places.update_many(mine, {"$set": {"versions": f"analyze:older+embed:{collection}"}})
    before = {row["_id"]: row["created_at"] for row in trip.db.analyses.find(embedded)}
    job = trip.ended(trip.add(library))
    assert job["counts"]["done"] == job["counts"]["found"], job
    assert {row["_id"]: row["created_at"] for row in trip.db.analyses.find(embedded)} == before
    assert trip.db.analyses.count_documents({"file_hash": {"$in": hashes}, "stage": "analyze"}) == len(hashes)


def test_a_job_is_told_tempi_in_the_range_it_expects(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library, tempo_range_bpm=[40, 80], rerun="everything"))
    hashes = [row["file_hash"] for row in trip.db.places.find({"path": {"$regex": f"^{library}/"}})]
    loops = trip.db.audio_files.find({"file_hash": {"$in": hashes}, "kind": "loop"})
    tempi_bpm = [row["tempo_bpm"] for row in loops if row["tempo_bpm"] is not None]
    assert tempi_bpm
    assert all(40 <= bpm <= 80 for bpm in tempi_bpm)


def test_a_sample_deleted_on_the_way_stays_deleted(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    victim = trip.http.get("/v1/samples", params={"limit": 1}).json()["samples"][0]
    job_id = trip.add(library, rerun="everything")
    trip.until(job_id, lambda job: job["counts"]["found"] > 0)
    assert trip.http.delete(f"/v1/samples/{victim['id']}").status_code == 204
    trip.ended(job_id)
    assert trip.http.get(f"/v1/samples/{victim['id']}").status_code == 404
    trip.ended(trip.add(library))
    assert trip.http.get(f"/v1/samples/{victim['id']}").status_code == 404


def test_a_job_can_be_paused_resumed_and_cancelled(trip: Trip, library: Path) -> None:
    job_id = trip.add(library)
    assert trip.http.post(f"/v1/jobs/{job_id}/pause").json()["state"] == "paused"
    still = trip.until(job_id, lambda job: job["counts"]["leased"] == 0)
    assert trip.http.post(f"/v1/jobs/{job_id}/resume").json()["state"] in ("running", "queued")
    trip.until(job_id, lambda job: job["counts"]["done"] > still["counts"]["done"] or job["finished_at"])
    trip.http.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
    job = trip.ended(job_id)
    assert job["state"] in ("cancelled", "done")
    assert trip.ended(trip.add(library))["state"] == "done"


def test_an_upload_is_analysed_before_bulk_work(trip: Trip, library: Path) -> None:
    bulk = trip.add(library)
    time_s = np.arange(22_050) / 44_100
    sound = (np.sin(2 * np.pi * 55 * time_s) * np.exp(-8 * time_s)).astype("float32")
    path = library.parent / "upload.wav"
    soundfile.write(path, sound, 44_100)
    upload = trip.http.post("/v1/uploads", params={"name": "sub.wav"}, content=path.read_bytes())
    assert upload.status_code == 201, upload.text
    job = trip.http.post("/v1/jobs", json={"uploads": [upload.json()["id"]]}).json()
    assert trip.ended(job["id"])["counts"]["done"] == 1
    assert trip.ended(bulk)["state"] == "done"
    found = trip.http.get("/v1/samples", params={"name": "sub.wav"}).json()["samples"]
    audio = trip.http.get(f"/v1/samples/{found[0]['id']}/audio", headers={"Range": "bytes=0-3"})
    assert (audio.status_code, audio.content) == (206, b"RIFF")
    sound = {"content": path.read_bytes(), "headers": {"Content-Type": "application/octet-stream"}}
    similar = trip.http.post("/v1/search", params={"query": '{"limit": 1}'}, **sound).raise_for_status().json()
    assert similar["hits"][0]["sample"]["id"] == found[0]["id"]
    assert similar["hits"][0]["parts"]["timbre"] == pytest.approx(1.0, abs=1e-2)


def nearest_in_chroma(trip: Trip, file_hash: str) -> list[str]:
    """What the index itself finds nearest to a sound; nothing while it is lost."""
    model = trip.settings.model_card.collection
    vector = trip.held.samples.hearings([file_hash], model)[file_hash].vector
    client = chroma_client(trip.settings)
    try:
        collection = client.get_collection(collection_name(model, "local"), embedding_function=None)
    except NotFoundError:
        return []
    return list(collection.query(query_embeddings=[vector.tolist()], n_results=5)["ids"][0])


def test_a_lost_index_is_written_anew_with_the_same_neighbours(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    samples = trip.http.get("/v1/samples", params={"limit": 50}).json()["samples"]
    wanted = {row["file_hash"]: nearest_in_chroma(trip, row["file_hash"]) for row in samples[:3]}
    assert all(len(found) == 5 for found in wanted.values())
    chroma = f"{trip.settings.chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    httpx.delete(f"{chroma}/{collection_name(trip.settings.model_card.collection, 'local')}").raise_for_status()
    assert trip.http.get(f"/v1/samples/{samples[0]['id']}/similar").json()["hits"]  # search goes on without it
    assert trip.http.post("/v1/reindex").status_code == 202
    deadline = time.monotonic() + PATIENCE_SECONDS
    while {file_hash: nearest_in_chroma(trip, file_hash) for file_hash in wanted} != wanted:
        assert time.monotonic() < deadline


def test_samples_show_what_the_model_in_use_heard_after_a_change_to_another_and_back(trip: Trip, library: Path) -> None:
    trip.ended(trip.add(library))
    mine = {"path": {"$regex": f"^{library}/"}}
    hashes = [row["file_hash"] for row in trip.db.places.find(mine)]
    samples = {"file_hash": {"$in": hashes}}
    before = {row["_id"]: row["heard"] for row in trip.db.audio_files.find(samples)}
    trip.db.audio_files.update_many(samples, {"$set": {"heard": {"by": "another-1", "category": None}}})
    deadline = time.monotonic() + PATIENCE_SECONDS
    with Redis.from_url(trip.settings.cache_url) as cache:
        while {row["_id"]: row["heard"] for row in trip.db.audio_files.find(samples)} != before:
            for key in cache.scan_iter("due:look-at-*"):  # the reconciler need not wait for its next look
                cache.delete(key)
            assert time.monotonic() < deadline


def test_a_text_finds_what_sounds_like_it_and_nonsense_finds_nothing(trip: Trip, library: Path) -> None:
    for number, path in enumerate(sorted(library.rglob("*.wav"))):  # names tell nothing
        path.rename(path.with_name(f"{number:03d}.wav"))
    trip.ended(trip.add(library))
    here = {"filters": {"folder": str(library)}}
    kicks = trip.http.post("/v1/search", json={"text": "deep kick", "limit": 3, **here}).json()
    assert {hit["sample"]["category"] for hit in kicks["hits"]} == {"kick"}
    assert all("category" in hit["mode"] for hit in kicks["hits"])
    nonsense = trip.http.post("/v1/search", json={"text": "xqzv brrmpf", **here}).json()
    assert (nonsense["hits"], nonsense["nothing_matches"]) == ([], True)
    unknown = trip.http.post("/v1/search", json={"text": "thumping bassdrumm", **here})
    assert unknown.status_code == 200


def test_silence_is_measured_and_like_nothing(trip: Trip, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(44_100), 44_100)
    job = trip.ended(trip.add(tmp_path / "silence.wav"))
    assert (job["counts"]["done"], job["counts"]["failed"]) == (1, 0)
    [sample] = trip.http.get("/v1/samples", params={"name": "silence.wav"}).json()["samples"]
    assert (sample["state"], sample["category"], sample["tags"]) == ("ready", None, [])
    answer = trip.http.get(f"/v1/samples/{sample['id']}/similar")
    assert (answer.status_code, answer.json()["code"]) == (409, "silent")


def test_labels_are_learned_from_sorted_folders_and_a_person_goes_before_them(trip: Trip, library: Path) -> None:
    sounds = sorted(library.rglob("*.wav"))
    sorted_folder = library / "sorted"
    for label, word in (("dusty ones", "Kicks"), ("sandy ones", "Hats")):
        (sorted_folder / label).mkdir(parents=True)
        chosen = [path for path in sounds if word in path.parts]
        for number in range(6):  # as many as a label needs, each with its own bytes
            sound, rate_hz = soundfile.read(chosen[number % len(chosen)], dtype="float32")
            soundfile.write(sorted_folder / label / f"{number}.wav", sound * (0.5 + 0.05 * number), rate_hz)
    nothing_yet = trip.http.post("/v1/teach", json={"path": str(sorted_folder)})
    assert (nothing_yet.status_code, nothing_yet.json()["code"]) == (422, "invalid")
    trip.ended(trip.add(library))
    kick = next(path for path in sounds if "Kicks" in path.parts)
    mine = trip.http.get("/v1/samples", params={"path": str(kick)}).json()["samples"][0]
    assert trip.http.patch(f"/v1/samples/{mine['id']}", json={"category": "tom"}).status_code == 200
    lesson = trip.http.post("/v1/teach", json={"path": str(sorted_folder)}).raise_for_status().json()
    assert lesson["sounds"] == {"dusty ones": 6, "sandy ones": 6}
    assert lesson["accuracy"] > 0.7
    hat = next(path for path in sounds if "Hats" in path.parts)

    def labelled() -> bool:
        heard = trip.http.get("/v1/samples", params={"path": str(hat)}).json()["samples"][0]
        kick_now = trip.http.get("/v1/samples", params={"path": str(kick)}).json()["samples"][0]
        assert (kick_now["category"], kick_now["category_source"]) == ("tom", "person")
        return "dusty ones" in kick_now["tags"] and "sandy ones" in heard["tags"]

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not labelled():
        assert time.monotonic() < deadline
    assert trip.http.delete("/v1/teach").status_code == 204
    assert trip.http.get("/v1/teach").json()["code"] == "nothing_taught"
    while "sandy ones" in trip.http.get("/v1/samples", params={"path": str(hat)}).json()["samples"][0]["tags"]:
        assert time.monotonic() < deadline


def test_flower_shows_the_queues_to_those_who_have_the_password(trip: Trip) -> None:
    run_file = read_run_file(trip.settings.data_dir)
    assert run_file
    flower = run_file["flower"]
    assert httpx.get(f"{flower['url']}/broker").status_code == 401
    page = httpx.get(f"{flower['url']}/broker", auth=(flower["user"], flower["password"])).text
    assert all(f">{queue.value}<" in page.replace("\n", "").replace(" ", "") for queue in queues.Queue)


@pytest.mark.corpus
def test_hostile_files_are_results_and_change_nothing_for_the_good(trip: Trip, demo: Path, tmp_path: Path) -> None:
    corpus = os.environ.get("SAMPLEMIND_CORPUS")
    if not corpus or not (Path(corpus) / "bad").is_dir():
        pytest.skip("SAMPLEMIND_CORPUS does not name the folder of real audio with truth")
    hostile = tmp_path / "mixed"
    with tarfile.open(Path(corpus) / "bad" / "files.tar.gz") as archive:
        archive.extractall(hostile, filter="fully_trusted")
    good = list(demo.rglob("*.wav"))[:8]
    for number, path in enumerate(good):
        shutil.copy(path, hostile / f"good {number}.wav")
    os.mkfifo(hostile / "pipe.wav")
    (hostile / "folder.wav").mkdir()
    (hostile / "circle").symlink_to(hostile)
    trip.ended(trip.add(demo, rerun="everything"))
    undisturbed = {path: stored_features(trip, path) for path in good}
    job = trip.ended(trip.add(hostile, rerun="everything"))  # measured afresh, the hostile files between them
    failures = {}
    for row in trip.db.failures.find({"job": job["id"]}):
        assert row["message"].endswith("."), row
        failures[Path(row["path"]).name] = row["code"]
    assert len(failures) == job["counts"]["failed"]
    with (Path(corpus) / "bad" / "expected.csv").open(newline="", errors="surrogateescape") as file:
        for row in csv.DictReader(file):
            name = os.fsencode(row["file"]).decode(errors="replace")
            if row["expected"] == "error":
                assert name in failures, row
            elif row["expected"] == "ok":
                assert name not in failures, (row, failures[name])
    assert failures["pipe.wav"] == "not_regular"
    assert not any(name.startswith("good") for name in failures)
    for path in good:
        assert stored_features(trip, path) == undisturbed[path], path
    working = trip.http.get("/v1/health/ready").json()["parts"]
    assert all(part["ok"] for part in working if part["name"].endswith("worker")), working


def stored_features(trip: Trip, path: Path) -> Any:
    with path.open("rb") as file:
        found = trip.db.analyses.find_one({"file_hash": content_hash(file), "stage": "analyze"})
    assert found, path
    return found["features"]
