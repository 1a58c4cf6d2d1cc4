"""Files that kill, stop or starve the process that reads them: what they cost themselves, and what their neighbours."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.figures import Figure
from benchmarks.material import RATE_HZ, make_old, one_shot, one_shots
from benchmarks.world import World

FILES = 192
FILE_TIMEOUT_S = 5.0
EXPECTED = {"segfault": "crashed", "abort": "crashed", "hang": "timeout", "eat": "out_of_memory"}
"""The code that a file of each poison must end with (poison_in/)."""
MORE_S = 3 * FILE_TIMEOUT_S + 10
"""What the neighbours of poison may wait for beyond a clean run: three limits of a file, and ten seconds."""

Json = dict[str, Any]


@contextmanager
def poisoned(marker: Path) -> Iterator[None]:
    """Processes started inside are open to poison, which works while the marker is there."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "CHAOS_POISON")}
    places = [str(Path(__file__).parent / "poison_in"), before["PYTHONPATH"]]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    os.environ["CHAOS_POISON"] = str(marker)
    marker.touch()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def poison_files(folder: Path, kinds: list[str]) -> list[Path]:
    """Good sounds with names that make them poison, all near each other in the order of the listing."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, kind in enumerate(kinds):
        path = folder / f"{kind}-{number}.wav"
        sound = one_shot(np.random.default_rng([len(folder.parts), number, *folder.name.encode()]))
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        make_old(path)
        made.append(path)
    return made


def poison(world: World) -> list[Figure]:
    """A clean folder, one with a single poison file of each kind, and one with many in the same chunk."""
    folder = world.folder
    world.wishes["file_timeout_s"] = FILE_TIMEOUT_S
    folder.mkdir(parents=True, exist_ok=True)
    with poisoned(folder / "poison-works"):
        one_shots(folder / "warm", 8, seed=1)
        world.finish(world.submit(folder / "warm"))
        clean_s = _clean(world, folder / "clean")
        return [
            *(_figure(world, folder / kind, [kind], clean_s) for kind in EXPECTED),
            _figure(world, folder / "many", [*EXPECTED, *EXPECTED], clean_s),
        ]


def _clean(world: World, folder: Path) -> float:
    one_shots(folder, FILES, seed=2)
    began = time.monotonic()
    world.finish(world.submit(folder))
    return time.monotonic() - began


def _figure(world: World, folder: Path, kinds: list[str], clean_s: float) -> Figure:
    one_shots(folder, FILES, seed=sum(folder.name.encode()))
    bad = poison_files(folder / "pack-000", kinds)
    began, job_id, neighbours_s = time.monotonic(), world.submit(folder), [0.0]

    def look(job: Json) -> None:
        if job["counts"]["done"] >= FILES and not neighbours_s[0]:
            neighbours_s[0] = time.monotonic() - began

    job = world.finish(job_id, look=look)
    whole_s = time.monotonic() - began
    failures = world.ask("GET", f"/v1/jobs/{job_id}/failures?limit=100")["failures"]
    told = {Path(row["path"]).name: row["code"] for row in failures}
    expected = {path.name: EXPECTED[path.name.split("-")[0]] for path in bad}
    is_right = told == expected and job["counts"]["done"] == FILES
    blamed = world.count_documents("chunks", {"job": job_id, "attempts": {"$gt": 0}})
    together = world.count_documents("chunks", {"job": job_id, "attempts": {"$gt": 0}, "places.1": {"$exists": True}})
    waited_s = neighbours_s[0] - clean_s
    return Figure(
        f"poison: {', '.join(kinds)}",
        f"{len(bad)} poison among {FILES} good files, of one chunk, {FILE_TIMEOUT_S:g} s a file; a clean run took"
        f" {clean_s:.1f} s",
        f"good files done {waited_s:+.1f} s after a clean run, all ended after {whole_s:.1f} s; codes"
        f" {'as expected' if is_right else told}; attempts counted of {blamed} chunks of one file"
        f" and {together} of more",
        f"< {MORE_S:.0f} s more, no good file's attempts",
        is_right and waited_s < MORE_S and blamed <= len(bad) and not together,
        {"clean_s": clean_s, "neighbours_s": neighbours_s[0], "whole_s": whole_s, "blamed_chunks": blamed},
    )
