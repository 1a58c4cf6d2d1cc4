"""Many clients in one process: raw HTTP over kept connections, each asking again as soon as it has an answer.

    python -m benchmarks.load HOST PORT CLIENTS SECONDS PATH...

The paths take turns, for SECONDS each. Prints latencies by path, and how busy the client itself was.
"""

import asyncio
import json
import sys
import time
from typing import cast

import numpy as np
import uvloop


class Client(asyncio.Protocol):
    """One connection that always has one request on its way."""

    def __init__(self, request: bytes, until: float, latencies_ms: list[float]) -> None:
        self._request = request
        self._until = until
        self._latencies_ms = latencies_ms
        self._received = b""
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._received = b""
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _body_bytes(head):
            return
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")), head
        self._latencies_ms.append(1000 * (time.perf_counter() - self._sent_at))
        if time.perf_counter() < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _body_bytes(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def phase(host: str, port: int, clients: int, seconds: float, path: str) -> dict[str, object]:
    """All clients on one path."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    latencies_ms: list[float] = []
    began, cpu_before = time.perf_counter(), time.process_time()
    opened = [
        await loop.create_connection(lambda: Client(request, began + seconds, latencies_ms), host, port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(client.ended for _, client in opened))
    elapsed_s = time.perf_counter() - began
    return {
        "path": path,
        "requests": len(latencies_ms),
        "per_s": len(latencies_ms) / elapsed_s,
        "p50_ms": float(np.percentile(latencies_ms, 50)),
        "p95_ms": float(np.percentile(latencies_ms, 95)),
        "max_ms": max(latencies_ms),
        "client_cpu_share": (time.process_time() - cpu_before) / elapsed_s,
    }


async def main(host: str, port: str, clients: str, seconds: str, *paths: str) -> None:
    """Every path in its turn; the first turn of a path is as warm as the next, for a short one goes before."""
    for path in dict.fromkeys(paths):
        await phase(host, int(port), int(clients), 0.5, path)
    phases = [await phase(host, int(port), int(clients), float(seconds), path) for path in paths]
    print(json.dumps(phases))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
