"""How long until everything is ready, how long until the gateway is, and what it costs while nothing is asked of it."""

import subprocess
import sys
import time
from statistics import median

import psutil

from benchmarks.figures import Figure
from benchmarks.processes import idle_shares, in_words, leaders
from benchmarks.world import World
from samplemind_tasks.launch.ready import http_answers
from samplemind_tasks.launch.site import free_port

READY_BAR_S = 30.0
SETTLING_S = 5.0
ANSWER_BAR_S = 1.5
IMPORT_BAR_S = 0.7
TIMES = 7
LOOK_EVERY_S = 0.005
IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import api_gateway.app
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


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
        ),
        _cold_gateway(world),
        _cold_import(),
    ]


def _cold_gateway(world: World) -> Figure:
    """The stack's own gateway once more, on another port beside it."""
    assert world.stack
    gateway = leaders(world.data_dir)["gateway"]
    argv, environment = gateway.cmdline(), gateway.environ()
    walls, cpus = zip(*(_first_answer(argv, environment) for _ in range(TIMES)), strict=True)
    return Figure(
        "cold gateway",
        f"from the start of the gateway's process to its first answer, {TIMES} times",
        f"{median(walls):.2f} s median, {max(walls):.2f} s at most; {median(cpus):.2f} s of CPU",
        f"< {ANSWER_BAR_S:g} s",
        median(walls) < ANSWER_BAR_S,
        {"wall_s": walls, "cpu_s": cpus},
    )


def _first_answer(argv: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until it answers, and of CPU until then."""
    port = free_port()
    argv = [*argv[: argv.index("--port") + 1], str(port), *argv[argv.index("--port") + 2 :]]
    began = time.perf_counter()
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not http_answers(f"http://127.0.0.1:{port}/v1/health/live"):
            assert process.poll() is None, "the gateway ended"
            time.sleep(LOOK_EVERY_S)
        wall_s, used = time.perf_counter() - began, psutil.Process(process.pid).cpu_times()
        process.terminate()
    return wall_s, used.user + used.system


def _cold_import() -> Figure:
    """Loading the application alone, in fresh processes with warm files."""
    rows = [
        tuple(map(float, subprocess.check_output([sys.executable, "-c", IMPORT], text=True).split()))
        for _ in range(TIMES)
    ]
    walls, cpus = zip(*rows, strict=True)
    return Figure(
        "cold import",
        f"import of api_gateway.app in a fresh process, {TIMES} times",
        f"{median(walls):.2f} s median, {max(walls):.2f} s at most; {median(cpus):.2f} s of CPU",
        f"< {IMPORT_BAR_S:g} s",
        median(walls) < IMPORT_BAR_S,
        {"wall_s": walls, "cpu_s": cpus},
    )


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
