"""Duplicates: the same sound in other files, and nearly the same. Suggested for a person to look at, never merged.

Exact ones are copies of one file, which are one sample with several places, and other files whose decoded sound has the
same hash. Near ones are looked for among the nearest vectors alone, a stretch of
the library at a time, so that no request is long and none compares everything with everything.
"""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from samplemind_tasks.audio.fingerprint import NEAR_DUPLICATE, similarity
from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.queries import DuplicateGroup, DuplicateMember, DuplicatePage
from samplemind_tasks.schemas import Sample
from samplemind_tasks.store.analyses import Analyses
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.pages import decode_cursor, encode_cursor
from samplemind_tasks.store.places import PlaceState
from samplemind_tasks.store.search import VectorSearch, collection_name
from samplemind_tasks.store.whereabouts import KEPT_PATHS

Rows = npt.NDArray[np.intp]

STRETCH = 64
"""Samples whose neighbours are asked for at once."""
LOOK_S = 1.0
"""A request looks for near duplicates no longer than this; the next page goes on."""
NEIGHBOURS = 8
LEAST_COSINE = 0.9
"""Copies of one sound are at least this close in the model's space."""
MOST_MEMBERS = 32
EXACT, NEAR = "exact", "near"


class Duplicates:
    """Finds sounds that are there more than once."""

    def __init__(self, catalog: Catalog, analyses: Analyses, vectors: VectorSearch, shelves: Shelves) -> None:
        self._catalog = catalog
        self._analyses = analyses
        self._vectors = vectors
        self._shelves = shelves

    async def page(self, user_id: str, limit: int, cursor: str | None) -> DuplicatePage:
        """Groups of duplicates: first the exact ones, then those nearly alike, each in the order of arrival."""
        how, after = decode_cursor("duplicates", cursor, str, int) if cursor else (EXACT, 0)
        view = await self._shelves.of(user_id)
        groups: list[DuplicateGroup] = []
        if how == EXACT:
            groups, last = await self._exact(user_id, view, int(after), limit)
            if last is not None:
                return DuplicatePage(groups=groups, next=encode_cursor("duplicates", EXACT, last))
            after = 0
        order = await asyncio.to_thread(_firsts, view)
        start = int(np.searchsorted(view["number"][order], int(after), side="right"))
        until = time.monotonic() + LOOK_S
        while start < len(order) and len(groups) < limit:
            groups += await self._near(user_id, view, order[start : start + STRETCH])
            start += STRETCH
            if time.monotonic() >= until:
                break
        if start >= len(order):
            return DuplicatePage(groups=groups, next=None)
        seen = int(view["number"][order[start - 1]]) if start else 0
        return DuplicatePage(groups=groups, next=encode_cursor("duplicates", NEAR, seen))

    async def _exact(self, user_id: str, view: View, after: int, limit: int) -> tuple[list[DuplicateGroup], int | None]:
        """Groups of one hash whose first arrived later than `after`, and where to go on."""
        found = await asyncio.to_thread(_same_hash, view)
        numbers = view["number"]
        later = [rows for rows in found if numbers[rows[0]] > after]
        shown = later[:limit]
        ids = [[view.shelf.ids[row] for row in rows[:MOST_MEMBERS]] for rows in shown]
        samples = await self._catalog.samples(user_id, [name for group in ids for name in group])
        groups = []
        for group in ids:
            members = [await self._member(user_id, samples[name], 1.0) for name in group if name in samples]
            if len(members) > 1 or any(len(member.paths) > 1 for member in members):
                groups.append(DuplicateGroup(how=EXACT, members=members))
        return groups, int(numbers[shown[-1][0]]) if len(later) > limit else None

    async def _member(self, user_id: str, sample: Sample, similarity: float) -> DuplicateMember:
        """A member with every file it has: beside the sample a few are kept."""
        paths = sample.paths
        if len(paths) >= KEPT_PATHS:
            places = await self._catalog.places(user_id, sample.file_hash)
            there = [place for place in places if place.state is PlaceState.PRESENT and not place.removed]
            paths = sorted(place.path for place in there if not place.is_upload)
        return DuplicateMember(sample=sample, paths=paths, similarity=similarity)

    async def _near(self, user_id: str, view: View, rows: Rows) -> list[DuplicateGroup]:
        """Groups whose first is one of the rows."""
        near = await self._neighbours(user_id, view, rows)
        wanted = {name for first, others in near.items() if others for name in (first, *others)}
        samples = await self._catalog.samples(user_id, sorted(wanted))
        prints = await self._analyses.fingerprints(list(samples.values()))
        return await asyncio.to_thread(_grouped, near, samples, prints)

    async def _neighbours(self, user_id: str, view: View, rows: Rows) -> dict[str, list[str]]:
        """By sample, those whose vectors are close to its own and whose sound is another."""
        asked = [int(row) for row in rows if view["has_timbre"][row]]
        if not asked:
            return {}
        vectors = view["timbre"][asked].astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
        collection = collection_name(view.model, user_id)
        answers = await self._vectors.nearest_of_each(collection, vectors, NEIGHBOURS)
        hashes, row_of = view["sound_hash"], view.shelf.row_of
        found: dict[str, list[str]] = {}
        for row, answer in zip(asked, answers, strict=False):
            others = [row_of[name] for name, cosine in answer if cosine >= LEAST_COSINE and name in row_of]
            found[view.shelf.ids[row]] = [
                view.shelf.ids[other] for other in others if other < len(view) and hashes[other] != hashes[row]
            ]
        return found


