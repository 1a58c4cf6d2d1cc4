"""The command line as a process of its own, what it left behind, and a server that always answers the same."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

STARTING_S = 240
"""The first start on a machine compiles the signal code and converts the model."""


class Outcome(NamedTuple):
    """What a call of the command line left behind."""

    code: int
    out: str
    err: str


Called = Callable[..., Outcome]


def run_program(*arguments: str, limit_s: float = STARTING_S, **environment: str) -> Outcome:
    """The command line as a process of its own, with settings of the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=limit_s,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def lines(outcome: Outcome) -> list[dict[str, Any]]:
    """The JSON values on stdout; that there is nothing else is what this asks."""
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    return [json.loads(line) for line in outcome.out.splitlines()]


@contextmanager
def answering(status: int, body: str, asked: list[str] | None = None) -> Iterator[str]:
    """The address of a real server that answers everything the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
