"""What a search is like or unlike: samples of the library, and sounds that are sent along, heard by the live worker."""

import base64
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import orjson

from samplemind_tasks.aspects import Aspects, aspects
from samplemind_tasks.errors import BadRequest, Conflict, ModelUnavailable, NotFound, SampleMindError, StoreUnavailable
from samplemind_tasks.features import Features
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.library.uploads import not_empty
from samplemind_tasks.logs import get_log
from samplemind_tasks.queries import SOUND_ID
from samplemind_tasks.queues import Queue
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.analyses import Analyses
from samplemind_tasks.store.blobs import Blobs, query_key
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.live import Cache, LiveAnswers
from samplemind_tasks.words.meaning import Meaning, Related
from samplemind_tasks.words.understood import Sound

Vector = npt.NDArray[np.float32]

MOST_QUERY_BYTES = 64 << 20
ANSWER_WITHIN_S = 15.0
KEPT_S = 3600.0
"""A sound that was sent can be used again for so long."""
TEXT_KEPT_S = 7 * 86400.0

log = get_log(__name__)


@dataclass(frozen=True)
class Reference:
    """A sound that others are compared with."""

    vector: Vector
    """float32 [vector_size], unit length."""
    aspects: Aspects | None
    """None where it was measured by a version that knew none."""
    sample: str | None
    """Its id, if it is of the library."""


class Sounds:
    """Finds what is known of the sounds a query names, and has new ones and texts heard."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        analyses: Analyses,
        blobs: Blobs,
        nudges: Nudges,
        answers: LiveAnswers,
        cache: Cache,
    ) -> None:
        self._settings = settings
        self._model = settings.model_card.collection
        self._catalog = catalog
        self._analyses = analyses
        self._blobs = blobs
        self._nudges = nudges
        self._answers = answers
        self._cache = cache

    async def references(self, user_id: str, ids: Sequence[str], model: str) -> list[Reference]:
        """What the ids of a query stand for.

        Raises
        ------
        NotFound : no such sample, or a sound sent too long ago.
        Conflict : the model has not heard it, or another model has.
        """
        wanted = list(dict.fromkeys(ids))
        samples = [name for name in wanted if not re.fullmatch(SOUND_ID, name)]
        known = await self._of_samples(user_id, samples, model)
        return [known.get(name) or await self._sent(user_id, name, model) for name in wanted]

    async def _of_samples(self, user_id: str, ids: Sequence[str], model: str) -> dict[str, Reference]:
        if not ids:
            return {}
        found = await self._catalog.samples(user_id, ids)
        if missing := [name for name in ids if name not in found]:
            raise NotFound(f"there is no sample {missing[0]}")
        version = self._settings.hearing_version_of(model)
        hearings = await self._analyses.hearings([sample.file_hash for sample in found.values()], version)
        measured = await self._catalog.aspects(ids)
        for sample in found.values():
            if sample.file_hash not in hearings:
                raise Conflict(f"{sample.name} is measured, but the model has not heard it yet", code="not_ready")
            if not len(hearings[sample.file_hash].vector):
                raise Conflict(f"{sample.name} is silent: there is nothing to compare", code="silent")
        return {
            name: Reference(hearings[sample.file_hash].vector, measured.get(name), name)
            for name, sample in found.items()
        }

    async def _sent(self, user_id: str, name: str, model: str) -> Reference:
        kept = await self._cache.get(f"{name}:{user_id}")
        if kept is None:
            raise NotFound(f"{name} was sent too long ago, or never: send the sound again", code="sound_gone")
        told = orjson.loads(kept)
        if told["model"] != model and told["model"] == self._model:
            message = f"{self._model} has heard less of the library than {model} yet, by which sounds are compared"
            raise Conflict(message, code="not_heard")
        if told["model"] != model:
            message = f"{name} was heard by {told['model']}, samples are compared by {model}: send the sound again"
            raise Conflict(message, code="other_model")
        row = np.frombuffer(base64.b64decode(told["aspects"]), np.int8)
        return Reference(np.asarray(told["vector"], np.float32), row, None)

    async def hear(self, user_id: str, stream: AsyncIterator[bytes]) -> str:
        """Have a sound heard and measured; answers the id it can be named by. Its bytes are kept only meanwhile."""
        token = secrets.token_hex(16)
        try:
            await self._blobs.put_query(await not_empty(stream), MOST_QUERY_BYTES, token)
            answer = await self._ask("live.embed_sound", token)
        finally:
            await self._forget(token)
        measured = aspects(Features.model_validate(answer["features"]))
        told = {
            "model": self._model,
            "vector": answer["vector"],
            "aspects": base64.b64encode(measured.tobytes()).decode(),
        }
        name = f"sound-{token}"
        await self._cache.put(f"{name}:{user_id}", orjson.dumps(told).decode(), KEPT_S)
        return name

    async def text_vector(self, text: str) -> Vector:
        """The vector of a text [vector_size], where the model has texts and sounds in one space."""
        answer = await self._remembered(f"text:{self._model}:{text}", "live.embed_text", [text])
        (vector,) = cast("list[list[float]]", answer["vectors"])
        return np.asarray(vector, np.float32)

    async def related(self, texts: Sequence[str]) -> Related:
        """What the sentence model makes of words nobody knows."""
        key = f"related:{self._model}:{orjson.dumps(list(texts)).decode()}"
        answer = cast("dict[str, Any]", await self._remembered(key, "live.relate_text", list(texts), []))
        return Related(
            tuple(Sound.model_validate(told) for told in answer["sounds"]),
            tuple(Meaning(**told) for told in answer["tags"]),
            tuple(Meaning(**told) for told in answer["name_words"]),
        )

    async def _remembered(self, key: str, task: str, *args: object) -> dict[str, object]:
        """What a live task answers; for what was asked before, what it answered then."""
        kept = await self._cache.get(key)
        if kept is not None:
            return cast("dict[str, object]", orjson.loads(kept))
        answer = await self._ask(task, *args)
        await self._cache.put(key, orjson.dumps(answer).decode(), TEXT_KEPT_S)
        return answer

    async def _ask(self, task: str, *args: object) -> dict[str, object]:
        """What a live task answers, or the error it names."""
        task_id = await self._nudges.ask(task, *args, queue=Queue.LIVE)
        answer = await self._answers.wait(task_id, ANSWER_WITHIN_S)
        if answer is None:
            raise StoreUnavailable("workers", f"no query worker answered within {ANSWER_WITHIN_S:g} s")
        if "code" not in answer:
            return answer
        code, message = str(answer["code"]), str(answer.get("message"))
        kinds: dict[str, type[SampleMindError]] = {ModelUnavailable.code: ModelUnavailable}
        if code == StoreUnavailable.code:
            raise StoreUnavailable("workers", message)
        raise kinds.get(code, BadRequest)(message, code=code)

    async def _forget(self, token: str) -> None:
        try:
            await self._blobs.delete_prefix_async(query_key(token))
        except StoreUnavailable as error:
            log.warning("query_not_deleted", token=token, why=error.message)