def _same_hash(view: View) -> list[Rows]:
    """Rows that share a hash, or have copies, in the order their first arrived; each group in the order of arrival."""
    alive = _alive(view)
    order = alive[np.lexsort((view["number"][alive], view["sound_hash"][alive]))]
    hashes = view["sound_hash"][order]
    groups = np.split(order, np.flatnonzero(np.diff(hashes)) + 1) if len(order) else []
    paths = view.shelf.paths
    several = (rows for rows in groups if len(rows) > 1 or len(paths[rows[0]]) > 1)
    return sorted(several, key=lambda rows: int(view["number"][rows[0]]))


def _firsts(view: View) -> Rows:
    """One row of each sound, the first that arrived, in the order of arrival."""
    alive = _alive(view)
    order = alive[np.argsort(view["number"][alive], kind="stable")]
    _, first = np.unique(view["sound_hash"][order], return_index=True)
    return np.asarray(order[np.sort(first)])


def _alive(view: View) -> Rows:
    return np.flatnonzero(view["ready"] & ~view["gone"] & (view["sound_hash"] != 0))


def _grouped(near: dict[str, list[str]], samples: dict[str, Sample], prints: dict[str, str]) -> list[DuplicateGroup]:
    """Groups of sounds whose fingerprints are alike. One with an earlier duplicate is in that one's group."""
    groups = []
    for name, others in near.items():
        first = samples.get(name)
        if first is None or first.file_hash not in prints:
            continue
        alike = _alike(first, [samples[other] for other in others if other in samples], prints)
        if alike and all(member.sample.number > first.number for member in alike):
            groups.append(DuplicateGroup(how=NEAR, members=[_near_member(first, 1.0), *alike]))
    return groups


def _alike(first: Sample, others: Sequence[Sample], prints: dict[str, str]) -> list[DuplicateMember]:
    mine = prints[first.file_hash]
    scored = [(similarity(mine, prints[other.file_hash]), other) for other in others if other.file_hash in prints]
    alike = [(score, other) for score, other in scored if score >= NEAR_DUPLICATE]
    return [_near_member(other, round(min(score, 1.0), 3)) for score, other in sorted(alike, key=lambda pair: -pair[0])]


def _near_member(sample: Sample, similarity: float) -> DuplicateMember:
    return DuplicateMember(sample=sample, paths=sample.paths, similarity=similarity)
