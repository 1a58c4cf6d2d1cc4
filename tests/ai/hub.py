"""A model hub of one repository on this machine: enough of the hub's HTTP for a snapshot to be downloaded from it."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE_BYTES = 50_000
"""A larger file is named by its sha256, as those of a hub's large file storage."""
POLL_S = 0.02


class Hub:
    """Serves a folder as the repository `owner/tiny`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        self.url = ""

    def answer(self, path: str) -> tuple[dict[str, str], bytes] | None:
        """Headers and body for a path; None where there is nothing."""
        self.requests.append(path)
        if path == f"/api/models/owner/tiny/tree/{COMMIT}":
            listed = [self._entry(file) for file in sorted(self.folder.iterdir())]
            return {"Content-Type": "application/json"}, json.dumps(listed).encode()
        file = self.folder / path.rpartition("/")[2]
        if not path.startswith(f"/owner/tiny/resolve/{COMMIT}/") or not file.is_file():
            return None
        return {"X-Repo-Commit": COMMIT, "ETag": f'"{_name(file)}"'}, file.read_bytes()

    def _entry(self, file: Path) -> dict[str, object]:
        size = file.stat().st_size
        entry: dict[str, object] = {"type": "file", "path": file.name, "size": size, "oid": _name(file)[:40]}
        if size > LARGE_BYTES:
            entry["lfs"] = {"oid": _name(file), "size": size, "pointerSize": 134}
        return entry


def _name(file: Path) -> str:
    body = file.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    return digest if len(body) > LARGE_BYTES else digest[:40]


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    """The hub while it answers."""
    hub = Hub(folder)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def _answer(self, *, with_body: bool) -> None:
            answer = hub.answer(self.path.partition("?")[0])
            headers, body = answer or ({"X-Error-Code": "EntryNotFound"}, b"")
            self.send_response(200 if answer else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()
