"""The embedded servers, once per test process: the launcher that users run is the fixture of the tests."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from samplemind_tasks import queues
from samplemind_tasks.launch import STORES, Stack
from samplemind_tasks.launch.ready import migrate_database
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.vectors import chroma_client

for name in [name for name in os.environ if name.startswith("SAMPLEMIND_") and name != "SAMPLEMIND_CORPUS"]:
    del os.environ[name]  # a developer's own servers are not for tests


LONGEST_FIRST = (
    "test_trip.py", "test_stack.py", "test_launch.py", "test_chaos.py", "test_seen_from_outside.py", "test_fuzz.py",
    "test_poison.py", "test_queues.py", "test_export.py",
)  # fmt: skip
"""Files that start servers of their own take longest: begun last, one process would work on while the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of running Redis, cache, MongoDB and Chroma servers, shared by the tests of this process."""
    with Stack(Settings(data_dir=tmp_path_factory.mktemp("stores")), only=STORES) as stack:
        stack.start()
        yield stack.settings


@pytest.fixture
def settings(stores: Settings, tmp_path: Path) -> Settings:
    """The same servers with nothing in them: a database of this test's own, migrated; both Redis and Chroma emptied."""
    own = stores.model_copy(update={"mongo_database": f"t{uuid.uuid4().hex[:12]}", "data_dir": tmp_path})
    for url in (own.redis_url, own.cache_url):
        with Redis.from_url(url) as redis:
            redis.flushall()
    chroma = chroma_client(own)
    for collection in chroma.list_collections():
        chroma.delete_collection(collection.name)
    migrate_database(own)
    return own


@pytest.fixture
def held(settings: Settings) -> Stores:
    """A worker's side of every store. What the pipeline publishes goes to the test's broker, where nobody listens."""
    queues.app.conf.update(broker_url=settings.redis_url, result_backend=queues.RESULTS + settings.redis_url)
    return Stores(settings)


@contextmanager
def hasty_stack(data_dir: Path) -> Iterator[Stack]:
    """The whole embedded stack, workers and gateway included.

    Small chunks and a quick reconciler, so that a job of forty sounds is many chunks and a death is soon noticed.
    """
    hasty = Settings(
        data_dir=data_dir, chunk_places=5, chunks_in_flight=6, settle_s=0.0, heartbeat_s=0.5, reconcile_s=1.0,
        lease_patience=3,
    )  # fmt: skip
    with Stack(hasty, cpu_children=2) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own for each file that asks for one: nobody counts another file's samples."""
    with hasty_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
