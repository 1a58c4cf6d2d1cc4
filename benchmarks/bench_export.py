"""Exports of a large library: how fast they stream, whether the gateway grows, and how polls fare meanwhile."""

import secrets
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import numpy as np
import psutil
from pymongo import MongoClient

from benchmarks.figures import Figure
from benchmarks.processes import leaders
from benchmarks.world import Json, World
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.mongo import sample_id

USER = "local"
BAR_ROWS_PER_S = 5_000.0
BAR_GROWTH_MB = 40.0
"""What an export may hold besides what the gateway has: a row group of Parquet with its vectors, and the writer."""
BATCH = 250
SEED = 29
FILES = {
    "CSV": {"format": "csv"},
    "JSON lines": {"format": "jsonl"},
    "Parquet with vectors": {"format": "parquet", "vectors": "true"},
    "JSON lines with vectors": {"format": "jsonl", "vectors": "true"},
}
LOOK_S = 0.05
IDLE_LOOK_S, IDLE_PERCENT, IDLE_WITHIN_S = 12.0, 8.0, 240.0


def export(world: World) -> list[Figure]:
    """The whole library in each format, one after the other, while a client polls the gateway."""
    wanted = world.sizes.search_samples
    missing = wanted - int(world.ask("GET", "/v1/stats")["samples"])
    if missing > 0:
        _fill(world.stack.settings, missing)
        _wait_until_idle(leaders(world.data_dir)["gateway"])
    _exported(world, {"format": "csv", "kind": "track"})  # what the first one loads is not what it costs
    _exported(world, {"format": "parquet", "kind": "track"})
    return [_figure(world, name, query, wanted) for name, query in FILES.items()]


def _wait_until_idle(gateway: psutil.Process) -> None:
    """Its search takes over a library that was made up a moment ago, and looks at its end again: not what is asked."""
    until, quiet = time.monotonic() + IDLE_WITHIN_S, 0
    while quiet < 2 and time.monotonic() < until:
        is_idle = gateway.cpu_percent(IDLE_LOOK_S) < IDLE_PERCENT
        quiet = quiet + 1 if is_idle else 0


def _figure(world: World, name: str, query: dict[str, str], wanted: int) -> Figure:
    rows_per_s, size_bytes, growth_mb, polls_ms = _exported(world, query, wanted)
    p95 = float(np.percentile(polls_ms, 95))
    return Figure(
        "export",
        f"{name}: {wanted:,} samples or more, one client, another one polls",
        f"{rows_per_s:,.0f} rows a second, {size_bytes / 1e6:.0f} MB; the gateway grew by {growth_mb:.0f} MB;"
        f" polls P95 {p95:.0f} ms",
        f"> {BAR_ROWS_PER_S:,.0f} rows a second, < {BAR_GROWTH_MB:.0f} MB",
        rows_per_s > BAR_ROWS_PER_S and growth_mb < BAR_GROWTH_MB,
        {"rows_per_s": rows_per_s, "size_bytes": size_bytes, "growth_mb": growth_mb, "polls_ms": polls_ms},
    )


def _exported(world: World, query: dict[str, str], rows: int = 0) -> tuple[float, int, float, list[float]]:
    """Rows a second, bytes, megabytes the gateway grew by at most, and milliseconds of polls meanwhile."""
    gateway = leaders(world.data_dir)["gateway"]
    processes = [gateway, *gateway.children(recursive=True)]
    before = _memory(processes)
    most, polls, ended = [before], [0.0], threading.Event()

    def look() -> None:
        with httpx.Client(base_url=world.stack.url, trust_env=False, timeout=30) as client:
            while not ended.wait(LOOK_S):
                most.append(_memory(processes))
                began = time.perf_counter()
                client.get("/v1/jobs?limit=1")
                polls.append(1000 * (time.perf_counter() - began))

    watching = threading.Thread(target=look)
    watching.start()
    began = time.monotonic()
    try:
        size_bytes = sum(map(len, _pieces(world, query)))
    finally:
        ended.set()
        watching.join()
    return rows / (time.monotonic() - began), size_bytes, (max(most) - before) / 1e6, polls


def _pieces(world: World, query: dict[str, str]) -> Iterator[bytes]:
    with (
        httpx.Client(base_url=world.stack.url, trust_env=False, timeout=60) as client,
        client.stream("GET", "/v1/export", params=query) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield from answer.iter_raw()


def _memory(processes: list[psutil.Process]) -> int:
    return sum(process.memory_info().rss for process in processes if process.is_running())


# ------------------------------------------------------------------------------------------------- a library, made up


def _fill(settings: Settings, count: int) -> None:
    """Samples and their vectors, written straight into MongoDB as the trip would leave them."""
    card, dice = settings.model_card, np.random.default_rng(SEED)
    with MongoClient[Json](settings.mongo_url) as client:
        db = client[settings.mongo_database]
        counter = db.counters.find_one({"_id": f"samples:{USER}"})
        first = int(counter["value"]) + 1 if counter else 1
        for start in range(0, count, BATCH):
            numbers = range(first + start, first + min(start + BATCH, count))
            rows = [_sample(dice, number) for number in numbers]
            vectors = dice.standard_normal((len(rows), card.vector_size)).astype(np.float32)
            db.audio_files.insert_many(rows)
            db.analyses.insert_many(
                {
                    "_id": f"{row['file_hash']}:embed:{settings.hearing_version}", "file_hash": row["file_hash"],
                    "stage": "embed", "version": settings.hearing_version, "tags": [], "vector": vector.tobytes(),
                    "leaves": None,
                }
                for row, vector in zip(rows, vectors, strict=True)
            )  # fmt: skip
            print(f"{start + len(rows):,} of {count:,} samples", file=sys.stderr, flush=True)
        db.counters.replace_one({"_id": f"samples:{USER}"}, {"value": first + count - 1}, upsert=True)


def _sample(dice: np.random.Generator, number: int) -> Json:
    file_hash = secrets.token_hex(32)
    is_loop = bool(dice.random() < 0.4)
    name = f"Sound {number}.wav"
    return {
        "_id": sample_id(USER, file_hash), "user_id": USER, "file_hash": file_hash, "number": number,
        "created_at": datetime.now(UTC), "touched": datetime.now(UTC), "name": name, "state": "ready",
        "size_bytes": 88_244, "tags": ["techno", "synth"], "user": {}, "paths": [f"/music/pack {number % 50}/{name}"],
        "kind": "loop" if is_loop else "one-shot", "duration_s": float(dice.lognormal(0, 1)),
        "tempo_bpm": float(dice.uniform(70, 170)) if is_loop else None, "tempo_confidence": 0.8 if is_loop else None,
        "key": "A minor" if is_loop else None, "key_confidence": 0.7 if is_loop else None,
        "key_camelot": "8A" if is_loop else None, "loudness_lufs": float(dice.normal(-14, 5)), "analysis_version": 2,
        "aspects": dice.integers(-100, 100, 300).astype(np.int8).tobytes(),
        "heard": {"timbre": dice.integers(-100, 100, 256).astype(np.int8).tobytes(), "category": "kick"},
    }  # fmt: skip
