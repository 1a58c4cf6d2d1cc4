"""Many event streams in one process, and when each event reached each of them.

    python -m benchmarks.stream_load HOST PORT STREAMS PATH

Ends when every stream has ended. An event's id is the moment of its change on the clock of this machine, in
microseconds; a stream's first event tells what was before, and is not timed.
"""

import asyncio
import json
import re
import sys
import time
from collections import defaultdict
from typing import cast

import numpy as np
import uvloop

ID = re.compile(rb"^id: (\d+)\r\nevent: (\w+)", re.MULTILINE)


class Stream(asyncio.Protocol):
    """One open stream."""

    def __init__(self, request: bytes, seconds_of: dict[int, list[float]]) -> None:
        self._request = request
        self._seconds_of = seconds_of
        self._received = b""
        self._is_first = True
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._last = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *blocks, self._received = (self._received + data).split(b"\r\n\r\n")
        for block in blocks:
            if found := ID.search(block):
                self._last = found[2].decode()
                if not self._is_first:
                    self._seconds_of[int(found[1])].append(now - int(found[1]) / 1e6)
                self._is_first = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(self._last)


async def main(host: str, port: str, streams: str, path: str) -> None:
    """Open all, say so, and wait for their end."""
    # HTTP/1.0: the events come as they are, without the frames of chunked encoding around them
    request = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode()
    seconds_of: dict[int, list[float]] = defaultdict(list)
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Stream(request, seconds_of), host, int(port)))[1]
        for _ in range(int(streams))
    ]
    print(json.dumps({"opened": len(opened)}), flush=True)
    cpu_before, began = time.process_time(), time.monotonic()
    last = await asyncio.gather(*(stream.ended for stream in opened))
    everybody = [max(seconds) for seconds in seconds_of.values() if len(seconds) == len(opened)]
    each = np.concatenate([np.array(seconds) for seconds in seconds_of.values()])
    told = {
        "events": len(seconds_of),
        "reached_all": len(everybody),
        "until_last_s": everybody,
        "each_p50_s": float(np.percentile(each, 50)),
        "each_p95_s": float(np.percentile(each, 95)),
        "worst_s": float(each.max()),
        "ended_with_done": sum(name == "done" for name in last),
        "client_cpu_share": (time.process_time() - cpu_before) / (time.monotonic() - began),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
