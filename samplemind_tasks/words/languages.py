"""Words of other languages, and words in another degree, as the English words of the vocabulary."""

from collections.abc import Iterable, Mapping

from samplemind_tasks.words.text import singular, words_of

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "german": {"el": ("el", "le", "ler", "les", "len", "lem"), "": ("", "e", "er", "es", "en", "em", "n")},
    "french": {"": ("", "e", "es")},
    "spanish": {"o": ("o", "a", "as", "os"), "": ("", "es")},
    "other": {"": ("",)},
}
"""What endings become by gender, case and number; a plural that looks English is cut off beforehand."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_VOWELS = frozenset("aeiou")
_CLOSED_CHARS = 4
"""A short word doubles its last consonant: "fat", "fatter"."""


def foreign(languages: Mapping[str, Mapping[str, Iterable[str]]]) -> dict[str, str]:
    """Every form of every word of languages.toml, and the vocabulary's word that it is read as."""
    found: dict[str, str] = {}
    for language, spellings_of in languages.items():
        for english, spellings in spellings_of.items():
            for spelled in [*spellings, *(word.translate(_UMLAUTS) for word in spellings)]:
                (word,) = words_of(spelled)
                for form in _inflected(word, language):
                    found.setdefault(singular(form), singular(english))
    return found


def compared(adjectives: Iterable[str]) -> dict[str, str]:
    """Comparatives and superlatives of English adjectives, and the adjectives."""
    return {stem + ending: word for word in adjectives for stem in [_stem(word)] for ending in ("er", "est")}


def _inflected(word: str, language: str) -> list[str]:
    endings = FORMS[language]
    ending = next(ending for ending in endings if word.endswith(ending))
    return [word.removesuffix(ending) + other for other in endings[ending]]


def _stem(word: str) -> str:
    if word.endswith("e"):
        return word[:-1]
    if word.endswith("y"):
        return f"{word[:-1]}i"
    is_closed = 2 < len(word) <= _CLOSED_CHARS and word[-2] in _VOWELS and word[-3] not in _VOWELS
    return word + word[-1] if is_closed and word[-1] not in _VOWELS | {"w", "x", "y"} else word
