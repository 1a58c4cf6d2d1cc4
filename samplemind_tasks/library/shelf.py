"""Every sample of a user in memory, as columns: filters and scores are numpy over them, and no store is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from samplemind_tasks.library.told import ToldIndex
from samplemind_tasks.store.shelf import Column, Kinds, Rows

ROW_BYTES = 1_000
"""What names, paths, ids and the index of their words cost a row, about."""
LEAST_ROOM = 256


class Shelf:
    """The samples of one user. One task at a time writes; readers take a `view` and keep to it."""

    def __init__(self, kinds: Kinds) -> None:
        self._whole: dict[str, Column] = {name: np.zeros((0, *shape), kind) for name, (kind, shape) in kinds.items()}
        self._count = 0
        self._models = {"": 0}
        """Numbers of those that heard samples; nobody is 0."""
        self.ids: list[str] = []
        self.names: list[str] = []
        self.paths: list[tuple[str, ...]] = []
        self.tags: list[tuple[str, ...]] = []
        self.row_of: dict[str, int] = {}
        self.tagged: dict[str, set[int]] = {}
        """Rows by tag."""
        self.words = ToldIndex()

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        return sum(column.nbytes for column in self._whole.values()) + ROW_BYTES * len(self)

    def view(self, model: str) -> "View":
        """What is there now. Rows that come later are not in it; what changes of the others may be.

        Sounds are compared by the model that has heard most of them: an older one serves until a new one is that far.
        """
        columns = {name: column[: self._count] for name, column in self._whole.items()}
        heard = np.bincount(columns["model"][columns["ready"] & columns["has_timbre"]], minlength=len(self._models))
        serving = self._models.get(model, 0)
        if heard.size and heard[serving] < heard.max():
            serving = int(heard.argmax())
        columns["has_timbre"] = columns["has_timbre"] & (columns["model"] == serving)
        return View(self, columns, list(self._models)[serving] or model)

    def put(self, rows: Rows) -> None:
        """Add samples, or take over what has changed of them. Takes 50 us a row: call it in a thread."""
        for sample in rows.ids:
            if sample not in self.row_of:
                self.row_of[sample] = len(self.ids)
                self.ids.append(sample)
                self.names.append("")
                self.paths.append(())
                self.tags.append(())
        self._make_room(len(self.ids))
        places = [self.row_of[sample] for sample in rows.ids]
        for name, column in rows.columns.items():
            self._whole[name][places] = column
        self._whole["model"][places] = [self._models.setdefault(name, len(self._models)) for name in rows.models]
        for number, row in enumerate(places):
            self.names[row], self.paths[row] = rows.names[number], rows.paths[number]
            folder = rows.paths[number][-1].rpartition("/")[0] if rows.paths[number] else ""
            self.words.tell(row, rows.names[number], folder, rows.own_tags[number], rows.told_words[number])
            self._tag(row, rows.tags[number])
        self._count = len(self.ids)

    def forget(self, sample: str) -> None:
        """Leave out a sample that is not there any more."""
        row = self.row_of.get(sample)
        if row is not None:
            self._whole["gone"][row] = True
            self.words.drop(row)

    def _tag(self, row: int, tags: tuple[str, ...]) -> None:
        if tags == self.tags[row]:
            return
        for tag in self.tags[row]:
            self.tagged[tag].discard(row)
        for tag in tags:
            self.tagged.setdefault(tag, set()).add(row)
        self.tags[row] = tags

    def _make_room(self, count: int) -> None:
        if count <= len(self._whole["ready"]):
            return
        room = max(count, len(self) + len(self) // 4, LEAST_ROOM)
        for name, column in self._whole.items():
            grown = np.zeros((room, *column.shape[1:]), column.dtype)
            grown[: len(self)] = column[: len(self)]
            self._whole[name] = grown


def _no_members(_collection: str) -> Sequence[str]:
    """Collections are the library's, not a shelf's."""
    return ()


@dataclass(frozen=True)
class View:
    """The rows of a shelf at one moment: every column has the same length."""

    shelf: Shelf
    _columns: dict[str, Column]
    model: str
    """The model and revision that sounds are compared by; rows that another heard have no timbre here."""
    members: Callable[[str], Sequence[str]] = _no_members
    """Ids of the samples of a collection. Blocks."""
    mark: str = ""
    """The same for two looks between which nothing changed, in whichever process."""

    def __len__(self) -> int:
        return len(self._columns["ready"])

    def __getitem__(self, column: str, /) -> Column:
        return self._columns[column]
