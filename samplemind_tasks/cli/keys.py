"""`samplemind keys`: who may ask the gateway.

With --url (or SAMPLEMIND_URL) a gateway is asked, with an admin's key. Without, the database of this machine's settings
or stack is, in a process of its own: the first key must come from somewhere.
"""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from samplemind_tasks.access import CreatedKey, KeyList, KeyView, Scope
from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, one_of
from samplemind_tasks.cli.running import running_stack
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.errors import SampleMindError

app = typer.Typer(
    no_args_is_help=True,
    help="Make, list and revoke the keys that open the gateway.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
SPAN = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
SCOPES = "read: look and search. write: also add and change. admin: also keys and queues."


def _expiry(text: str) -> datetime:
    """The end of a span from now."""
    told = SPAN.fullmatch(text)
    if not told:
        raise typer.BadParameter(f"{text!r}: write 12h, 90d, 4w or 1y")
    return datetime.now(UTC) + timedelta(hours=int(told[1]) * HOURS[told[2]])


@command(app)
def create(
    call: Call,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whose library it opens.")],
    name: Annotated[str, typer.Option("--name", metavar="WHERE", help="What it is for, such as a device.")],
    scope: Annotated[
        Scope, typer.Option("--scope", parser=one_of(Scope), metavar="read|write|admin", help=SCOPES)
    ] = Scope.WRITE,
    expires: Annotated[
        datetime | None, typer.Option("--expires", parser=_expiry, metavar="SPAN", help="12h, 90d, 4w, 1y.")
    ] = None,
) -> None:
    """Make a key. It is printed once, alone on stdout, and kept nowhere.

    `local` is the user whose library a gateway on loopback opens without a key.
    """
    wanted: Json = {"user": user, "name": name, "scope": scope.value}
    if expires is not None:
        wanted["expires_at"] = expires.isoformat()
    is_asked = bool(call.settings.url)
    answer = call.gateway.create_key(wanted) if is_asked else _on_the_server(call, "create", json.dumps(wanted))
    call.answer(answer)
    made = CreatedKey.model_validate(answer, extra="ignore")
    call.tell(Text(f"a key of {made.user} ({made.scope}, {_end(made)}), shown this once:", style="dim"))
    call.show(Text(made.key))
    call.tell(Text("set SAMPLEMIND_KEY to it; other clients send Authorization: Bearer KEY", style="dim"))


@command(app, "list")
def list_keys(call: Call) -> None:
    """List the keys of all users, without their secrets."""
    answer = call.gateway.keys() if call.settings.url else _on_the_server(call, "list")
    for key in answer["keys"]:
        call.answer(key)
    keys = KeyList.model_validate(answer, extra="ignore").keys
    call.show(_table(keys) if keys else "There are no keys. A gateway on loopback needs none.")


@command(app)
def revoke(
    call: Call, key_id: Annotated[str, typer.Argument(metavar="ID", help="The middle part of the key, as listed.")]
) -> None:
    """Let a key open nothing more, from five seconds on."""
    key_id = key_id.split("_")[1] if key_id.count("_") == 2 else key_id  # the whole key was given
    if call.settings.url:
        call.gateway.revoke_key(key_id)
    else:
        _on_the_server(call, "revoke", key_id)
    call.answer({"revoked": key_id})
    call.show(f"revoked: {key_id}")


def _on_the_server(call: Call, *words: str) -> Json:
    """What samplemind_tasks/keys.py answers."""
    if "mongo_url" not in call.settings.model_fields_set and running_stack(call.settings.data_dir) is None:
        call.tell(Text("no stack runs: its database is started for a moment", style="dim"))
    told = subprocess.run(
        [sys.executable, "-P", "-m", "samplemind_tasks.keys", *words],
        env={**os.environ, "SAMPLEMIND_DATA_DIR": str(call.settings.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode == 0:
        answer: Json = json.loads(told.stdout) or {}
        return answer
    try:
        problem = json.loads(told.stderr.splitlines()[-1])
        raise SampleMindError(problem["message"], code=problem["code"])
    except (ValueError, LookupError, TypeError) as error:
        raise SampleMindError(f"keys cannot be reached: {told.stderr.strip()[-500:]}") from error


def _table(keys: list[KeyView]) -> Table:
    table = show.grid("id", "user", "scope", "name", "made", "last used", "ends")
    for key in keys:
        used = show.ago(key.last_used_at) if key.last_used_at else show.NONE
        end = Text(_end(key), style="red" if key.revoked_at else "")
        table.add_row(Text(key.id), key.user, str(key.scope), show.cut(key.name), show.ago(key.created_at), used, end)
    return table


def _end(key: KeyView) -> str:
    if key.revoked_at is not None:
        return f"revoked {show.ago(key.revoked_at)}"
    if key.expires_at is None:
        return "never expires"
    day = key.expires_at.astimezone().strftime("%Y-%m-%d")
    return f"expires {day}" if key.expires_at > datetime.now(UTC) else f"expired {day}"
