"""The blob store: the same promises for a folder and for S3."""

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from samplemind_tasks.errors import NotFound, StoreUnavailable, TooLarge
from samplemind_tasks.store.blobs import Blobs, blob_key

SIZE_BYTES = 100 * 65536
LIMIT_BYTES = 1 << 24


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    if request.param == "file":
        return Blobs((tmp_path / "blob store").as_uri())
    endpoint = request.getfixturevalue("s3_endpoint")
    _aws(monkeypatch, endpoint)
    bucket = f"bucket-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return Blobs(f"s3://{bucket}/some/prefix")


def _aws(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    values = {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1"}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)


async def _packets(count: int = 100, breaks: bool = False) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * 65536
    if breaks:
        raise ConnectionResetError


WHOLE = b"".join(bytes([number % 256]) * 65536 for number in range(100))


def test_bytes_come_back_and_prefixes_go(blobs: Blobs) -> None:
    blobs.put("windows/c1/a", b"one")
    blobs.put("windows/c1/b", b"")
    blobs.put("windows/c2/a", b"other")
    assert (blobs.get("windows/c1/a"), blobs.get("windows/c1/b")) == (b"one", b"")
    blobs.delete_prefix("windows/c1")
    blobs.delete_prefix("windows/c1")
    blobs.delete_prefix("windows/c2/a")
    assert not any(blobs.exists(key) for key in ("windows/c1/a", "windows/c1/b", "windows/c2/a"))
    with pytest.raises(NotFound):
        blobs.get("windows/c1/a")


def test_upload_is_found_under_its_hash_and_opens_as_a_file(blobs: Blobs) -> None:
    file_hash, size_bytes = asyncio.run(blobs.put_upload(_packets(), LIMIT_BYTES))
    assert (file_hash, size_bytes) == (hashlib.sha256(WHOLE).hexdigest(), SIZE_BYTES)
    assert asyncio.run(blobs.put_upload(_packets(), LIMIT_BYTES)) == (file_hash, size_bytes)
    assert blobs.get(blob_key(file_hash)) == WHOLE
    with blobs.open_blob(file_hash) as file:
        file.seek(-3, 2)
        assert file.read() == WHOLE[-3:]
        assert file.fileno() > 0
    with pytest.raises(NotFound):
        blobs.open_blob("0" * 64)


@pytest.mark.parametrize(("start", "end"), [(0, SIZE_BYTES), (65530, 3_000_001), (SIZE_BYTES - 1, SIZE_BYTES)])
def test_any_stretch_can_be_streamed(blobs: Blobs, start: int, end: int) -> None:
    async def stretch() -> bytes:
        file_hash, _ = await blobs.put_upload(_packets(), LIMIT_BYTES)
        async with aclosing(blobs.stream(blob_key(file_hash), start, end)) as pieces:
            return b"".join([piece async for piece in pieces])

    assert asyncio.run(stretch()) == WHOLE[start:end]


def test_too_large_or_broken_uploads_leave_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    with pytest.raises(TooLarge):
        asyncio.run(blobs.put_upload(_packets(), SIZE_BYTES - 1))
    with pytest.raises(ConnectionResetError):
        asyncio.run(blobs.put_upload(_packets(breaks=True), LIMIT_BYTES))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_store_that_is_away_is_named_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    _aws(monkeypatch, f"http://127.0.0.1:{port}")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="blobs"):
        Blobs("s3://bucket/prefix").get("key")
    assert time.monotonic() - began < 6


def test_folder_that_is_not_mounted_is_the_stores_fault_not_the_blobs(tmp_path: Path) -> None:
    blobs = Blobs((tmp_path / "disk").as_uri())
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    for ask in (lambda: blobs.get("key"), lambda: blobs.exists("key"), lambda: asyncio.run(blobs.beat())):
        with pytest.raises(StoreUnavailable):
            ask()


def test_bucket_that_is_not_there_is_the_stores_fault(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _aws(monkeypatch, s3_endpoint)
    with pytest.raises(StoreUnavailable):
        Blobs("s3://no-such-bucket").get("key")


def test_what_a_killed_process_left_behind_is_tidied_after_a_day(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    blobs.tidy()
    assert (old.exists(), young.exists()) == (False, True)


def test_another_kind_of_url_is_refused() -> None:
    with pytest.raises(ValueError, match="SAMPLEMIND_BLOB_URL"):
        Blobs("/srv/blobs")
