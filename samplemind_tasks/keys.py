"""Keys on the server itself: `python -m samplemind_tasks.keys create|list|revoke`, one JSON value out.

A process of its own, because it loads the database drivers; `samplemind keys` runs it and shows what it says. It asks
nobody for a key: whoever may read the settings and the data folder could write to MongoDB anyway.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError

from samplemind_tasks.access import NewKey
from samplemind_tasks.errors import BadRequest, Conflict, SampleMindError
from samplemind_tasks.launch import AlreadyRunning, Stack
from samplemind_tasks.library.keys import Keys
from samplemind_tasks.logs import configure_logs
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.keys import KeyStore
from samplemind_tasks.store.mongo import connect_async

MONGODB = ("mongodb-user", "mongodb")
"""What of the embedded stack is started where nothing runs."""


@contextmanager
def reachable(settings: Settings) -> Iterator[Settings]:
    """Settings that lead to a running MongoDB: the one they name, that of the running stack, or one for the moment.

    Raises
    ------
    Conflict : a stack is just starting.
    """
    if "mongo_url" in settings.model_fields_set:
        yield settings
        return
    stack = Stack(settings, only=MONGODB)
    try:
        stack.start()
    except AlreadyRunning as running:
        yield settings.model_copy(update={"mongo_url": _running_mongodb(running.detail)})
        return
    with stack:
        yield stack.settings


def _running_mongodb(run_file: dict[str, Any]) -> str:
    if not run_file.get("url"):  # its address is known last, when all it needs is ready
        raise Conflict("the stack is still starting: try again in a moment", code="still_starting")
    return str(run_file["urls"]["mongo"])


async def _do(settings: Settings, chosen: argparse.Namespace) -> BaseModel | None:
    db = connect_async(settings)
    keys = Keys(KeyStore(db))
    try:
        if chosen.action == "create":
            return await keys.create(NewKey.model_validate_json(chosen.wanted))
        if chosen.action == "revoke":
            await keys.revoke(chosen.id)
            return None
        return await keys.all()
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    finally:
        await db.client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 with a problem as JSON on stderr."""
    chosen = _parser().parse_args(arguments)
    given = Settings()
    configure_logs(given.log_level)  # to stderr: stdout is for the answer
    try:
        with reachable(given) as settings:
            answer = asyncio.run(_do(settings, chosen))
    except SampleMindError as error:
        sys.stderr.write(json.dumps({"code": error.code, "message": error.message}) + "\n")
        return 1
    sys.stdout.write((answer.model_dump_json() if answer else "null") + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="samplemind keys", description="Make, list or revoke keys.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("create").add_argument("wanted", help="a NewKey as JSON")
    actions.add_parser("list")
    actions.add_parser("revoke").add_argument("id")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
