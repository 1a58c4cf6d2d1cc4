"""Celery's queues: what waits in each, and holding one up.

A pause is a flag in MongoDB that is read wherever work is handed out. What is at work ends; what is not begun waits
with its attempts as they are; nobody has to be told, and a restart changes nothing.
"""

import asyncio

from samplemind_tasks.errors import Conflict, NotFound
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.queue_views import Queues, QueueView
from samplemind_tasks.queues import Queue
from samplemind_tasks.store.chunks import Stage
from samplemind_tasks.store.live import Workers
from samplemind_tasks.store.queue_counts import QueueCounts
from samplemind_tasks.store.queue_flags import QueueSwitches, paused_queue

PASSED_BY = {
    Queue.CPU_NOW: (Stage.ANALYZE, True), Queue.CPU: (Stage.ANALYZE, False),
    Queue.GPU_NOW: (Stage.EMBED, True), Queue.GPU: (Stage.EMBED, False),
}  # fmt: skip
"""Queues that the chunks of one stage pass through, in a hurry or not, as pipeline.STAGES says. These can be paused;
the others carry orders and questions."""
CONSUMERS = {
    Queue.SCAN: "scan", Queue.CONTROL: "control", Queue.CPU_NOW: "cpu", Queue.CPU: "cpu", Queue.GPU_NOW: "ai",
    Queue.GPU: "ai", Queue.LIVE: "live",
}  # fmt: skip
"""Roles of the workers that take from each."""


class QueueDesk:
    """What can be done with queues."""

    def __init__(self, switches: QueueSwitches, counts: QueueCounts, workers: Workers, nudges: Nudges) -> None:
        self._switches = switches
        self._counts = counts
        self._workers = workers
        self._nudges = nudges

    async def all(self) -> Queues:
        """Every queue as it is now."""
        paused, (waiting, taken), by_role, jobs = await asyncio.gather(
            self._switches.paused_since(),
            self._counts.messages(queue.value for queue in Queue),
            self._workers.by_role(),
            self._counts.open_jobs(),
        )
        chunks = await self._counts.chunks(jobs)
        return Queues(
            queues=[
                QueueView(
                    name=queue.value,
                    messages=waiting[queue.value],
                    taken=taken[queue.value],
                    chunks_waiting=chunks.waiting[PASSED_BY[queue]] if queue in PASSED_BY else None,
                    chunks_at_work=chunks.leased[PASSED_BY[queue]] if queue in PASSED_BY else None,
                    workers=len(by_role.get(CONSUMERS[queue], ())),
                    can_pause=queue in PASSED_BY,
                    paused_since=paused.get(queue.value),
                )
                for queue in Queue
            ]
        )

    async def pause(self, name: str) -> Queues:
        """Hand out nothing more of a queue until `resume`."""
        await self._switches.pause(_pausable(name).value)
        await self._tell(name)
        return await self.all()

    async def resume(self, name: str) -> Queues:
        """Let a queue go on."""
        await self._switches.resume(_pausable(name).value)
        await self._tell(name, is_free=True)
        return await self.all()

    async def _tell(self, name: str, *, is_free: bool = False) -> None:
        """Have every open job that the queue concerns looked at anew: its chunks sent again, what it waits for said."""
        in_a_hurry = PASSED_BY[Queue(name)][1]
        concerned = [job for job in await self._counts.open_jobs() if job.in_a_hurry is in_a_hurry]
        if is_free:
            await asyncio.gather(*(self._counts.waits_no_more(job.id, paused_queue(name)) for job in concerned))
        for job in concerned:
            self._nudges.nudge("control.dispatch", job.id, queue=Queue.CONTROL)


def _pausable(name: str) -> Queue:
    try:
        queue = Queue(name)
    except ValueError:
        raise NotFound(f"there is no queue {name}; there are {', '.join(Queue)}", code="no_such_queue") from None
    if queue not in PASSED_BY:
        message = f"{name} carries what the others need and cannot be paused; these can: {', '.join(PASSED_BY)}"
        raise Conflict(message, code="cannot_pause")
    return queue
