"""What can go wrong, each a function of the running stack. Chosen by seeded dice, so that a round can be repeated."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
from numpy.random import Generator
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.chaos import island
from benchmarks.processes import leaders
from benchmarks.world import World
from samplemind_tasks.queues import Queue

Fault = Callable[[World, Generator], str]
"""Does it, and says what it did."""

KILLED = (
    "worker-cpu", "worker-ai", "worker-control", "worker-scan", "beat", "gateway",
    "redis", "cache", "mongodb", "chroma",
)  # fmt: skip
FROZEN = ("worker-cpu", "worker-ai", "worker-control", "gateway", "redis", "mongodb", "chroma")
FREEZE_S = (0.5, 6.0)
REFUSING_S = 20.0
"""Longer than any client waits for the database."""
CUT_S = (2.0, 15.0)
FULL_S = 6.0
FILLED_AT_ONCE_BYTES = 64 << 10
HELD_BACK_S = 12.0
"""Longer than the reconciler is patient with a lease that stands still."""


def kill_service(world: World, dice: Generator) -> str:
    """kill -9 of a process the supervisor started."""
    name = str(dice.choice(KILLED))
    _signal(_leader(world, name), signal.SIGKILL)
    return f"killed {name}"


def kill_cpu_child(world: World, dice: Generator) -> str:
    """kill -9 of a process that analyses; its parent lives."""
    child = _cpu_child(world, dice)
    _signal(child, signal.SIGKILL)
    return "killed a child of worker-cpu" if child else "nobody to kill"


def freeze_service(world: World, dice: Generator) -> str:
    """SIGSTOP, and after a while SIGCONT."""
    name, seconds = str(dice.choice(FROZEN)), float(dice.uniform(*FREEZE_S))
    _freeze(_leader(world, name), seconds)
    return f"froze {name} for {seconds:.1f} s"


def hold_a_heartbeat_back(world: World, dice: Generator) -> str:
    """A child stands still for longer than its lease, and then goes on as if nothing had happened."""
    child = _cpu_child(world, dice)
    _freeze(child, HELD_BACK_S)
    return f"froze a child of worker-cpu for {HELD_BACK_S:.0f} s" if child else "nobody to freeze"


def refuse_the_database(world: World, _: Generator) -> str:
    """MongoDB answers nobody."""
    _freeze(_leader(world, "mongodb"), REFUSING_S)
    return f"froze mongodb for {REFUSING_S:.0f} s"


def wipe_the_broker(world: World, _: Generator) -> str:
    """FLUSHALL: every message, result and view is gone."""
    with suppress(RedisError), Redis.from_url(world.stack.settings.redis_url) as redis:
        redis.flushall()
    return "wiped the broker"


def deliver_twice(world: World, _: Generator) -> str:
    """Every message that waits is there a second time."""
    copied = 0
    with suppress(RedisError), Redis.from_url(world.stack.settings.redis_url) as redis:
        for queue in Queue:
            messages: list[bytes] = redis.lrange(queue.value, 0, -1)
            for message in messages:
                redis.lpush(queue.value, message)
                copied += 1
    return f"delivered {copied} messages twice"


def kill_everything(world: World, _: Generator) -> str:
    """kill -9 of every process at once: a power cut, and everything starts again."""
    for leader in leaders(world.data_dir).values():
        _signal(leader, signal.SIGKILL)
    return "killed everything at once"


def cut_the_network(_: World, dice: Generator) -> str:
    """Nobody reaches anybody: what is sent is lost, open connections stay silent, new ones cannot be made."""
    seconds = float(dice.uniform(*CUT_S))
    island.cut_network(is_cut=True)
    time.sleep(seconds)
    island.cut_network(is_cut=False)
    return f"cut the network for {seconds:.1f} s"


def fill_the_blob_disk(world: World, _: Generator) -> str:
    """No space left where windows are kept."""
    filler = world.data_dir / "blobs" / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(FILLED_AT_ONCE_BYTES))
    time.sleep(FULL_S)
    filler.unlink()
    return f"filled the disk of the blob store for {FULL_S:.0f} s"


FAULTS: dict[str, tuple[Fault, float]] = {
    "kill a service": (kill_service, 5.0),
    "kill a CPU child": (kill_cpu_child, 2.0),
    "freeze a service": (freeze_service, 3.0),
    "hold a heartbeat back": (hold_a_heartbeat_back, 1.0),
    "database refuses": (refuse_the_database, 0.5),
    "wipe the broker": (wipe_the_broker, 1.5),
    "deliver twice": (deliver_twice, 1.5),
    "kill everything": (kill_everything, 0.5),
}
"""With how often each is chosen, against the others."""
ISLAND_FAULTS: dict[str, tuple[Fault, float]] = {
    "cut the network": (cut_the_network, 1.0),
    "fill the blob disk": (fill_the_blob_disk, 1.0),
}
"""Only where nobody else is hurt."""


def one_fault(world: World, dice: Generator) -> tuple[str, str]:
    """Choose one and do it: its name, and what it did."""
    faults = FAULTS | (ISLAND_FAULTS if island.is_here() else {})
    weights = [weight for _, weight in faults.values()]
    name = str(dice.choice(list(faults), p=[weight / sum(weights) for weight in weights]))
    return name, faults[name][0](world, dice)


def _leader(world: World, name: str) -> psutil.Process | None:
    return leaders(world.data_dir).get(name)


def _cpu_child(world: World, dice: Generator) -> psutil.Process | None:
    leader = _leader(world, "worker-cpu")
    with suppress(psutil.Error):
        children = leader.children() if leader else []
        return children[int(dice.integers(len(children)))] if children else None
    return None


def _signal(process: psutil.Process | None, number: int) -> None:
    with suppress(psutil.Error):
        if process:
            process.send_signal(number)


def _freeze(process: psutil.Process | None, seconds: float) -> None:
    """The campaign goes on meanwhile; who was killed while frozen is gone."""

    def thaw() -> None:
        time.sleep(seconds)
        _signal(process, signal.SIGCONT)

    _signal(process, signal.SIGSTOP)
    threading.Thread(target=thaw, name="thaw").start()
