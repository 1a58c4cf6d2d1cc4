"""Commands that are programs of their own: this process becomes them, so that signals, output and exit code are theirs.

The command line itself stays light: these load signal libraries, PyTorch or the database drivers.
"""

import os
import sys
from pathlib import Path

import typer

from samplemind_tasks.cli.call import read_settings

stack_app = typer.Typer()
tool_app = typer.Typer()

QUIET_START = Path(__file__).with_name("quiet_start.py")
AS_THEY_ARE = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Arguments are the program's to understand, --help too."""


@stack_app.command(context_settings=AS_THEY_ARE, add_help_option=False)
def run(context: typer.Context) -> None:
    """Start everything, analyse a library, show what was found."""
    _become("samplemind_tasks.cli.stack", "run", *context.args)


@stack_app.command(context_settings=AS_THEY_ARE, add_help_option=False)
def up(context: typer.Context) -> None:
    """Start the embedded stack and stay until Ctrl-C."""
    _become("samplemind_tasks.cli.stack", "up", *context.args)


@tool_app.command(context_settings=AS_THEY_ARE, add_help_option=False)
def measure(context: typer.Context) -> None:
    """Measure files and print the numbers; needs no stack."""
    _become("samplemind_tasks.measure", *context.args)


@tool_app.command(context_settings=AS_THEY_ARE, add_help_option=False)
def models(context: typer.Context) -> None:
    """List the models, download them, or verify that they work."""
    _become("samplemind_tasks.models", *context.args)


def _become(module: str, *arguments: str) -> None:
    read_settings("", None)  # what is wrong with them is said in a sentence, before anything reads them as it loads
    if os.environ.get("SAMPLEMIND_DATA_DIR") == "":
        del os.environ["SAMPLEMIND_DATA_DIR"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", str(QUIET_START), module, *arguments])  # noqa: S606 - a fixed program, no shell
