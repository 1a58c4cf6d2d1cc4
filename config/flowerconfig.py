"""Flower's settings. Loaded by `celery flower --conf=config/flowerconfig.py`, wherever it runs.

The login, `user:password`, comes from the environment: on the command line every user of the machine could read it.
Without one Flower does not start, because its pages can stop workers. Its /healthcheck and /metrics ask nobody who they
are: let no stranger reach the port.
"""

import os

_login = os.environ.get("SAMPLEMIND_FLOWER_AUTH", "")
if not all(_login.partition(":")):
    raise SystemExit("Flower wants a login: set SAMPLEMIND_FLOWER_AUTH=user:password")

basic_auth = [_login]
# what it remembers; it grows without end otherwise
max_tasks = 5000
max_workers = 200
# workers that were scaled away are not shown for ever
purge_offline_workers = 600
# task arguments are ids; nothing else is worth keeping between runs
persistent = False
enable_events = True
# the argument is a job's or a chunk's id, by which logs and the API know it too
tasks_columns = "name,args,state,worker,received,runtime,exception"
