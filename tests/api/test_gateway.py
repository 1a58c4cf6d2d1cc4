"""What holds for the gateway as a whole: health, errors, who may ask, and its own description."""

import gzip
import http.client
import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest

from samplemind_tasks.queues import worker_beat_key
from samplemind_tasks.settings import Settings

from .world import World

Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize(
    ("setting", "url", "method", "path"),
    [
        ("mongo_url", "mongodb://127.0.0.1:{port}/", "GET", "/v1/samples"),
        ("mongo_url", "mongodb://127.0.0.1:{port}/", "POST", "/v1/jobs"),
        ("redis_url", "redis://127.0.0.1:{port}/0", "GET", "/v1/jobs/" + "0" * 24),
        ("redis_url", "redis://127.0.0.1:{port}/0", "POST", "/v1/search"),
        ("chroma_url", "http://127.0.0.1:{port}", "DELETE", "/v1/samples/{sample}"),
    ],
)
def test_store_that_is_away_is_a_quick_503_with_its_name(
    serve: Serve, world: World, setting: str, url: str, method: str, path: str
) -> None:
    sample = world.sample("kick.wav", vector=[1.0])
    away = {setting: url.format(port=_closed_port()), "request_timeout_s": 0.5}
    with serve(world.settings.model_copy(update=away)) as client:
        began = time.monotonic()
        body: dict[str, object] = {"content": b"sound"} if path == "/v1/search" else {}
        body = {"json": {"path": str(world.folder)}} if path == "/v1/jobs" else body
        answer = client.request(method, path.format(sample=sample), **body)
        assert time.monotonic() - began < 4
        store = setting.removesuffix("_url").replace("mongo", "mongodb")
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
            503, "store_unavailable", {"store": store},
        )  # fmt: skip
        assert answer.headers["Retry-After"]
        ready = client.get("/v1/health/ready")
        assert ready.status_code == 503
        assert [part["name"] for part in ready.json()["parts"] if not part["ok"] and "worker" not in part["name"]] == [
            store
        ]
        assert client.get("/v1/health/live").status_code == 204


def test_job_is_accepted_while_redis_is_away(serve: Serve, world: World) -> None:
    away = {"redis_url": f"redis://127.0.0.1:{_closed_port()}/0", "request_timeout_s": 1.0}
    with serve(world.settings.model_copy(update=away)) as client:
        answer = client.post("/v1/jobs", json={"path": str(world.folder)})
        assert answer.status_code == 202
        assert world.record(answer.json()["id"]).state == "queued"


def test_stats_are_cached_and_a_cache_that_is_away_costs_only_the_cache(serve: Serve, world: World) -> None:
    world.crowd(20)
    with serve(world.settings) as client:
        stats = client.get("/v1/stats").json()
        assert (stats["samples"], stats["by_kind"], stats["size_bytes"]) == (20, {"one-shot": 2, "loop": 18}, 200)
        world.crowd(5, first=21)
        assert client.get("/v1/stats").json() == stats
    away = {"cache_url": f"redis://127.0.0.1:{_closed_port()}/0"}
    with serve(world.settings.model_copy(update=away)) as client:
        assert client.get("/v1/stats").json()["samples"] == 25
        ready = client.get("/v1/health/ready")
        assert ready.status_code == 200
        assert {part["name"]: part["ok"] for part in ready.json()["parts"]}["cache"] is False


