"""Makes MongoDB's user, once: `python -m samplemind_tasks.launch.provision DATA_DIR`, before the server asks for it.

The server runs for a moment without asking for a password, on a port of its own and with nothing in it.
"""

import subprocess
import sys
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from samplemind_tasks.launch.folder import DataFolder
from samplemind_tasks.launch.ready import mongodb_answers, note_mongodb_user
from samplemind_tasks.launch.site import MONGODB_OPTIONS, MONGODB_USER, free_port, mongodb_argv

PATIENCE_SECONDS = 60.0
ANSWER_MILLISECONDS = 20_000
"""A server that takes longer to make one user hangs: the step ends, and is begun again."""
PARTING_SECONDS = 10.0


def provision(folder: Path, password: str) -> None:
    """Start the server without authentication, make the user, stop it."""
    port = free_port()
    url = f"mongodb://127.0.0.1:{port}/?{MONGODB_OPTIONS}"
    server = subprocess.Popen(mongodb_argv(folder, port, with_password=False))
    try:
        _await(server, url)
        with MongoClient[dict[str, object]](url, timeoutMS=ANSWER_MILLISECONDS) as client:
            try:
                client.admin.command("createUser", MONGODB_USER, pwd=password, roles=["root"])
            except OperationFailure:  # it is there, from before the passwords were lost
                client.admin.command("updateUser", MONGODB_USER, pwd=password)
    finally:
        _end(server)
    note_mongodb_user(folder, password)


def _await(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not mongodb_answers(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the MongoDB server does not start")
        time.sleep(0.05)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(PARTING_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    provision(Path(sys.argv[1]), DataFolder(Path(sys.argv[1])).passwords()["mongodb"])
