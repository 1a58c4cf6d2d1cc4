"""What the AI worker and the query worker share: the model, loaded once a process, and how busy its device is."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.model_table import network_cards
from samplemind_tasks.queues import about_this_worker, settings


class Device:
    """Who may compute, and how long it has computed.

    A GPU takes one thread at a time while the other reads or writes; a CPU has its cores.
    """

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)
        self._places = places
        self._counting = threading.Lock()
        self._began = time.monotonic()
        self._busy_s = 0.0
        self._windows = 0

    @contextmanager
    def hold(self, windows: int) -> Iterator[None]:
        """Compute on so many windows; tells the heartbeat afterwards."""
        with self._free:
            began = time.monotonic()
            try:
                yield
            finally:
                self._note(time.monotonic() - began, windows)

    def _note(self, seconds: float, windows: int) -> None:
        with self._counting:
            self._busy_s += seconds
            self._windows += windows
            idle = 1 - self._busy_s / self._places / max(time.monotonic() - self._began, 1e-9)
            about_this_worker.update(
                windows=self._windows,
                idle_share=round(min(max(idle, 0.0), 1.0), 3),
                batch_sizes=_batch_sizes(),
            )


@cache
def embedder() -> Embedder:
    """The model, loaded once a process."""
    return load(settings.model_card, settings.data_dir / "models", settings.device, words=settings.words)


@cache
def sentences() -> Sentences:
    """The sentence model, for models that have no vectors of texts themselves; loaded once a process."""
    return Sentences.load(network_cards(settings.models_file)["sentences"], settings.data_dir / "models")


@cache
def device() -> Device:
    """The device of this process."""
    return Device(1 if embedder().device.type == "cuda" else os.cpu_count() or 1)


def load_first(*, in_bulk: bool) -> None:
    """Load and test the model. A worker without it, or without the GPU it was promised, does not start.

    in_bulk : choose batch sizes by a measurement; who hears one sound at a time needs none

    SystemExit, because Celery logs any other exception of a signal's receiver and goes on.
    """
    try:
        embedder().self_test()
        if in_bulk:
            embedder().measure()
    except ModelUnavailable as error:
        raise SystemExit(f"{error.code}: {error.message}") from error
    about_this_worker.update(
        model=settings.model_card.collection, device=str(embedder().device), batch_sizes=_batch_sizes()
    )


def _batch_sizes() -> dict[str, list[int]]:
    """By network: windows in a batch of one-shots, and in one of long sounds. They shrink when memory runs out."""
    return {network.card.name: list(network.batch_sizes.values()) for network in embedder().networks}
