"""Where to look with a browser: open."""

import os
import sys
import webbrowser
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli.call import Call, NotRunning, command, one_of
from samplemind_tasks.cli.running import running_stack
from samplemind_tasks.cli.transport import Json

app = typer.Typer()


class Page(StrEnum):
    """What there is to look at."""

    DOCS = "docs"
    """Everything the gateway can be asked."""
    FLOWER = "flower"
    """Queues, workers and tasks."""


@command(app, "open")
def open_page(
    call: Call,
    page: Annotated[
        Page, typer.Argument(metavar="[PAGE]", parser=one_of(Page), help="docs (the API), or flower (queues, workers).")
    ] = Page.DOCS,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, and open nothing.")] = False,
) -> None:
    """Open a page of the stack in the browser, or say where it is."""
    told = _flower(call) if page is Page.FLOWER else {"url": f"{call.gateway.url}/docs"}
    call.answer(told)
    call.show(told["url"])
    if "user" in told:
        call.tell(Text(f"user {told['user']}, password {told['password']}", style="dim"))
    if not only_print and not call.as_json and call.out.is_terminal and _has_browser():
        webbrowser.open(told["url"])


def _flower(call: Call) -> Json:
    stack = running_stack(call.settings.data_dir)
    if stack is None or not stack.flower.url:
        raise NotRunning(f"no stack with Flower runs on {call.settings.data_dir}")
    return stack.flower.model_dump()


def _has_browser() -> bool:
    """Whether a window can open: a browser for terminals would take this one over."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
