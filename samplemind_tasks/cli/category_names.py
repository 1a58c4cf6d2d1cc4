"""What people write for a category: any case, hyphens, plurals, and the synonyms that searches know too.

The vocabulary is read without `words.vocabulary`, which needs numpy: a command is to begin at once.
"""

import difflib
import tomllib
from functools import cache
from importlib.resources import files

import typer

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.words.text import words_of

LIKELY = 0.5
"""Of a phrase that may mean several, those count that are at least this likely beside the likeliest."""

Spelled = tuple[str, ...]


def categories_called(text: str) -> list[Category]:
    """The categories a text names: one, or several for a word such as "hats".

    Raises
    ------
    typer.BadParameter : with what was probably meant.
    """
    spelled = tuple(words_of(text))
    known = _spellings()
    found = known.get(spelled) or known.get(("".join(spelled),))
    if found is None:
        near = difflib.get_close_matches(" ".join(spelled), [" ".join(each) for each in known], n=1, cutoff=0.75)
        guess = f" Did you mean {' or '.join(known[tuple(near[0].split())])}?" if near else ""
        raise typer.BadParameter(f"{text!r} is no category.{guess} There are {', '.join(Category)}.")
    return list(found)


def category_called(text: str) -> Category:
    """The one category a text names.

    Raises
    ------
    typer.BadParameter : it names none, or several.
    """
    first, *others = categories_called(text)
    if others:
        raise typer.BadParameter(f"{text!r} may be {', '.join([first, *others])}: choose one of them")
    return first


@cache
def _spellings() -> dict[Spelled, tuple[Category, ...]]:
    """Every phrase that names sounds, cut into words, also written in one."""
    table = tomllib.loads(files("samplemind_tasks.words").joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    found: dict[Spelled, tuple[Category, ...]] = {}
    for category in Category:
        found[tuple(words_of(category))] = (category,)
    for name, spellings in table["sounds"].items():
        for spelled in (name, *spellings):
            found.setdefault(tuple(words_of(spelled)), (_category(name),))
    for spelled, weights in table["ambiguous"].items():
        likely = [name for name, weight in weights.items() if weight >= LIKELY * max(weights.values())]
        found.setdefault(tuple(words_of(spelled)), tuple(dict.fromkeys(map(_category, likely))))
    return {("".join(words),): categories for words, categories in found.items()} | found


def _category(name: str) -> Category:
    return Category(name) if name in tuple(Category) else LEAVES[name]