def test_ready_counts_workers_by_role(client: httpx.Client, world: World) -> None:
    for role, host in [("cpu", "a"), ("cpu", "b"), ("ai", "a")]:
        world.redis.set(worker_beat_key(role, host), "1")
    told = {"model": "ears-1", "device": "cpu", "batch_sizes": {"aisfx": [4, 1]}, "windows": 128, "idle_share": 0.25}
    world.redis.set(worker_beat_key("ai", "a"), json.dumps(told))
    parts = {part["name"]: part for part in client.get("/v1/health/ready").json()["parts"]}
    assert parts["cpu worker"]["message"] == "2 at work"
    hears = "1 at work: ears-1 on cpu, batches aisfx 4/1, 128 windows heard, idle 25%"
    assert parts["ai worker"]["message"] == hears
    assert parts["ai worker"]["ok"]
    assert not parts["live worker"]["ok"]
    assert parts["live worker"]["advice"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no_such_route"),
        ("GET", "/v1/jobs/x/y/z", 404, "no_such_route"),
        ("PUT", "/v1/jobs", 405, "method_not_allowed"),
        ("DELETE", "/v1/stats", 405, "method_not_allowed"),
    ],
)
def test_every_error_has_one_shape(client: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "detail"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/samples?limits=3"),
        ("GET", "/v1/samples/" + "0" * 24 + "?limits=3"),
        ("GET", "/v1/jobs?limits=3"),
        ("POST", "/v1/jobs?limits=3"),
        ("POST", "/v1/uploads?name=a.wav&limits=3"),
        ("POST", "/v1/search?query={}&limits=3"),
        ("GET", "/v1/stats?limits=3"),
        ("GET", "/v1/health/live?limits=3"),
    ],
)
def test_query_parameter_nobody_reads_is_refused(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [row["field"] for row in answer.json()["detail"]["fields"]] == ["limits"]


def test_fault_of_ours_tells_nothing_of_the_inside(client: httpx.Client, world: World) -> None:
    world.crowd(1, kind="no such kind")
    answer = client.get("/v1/samples")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (500, "internal", {})
    assert answer.headers["X-Request-ID"] in answer.json()["message"]
    assert "kind" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"Host": "localhost:8000"}, 422),
        ({"Host": "[::1]:8000"}, 422),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:8000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:8000", "Origin": "http://localhost:8000"}, 422),
        ({"Host": "localhost:8000", "Origin": "http://localhost:9999"}, 403),
        ({"Host": "evil.example@localhost"}, 403),
        ({"Host": "localhost#evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "CROSS-SITE"}, 403),
        ({"Sec-Fetch-Site": "none"}, 422),
    ],
)
def test_pages_of_other_sites_are_refused(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    assert client.post("/v1/jobs", json={}, headers=headers).status_code == status


def test_other_sites_may_not_read_by_a_name_of_their_own(client: httpx.Client) -> None:
    answer = client.get("/v1/samples", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_host")
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
    connection.putrequest("GET", "/v1/samples", skip_host=True)
    for host in ("localhost:8000", "evil.example"):
        connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


def test_description_is_complete(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) > 50
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert len(operation["tags"]) == 1
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        bodies = [body for answer in answers for body in answer.get("content", {}).items()]
        assert all("example" in about for media, about in bodies if media == "application/json")
        assert all(parameter.get("description") for parameter in operation.get("parameters", []))
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_docs_page_lists_every_operation_and_loads_nothing(client: httpx.Client) -> None:
    answer = client.get("/", follow_redirects=True)
    assert answer.url.path == "/docs"
    assert "submit_job" in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"path": "/a" "uploads": []}', "this is no JSON: Expecting ',' delimiter, at character 14"),
        (b'{"path": ' + b"[" * 100_000, "lie too deep"),
        (b'{"path": ' + b"9" * 5_000 + b"}", "too many digits"),
        (b'{"path": "\xff"}', "no text in UTF-8"),
        (b'{"path": "/a", "restore": "yes"}', "valid boolean"),
        (b'{"path": "/a", "tempo_range_bpm": ["87", 174]}', "valid number"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(client: httpx.Client, body: bytes, says: str) -> None:
    answer = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert says in answer.json()["message"]
    assert not re.search("Exceeds|sys\\.|Value error", answer.json()["message"])


def test_a_packed_body_is_refused(client: httpx.Client) -> None:
    packed = gzip.compress(b'{"path": "/a"}')
    for path in ("/v1/jobs", "/v1/uploads?name=kick.wav"):
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = client.post(path, content=packed, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_bounds_in_the_wrong_order_are_refused(client: httpx.Client) -> None:
    for answer in (
        client.get("/v1/samples?tempo_min=140&tempo_max=90"),
        client.post("/v1/samples/edit", json={"where": {"tempo_min": 140, "tempo_max": 90}, "add_tags": ["fast"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert "tempo_max" in answer.json()["message"]
