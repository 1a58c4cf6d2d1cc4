"""`python -m samplemind_tasks.launch`: the stack in the foreground, until Ctrl-C or SIGTERM."""

import sys
import time

from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.launch.events import Event
from samplemind_tasks.launch.folder import read_run_file
from samplemind_tasks.launch.signals import stop_on_signals
from samplemind_tasks.launch.supervisor import Stack
from samplemind_tasks.settings import Settings


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _show(event: Event) -> None:
    _say(f"{event.service:15} {event.what:9} {event.message}")
    for line in event.log_lines:
        _say(f"{'':15} | {line}")


def main() -> int:
    """Run the whole stack; 1 when it cannot start."""
    settings = Settings()
    stack = Stack(settings)
    stop_on_signals(stack)
    started = time.monotonic()
    try:
        stack.start(_show)
    except SampleMindError as error:
        _say(error.message)
        return 1
    _say(f"ready after {time.monotonic() - started:.1f} s: {stack.url}")
    flower = read_run_file(settings.data_dir)["flower"]
    password = flower["password"] if sys.stdout.isatty() else f"in {settings.data_dir / 'run.json'}"
    _say(f"Flower: {flower['url']} (user {flower['user']}, password {password})")
    stack.wait()
    stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
