"""`python -m samplemind_tasks.launch.probe`: the health check of a worker in a container.

Judged by the heartbeat that the worker itself keeps in Redis, as `samplemind up` judges it: not by whether a process is
there, nor by `inspect ping`, which a busy pool does not answer.
"""

import os
import sys

import psutil

from samplemind_tasks.launch.ready import worker_beats
from samplemind_tasks.settings import Settings


def beats(redis_url: str, role: str) -> bool:
    """Whether the worker of this container beats: it is the first process, or one of its children."""
    first = psutil.Process(1)
    return any(worker_beats(redis_url, role, process.pid) for process in (first, *first.children()))


def main() -> int:
    """0 when it beats; 1 with a sentence when it does not."""
    role = os.environ.get("SAMPLEMIND_ROLE", "worker")
    if beats(Settings().redis_url, role):
        return 0
    sys.stderr.write(f"no heartbeat of a {role} worker of {os.uname().nodename} in Redis\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
