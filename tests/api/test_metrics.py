"""What Prometheus reads: the gateway's own requests, and the work of all workers."""

import json
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import pytest
import yaml
from scraped import labels_of, scrape, value

from samplemind_tasks.errors import FailureCode
from samplemind_tasks.pipeline import close, hand_on
from samplemind_tasks.queues import worker_beat_key
from samplemind_tasks.schemas import Failure
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chunks import Chunk, ChunkSample, Stage
from samplemind_tasks.store.stores import Stores

from .world import World, eventually

PROMETHEUS = Path(__file__).parents[2] / "config" / "prometheus"
Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]


def leased(held: Stores, job: str, places: int = 3) -> Chunk:
    """A chunk in a worker's hands."""
    names = tuple(f"{number:024x}" for number in range(places))
    chunk = Chunk(f"{job}-c", job, "local", -1, names, False, {"analyze": "1", "embed": "1"}, flight=job)
    held.chunks.insert([chunk])
    found = held.chunks.lease(chunk, "a-token")
    assert found
    return found


# ----------------------------------------------------------------------------------------------------------- requests


def test_requests_are_counted_by_template_method_and_class(client: httpx.Client) -> None:
    for name in range(3):
        assert client.get(f"/v1/samples/{name:024x}").status_code == 404
    assert client.get("/v1/health/live").is_success
    assert client.get("/openapi.json").is_success
    assert client.get("/nowhere/at/all").status_code == 404
    seen = scrape(client)
    name = "http_request_duration_seconds_count"
    assert value(seen, name, method="GET", route="/v1/samples/{sample_id}", status="4xx") == 3
    assert value(seen, name, method="GET", route="/v1/health/live", status="2xx") == 1
    assert value(seen, name, method="GET", route="/openapi.json", status="2xx") == 1
    assert value(seen, name, method="GET", route="(none)", status="4xx") == 1
    assert value(seen, "http_requests_in_progress") == 1, "the scrape itself"


def test_what_a_guard_refuses_is_counted_too(client: httpx.Client) -> None:
    assert client.get("/v1/samples", headers={"Host": "evil.example"}).status_code == 403
    name = "http_request_duration_seconds_count"
    assert value(scrape(client), name, method="GET", route="(none)", status="4xx") == 1


def test_strange_methods_and_addresses_make_no_new_series(client: httpx.Client) -> None:
    for number, method in enumerate(("PROPFIND", "MKCOL", "LOCK", "PURGE", "REPORT") * 3):
        assert client.request(method, f"/{number}").status_code in (404, 405)
    seen = labels_of(scrape(client), "http_request_duration_seconds_count")
    assert seen == [{"method": "other", "route": "(none)", "status": "4xx"}]


def test_no_label_names_a_user_a_file_or_a_job(world: World, client: httpx.Client, held: Stores) -> None:
    world.sample("secret-name.wav", vector=[1.0])
    job = world.job()
    leased(held, job)
    client.get(f"/v1/jobs/{job}")
    client.get("/v1/stats")
    text = client.get("/metrics").text
    assert not re.search(rf"secret-name|{job}|local|{re.escape(str(world.folder))}", text)


# --------------------------------------------------------------------------------------------------------- the work


def test_files_are_counted_by_stage_and_outcome_once_each(world: World, client: httpx.Client, held: Stores) -> None:
    chunk = leased(held, world.job())
    bad = Failure(place=chunk.places[0], path="/x/bad.wav", code=FailureCode.NOT_AUDIO, message="no")
    samples = tuple(ChunkSample(place, f"{place}s", "f" * 64) for place in chunk.places[1:])
    assert hand_on(held, chunk, Stage.EMBED, samples=samples, failures=(bad,))
    assert hand_on(held, chunk, Stage.EMBED, samples=samples, failures=(bad,)) is None, "the message came twice"
    embedding = held.chunks.get(chunk.id)
    assert embedding
    indexing = hand_on(held, embedding, Stage.INDEX)
    assert indexing
    assert close(held, indexing, dropped=1)
    seen = scrape(client)
    assert value(seen, "files_total", stage="analyze", outcome="ok") == 2
    assert value(seen, "files_total", stage="analyze", outcome="not_audio") == 1
    assert value(seen, "files_total", stage="embed", outcome="ok") == 2
    assert value(seen, "files_total", stage="index", outcome="ok") == 1, "one was deleted on the way"
    assert value(seen, "files_total", stage="embed", outcome="not_audio") is None


