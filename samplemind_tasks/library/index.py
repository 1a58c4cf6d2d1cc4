"""The index of a user: written anew from MongoDB when asked for, while the one that is there serves."""

from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.queries import ReindexAnswer
from samplemind_tasks.queues import Queue
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.rebuilds import Rebuild, Rebuilds


class Index:
    """The vectors that are searched, and the facets that are written with them."""

    def __init__(self, settings: Settings, catalog: Catalog, rebuilds: Rebuilds, nudges: Nudges) -> None:
        self._model = settings.model_card.collection
        self._catalog = catalog
        self._rebuilds = rebuilds
        self._nudges = nudges

    async def write_anew(self, user_id: str) -> ReindexAnswer:
        """Have all of it written anew; one that is under way begins again."""
        await self._rebuilds.begin(self._model, user_id)
        self._nudges.nudge("control.reindex", self._model, user_id, queue=Queue.CONTROL)
        return ReindexAnswer(model=self._model, samples=await self._catalog.newest(user_id))

    async def writing(self, user_id: str) -> Rebuild | None:
        """How far the writing is, or what the last one changed; None where it was never written anew."""
        return await self._rebuilds.of(self._model, user_id)
