"""What a user teaches: a lesson is learned by the AI worker, and the library is labelled anew."""

from samplemind_tasks.errors import BadRequest, NotFound, StoreUnavailable
from samplemind_tasks.library.disk import Disk
from samplemind_tasks.library.index import Index
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.queries import Labelling, LessonAnswer
from samplemind_tasks.queues import Queue
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.events import EventLog
from samplemind_tasks.store.live import LiveAnswers

LEARN_WITHIN_S = 60.0


class Lessons:
    """Teaches the library."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        index: Index,
        nudges: Nudges,
        answers: LiveAnswers,
        disk: Disk,
        event_log: EventLog,
    ) -> None:
        self._model = settings.model_card.collection
        self._index = index
        self._catalog = catalog
        self._nudges = nudges
        self._answers = answers
        self._disk = disk
        self._events = event_log

    async def learn(self, user_id: str, path: str) -> LessonAnswer:
        """Learn from a folder of the library whose subfolders are labels.

        Raises
        ------
        BadRequest : too few labels or sounds, or none of them was analysed.
        StoreUnavailable : no AI worker answered in time.
        """
        target = await self._disk.target(path)
        if not target.is_there:
            raise NotFound(f"there is no folder {path}", code="path_not_found")
        task_id = await self._nudges.ask("gpu.teach", user_id, str(target.root), str(target.path), queue=Queue.GPU_NOW)
        answer = await self._answers.wait(task_id, LEARN_WITHIN_S)
        if answer is None:
            raise StoreUnavailable("workers", f"no AI worker answered within {LEARN_WITHIN_S:g} s")
        if "message" in answer:
            raise BadRequest(str(answer["message"]), code=str(answer["code"]))
        await self._label_anew(user_id)
        return await self.lesson(user_id)

    async def lesson(self, user_id: str) -> LessonAnswer:
        """What was taught, and what that changed."""
        told = await self._catalog.lesson(user_id)
        if told is None:
            raise NotFound("nothing was taught yet: samplemind teach FOLDER", code="nothing_taught")
        labelling = await self._labelling(user_id)
        return LessonAnswer.model_validate(told | {"in_use": told["model"] == self._model, "labelling": labelling})

    async def _labelling(self, user_id: str) -> Labelling | None:
        rebuild = await self._index.writing(user_id)
        if rebuild is None:
            return None
        newest = await self._catalog.newest(user_id)
        return Labelling(
            under_way=rebuild.written is not None,
            written=newest if rebuild.written is None else min(rebuild.written, newest),
            samples=newest,
            changed=rebuild.changed,
            tagged=rebuild.tagged,
        )

    async def forget(self, user_id: str) -> None:
        """Take back what was taught."""
        await self._catalog.forget_lesson(user_id)
        await self._label_anew(user_id)

    async def _label_anew(self, user_id: str) -> None:
        """Labels are facets: they are written with the index."""
        await self._index.write_anew(user_id)
        await self._events.rearranged(user_id)
