"""What a file's name and folders say it is: evidence for a category, with how far such words can be trusted."""

import numpy as np

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Evidence
from samplemind_tasks.words.names import is_loose, sound_phrases
from samplemind_tasks.words.text import words_of_name
from samplemind_tasks.words.vocabulary import vocabulary

NAME_TRUST, FOLDER_TRUST = 0.95, 0.8
"""Of 661 names of kits and packs that told a sound, 99 % told the right one. A folder's is about many files."""
LEAST_SCORE = 0.5
_FOLDERS = 2
_NAME_CHARS = 255
_CATEGORIES = tuple(LEAVES.values())


def category_told(path: str) -> tuple[Evidence, ...]:
    """Read which category a path's name, and its two nearest folders, tell.

    Parameters
    ----------
    path : with "/" or "\\" between folders; any text

    Returns
    -------
    At most one piece of evidence from "name" and one from "folder", each with its score
    """
    *folders, name = path.replace("\\", "/").rstrip("/").split("/")
    stem = name.rpartition(".")[0] or name
    said = [_told(stem, NAME_TRUST, "name")]
    said += [next(filter(None, (_told(part, FOLDER_TRUST, "folder") for part in reversed(folders[-_FOLDERS:]))), None)]
    return tuple(evidence for evidence in said if evidence is not None)


def _told(text: str, trust: float, source: str) -> Evidence | None:
    """The category of the phrases in a name; nothing where they tell several or none."""
    known = vocabulary()
    phrases = [known.phrases[number] for number in sound_phrases(words_of_name(text[:_NAME_CHARS]))]
    worth: dict[Category, float] = {}
    for phrase in phrases:
        if source == "folder" and is_loose(phrase):
            continue
        best = int(phrase.leaves.argmax())
        weight = float(phrase.leaves[best])
        worth[_CATEGORIES[best]] = max(weight, worth.get(_CATEGORIES[best], 0.0))
    sure = {category: weight for category, weight in worth.items() if weight * trust >= LEAST_SCORE}
    if len(sure) != 1:
        return None
    ((category, weight),) = sure.items()
    text = " ".join(phrase.text for phrase in phrases if phrase.leaves.max() == np.float32(weight))
    return Evidence(
        source="name" if source == "name" else "folder",
        about="category",
        value=category.value,
        text=text[:64],
        score=round(weight * trust, 3),
    )
