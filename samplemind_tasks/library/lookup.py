"""Which sample a person means by what lists show of it: an id or its beginning, a path or the end of one, a name."""

import asyncio
import re
from collections.abc import Callable, Iterator

from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.queries import LookupAnswer
from samplemind_tasks.store.catalog import Catalog

SHORTEST_ID = 6
CUT = "…"
"""What lists write for the middle of a path or the end of a name that has no room."""

Test = Callable[[int], bool]


class Lookup:
    """Finds samples by what they are called."""

    def __init__(self, catalog: Catalog, shelves: Shelves) -> None:
        self._catalog = catalog
        self._shelves = shelves

    async def find(self, user_id: str, text: str, limit: int) -> LookupAnswer:
        """The samples that are meant: of the closest way to read the text that leads to any."""
        view = await self._shelves.of(user_id)
        how, rows = await asyncio.to_thread(meant, view, text)
        ids = [view.shelf.ids[row] for row in rows]
        samples = await self._catalog.samples(user_id, ids[:limit])
        there = [samples[name] for name in ids[:limit] if name in samples]
        return LookupAnswer(how=how if there else None, samples=there, total=len(ids) - len(ids[:limit]) + len(there))


def meant(view: View, text: str) -> tuple[str | None, list[int]]:
    """How a text is read, and the rows it then means; None and nothing where no reading leads to any."""
    for how, test in _readings(view, text):
        rows = [row for row in range(len(view)) if test(row) and not view["gone"][row]]
        if rows:
            return how, rows
    return None, []


def _readings(view: View, text: str) -> Iterator[tuple[str, Test]]:
    """The closest first. Of a sample that has several places each name counts."""
    shelf, plain = view.shelf, text.casefold()
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},24}}", text):
        yield "id", lambda row: shelf.ids[row].startswith(text)
    fits = _fitting(text)
    if "/" in text:
        end = text if text.startswith("/") else f"/{text}"
        yield "path", lambda row: any(fits(path, end) for path in shelf.paths[row])
        return
    yield "name", lambda row: any(fits(name, text) for name in _names(view, row))
    yield "name", lambda row: any(fits(name.casefold(), plain) for name in _names(view, row))
    yield "name", lambda row: any(name.rpartition(".")[0].casefold() == plain for name in _names(view, row))


def _fitting(text: str) -> Callable[[str, str], bool]:
    """Whether a name is, or a path ends with, what was typed, which may be cut."""
    if CUT not in text:
        return lambda whole, wanted: whole == wanted or (wanted.startswith("/") and whole.endswith(wanted))

    def fits(whole: str, wanted: str) -> bool:
        start, _, end = wanted.partition(CUT)
        begins = start in whole if wanted.startswith("/") else whole.startswith(start)
        return begins and whole.endswith(end)

    return fits


def _names(view: View, row: int) -> set[str]:
    return {view.shelf.names[row], *(path.rpartition("/")[2] for path in view.shelf.paths[row])}
