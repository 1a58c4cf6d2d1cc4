"""The embedded stack: real servers, the workers, Flower and the gateway as loopback children of one process.

services.py    the table: what is started, what it waits for, how it is asked whether it is ready
ready.py       the questions
events.py      what is told meanwhile
supervisor.py  Stack: starts the table in parallel, restarts what dies, stops all
signals.py     how it is asked to end
children.py    who lives: known to the guardian and to the run file
child.py       one child process: its group, its log
guardian.py    the process that ends the children when the parent cannot
check.py       what can be seen to be wrong with the settings
folder.py      the data folder: lock, passwords, run file
provision.py   makes MongoDB's user, once

    with Stack(Settings()) as stack:
        stack.start(print)
        stack.wait()

Any of SAMPLEMIND_REDIS_URL, _CACHE_URL, _MONGO_URL, _CHROMA_URL set means: that server is used and ours is not started.
"""

from samplemind_tasks.launch.check import BadSetting, check_settings
from samplemind_tasks.launch.events import Event, LaunchFailed, NoKeys, ServerAway, StartCancelled
from samplemind_tasks.launch.folder import AlreadyRunning, DataFolder, UnusableFolder, leftovers, read_run_file
from samplemind_tasks.launch.services import SERVICES, STORES
from samplemind_tasks.launch.signals import stop_on_signals
from samplemind_tasks.launch.supervisor import Stack

__all__ = [
    "SERVICES",
    "STORES",
    "AlreadyRunning",
    "BadSetting",
    "DataFolder",
    "Event",
    "LaunchFailed",
    "NoKeys",
    "ServerAway",
    "Stack",
    "StartCancelled",
    "UnusableFolder",
    "check_settings",
    "leftovers",
    "read_run_file",
    "stop_on_signals",
]
