"""The stages' own code over files, without services: two plain processes of one thread each, side by side.

    python -m benchmarks.baseline MODELS_DIR < paths

One opens, hashes, decodes, analyses and cuts windows; the other hears them as they come. Prints the wall-clock seconds
of both together, and the CPU seconds spent inside the stages' code alone: loading, warm-up and the pipe between the two
are left out.
"""

import json
import multiprocessing
import sys
import time
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.baseline_result import Spent
from samplemind_tasks.ai.embed import SoundWindows, load
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes, in_name
from samplemind_tasks.audio.files import content_hash, open_regular
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.audio.warm import warm
from samplemind_tasks.settings import Settings

SETTINGS = Settings()


def measure(path: Path) -> SoundWindows:
    """What `cpu.analyze` does with a file, and nothing around it."""
    with open_regular(path) as file:
        content_hash(file)
        with open_sound(
            file,
            name=path.name,
            max_bytes=SETTINGS.max_file_bytes,
            max_duration_s=SETTINGS.max_duration_s,
            max_seconds=SETTINGS.analysis_seconds,
        ) as sound:
            heard = listen(sound, SETTINGS.model_card.front_ends)
        analyze(heard, (*in_bytes(file), *in_name(str(path))))
    return heard.windows


def hear(inbox: Connection, outbox: Connection, both_ready: Barrier, models_dir: Path) -> None:
    """The other process: hear windows until there are no more."""
    embedder = load(SETTINGS.model_card, models_dir, "cpu")
    embedder.self_test()
    embedder.measure()
    both_ready.wait()
    cpu_s = 0.0
    while (cut := inbox.recv()) is not None:
        began = time.thread_time()
        embedder.embed(cut)
        cpu_s += time.thread_time() - began
    outbox.send((cpu_s, time.monotonic()))


def run(paths: list[Path], models_dir: Path) -> Spent:
    """Both stages over the files."""
    spawn = multiprocessing.get_context("spawn")
    inbox, windows_out = spawn.Pipe(duplex=False)
    answer, outbox = spawn.Pipe(duplex=False)
    both_ready = spawn.Barrier(2)
    other = spawn.Process(target=hear, args=(inbox, outbox, both_ready, models_dir))
    other.start()
    warm(SETTINGS.model_card.front_ends)
    both_ready.wait()
    began, cpu_s = time.monotonic(), 0.0
    for path in paths:
        before = time.thread_time()
        cut = measure(path)
        cpu_s += time.thread_time() - before
        windows_out.send(cut)
    windows_out.send(None)
    embed_cpu_s, ended = answer.recv()
    other.join()
    return Spent(len(paths), ended - began, cpu_s, embed_cpu_s)


if __name__ == "__main__":
    print(json.dumps(asdict(run([Path(line) for line in sys.stdin.read().splitlines()], Path(sys.argv[1])))))
