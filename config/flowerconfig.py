"""Flower's settings. Loaded by `celery flower --conf=config/flowerconfig.py`, wherever it runs.

The password comes from the environment: on the command line every user of the machine could read it. Without one
Flower does not start, because its pages can stop workers.
"""

import os

basic_auth = [os.environ["SAMPLEMIND_FLOWER_AUTH"]]
# tasks it remembers; it grows without end otherwise
max_tasks = 5000
# task arguments are ids; nothing else is worth keeping between runs
persistent = False
enable_events = True
