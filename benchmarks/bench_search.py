"""Searches over a large library while a bulk job runs: by a sample, by a text, each with two filters."""

import secrets
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from pymongo import MongoClient

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.world import ENDED, Json, World
from samplemind_tasks.aspects import DESCRIPTORS, SIZE
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.facets import as_bytes, likely_category, timbre_steps
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.mongo import sample_id
from samplemind_tasks.store.vectors import VectorIndex, collection_name

BAR_MS = 250.0
GOAL_MS = 50.0
USER = "local"
BATCH = 500
CLUSTERS = 300
"""Sounds come in families: neighbours are nearer than chance."""
SEED = 23
READ_WITHIN_S = 300.0
TEXTS = (
    "dark kick", "closed hat", "bright snare", "piano chord", "sub bass", "ambient pad", "short clap", "warm strings",
    "amen break", "punchy tom", "noisy riser", "soft bell",
)  # fmt: skip
WORDS = ("Kick", "Snare", "Hat", "Pad", "Bass", "Loop", "Amen", "Deep", "Dark", "Chord", "Piano", "FX", "Vox", "Clap")


def search(world: World) -> list[Figure]:
    """Four kinds of searches, one after the other by one client; first with nobody else, then during a job."""
    sizes = world.sizes
    ids = _fill(world.stack.settings, sizes.search_samples)
    reading_s = _wait_until_read(world, ids)
    queries = _queries(ids, sizes.searches)
    alone = _ask_all(world, queries)
    folder = world.folder / "one-shots"
    if not folder.exists():
        material.one_shots(folder, sizes.trip_files)
    job = world.submit(folder, rerun="everything")
    while world.job(job)["counts"]["done"] == 0:
        time.sleep(0.1)
    during = _ask_all(world, queries)
    at_the_end = world.job(job)
    if at_the_end["state"] not in ENDED:
        world.ask("POST", f"/v1/jobs/{job}/cancel")
        world.finish(job)
    return [_figure(kind, alone[kind], during[kind], len(ids), reading_s, at_the_end) for kind in queries]


def _queries(ids: list[str], count: int) -> dict[str, list[Json]]:
    """By kind. Filters differ from query to query, so that nothing is answered from a cache."""
    dice = np.random.default_rng(SEED)

    def filters() -> Json:
        least = round(float(dice.uniform(70, 130)), 1)
        return {"tempo_bpm": {"least": least, "most": least + 20}, "duration_s": {"most": float(dice.uniform(2, 6))}}

    def like() -> list[str]:
        return [ids[int(dice.integers(len(ids)))]]

    return {
        "similar, two filters": [{"like": like(), "filters": filters()} for _ in range(count)],
        "text, two filters": [{"text": TEXTS[n % len(TEXTS)], "filters": filters()} for n in range(count)],
        "similar, no filter": [{"like": like()} for _ in range(count)],
        "text, similar and aspects": [
            {"text": TEXTS[n % len(TEXTS)], "like": like(), "weights": {"timbre": 1, "pitch": 0.5, "envelope": 0.5}}
            for n in range(count)
        ],
    }


def _ask_all(world: World, queries: dict[str, list[Json]]) -> dict[str, list[float]]:
    """Milliseconds of each answer, by kind."""
    found: dict[str, list[float]] = {}
    for kind, asked in queries.items():
        found[kind] = []
        for query in asked:
            began = time.perf_counter()
            answer = world.ask("POST", "/v1/search", query)
            found[kind].append(1000 * (time.perf_counter() - began))
            assert answer["searched"], query
    return found


def _wait_until_read(world: World, ids: list[str]) -> float:
    """Seconds until the gateway has read a library that is new to it; until then it may answer 503."""
    began = time.monotonic()
    while time.monotonic() - began < READ_WITHIN_S:
        with suppress(AssertionError):
            if world.ask("POST", "/v1/search", {"like": ids[:1]})["searched"] >= len(ids):
                break
        time.sleep(0.5)
    return time.monotonic() - began


def _figure(
    kind: str, alone_ms: list[float], during_ms: list[float], samples: int, reading_s: float, job: Json
) -> Figure:
    p50, p95 = (float(np.percentile(during_ms, share)) for share in (50, 95))
    alone_p50, alone_p95 = (float(np.percentile(alone_ms, share)) for share in (50, 95))
    running = "" if job["state"] == "running" else f" (job {job['state']} before the end)"
    return Figure(
        "search",
        f"{kind}: {len(during_ms)} searches over {samples:,} samples by one client, while a job runs",
        f"P50 {p50:.0f} ms, P95 {p95:.0f} ms; without a job {alone_p50:.0f} and {alone_p95:.0f} ms;"
        f" the library was read in {reading_s:.0f} s{running}",
        f"P95 < {BAR_MS:.0f} ms, going < {GOAL_MS:.0f}",
        p95 < BAR_MS,
        {"during_ms": during_ms, "alone_ms": alone_ms, "reading_s": reading_s},
    )