def test_times_of_all_workers_add_up_and_outlive_them(client: httpx.Client, held: Stores) -> None:
    for seconds in (0.04, 2.0, 1000.0):
        Stores(held.settings).tally.worked(Stage.ANALYZE, seconds, windows=7)  # a process each
    seen = scrape(client)
    name = "chunk_duration_seconds"
    assert value(seen, f"{name}_count", stage="analyze") == 3
    assert value(seen, f"{name}_sum", stage="analyze") == pytest.approx(1002.04)
    assert value(seen, f"{name}_bucket", stage="analyze", le="0.05") == 1
    assert value(seen, f"{name}_bucket", stage="analyze", le="2.5") == 2
    assert value(seen, f"{name}_bucket", stage="analyze", le="300.0") == 2
    assert value(seen, "windows_heard_total") == 21


def test_queues_jobs_and_the_oldest_lease(world: World, client: httpx.Client, held: Stores) -> None:
    running, paused = world.job(state="running"), world.job(state="running", pause=True)
    world.job(state="done", open=None)
    world.db.jobs.update_many({"state": "done"}, {"$unset": {"open": ""}})
    world.redis.rpush("gpu", *(["message"] * 5))
    chunk = leased(held, running)
    old = replace(chunk, lease=replace(chunk.lease, taken_at=time.time() - 500)) if chunk.lease else chunk
    world.db.chunks.update_one({"_id": chunk.id}, {"$set": {"lease": old.to_document()["lease"]}})
    world.chunk(paused, 2, flight=paused)
    seen = scrape(client)
    assert value(seen, "jobs_open", state="running") == 1
    assert value(seen, "jobs_open", state="paused") == 1
    assert value(seen, "jobs_open", state="queued") == 0
    assert value(seen, "queue_messages", queue="gpu") == 5
    assert value(seen, "queue_messages", queue="cpu.now") == 0
    assert value(seen, "chunks_at_work", queue="cpu") == 1
    assert value(seen, "chunks_waiting", queue="cpu") == 1
    age_s = value(seen, "oldest_lease_age_seconds")
    assert age_s is not None
    assert 500 <= age_s < 530


def tell(world: World, role: str, pid: int, **facts: object) -> None:
    """A living worker's heartbeat."""
    world.redis.set(worker_beat_key(role, f"studio:{pid}"), orjson.dumps({"host": "studio", **facts}), ex=60)


def test_workers_tell_device_batches_and_idleness(world: World, client: httpx.Client) -> None:
    tell(world, "ai", 1, device="cuda:0", model="ears-1", batch_sizes={"aisfx": [32, 8]}, idle_share=0.5, stands_s=3)
    tell(world, "ai", 2, device="cuda:1", model="ears-1", batch_sizes={"aisfx": [16, 8]}, idle_share=0.25, stands_s=9)
    tell(world, "cpu", 3, stands_s=0)
    world.redis.set(worker_beat_key("scan", "old:4"), "not JSON", ex=60)
    seen = scrape(client)
    assert value(seen, "worker_processes", role="ai") == 2
    assert value(seen, "worker_processes", role="scan") == 1
    assert value(seen, "worker_processes", role="live") == 0
    for device in ("cuda:0", "cuda:1"):
        assert value(seen, "worker_device", role="ai", host="studio", device=device, model="ears-1") == 1
    assert value(seen, "worker_device_idle_ratio", role="ai", host="studio") == 0.375
    assert value(seen, "worker_batch_windows", role="ai", host="studio", network="aisfx", sounds="short") == 16
    assert value(seen, "worker_standstill_seconds", role="ai", host="studio") == 3


