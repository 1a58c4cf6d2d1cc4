"""Many clients in one process, each asking for different things in turn, with a pause between.

    python -m benchmarks.mixed_load HOST PORT CLIENTS SECONDS PAUSE_S REQUESTS.json

The file holds [kind, weight, method, path, body or null]. Prints latencies and statuses by kind.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import uvloop

SEED = 5


class Wish(NamedTuple):
    """Something to ask for."""

    kind: str
    weight: float
    request: bytes


class Diary:
    """What every client met."""

    def __init__(self) -> None:
        self.latencies_ms: dict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()


def wishes(file: Path, host: str) -> list[Wish]:
    """What the file holds, as requests."""
    made = []
    for kind, weight, method, path, body in json.loads(file.read_text()):
        sent = json.dumps(body) if body is not None else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
        typed = f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n" if sent else ""
        made.append(Wish(kind, weight, f"{head}{typed}\r\n{sent}".encode()))
    return made


async def client(number: int, host: str, port: int, until: float, pause_s: float, of: list[Wish], diary: Diary) -> None:
    """One person's program."""
    dice = random.Random(SEED + number)
    weights = [wish.weight for wish in of]
    reader, writer = await asyncio.open_connection(host, port)
    await asyncio.sleep(dice.uniform(0, pause_s))
    while time.perf_counter() < until:
        wish = dice.choices(of, weights)[0]
        began = time.perf_counter()
        writer.write(wish.request)
        status = await _answer(reader)
        diary.latencies_ms[wish.kind].append(1000 * (time.perf_counter() - began))
        if status >= 300:
            diary.errors[f"{wish.kind} {status}"] += 1
        await asyncio.sleep(dice.uniform(0, 2 * pause_s))
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of an answer, its body read."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    await reader.readexactly(int(fields["content-length"]))
    return int(head.split(" ", 2)[1])


async def main(host: str, port: str, clients: str, seconds: str, pause_s: str, file: str) -> None:
    """All clients at once."""
    of, diary = wishes(Path(file), f"{host}:{port}"), Diary()
    began, cpu_before = time.perf_counter(), time.process_time()
    until = began + float(seconds)
    await asyncio.gather(
        *(client(number, host, int(port), until, float(pause_s), of, diary) for number in range(int(clients)))
    )
    elapsed_s = time.perf_counter() - began
    everything = np.concatenate([np.array(row) for row in diary.latencies_ms.values()])
    told = {
        "requests": len(everything),
        "per_s": len(everything) / elapsed_s,
        "p50_ms": float(np.percentile(everything, 50)),
        "p95_ms": float(np.percentile(everything, 95)),
        "max_ms": float(everything.max()),
        "p95_ms_by_kind": {kind: float(np.percentile(row, 95)) for kind, row in diary.latencies_ms.items()},
        "errors": dict(diary.errors),
        "client_cpu_share": (time.process_time() - cpu_before) / elapsed_s,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