# ------------------------------------------------------------------------------------------------- a library, made up


def _fill(settings: Settings, count: int) -> list[str]:
    """Ready samples written straight into the stores, as the trip would leave them; their ids."""
    card, index = settings.model_card, VectorIndex(settings)
    dice = np.random.default_rng(SEED)
    centres = dice.standard_normal((CLUSTERS, card.vector_size))
    likely = dice.integers(len(LEAVES), size=CLUSTERS)
    collection, ids = collection_name(card.collection, USER), []
    with MongoClient[Json](settings.mongo_url) as client:
        db = client[settings.mongo_database]
        counter = db.counters.find_one({"_id": f"samples:{USER}"})
        first = int(counter["value"]) + 1 if counter else 1
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            of_cluster = dice.integers(CLUSTERS, size=size)
            vectors = centres[of_cluster] + 0.7 * dice.standard_normal((size, card.vector_size))
            vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
            rows = [_sample(dice, card, first + start + n, vectors[n], int(likely[of_cluster[n]])) for n in range(size)]
            db.audio_files.insert_many(rows)
            db.analyses.insert_many(_hearing(row, card, vector) for row, vector in zip(rows, vectors, strict=True))
            ids += [row["_id"] for row in rows]
            index.upsert(collection, ids[-size:], vectors)
            print(f"{start + size:,} of {count:,} samples", file=sys.stderr, flush=True)
        db.counters.replace_one({"_id": f"samples:{USER}"}, {"value": first + count - 1}, upsert=True)
    return ids


def _sample(
    dice: np.random.Generator, card: ModelCard, number: int, vector: npt.NDArray[np.float32], leaf: int
) -> Json:
    file_hash = secrets.token_hex(32)
    leaves = dice.dirichlet(np.full(len(LEAVES), 0.05)).astype(np.float32) * 0.4
    leaves[leaf] += 0.6
    category, confidence = likely_category(leaves)
    is_loop = category in (Category.DRUM_LOOP, Category.MELODIC_LOOP) or dice.random() < 0.4
    name = f"{' '.join(dice.choice(WORDS, 2))} {number}.wav"
    tags = dice.random(len(card.tags)).astype(np.float32) ** 4
    return {
        "_id": sample_id(USER, file_hash), "user_id": USER, "file_hash": file_hash, "number": number,
        "created_at": datetime.now(UTC), "touched": datetime.now(UTC), "name": name, "state": "ready",
        "size_bytes": 88_244, "tags": [], "user": {}, "paths": [f"/music/{category.value}/pack {number % 50}/{name}"],
        "kind": "loop" if is_loop else "one-shot", "duration_s": float(dice.lognormal(0, 1)),
        "tempo_bpm": float(dice.uniform(70, 170)) if is_loop else None, "tempo_confidence": 0.8 if is_loop else None,
        "key": "A minor" if is_loop else None, "key_confidence": 0.7 if is_loop else None,
        "key_camelot": f"{dice.integers(1, 13)}{'AB'[number % 2]}" if is_loop else None,
        "loudness_lufs": float(dice.normal(-14, 5)), "analysis_version": 2, "pcm_hash": secrets.token_hex(16),
        "centroid_hz": float(dice.lognormal(7.5, 1)), "pitch_midi": None if is_loop else int(dice.integers(24, 90)),
        "aspects": dice.integers(-100, 100, SIZE).astype(np.int8).tobytes(),
        "word_scores": dice.integers(0, 255, len(DESCRIPTORS)).astype(np.uint8).tobytes(),
        "heard": {
            "by": card.collection, "timbre": timbre_steps(vector).tobytes(), "leaf_scores": as_bytes(leaves).tobytes(),
            "tag_scores": as_bytes(tags).tobytes(), "category": category.value, "category_confidence": confidence,
        },
    }  # fmt: skip


def _hearing(row: Json, card: ModelCard, vector: npt.NDArray[np.float32]) -> dict[str, Any]:
    return {
        "_id": f"{row['file_hash']}:embed:{card.collection}", "file_hash": row["file_hash"], "stage": "embed",
        "version": card.collection, "tags": [], "vector": vector.tobytes(), "leaves": row["heard"]["leaf_scores"],
    }  # fmt: skip
