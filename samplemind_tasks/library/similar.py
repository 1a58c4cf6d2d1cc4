"""Similarity: what sounds like a sample of the library, or like a sound that is sent along."""

import secrets
from collections.abc import AsyncIterator

import numpy as np
import numpy.typing as npt

from samplemind_tasks.errors import (
    BadRequest,
    Conflict,
    IndexLost,
    ModelUnavailable,
    NotFound,
    SampleMindError,
    StoreUnavailable,
)
from samplemind_tasks.library.health import Health, ready_samples
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.library.uploads import not_empty
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import Queue
from samplemind_tasks.schemas import Hit, SimilarSamples
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.blobs import Blobs, query_key
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.live import LiveAnswers
from samplemind_tasks.store.search import VectorSearch

MOST_QUERY_BYTES = 64 << 20
ANSWER_WITHIN_S = 15.0
SPARE_HITS = 16
"""Asked for beyond the limit: the sample itself, and samples that were deleted a moment ago, are dropped."""

log = get_log(__name__)


class Similar:
    """Finds what sounds alike."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        vectors: VectorSearch,
        blobs: Blobs,
        nudges: Nudges,
        answers: LiveAnswers,
        health: Health,
    ) -> None:
        self._model = settings.model_card.collection
        self._catalog = catalog
        self._vectors = vectors
        self._blobs = blobs
        self._nudges = nudges
        self._answers = answers
        self._health = health

    async def to_sample(self, user_id: str, sample_id: str, limit: int) -> SimilarSamples:
        """What sounds like a sample of the library."""
        sample = await self._catalog.sample(user_id, sample_id)
        if sample is None:
            raise NotFound(f"there is no sample {sample_id}")
        hearing = await self._catalog.hearing(sample.file_hash, self._model)
        if hearing is None:
            raise Conflict(f"{sample.name} is measured, but the model has not heard it yet", code="not_ready")
        return await self._near(user_id, hearing.vector, limit, without=sample_id)

    async def to_sound(self, user_id: str, stream: AsyncIterator[bytes], limit: int) -> SimilarSamples:
        """What sounds like some bytes. They are kept only while the model hears them."""
        token = secrets.token_hex(16)
        try:
            await self._blobs.put_query(await not_empty(stream), MOST_QUERY_BYTES, token)
            task_id = await self._nudges.ask("live.embed_sound", token, queue=Queue.LIVE)
            answer = await self._answers.wait(task_id, ANSWER_WITHIN_S)
        finally:
            await self._forget(token)
        if answer is None:
            raise StoreUnavailable("workers", f"no query worker answered within {ANSWER_WITHIN_S:g} s")
        return await self._near(user_id, _vector(answer), limit)

    async def _near(
        self, user_id: str, vector: npt.NDArray[np.float32], limit: int, without: str | None = None
    ) -> SimilarSamples:
        near = await self._vectors.nearest(self._model, vector, user_id, limit + SPARE_HITS)
        if not near and (ready := ready_samples(await self._health.stats(user_id))):
            raise IndexLost(f"the vector index is empty although {ready} samples are ready; it is being rebuilt")
        samples = await self._catalog.samples(user_id, [name for name, _ in near])
        hits = [
            Hit(sample=samples[name], similarity=min(1.0, max(-1.0, similarity)))
            for name, similarity in near
            if name in samples and name != without
        ]
        return SimilarSamples(hits=hits[:limit], model=self._model)

    async def _forget(self, token: str) -> None:
        try:
            await self._blobs.delete_prefix_async(query_key(token))
        except StoreUnavailable as error:
            log.warning("query_not_deleted", token=token, why=error.message)


def _vector(answer: dict[str, object]) -> npt.NDArray[np.float32]:
    """The vector of an answer, or the error it names."""
    if "vector" in answer:
        return np.asarray(answer["vector"], np.float32)
    code, message = str(answer.get("code")), str(answer.get("message"))
    kinds: dict[str, type[SampleMindError]] = {ModelUnavailable.code: ModelUnavailable}
    if code == StoreUnavailable.code:
        raise StoreUnavailable("workers", message)
    raise kinds.get(code, BadRequest)(message, code=code)
