"""How what was found looks to a person: hits and duplicates with where they are, so that they can be opened.

Paths are shown below the folder they share. Where there is no room their middle goes first: the name and the folder it
is in tell a person most. A pipe gets them whole.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.queries import DuplicateGroup, DuplicateMember
from samplemind_tasks.schemas import Hit, Sample

CUT = "…"
PATH = "path"
GAP = 2
"""Columns between two cells."""
LEAST_PATH_COLUMNS = 30
MOST_WHY_COLUMNS = 30
MEASURED_HEADS = ("kind", "category", ">bpm", "key", ">length", "id")
DROPPED_FIRST = ("kind", "key", ">bpm", "why", ">length")
"""Where a terminal is narrow; --json has everything."""
LEAST_SHARED = 2
"""A folder that paths share is worth a line when it is this deep: /home is not."""

Columns = dict[str, Sequence[Text | str]]
"""Cells by head."""


def hit_table(hits: Sequence[Hit], width: int, folder: str | None = None) -> list[RenderableType]:
    """What was found, the best first: why, what it is, where it lives, and the id that other commands take.

    folder : of a sample's places, one below it is shown
    """
    if not hits:
        return []
    paths = [place(hit.sample, folder, hit.matched) for hit in hits]
    shared = shared_folder(paths)
    whys = [why(hit) for hit in hits]
    is_same_why = len(set(whys)) == 1
    columns: Columns = {"score": [Text(f"{hit.score:.2f}", style="cyan") for hit in hits]}
    columns[PATH] = [path or hit.sample.name for hit, path in zip(hits, paths, strict=True)]
    if not is_same_why:
        columns["why"] = [Text(_cut_end(told, MOST_WHY_COLUMNS), style="dim") for told in whys]
    measured = zip(*(_measured(hit.sample) for hit in hits), strict=True)
    columns |= dict(zip(MEASURED_HEADS, map(list, measured), strict=True))
    notes = [Text(f"found by {whys[0]}", style="dim")] if is_same_why else []
    return [*notes, *_below(shared), _table(columns, shared, width), *_fileless(paths)]


def duplicate_table(group: DuplicateGroup) -> list[RenderableType]:
    """The files of one sound, one a line, their paths whole: a person may delete one of them."""
    files: list[tuple[DuplicateMember, str | None]] = []
    for member in group.members:
        files += [(member, path) for path in member.paths] or [(member, None)]
    shared = shared_folder([path for _, path in files])
    table = show.grid(group.how, ">length", ">size", "id", PATH)
    table.columns[-1].overflow = "fold"
    for number, (member, path) in enumerate(files):
        sample = member.sample
        table.add_row(
            Text(_alike(group, member, number, path), style="cyan"),
            show.length(sample.duration_s),
            show.size(sample.size_bytes),
            _short(sample),
            _with_dim_folder(path.removeprefix(shared) if path else f"{sample.name} (no file)"),
        )
    return [*_below(shared), table]


def spare(groups: Iterable[DuplicateGroup]) -> tuple[int, int]:
    """How many files of exact groups are more than one of each sound, and their bytes."""
    files, size_bytes = 0, 0
    for group in groups:
        if group.how == "exact":
            sizes = [member.sample.size_bytes for member in group.members for _ in member.paths]
            files += max(len(sizes) - 1, 0)
            size_bytes += sum(sizes) - max(sizes, default=0)
    return files, size_bytes


def place(sample: Sample, folder: str | None = None, words: Sequence[str] = ()) -> str | None:
    """The file that stands for a sample: the first, or the first below a folder, or that tells one of the words."""
    below = [path for path in sample.paths if folder and path.startswith(folder.rstrip("/") + "/")] or sample.paths
    told = [path for path in below if any(word in path.casefold() for word in words)]
    return next(iter(told or below), None)


def why(hit: Hit) -> str:
    """category, words: dark, pad."""
    told = ", ".join(hit.mode) or show.NONE
    return f"{told}: {', '.join(hit.matched)}" if hit.matched else told


# ------------------------------------------------------------------------------------------------------------- paths


def shared_folder(paths: Sequence[str | None]) -> str:
    """The folder all of them are below, with its slash; empty where they share none that is worth a line."""
    folders = [path.rpartition("/")[0].split("/") for path in paths if path]
    shared = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    if len(set(map(tuple, folders))) == 1:
        shared = shared[:-1]  # all in one folder: its name stays with theirs
    return "/".join(shared) + "/" if len(shared) > LEAST_SHARED else ""


def shortened(path: str, columns: int) -> str:
    """A path in so many columns: folders of the middle go first, then the end of the folder, then of the name."""
    if cell_len(path) <= columns:
        return path
    *folders, name = path.split("/")
    kept = [folders[0], CUT, *folders[2:]] if len(folders) > 2 else [CUT, *folders[1:]]
    while len(kept) > 1:
        shown = "/".join([*kept, name])
        if cell_len(shown) <= columns:
            return shown
        place_of_cut = kept.index(CUT)
        if len(kept) - place_of_cut > 2:
            del kept[place_of_cut + 1]
        elif place_of_cut > 0:
            del kept[0]
        else:
            break
    folder = folders[-1] if folders else ""
    room = columns - cell_len(name) - 1
    if folder and room >= 4:
        return f"{_cut_end(folder, room)}/{name}"
    return _cut_middle(name, columns)


def _cut_end(text: str, columns: int) -> str:
    return text if cell_len(text) <= columns else set_cell_size(text, columns - 1).rstrip() + CUT


def _cut_middle(name: str, columns: int) -> str:
    """The start of a name and its end, where takes differ."""
    if cell_len(name) <= columns:
        return name
    end = name[-(columns // 3) :]
    return _cut_end(name, columns - cell_len(end)) + end


# ------------------------------------------------------------------------------------------------------------- tables


def _measured(sample: Sample) -> list[Text | str]:
    """What a table says of a sample beside its path; heads are `MEASURED_HEADS`."""
    _, kind, category, bpm, key, length, *_ = show.sample_cells(sample)
    return [kind, category, bpm, key, length, _short(sample)]


def _short(sample: Sample) -> Text:
    return Text(sample.id[: show.SHORT_ID], style="dim")


def _table(columns: Columns, shared: str, width: int) -> Table:
    """A table whose paths have the room that the others leave; some of these go where it would be too little."""
    shown = [str(path).removeprefix(shared) for path in columns[PATH]]
    wanted = min(LEAST_PATH_COLUMNS, max(map(cell_len, shown), default=0))
    kept = {head: cells for head, cells in columns.items() if not _is_empty(head, cells)}
    for head in DROPPED_FIRST:
        if _room(kept, width) < wanted:
            kept.pop(head, None)
    room = max(_room(kept, width), LEAST_PATH_COLUMNS // 2)
    kept[PATH] = [_with_dim_folder(shortened(path, room)) for path in shown]
    table = show.grid(*kept)
    for column in table.columns:
        column.no_wrap = True
    for row in zip(*kept.values(), strict=True):
        table.add_row(*row)
    return table


def _is_empty(head: str, cells: Sequence[Text | str]) -> bool:
    """No one-shot has a tempo, and no drum a key: a column of dashes tells nothing."""
    return head in DROPPED_FIRST and all(str(cell) == show.NONE for cell in cells)


def _room(columns: Columns, width: int) -> int:
    """What the other columns leave for the path."""
    others = {head: cells for head, cells in columns.items() if head != PATH}
    widths = [max(cell_len(head.removeprefix(">")), *(cell_len(str(cell)) for cell in cells)) for head, cells in
              others.items()]  # fmt: skip
    return width - sum(widths) - GAP * len(columns)


def _with_dim_folder(path: str) -> Text:
    folder, slash, name = path.rpartition("/")
    return Text.assemble((folder + slash, "dim"), name)


def _below(shared: str) -> list[Text]:
    return [Text(f"below {_from_home(shared)}", style="dim", no_wrap=True, overflow="ellipsis")] if shared else []


def _from_home(folder: str) -> str:
    home = f"{Path.home()}/"
    return f"~/{folder.removeprefix(home)}" if folder.startswith(home) and home != "//" else folder


def _fileless(paths: Sequence[str | None]) -> list[Text]:
    gone = sum(path is None for path in paths)
    return [Text(f"{gone} without a file: uploaded, or the file is gone", style="dim")] if gone else []


def _alike(group: DuplicateGroup, member: DuplicateMember, number: int, path: str | None) -> str:
    """How a file is alike to the group's first."""
    if number == 0:
        return ""
    if path is not None and (path != member.paths[0] or member is group.members[0]):
        return "same bytes"
    return "same sound" if group.how == "exact" else f"{member.similarity:.2f}"
