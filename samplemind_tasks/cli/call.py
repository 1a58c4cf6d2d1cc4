"""One call of a command: where its gateway is, where it writes, and how it fails.

`@command(app)` gives every command the same four options (--json, --url, --api-key, --data-dir) and the same way to
fail: `code: message` and the next step on stderr, exit code 1. stdout carries results only; progress goes to stderr.
"""

import functools
import inspect
import json
import os
import re
import shutil
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from samplemind_tasks.cli.client import Gateway
from samplemind_tasks.cli.running import running_stack
from samplemind_tasks.cli.show import CONTROLS, on_one_line
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.settings import Settings, default_data_dir

PIPE_COLUMNS = 1000
"""What a pipe or a log gets is not cut."""

NEXT_STEPS = {
    "not_running": "start it with `samplemind up` and wait until it is ready",
    "unreachable": "is the address right, http or https, and the port? `samplemind doctor` there shows what is away",
    "no_such_route": "give the gateway's address alone, without a path: http://HOST:PORT",
    "already_running": "use it, or stop it with `samplemind down`",
    "launch_failed": "the logs folder of the data directory has the whole story",
    "server_away": "start that server, or unset the setting: then `samplemind up` starts one of its own",
    "bad_setting": "set it right, or unset it for the default",
    "unusable_folder": "choose another folder with --data-dir or SAMPLEMIND_DATA_DIR",
    "not_found": "`samplemind list` shows the samples, `samplemind jobs` the jobs",
    "ambiguous": "write more of it: the id, or the path",
    "path_not_found": "the path is looked for where the gateway runs",
    "path_unreadable": "let the user the gateway runs as read it",
    "outside_roots": "start the stack with `samplemind up --root FOLDER` to allow the folder",
    "not_ready": "`samplemind jobs` shows what is still on its way",
    "index_loading": "ask again in a moment: the library is being read",
    "sound_gone": "send the sound again: `samplemind search --like FILE`",
    "other_model": "send the sound again: `samplemind search --like FILE`",
    "not_heard": "`samplemind reprocess` has the model hear the library; `samplemind jobs` shows how far it is",
    "silent": "there is nothing to hear in it; another sound will do",
    "not_measured": "`samplemind jobs` shows what is still on its way",
    "no_such_queue": "`samplemind queues` lists them; a job is named by at least the first 6 characters of its id",
    "cannot_pause": "`samplemind queues` lists them all",
    "job_ended": "`samplemind add` or `samplemind retry` starts another",
    "nothing_to_retry": "`samplemind failures JOB` lists them; `samplemind add FOLDER --everything` measures all again",
    "mismatch": "install the gateway's version of SampleMind here; --json prints what it said",
    "invalid": "correct the request; `--help` after a command shows what it takes",
    "too_large": "SAMPLEMIND_MAX_UPLOAD_BYTES sets the limit where the gateway runs",
    "store_unavailable": "nothing is lost, work waits; `samplemind doctor` shows which part is away",
    "model_unavailable": "`samplemind models pull` fetches what is missing, `samplemind models verify` checks the rest",
    "no_gpu": "`samplemind up` with SAMPLEMIND_DEVICE=auto takes the CPU where there is no GPU",
    "incomplete": "`samplemind doctor` shows which part went away; then export again",
    "unconfirmed": "the same command with --yes",
    "no_such_collection": "`samplemind collections list` shows them",
    "no_such_search": "`samplemind searches list` shows them",
    "name_taken": "choose another name, or delete the one that has it",
    "no_such_folder": "name a folder that is there",
    "no_such_sample": "`samplemind list` shows what is in the library, with ids",
    "no_such_job": "`samplemind jobs` lists them",
    "unwritable": "choose another file with --output",
    "busy": "ask again when another export has ended",
    "not_installed": "install the extra where the gateway runs, and restart it",
    "no_key": "give it by SAMPLEMIND_KEY; `samplemind keys create` where the gateway runs makes one",
    "wrong_key": "`samplemind keys list` where the gateway runs shows which keys there are; SAMPLEMIND_KEY gives one",
    "missing_scope": "`samplemind keys create --scope {needed}` where the gateway runs makes a key that may",
    "no_keys": "make one, then start again; SAMPLEMIND_HOST=127.0.0.1 needs none",
    "key_not_found": "`samplemind keys list` shows the ids",
    "still_starting": "`samplemind doctor` shows when everything is ready",
    "too_many_jobs": "`samplemind jobs` shows them; SAMPLEMIND_MAX_OPEN_JOBS sets the limit where the gateway runs",
    "too_many_requests": "SAMPLEMIND_REQUESTS_PER_S sets the limit where the gateway runs",
    "internal": "the gateway's log has the whole story, in the logs folder of the data directory",
}


def program() -> str:
    """How a person calls this program here: its name, or where it lies when the PATH does not lead to it."""
    if shutil.which("samplemind"):
        return "samplemind"
    script = Path(sysconfig.get_path("scripts")) / "samplemind"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


class NotRunning(SampleMindError):
    """There is no stack to ask."""

    code = "not_running"


class HarmlessConsole(Console):
    """Shows what would move the cursor or colour the screen as what it is: a file's name may hold anything."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of what is shown, the renderer's own control codes alone left alone."""
        for segment in super().render(renderable, options):
            if not segment.control and CONTROLS.search(segment.text):
                yield Segment("\n".join(map(on_one_line, segment.text.split("\n"))), segment.style)
            else:
                yield segment


