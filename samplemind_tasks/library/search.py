"""Search: text, sounds and filters together, over what the shelf holds and the neighbours Chroma knows."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from samplemind_tasks.cards import ModelCard
from samplemind_tasks.errors import BadRequest, Conflict, StoreUnavailable
from samplemind_tasks.library.filters import kept_rows
from samplemind_tasks.library.likeness import Rows, Scores, Wish
from samplemind_tasks.library.ranking import TEXT, Asked, Ranking, candidates, ranking
from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.library.sounds import Sounds
from samplemind_tasks.library.texts import Texts, TextScores
from samplemind_tasks.logs import get_log
from samplemind_tasks.queries import Filters, SearchAnswer, SearchQuery
from samplemind_tasks.schemas import Hit
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.search import VectorSearch, collection_name

NEIGHBOURS = 1_000
"""Asked of Chroma: 10 ms among 100,000. To ask it for some ids alone takes longer than to compare them here."""
COMPARED = 2_000
"""So few samples are compared here, one by one, in a millisecond."""
SPARE_HITS = 16
"""Read beyond the limit: samples that were deleted a moment ago are dropped."""
DIGITS = 4

log = get_log(__name__)


class Search:
    """Finds samples."""

    def __init__(
        self, settings: Settings, catalog: Catalog, vectors: VectorSearch, shelves: Shelves, sounds: Sounds
    ) -> None:
        self._card = settings.model_card
        self._catalog = catalog
        self._vectors = vectors
        self._shelves = shelves
        self._sounds = sounds
        self._texts = Texts(sounds, self._card.tags)

    async def find(self, user_id: str, query: SearchQuery, stream: AsyncIterator[bytes] | None = None) -> SearchAnswer:
        """Answer a query; a sound that is sent along is one more it should be like."""
        _asks_for_something(query, has_sound=stream is not None)
        sound = None
        if stream is not None:
            sound = await self._sounds.hear(user_id, stream)
            query = query.model_copy(update={"like": [*query.like, sound]})
        view = await self._shelves.of(user_id)
        like = await self._sounds.references(user_id, query.like, view.model)
        unlike = await self._sounds.references(user_id, query.unlike, view.model)
        _has_heard_some(view, needs_it=bool(like or unlike))
        kept = await asyncio.to_thread(kept_rows, view, query.filters)
        asked = await self._asked(query, Wish(like, unlike, query.weights), view, kept)
        rows = await self._worth_ranking(user_id, view, kept, asked, query.limit)
        if asked.direction() is not None and asked.text is None:
            rows = rows[view["has_timbre"][rows]]  # silence is like nothing
        ranked = await asyncio.to_thread(ranking, view, kept, rows, asked)
        hits = await self._hits(user_id, view, ranked, asked, query.limit)
        return SearchAnswer(
            hits=hits,
            understood=asked.text.meanings if asked.text else [],
            rest=asked.text.understood.rest_text if asked.text else "",
            nothing_matches=bool(query.text.strip()) and not hits,
            searched=len(kept),
            model=view.model,
            sound=sound,
        )

    async def like_sample(self, user_id: str, sample_id: str, limit: int) -> SearchAnswer:
        """What sounds like a sample of the library."""
        return await self.find(user_id, SearchQuery(like=[sample_id], limit=limit))

    async def _asked(self, query: SearchQuery, wish: Wish, view: View, kept: Rows) -> Asked:
        text: TextScores | None = None
        direction: Scores | None = None
        if query.text.strip() and self._card.joint_text and _hears_texts(view, self._card):
            direction = await self._sounds.text_vector(query.text)
        elif query.text.strip():
            text = await self._texts.score(query.text, view, kept)
        return Asked(wish, text, direction, query.text_weight)

    async def _worth_ranking(self, user_id: str, view: View, kept: Rows, asked: Asked, limit: int) -> Rows:
        """The kept rows that may be among the best: Chroma's neighbours, where there are many and enough of them.

        An index that is away or being written anew costs time, and no answer: then every row is compared.
        """
        direction = asked.direction()
        if direction is None or len(kept) <= COMPARED:
            return kept
        collection = collection_name(view.model, user_id)
        try:
            found = await self._vectors.nearest(collection, direction, NEIGHBOURS)
        except StoreUnavailable as error:
            log.warning("index_away", why=error.message)
            return kept
        row_of = view.shelf.row_of
        near = np.intersect1d([row_of[name] for name, _ in found if name in row_of], kept).astype(np.intp)
        if len(near) < limit + SPARE_HITS + len(asked.wish.samples):
            return kept
        return await asyncio.to_thread(candidates, view, kept, near, asked, NEIGHBOURS)

    async def _hits(self, user_id: str, view: View, ranked: Ranking, asked: Asked, limit: int) -> list[Hit]:
        """The best that MongoDB still has; a sample that was named is not found."""
        ids, named = view.shelf.ids, asked.wish.samples
        best = [n for n, row in enumerate(ranked.rows[: limit + SPARE_HITS + len(named)]) if ids[row] not in named]
        samples = await self._catalog.samples(user_id, [ids[ranked.rows[n]] for n in best])
        hits = []
        for n in best:
            sample = samples.get(ids[ranked.rows[n]])
            if sample is None:
                view.shelf.forget(ids[ranked.rows[n]])
                continue
            score = min(max(float(ranked.scores[n]), 0.0), 1.0)
            parts = {name: round(float(scores[n]), DIGITS) for name, scores in ranked.parts.items()}
            mode, matched = _why(ranked, asked, n)
            hits.append(Hit(sample=sample, score=round(score, DIGITS), mode=mode, matched=matched, parts=parts))
        return hits[:limit]


def _why(ranked: Ranking, asked: Asked, n: int) -> tuple[list[str], list[str]]:
    """How the n-th was found, and the words of the text that it meets."""
    by_sound = ["sound"] if asked.has_sounds else []
    if asked.text is not None:
        mode, matched = asked.text.ranked.why(int(ranked.places[n]))
        return [*by_sound, *mode], matched
    return [*by_sound, *(["meaning"] if TEXT in ranked.parts else [])], []


def _has_heard_some(view: View, *, needs_it: bool) -> None:
    """Sounds are compared by what a model heard in them: after a change of the model that may be nothing yet."""
    ready = int(np.count_nonzero(view["ready"] & ~view["gone"]))
    if needs_it and ready and not view["has_timbre"].any():
        raise Conflict(f"none of the {ready:,} samples has been heard by {view.model} yet", code="not_heard")


def _hears_texts(view: View, card: ModelCard) -> bool:
    """Whether texts can be compared with what the library's sounds are compared by."""
    return view.model == card.collection and bool(view["has_timbre"].any())


def _asks_for_something(query: SearchQuery, *, has_sound: bool) -> None:
    compares = bool(query.like or query.unlike or has_sound)
    if not compares and not query.text.strip() and query.filters == Filters():
        raise _refused("text", "ask for something: a text, sounds that it should be like, or filters")
    if not compares and query.weights.model_fields_set:
        raise _refused("weights", "weights count where sounds are compared: give some in like or unlike")


def _refused(field: str, message: str) -> BadRequest:
    return BadRequest(message, detail={"fields": [{"field": field, "message": message}]})
