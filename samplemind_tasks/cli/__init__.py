"""The `samplemind` command: a light client of the gateway, and the programs around it.

call.py      one call of a command: its options, its output, its errors
client.py    what a gateway can be asked; transport.py how
jobs.py      add, jobs, failures, retry, cancel
folder_watch.py  watch: a folder, for what changes in it
reprocess.py reprocess
queues.py    queues, pause, resume
library.py   list, show, delete, stats
said.py      set; collections.py collections and saved searches; named.py which of them is meant
search.py    search, similar, duplicates, reindex
export.py    export; list_filters.py what `list`, it and reprocess narrow by
teach.py     teach
keys.py      keys create, list, revoke
doctor.py    doctor, down; addresses.py open
programs.py  run, up, measure, models: programs of their own
stack.py     what run and up are; quiet_start.py how such a program is started
show.py      cells and tables; sheet.py one sample; progress.py one job; watch.py follows a job
"""

import json
import os
import sys
from importlib import metadata
from typing import Annotated

try:
    import typer
    from typer.exceptions import TyperException

    from samplemind_tasks.cli import (
        addresses,
        collections,
        doctor,
        export,
        folder_watch,
        jobs,
        keys,
        library,
        programs,
        queues,
        reprocess,
        said,
        search,
        teach,
    )
except KeyboardInterrupt:
    raise SystemExit(130) from None

app = typer.Typer(
    name="samplemind",
    help="Listens to a sample library and makes it searchable by sound.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PANELS = (
    ("The stack", (programs.stack_app, doctor.app, addresses.app)),
    ("Jobs", (jobs.app, folder_watch.app, reprocess.app, queues.app)),
    ("The library", (search.app, library.app, said.app, export.app, teach.app)),
    ("Without the stack", (programs.tool_app,)),
)
for panel, parts in PANELS:
    for info in (info for part in parts for info in part.registered_commands):
        info.rich_help_panel = panel
        app.registered_commands.append(info)
app.add_typer(collections.app, name="collections", rich_help_panel="The library")
app.add_typer(collections.searches_app, name="searches", rich_help_panel="The library")
app.add_typer(keys.app, name="keys", rich_help_panel="Access")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"samplemind {metadata.version('samplemind')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
    url: Annotated[str, typer.Option("--url", help="The gateway to ask, as SAMPLEMIND_URL.")] = "",
    key: Annotated[str, typer.Option("--key", help="The key to send, as SAMPLEMIND_KEY, which nobody else sees.")] = "",
) -> None:
    """Listens to a sample library and makes it searchable by sound."""
    os.environ.update({name: given for name, given in (("SAMPLEMIND_URL", url), ("SAMPLEMIND_KEY", key)) if given})


def main() -> None:
    """The console script."""
    try:
        bear_any_name()
        if "--json" in sys.argv:
            raise SystemExit(_told_as_json())
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _told_as_json() -> int:
    """Run for a program, which is told in JSON too that its call makes no sense."""
    try:
        return int(app(standalone_mode=False) or 0)
    except TyperException as error:
        told = {
            "code": "usage",
            "message": error.format_message(),
            "detail": {},
            "next": "`--help` shows what it takes",
        }
        sys.stderr.write(json.dumps(told) + "\n")
        return error.exit_code


def bear_any_name() -> None:
    """A file name that is not valid text must not end a listing."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper, in a program
