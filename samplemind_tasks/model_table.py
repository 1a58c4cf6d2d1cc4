"""The tables of config/models.toml, with what a person adds in files of their own: models, and words to hear."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from samplemind_tasks.cards import FrontEnd, ModelCard, NetworkCard
from samplemind_tasks.errors import ModelUnavailable, SampleMindError

CONFIG_DIR = Path(__file__).resolve().parent.parent / "config"
MOST_WORDS = 500
"""Of a user's own: each is read once when a worker starts, and compared with every sound."""
LONGEST_WORD = 80
MOST_WORDS_BYTES = 1 << 20
"""A longer file is none of words."""


@cache
def read_words(path: Path) -> tuple[str, ...]:
    """The words of a words_file, in its order.

    Raises
    ------
    ModelUnavailable with the line that is wrong, or why the file cannot be read.
    """
    try:
        if path.stat().st_size > MOST_WORDS_BYTES:
            raise ValueError(f"it is larger than {MOST_WORDS_BYTES} bytes")
        return _words(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:  # UnicodeDecodeError is one
        raise ModelUnavailable(f"SAMPLEMIND_WORDS_FILE {path} cannot be used: {error}.") from error


def _words(text: str) -> tuple[str, ...]:
    words: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        word = " ".join(line.partition("#")[0].split())
        if not word:
            continue
        if len(word) > LONGEST_WORD:
            raise ValueError(f"line {number} has {len(word)} characters; {LONGEST_WORD} are allowed")
        if not word.isprintable():
            raise ValueError(f"line {number} has characters that cannot be shown")
        if word in words:
            raise ValueError(f"line {number} says {word!r}, as line {words[word]} does")
        words[word] = number
    if not 0 < len(words) <= MOST_WORDS:
        raise ValueError(f"there are {len(words)} words in it; from 1 to {MOST_WORDS} are allowed")
    return tuple(words)


Card = TypeVar("Card", FrontEnd, NetworkCard, ModelCard)


@contextmanager
def _naming(more: Path | None, entry: str = "") -> Iterator[None]:
    """Say of what is wrong in a file of one's own which file, which entry, and what."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        message = f"SAMPLEMIND_MODELS_FILE {more} cannot be used: {entry}{reason}"
        raise SampleMindError(message, code="bad_setting") from error


@cache
def _models_table(more: Path | None) -> dict[str, dict[str, dict[str, Any]]]:
    table = tomllib.loads((CONFIG_DIR / "models.toml").read_text(encoding="utf-8"))
    with _naming(more):
        own = tomllib.loads(more.read_text(encoding="utf-8")) if more else {}
        return {kind: {**rows, **own.get(kind, {})} for kind, rows in table.items()}


def _cards(kind: str, card: type[Card], more: Path | None, **named: Mapping[str, object]) -> dict[str, Card]:
    """The rows of a kind as cards; named: fields that name rows of other kinds, and those rows."""
    cards = {}
    for name, row in _models_table(more)[kind].items():
        with _naming(more, f"[{kind}.{name}] "):
            of = {field: _of(rows, row[field]) for field, rows in named.items() if field in row}
            cards[name] = card.model_validate({"name": name, **row, **of})
    return cards


def _of(rows: Mapping[str, object], named: str | list[str]) -> object:
    return rows[named] if isinstance(named, str) else [rows[name] for name in named]


@cache
def front_ends(more: Path | None = None) -> dict[str, FrontEnd]:
    """Every front-end of config/models.toml, and of a file of one's own, by name."""
    return _cards("front_ends", FrontEnd, more)


@cache
def network_cards(more: Path | None = None) -> dict[str, NetworkCard]:
    """Every network by name."""
    return _cards("networks", NetworkCard, more, front_end=front_ends(more))


@cache
def model_cards(more: Path | None = None) -> dict[str, ModelCard]:
    """Every model by name."""
    return _cards("models", ModelCard, more, networks=network_cards(more))
