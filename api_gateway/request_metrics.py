"""What this gateway process has answered, counted for Prometheus. A label has few values: templates, no addresses."""

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """The observer of request_ids.py."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._seconds = Histogram(
            "samplemind_http_request_duration_seconds",
            "From a request's arrival to the end of its answer; of event streams to its beginning.",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._in_progress = Gauge(
            "samplemind_http_requests_in_progress", "Requests, event streams among them.", registry=self.registry
        )
        self._streams = Gauge("samplemind_http_event_streams", "Event streams that are open.", registry=self.registry)

    def began(self) -> None:
        """A request has come."""
        self._in_progress.inc()

    def stream_began(self) -> None:
        """Its answer is a stream of events."""
        self._streams.inc()

    def ended(self, *, method: str, route: str, status: int, seconds: float, is_stream: bool) -> None:
        """It is over."""
        self._in_progress.dec()
        if is_stream:
            self._streams.dec()
        known = method if method in METHODS else "other"
        self._seconds.labels(known, route, f"{status // 100}xx").observe(seconds)
