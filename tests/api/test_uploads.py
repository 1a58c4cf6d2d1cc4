"""Uploads over HTTP."""

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from samplemind_tasks.store.mongo import UPLOAD_ROOT, place_id, sample_id
from samplemind_tasks.store.places import Places

from .world import World, eventually

SOUND = b"RIFF a sound" * 200_000


def _files(world: World) -> list[Path]:
    return [path for path in (world.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def test_upload_is_stored_under_its_hash_and_becomes_a_place(client: httpx.Client, world: World) -> None:
    answer = client.post("/v1/uploads", params={"name": "kick „01“.wav"}, content=SOUND)
    file_hash = hashlib.sha256(SOUND).hexdigest()
    upload = place_id("local", UPLOAD_ROOT, file_hash)
    assert (answer.status_code, answer.json()) == (
        201,
        {"id": upload, "file_hash": file_hash, "size_bytes": len(SOUND), "name": "kick „01“.wav", "known_sample": None},
    )
    assert [path.relative_to(world.settings.data_dir / "blobs") for path in _files(world)] == [
        Path("blobs", file_hash[:2], file_hash)
    ]
    (place,) = Places(world.db).get([upload])
    assert (place.root, place.key, place.path, place.file_hash) == (UPLOAD_ROOT, file_hash, "kick „01“.wav", file_hash)
    assert (place.size_bytes, place.removed, place.versions, place.failed) == (len(SOUND), False, None, None)
    job = client.post("/v1/jobs", json={"uploads": [upload, upload]}).json()
    assert (job["kind"], job["path"]) == ("uploads", None)
    assert world.record(job["id"]).request["places"] == [upload]
    assert eventually(lambda: len(world.queued("control")) == 1)


def test_the_same_bytes_eight_times_at_once_are_one_blob(client: httpx.Client, world: World) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: client.post("/v1/uploads", params={"name": "a.wav"}, content=SOUND), range(8))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(_files(world)) == world.db.places.count_documents({}) == 1


def test_uploading_again_restores_and_names_the_sample(client: httpx.Client, world: World) -> None:
    first = client.post("/v1/uploads", params={"name": "a.wav"}, content=SOUND).json()
    world.db.places.update_one({"_id": first["id"]}, {"$set": {"removed": True, "versions": "analyze:1"}})
    world.db.audio_files.insert_one(
        {
            "_id": sample_id("local", first["file_hash"]),
            "user_id": "local",
            "file_hash": first["file_hash"],
            "number": 1,
            "created_at": world.record(world.job()).created_at,
            "name": "a.wav",
            "state": "ready",
            "size_bytes": len(SOUND),
            "duration_s": 1.0,
            "kind": "loop",
            "tempo_bpm": None,
            "tempo_confidence": None,
            "key": None,
            "key_confidence": None,
            "key_camelot": None,
            "loudness_lufs": None,
            "tags": [],
            "analysis_version": 1,
        }
    )
    again = client.post("/v1/uploads", params={"name": "b.wav"}, content=SOUND).json()
    assert again["known_sample"] == sample_id("local", first["file_hash"])
    (place,) = Places(world.db).get([first["id"]])
    assert (place.removed, place.versions, place.path) == (False, None, "b.wav")
    audio = client.get(f"/v1/samples/{again['known_sample']}/audio", headers={"Range": "bytes=5-1500000"})
    assert (audio.status_code, audio.content) == (206, SOUND[5:1_500_001])


@pytest.mark.parametrize("announced", [True, False])
def test_upload_that_is_too_large_leaves_nothing(client: httpx.Client, world: World, announced: bool) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b"x" * 65536

    body: bytes | Iterator[bytes] = b"".join(pieces()) if announced else pieces()
    answer = client.post("/v1/uploads", params={"name": "a.wav"}, content=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert eventually(lambda: _files(world) == [])
    assert world.db.places.count_documents({}) == 0


def test_upload_that_breaks_off_leaves_nothing_and_is_no_fault(
    client: httpx.Client, world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address) as line:
        head = f"POST /v1/uploads?name=a.wav HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(SOUND)}\r\n\r\n"
        line.sendall(head.encode() + SOUND[: 1 << 20])
        assert eventually(lambda: len(_files(world)) == 1)
    assert eventually(lambda: _files(world) == [])
    assert world.db.places.count_documents({}) == 0
    said: list[str] = []
    assert eventually(lambda: said.extend(capfd.readouterr()) or "client_went_away" in "".join(said))
    assert "Traceback" not in "".join(said)


@pytest.mark.parametrize(
    ("params", "body", "field"),
    [
        ({}, SOUND, "name"),
        ({"name": ""}, SOUND, "name"),
        ({"name": "x" * 256}, SOUND, "name"),
        ({"name": "a\0b.wav"}, SOUND, "name"),
        ({"name": "a.wav"}, b"", "body"),
    ],
)
def test_bad_upload_names_the_field(
    client: httpx.Client, world: World, params: dict[str, str], body: bytes, field: str
) -> None:
    answer = client.post("/v1/uploads", params=params, content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]["fields"][0]["field"] == field
    assert _files(world) == []


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/search"])
def test_form_is_refused_with_what_to_write_instead(client: httpx.Client, world: World, path: str) -> None:
    answer = client.post(path, files={"file": ("kick.wav", b"RIFF")})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "--data-binary @" in answer.json()["message"]
    assert path in answer.json()["message"]
    assert _files(world) == []


def test_plain_curl_is_understood(client: httpx.Client, world: World) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl --data-binary says of any file
    answer = client.post("/v1/uploads", params={"name": "a.wav"}, content=SOUND, headers=headers)
    assert (answer.status_code, answer.json()["size_bytes"]) == (201, len(SOUND))