def _console(*, stderr: bool) -> Console:
    """Text as it is: file names full of brackets and colons must not turn into markup or emoji."""
    console = HarmlessConsole(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    return console


def _without_padding(console: Console, shown: RenderableType) -> str:
    """What is shown, without the spaces that fill its lines."""
    with console.capture() as captured:
        console.print(shown)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


@dataclass
class Call:
    """One call of a command."""

    settings: Settings
    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @functools.cached_property
    def gateway(self) -> Gateway:
        """The gateway of --url or SAMPLEMIND_URL, else of the stack that runs on the data directory."""
        if self.settings.url:
            return Gateway(self.settings.url, self.settings.key.get_secret_value())
        stack = running_stack(self.settings.data_dir)
        if stack is None:
            raise NotRunning(f"no stack runs on {self.settings.data_dir}")
        if not stack.url:
            raise NotRunning(f"the stack (pid {stack.pid}) is still starting", code="still_starting")
        return Gateway(stack.url, self.settings.key.get_secret_value())

    def show(self, *human: RenderableType) -> None:
        """Write for a person, unless a program listens."""
        if self.as_json:
            return
        for part in human:
            if self.out.is_terminal:
                self.out.print(part)
            else:
                typer.echo(_without_padding(self.out, part))

    def tell(self, *human: RenderableType) -> None:
        """Say on stderr what is going on, unless a program listens."""
        if not self.as_json:
            for part in human:
                self.err.print(part, soft_wrap=True)

    def answer(self, value: Json) -> None:
        """Write one JSON value on one line, if a program listens."""
        if self.as_json:
            typer.echo(json.dumps(value))

    def fail(self, error: SampleMindError) -> None:
        """Say on stderr what went wrong and what to do next; to a program as one JSON value."""
        step = NEXT_STEPS.get(error.code, "").replace("`samplemind", f"`{program()}")
        step = step.replace("{needed}", str(error.detail.get("needed", "write")))
        if self.as_json:
            told = {"code": error.code, "message": error.message, "detail": error.detail, "next": step or None}
            typer.echo(json.dumps(told), err=True)
            return
        self.err.print(Text.assemble((error.code, "bold red"), ": ", error.message), soft_wrap=True)
        if step:
            self.err.print(Text(f"next: {step}", style="dim"), soft_wrap=True)


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs, one value a line, nothing else.")]
UrlOption = Annotated[str, typer.Option("--url", help="The gateway. Default: SAMPLEMIND_URL, else the running stack.")]
KeyOption = Annotated[
    str,
    typer.Option(
        "--api-key", help="The key to send. Better SAMPLEMIND_KEY: others on this machine can read command lines."
    ),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the embedded stack lives. Default: SAMPLEMIND_DATA_DIR.")
]
COMMON_OPTIONS = [
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, default="", annotation=UrlOption),
    inspect.Parameter("api_key", inspect.Parameter.KEYWORD_ONLY, default="", annotation=KeyOption),
    inspect.Parameter("data_dir", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=DataDirOption),
]

Arguments = ParamSpec("Arguments")
Body = Callable[Concatenate[Call, Arguments], int | None]


def command(app: typer.Typer, name: str | None = None) -> Callable[[Body[Arguments]], Body[Arguments]]:
    """Register a function as a command. It is handed its Call first, and answers its exit code or nothing for 0."""

    def register(body: Body[Arguments]) -> Body[Arguments]:
        def invoke(as_json: bool, url: str, api_key: str, data_dir: Path | None, **arguments: object) -> None:
            call = Call(read_settings(url, data_dir, api_key), as_json=as_json)
            try:
                code = body(call, **arguments)  # type: ignore[arg-type, call-arg]  # made from body's signature
            except SampleMindError as error:
                call.fail(error)
                code = 1
            except ValidationError as error:
                call.fail(SampleMindError(f"the gateway answered in another version's words: {error}", code="mismatch"))
                code = 1
            raise typer.Exit(code or 0)

        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        invoke.__signature__ = inspect.Signature([*keyword_only, *COMMON_OPTIONS])  # type: ignore[attr-defined]
        invoke.__name__, invoke.__doc__ = body.__name__, body.__doc__
        app.command(name)(invoke)
        return body

    return register


def read_settings(url: str, data_dir: Path | None, api_key: str = "") -> Settings:
    """The environment's settings, and what the command line says over them."""
    given: dict[str, object] = {}
    if url:
        given["url"] = _web_address(url)
    if api_key:
        given["key"] = api_key
    if data_dir is not None:
        given["data_dir"] = data_dir.expanduser().absolute()
    elif os.environ.get("SAMPLEMIND_DATA_DIR") == "":
        given["data_dir"] = default_data_dir()  # set to nothing is not set
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        field_name = ".".join(str(part) for part in first["loc"])
        raise typer.BadParameter(f"SAMPLEMIND_{field_name.upper()}: {first['msg']}") from error
    except SettingsError as error:  # a list that is no JSON
        named = re.search(r'field "(\w+)"', str(error))
        variable = f"SAMPLEMIND_{named[1].upper()}" if named else "a setting"
        right = json.dumps([os.environ.get(variable) or "/music"])
        raise typer.BadParameter(f"{variable} is a JSON list: write {variable}='{right}'") from error
    if settings.url:
        _web_address(settings.url)
    return settings


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"--url or SAMPLEMIND_URL: {url!r} is no web address: write http://HOST:PORT")
    return url.rstrip("/")


Word = TypeVar("Word", bound=StrEnum)


def one_of(words: type[Word]) -> Callable[[str], Word]:
    """Reads one of the words."""

    def read(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(words)}") from None

    return read


def named_path(text: str) -> Path:
    """A path of the command line; an empty one would mean the current folder without saying so."""
    if not text:
        raise typer.BadParameter("an empty path; write . for the current folder")
    return Path(text)
