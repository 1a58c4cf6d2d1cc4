"""A gateway on a free port over the embedded servers, and a library to put documents into."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
import uvicorn

from api_gateway.app import create_app
from api_gateway.patience import Connection
from samplemind_tasks.settings import Settings

from .world import World


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a gateway that runs until the end of the block."""
    app = create_app(settings)
    server = _Server(uvicorn.Config(app, http=Connection, log_level="warning", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.ready.wait(30)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def serve() -> Callable[[Settings], AbstractContextManager[httpx.Client]]:
    """Serve with other settings."""
    return serving


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """The library's documents, written as workers write them."""
    folder = settings.data_dir / "music"
    folder.mkdir()
    with World(
        settings.model_copy(update={"roots": (folder,), "max_upload_bytes": 3 << 20}), folder.resolve()
    ) as world:
        yield world


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """A client of a gateway over the world."""
    with serving(world.settings) as client:
        yield client
