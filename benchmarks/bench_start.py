"""How long until everything is ready, and what it costs while nothing is asked of it."""

import time

from benchmarks.figures import Figure
from benchmarks.processes import idle_shares, in_words
from benchmarks.world import World

READY_BAR_S = 30.0
SETTLING_S = 5.0


def start(world: World) -> list[Figure]:
    """A first start makes the caches; the second, on used data, is the one that counts."""
    if not world.starts:
        world.start()
    if len(world.starts) == 1:
        world.stop()
        world.start()
    first, second = world.starts[:2]
    by_service = dict(sorted(second["services"].items(), key=lambda row: row[1]))
    return [
        Figure(
            "start",
            f"second start on a used data folder, all {len(by_service)} services; seconds since the start of all",
            f"{second['all']:.1f} s ({in_words(by_service, ' s', 0)}); first start {first['all']:.1f} s",
            f"< {READY_BAR_S:.0f} s",
            second["all"] < READY_BAR_S,
            {"first": first, "second": second},
        )
    ]


def idle(world: World) -> list[Figure]:
    """The stack with nothing to do."""
    assert world.stack
    time.sleep(SETTLING_S)
    shares = idle_shares(world.data_dir, world.sizes.idle_s)
    return [
        Figure(
            "idle",
            f"CPU of the whole stack over {world.sizes.idle_s:.0f} s with no job",
            f"{sum(shares.values()):.1f} % of a core ({in_words(shares, ' %', 0.1)})",
            values={"percent_of_a_core": shares},
        )
    ]
