"""How well each sample meets a text: what it was read as, ranked over the columns, and told to who asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.library.likeness import Rows, Scores
from samplemind_tasks.library.own_tags import own_tags_first
from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.sounds import Sounds
from samplemind_tasks.logs import get_log
from samplemind_tasks.queries import Meaning
from samplemind_tasks.words.meaning import Related, asked_texts
from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.ranked import FLOOR, Ranked
from samplemind_tasks.words.ranking import rank
from samplemind_tasks.words.understood import Understood

RELATED_WITHIN_S = 3.0
"""A search waits so long for the meaning of words nobody knows, then goes on without."""

log = get_log(__name__)


@dataclass(frozen=True)
class TextScores:
    """What a text was read as, and how well each row meets it."""

    understood: Understood
    ranked: Ranked
    floor: float = FLOOR
    """A lower score is no match."""

    @property
    def scores(self) -> Scores:
        """float32 [rows], 0 to 1."""
        return self.ranked.scores

    @property
    def meanings(self) -> list[Meaning]:
        """What the text was read as, for a person."""
        return [Meaning(what=what, value=value, words=words) for what, value, words in self.understood.read_as()]


class Texts:
    """Reads texts and scores rows by them."""

    def __init__(self, sounds: Sounds, tags: Sequence[str]) -> None:
        self._sounds = sounds
        self._tags = list(tags)

    async def score(self, text: str, view: View, rows: Rows) -> TextScores:
        """Score the rows of a view by a text."""
        understood = parse(text)
        related = await self._related(understood)
        ranked = await asyncio.to_thread(
            rank, understood, view, rows, tags=self._tags, names=view.shelf.words, related=related
        )
        ranked = own_tags_first(ranked, text, rows, view.shelf.tagged, self._tags)
        return TextScores(ranked.understood, ranked)

    async def _related(self, understood: Understood) -> Related | None:
        """What the sentence model makes of words nobody knows; None where it does not answer soon."""
        texts = asked_texts(understood)
        if not texts:
            return None
        try:
            async with asyncio.timeout(RELATED_WITHIN_S):
                return await self._sounds.related(texts)
        except (SampleMindError, TimeoutError) as error:
            log.warning("words_not_related", why=str(error) or f"no answer within {RELATED_WITHIN_S:g} s")
            return None
