"""What is known of the work, in Prometheus' text format.

What a store that is away would know is left out rather than told as zero. Labels never name a user or a file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from api_gateway.request_metrics import RequestMetrics
from samplemind_tasks.library.health import ROLES
from samplemind_tasks.library.metrics import Look
from samplemind_tasks.queue_views import QueueView
from samplemind_tasks.schemas import TERMINAL_STATES, JobState
from samplemind_tasks.store.tally import BUCKETS_S, Tallied

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""What every reader of such text knows; the names are plain enough for it."""
OPEN_STATES = [state for state in JobState if state not in TERMINAL_STATES]
Facts = Mapping[str, object]
Row = tuple[tuple[str, ...], float]
"""Values of the labels, and the number."""


def exposition(look: Look, requests: RequestMetrics) -> bytes:
    """The whole text: this process' requests, and everybody's work."""
    return generate_latest(requests.registry) + generate_latest(_Families(look))


class _Families(Collector):
    """A look as Prometheus' families."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        look = self._look
        yield _gauge("info", "What runs here.", ("version",), [((version("samplemind"),), 1)])
        stores = [((name,), float(ok)) for name, ok in look.stores.items()]
        yield _gauge("store_up", "Whether a store answers.", ("store",), stores)
        reads = [(labels, count) for labels, count in sorted(look.cache.items())]
        yield _counter("cache_reads", "Reads of the cache by this gateway.", ("what", "result"), reads)
        waits = [((what,), seconds) for what, seconds in sorted(look.cache_s.items())]
        yield _counter("cache_read_seconds", "What these reads took together.", ("what",), waits)
        if look.queues is not None:
            yield from _queues(look.queues)
        if look.work is not None:
            jobs = [((state.value,), look.work.jobs[state]) for state in OPEN_STATES]
            yield _gauge("jobs_open", "Jobs that are not finished.", ("state",), jobs)
            help_text = "For how long the chunk has been in a worker's hands that is held longest; 0: none is."
            yield _gauge("oldest_lease_age_seconds", help_text, (), [((), look.oldest_lease_s)])
        if look.tallied is not None:
            yield from _tallied(look.tallied)
        if look.workers is not None:
            yield from _workers(look.workers)


def _queues(queues: Iterable[QueueView]) -> Iterator[Metric]:
    """Depth, in messages of the broker and in chunks of jobs, where chunks pass through."""
    rows = {(row.name,): row for row in queues}
    chunks = {name: row for name, row in rows.items() if row.chunks_waiting is not None}
    told: dict[str, tuple[str, list[Row]]] = {
        "queue_messages": ("Messages that wait in the broker.", [(at, row.messages) for at, row in rows.items()]),
        "queue_messages_taken": (
            "Messages that workers hold: at work, or next.",
            [(at, row.taken) for at, row in rows.items()],
        ),
        "queue_paused": (
            "Whether a person has paused it.",
            [(at, row.paused_since is not None) for at, row in rows.items()],
        ),
        "chunks_waiting": (
            "Chunks of open jobs that wait, sent or not.",
            [(at, row.chunks_waiting or 0) for at, row in chunks.items()],
        ),
        "chunks_at_work": ("Chunks in workers' hands.", [(at, row.chunks_at_work or 0) for at, row in chunks.items()]),
    }
    for name, (help_text, values) in told.items():
        yield _gauge(name, help_text, ("queue",), values)


def _tallied(tallied: Tallied) -> Iterator[Metric]:
    files = sorted(tallied.files.items())
    yield _counter("files", "Files that went through a stage, by what became of them.", ("stage", "outcome"), files)
    help_text = "Times a stage did not end: a store away, a fault of ours, a worker that died."
    yield _counter("chunk_troubles", help_text, ("stage", "trouble"), sorted(tallied.troubles.items()))
    yield _counter("windows_heard", "Windows the model has heard.", (), [((), tallied.windows)])
    seconds = HistogramMetricFamily(
        "samplemind_chunk_duration_seconds", "How long a worker had a chunk in its hands.", labels=("stage",)
    )
    ends = [*map(str, BUCKETS_S), "+Inf"]
    for stage, times in sorted(tallied.times.items()):
        buckets = list(zip(ends, accumulate(times.in_buckets), strict=True))
        seconds.add_metric((stage,), buckets, times.sum_s)
    yield seconds


def _workers(workers: Mapping[str, Sequence[Facts]]) -> Iterator[Metric]:
    """Who is at work, and how. Processes of one role on one host are told together: their ids come and go."""
    processes = [((role,), len(workers.get(role, ()))) for role in ROLES]
    yield _gauge("worker_processes", "Worker processes that live.", ("role",), processes)
    by_host: dict[tuple[str, str], list[Facts]] = {}
    for role in ROLES:
        for facts in workers.get(role, ()):
            by_host.setdefault((role, str(facts.get("host", ""))), []).append(facts)
    at = ("role", "host")
    stands = [(who, min(_number(facts, "stands_s") for facts in told)) for who, told in by_host.items()]
    help_text = "For how long work has waited and none of these workers took any."
    yield _gauge("worker_standstill_seconds", help_text, at, stands)
    hearing = {who: [facts for facts in told if "device" in facts] for who, told in by_host.items()}
    devices = {
        (*who, str(facts["device"]), str(facts.get("model"))): 1.0 for who, told in hearing.items() for facts in told
    }
    yield _gauge("worker_device", "Where a worker's model runs.", (*at, "device", "model"), devices.items())
    idle = [
        (who, sum(shares) / len(shares))
        for who, told in hearing.items()
        if (shares := [_number(facts, "idle_share") for facts in told if "idle_share" in facts])
    ]
    yield _gauge("worker_device_idle_ratio", "Share of its life in which a device did not compute.", at, idle)
    sizes = _batches(hearing)
    yield _gauge("worker_batch_windows", "Windows a model takes at once.", (*at, "network", "sounds"), sizes)


def _batches(hearing: Mapping[tuple[str, str], list[Facts]]) -> list[tuple[tuple[str, ...], float]]:
    """The smallest of a host's processes: they shrink when memory runs out."""
    least: dict[tuple[str, ...], float] = {}
    for who, told in hearing.items():
        for facts in told:
            sizes = facts.get("batch_sizes")
            for network, each in sizes.items() if isinstance(sizes, dict) else ():
                for sounds, size in zip(("short", "long"), each, strict=False):
                    name = (*who, str(network), sounds)
                    least[name] = min(least.get(name, size), size)
    return list(least.items())


def _number(facts: Facts, name: str) -> float:
    found = facts.get(name)
    return float(found) if isinstance(found, int | float) else 0.0


def _gauge(name: str, help_text: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(f"samplemind_{name}", help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family


def _counter(name: str, help_text: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    family = CounterMetricFamily(f"samplemind_{name}", help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family
