"""How a person or the system asks a stack to end."""

import signal
from types import FrameType

from samplemind_tasks.launch.supervisor import Stack


def stop_on_signals(stack: Stack) -> None:
    """Ctrl-C, SIGTERM and the closing of the terminal ask for the end."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stack.request_stop()

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, ask)
