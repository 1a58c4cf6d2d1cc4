"""How the stack comes up, as a person sees it: a board that fills on a terminal, a line a part in a log."""

import time

from rich.live import Live
from rich.table import Table
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call
from samplemind_tasks.launch import SERVICES, Event

ONCE = {
    "warm-audio": "compiling the signal code, which takes longest the first time",
    "models": "checking the model's weights",
}
"""Steps that take their time, in a person's words."""
GOOD = ("ready", "elsewhere")
PENDING = Text("·", style="dim")
MARKS = {
    "starting": Text("·", style="cyan"),
    **dict.fromkeys(GOOD, Text("✓", style="green")),
    "died": Text("✗", style="red"),
}
LOG_LINES = 5
"""Of what a part wrote before it died; the log has the rest."""


class Startup:
    """Shows the stack's events: all on one board until it is ready, from then on as lines."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._console = call.err
        self._latest: dict[str, Event] = {}
        self._ill: dict[str, Event] = {}
        """What died and is not ready again."""
        self._started_at = time.monotonic()
        self._live: Live | None = None
        if self._console.is_terminal and not call.as_json:
            self._live = Live(get_renderable=self._board, console=self._console, transient=True, refresh_per_second=8)

    def __enter__(self) -> "Startup":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None
        if failed is None:
            self._call.tell(Text(f"Ready after {time.monotonic() - self._started_at:.1f} s.", style="green"))
            self._tell_what_waits()

    def on_event(self, event: Event) -> None:
        """Called by the stack's threads, one at a time."""
        self._call.answer({"service": event.service, "what": event.what, "message": event.message})
        is_told = event.what == "starting" and event.service in self._latest  # it died, and is tried again, for hours
        self._latest[event.service] = event
        if event.what == "died":
            self._ill[event.service] = event
        elif event.what in GOOD:
            self._ill.pop(event.service, None)
        if self._live is None and not is_told:
            self._call.tell(*_lines(event))

    def _tell_what_waits(self) -> None:
        """What has to be mended first, and what starts by itself then."""
        for name, event in self._ill.items():
            waiting = ", ".join(each.name for each in SERVICES if name in each.needs)
            if waiting:
                told = f"{name}: {event.message}\n{waiting} start when that is mended; work waits for them."
                self._call.tell(Text(told, style="yellow"))

    def _board(self) -> Table:
        """A line a part, and the seconds that have passed."""
        board = show.grid("", "", "")
        for service in SERVICES:
            event = self._latest.get(service.name)
            mark = MARKS.get(event.what, PENDING) if event else PENDING
            said = _said(event) if event else self._waits_for(service.needs)
            board.add_row(mark, service.name, show.cut(said, style="dim"))
        board.add_row("", Text(show.clock(time.monotonic() - self._started_at), style="dim"), "")
        return board

    def _waits_for(self, needs: tuple[str, ...]) -> str:
        missing = [need for need in needs if need not in self._latest or self._latest[need].what not in GOOD]
        return f"waits for {', '.join(missing)}" if missing else ""


def _said(event: Event) -> str:
    return ONCE.get(event.service, "starting") if event.what == "starting" else event.message


def _lines(event: Event) -> list[Text]:
    """What a log says of it: the start of a part is worth a line only where it takes long."""
    if event.what == "starting" and event.service not in ONCE:
        return []
    head = Text.assemble((f"{event.service}: " if event.service else ""), _said(event))
    return [head, *(Text(f"  | {line}", style="dim") for line in event.log_lines[-LOG_LINES:])]
