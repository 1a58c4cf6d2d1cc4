"""What a stack tells while it starts and runs, and how a start can fail."""

from dataclasses import dataclass
from typing import Literal

from samplemind_tasks.errors import SampleMindError

What = Literal["starting", "ready", "elsewhere", "died", "stopping", "stopped"]


@dataclass(frozen=True)
class Event:
    """Something a person at the terminal wants to know."""

    service: str
    """Empty when it concerns all."""
    what: What
    message: str
    log_lines: tuple[str, ...] = ()
    """The last words of one that died."""


class LaunchFailed(SampleMindError):
    """A service dies again and again, or does not answer."""

    code = "launch_failed"

    def __init__(self, service: str, message: str, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(f"{service}: {message}", detail={"service": service, "log_lines": list(log_lines)})
        self.service = service
        self.log_lines = log_lines


class ServerAway(LaunchFailed):
    """A server that a setting names does not answer."""

    code = "server_away"


class StartCancelled(SampleMindError):
    """Somebody asked for the end before the start was finished."""

    code = "start_cancelled"