def test_readiness_tells_of_workers_that_live_and_do_nothing(world: World, client: httpx.Client) -> None:
    tell(world, "cpu", 1, stands_s=720)
    tell(world, "cpu", 2, stands_s=900)
    tell(world, "ai", 3, device="cpu", stands_s=900)
    tell(world, "ai", 4, device="cpu", stands_s=4)
    parts = {part["name"]: part for part in client.get("/v1/health/ready").json()["parts"]}
    assert not parts["cpu worker"]["ok"]
    assert "2 alive, but none took any of the waiting work for 12 minutes" in parts["cpu worker"]["message"]
    assert parts["cpu worker"]["advice"]
    assert parts["ai worker"]["ok"], "the other one takes the work"


def test_reads_of_the_cache_are_counted(client: httpx.Client) -> None:
    for _ in range(3):
        assert client.get("/v1/stats").is_success
    seen = scrape(client)
    assert value(seen, "cache_reads_total", what="stats", result="miss") == 1
    assert value(seen, "cache_reads_total", what="stats", result="hit") == 2
    assert 0 < value(seen, "cache_read_seconds_total", what="stats") < 1


def test_a_store_that_is_away_is_told_and_fails_no_scrape(settings: Settings, serve: Serve, tmp_path: Path) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    away = settings.model_copy(update={"redis_url": nowhere, "cache_url": nowhere, "request_timeout_s": 0.5})
    with serve(away) as client:
        seen = scrape(client)
    assert value(seen, "store_up", store="redis") == 0
    assert value(seen, "store_up", store="cache") == 0
    assert value(seen, "store_up", store="mongodb") == 1
    assert value(seen, "jobs_open", state="running") == 0
    assert value(seen, "queue_messages", queue="cpu") is None, "not known is not zero"


def test_alerts_and_dashboard_speak_of_metrics_that_there_are(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    parts = ("_bucket", "_sum", "_count")
    there_are = {name + part for name, kind in types.items() for part in (parts if kind == "histogram" else ("",))}
    wanted = set(re.findall(r"samplemind_\w+", " ".join(_expressions())))
    assert wanted
    assert wanted <= there_are


def _expressions() -> list[str]:
    """Every query of the alerts and of the dashboard."""
    alerts = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    panels = json.loads((PROMETHEUS / "grafana-dashboard.json").read_text())["panels"]
    return [rule["expr"] for group in alerts for rule in group["rules"]] + [
        target["expr"] for panel in panels for target in panel["targets"]
    ]


# ------------------------------------------------------------------------------------------------- a request's name


def test_an_id_is_answered_and_kept_with_the_job(world: World, client: httpx.Client) -> None:
    mine = client.post("/v1/jobs", json={"path": str(world.folder)}, headers={"X-Request-ID": "tracing-42"})
    assert mine.headers["X-Request-ID"] == "tracing-42"
    assert world.record(mine.json()["id"]).request_id == "tracing-42"
    assert eventually(lambda: bool(world.queued("scan")))
    [message] = world.queued("scan")
    assert orjson.loads(message)["headers"]["request_id"] == "tracing-42"


@pytest.mark.parametrize("brought", [None, "", "a b", "x" * 65, "{}", "<script>", "é".encode("latin-1")])
def test_what_is_no_id_is_replaced(client: httpx.Client, brought: str | bytes | None) -> None:
    headers = {} if brought is None else {"X-Request-ID": brought}
    answer = client.get("/v1/health/live", headers=headers)
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_a_fault_of_ours_says_under_which_id_the_log_has_it(world: World, client: httpx.Client) -> None:
    world.crowd(1, kind="no such kind")
    answer = client.get("/v1/samples", headers={"X-Request-ID": "look-here"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "look-here")
    assert "under look-here" in answer.json()["message"]
    with httpx.Client(base_url=client.base_url, trust_env=False) as another:  # the server closes the first connection
        seen = scrape(another)
    assert value(seen, "http_request_duration_seconds_count", method="GET", route="/v1/samples", status="5xx") == 1


def test_every_answer_has_an_id_of_its_own(client: httpx.Client) -> None:
    answers = [client.get("/v1/stats"), client.get("/nowhere"), client.get("/", headers={"Host": "evil.example"})]
    assert [answer.status_code for answer in answers] == [200, 404, 403]
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3
