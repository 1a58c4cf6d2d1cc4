"""The AI stage's model alone over windows on the disk: no queue, no stores.

    python -m benchmarks.ears.bare MODELS_DIR BLOBS_DIR [BATCH]

As many threads as the AI worker computes with share the blobs, each hearing one as the worker does. Prints sounds,
wall-clock and CPU seconds, and the batch sizes used: those measured at start, or the one that is given.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.windows import unpack


@dataclass(frozen=True)
class Loop:
    """What hearing all blobs took."""

    sounds: int
    wall_s: float
    cpu_s: float
    batch_sizes: dict[str, dict[int, int]]


def hear(embedder: Embedder, blob: Path) -> int:
    """Hear the sounds of one chunk; how many they were."""
    return len(embedder.embed_many(list(unpack(blob.read_bytes()).values())))


def run(models_dir: Path, blobs: list[Path], batch: int | None) -> Loop:
    """Load the model, then hear every blob."""
    settings = Settings()
    embedder = load(settings.model_card, models_dir, settings.device)
    embedder.measure()
    if batch:
        for network in embedder.networks:
            network.batch_sizes = dict.fromkeys(network.batch_sizes, batch)
    places = 1 if embedder.device.type == "cuda" else min(2, os.cpu_count() or 1)
    hear(embedder, blobs[0])
    began, cpu_began = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(places) as pool:
        sounds = sum(pool.map(lambda blob: hear(embedder, blob), blobs))
    wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    return Loop(sounds, wall_s, cpu_s, {network.card.name: network.batch_sizes for network in embedder.networks})


if __name__ == "__main__":
    named = sorted(path for path in Path(sys.argv[2]).rglob("*") if path.is_file())
    print(json.dumps(asdict(run(Path(sys.argv[1]), named, int(sys.argv[3]) if len(sys.argv) > 3 else None))))
