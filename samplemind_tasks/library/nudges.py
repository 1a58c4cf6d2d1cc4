"""Telling the workers that there is something to do. Never trusted: whatever is asked for is in MongoDB first."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import Queue, make_app, send
from samplemind_tasks.settings import Settings

MOST_WAITING = 64
"""Beyond this many unsent nudges further ones are dropped: the broker is away, and the reconciler will send."""

log = get_log(__name__)


class Nudges:
    """Publishes tasks in threads of its own, so that a broker that hangs holds up nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._app = make_app(settings)
        self._timeout_s = settings.request_timeout_s
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="publish")
        self._waiting: set[asyncio.Task[None]] = set()

    def nudge(self, task: str, *args: object, queue: Queue) -> None:
        """Send soon and do not wait. If it fails, the reconciler sends it within seconds."""
        if len(self._waiting) < MOST_WAITING:
            sending = asyncio.create_task(self._try_to_send(task, *args, queue=queue))
            self._waiting.add(sending)
            sending.add_done_callback(self._waiting.discard)

    async def ask(self, task: str, *args: object, queue: Queue) -> str:
        """Send a task whose answer somebody waits for; answers its id."""
        task_id = secrets.token_hex(16)
        await self._send(task, *args, queue=queue, task_id=task_id)
        return task_id

    async def close(self) -> None:
        """Give what is being sent a moment, then stop."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=1)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _try_to_send(self, task: str, *args: object, queue: Queue) -> None:
        try:
            await self._send(task, *args, queue=queue)
        except StoreUnavailable as error:
            log.warning("nudge_not_sent", task=task, args=args, why=error.message)

    async def _send(self, task: str, *args: object, queue: Queue, task_id: str | None = None) -> None:
        in_this_context = copy_context().run  # a message says whose request it is for
        publish = partial(in_this_context, send, task, *args, queue=queue, on=self._app, task_id=task_id)
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.get_running_loop().run_in_executor(self._threads, publish)
        except TimeoutError as error:
            raise StoreUnavailable("redis", f"the broker took no task for {self._timeout_s:g} s") from error
