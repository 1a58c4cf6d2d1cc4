"""What a stack tells while it starts and runs, and how a start can fail."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from samplemind_tasks.errors import SampleMindError

_REASON = re.compile(r"([a-z]+(?:_[a-z]+)*): (\S.*)")
"""How our programs end when they cannot start."""

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

    def __init__(self, service: str, message: str, log_lines: tuple[str, ...] = (), *, code: str | None = None) -> None:
        super().__init__(f"{service}: {message}", code=code, detail={"service": service, "log_lines": list(log_lines)})
        self.service = service
        self.log_lines = log_lines

    @classmethod
    def with_last_words(cls, service: str, log_lines: tuple[str, ...], log: Path) -> Self:
        """For the reason that the service itself gave, as `code: sentence`; else for its last line, whatever it is."""
        said = next(filter(None, map(_REASON.fullmatch, reversed(log_lines))), None)
        if said is not None:
            return cls(service, f"{said[2]} Its log: {log}", log_lines, code=said[1])
        last = log_lines[-1] if log_lines else "it says nothing"
        return cls(service, f"does not start: {last}; log: {log}", log_lines)


class ServerAway(LaunchFailed):
    """A server that a setting names does not answer."""

    code = "server_away"


class NoKeys(LaunchFailed):
    """Others could reach the gateway, and there is no key that it could ask for."""

    code = "no_keys"


class StartCancelled(SampleMindError):
    """Somebody asked for the end before the start was finished."""

    code = "start_cancelled"
