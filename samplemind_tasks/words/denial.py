"""How far a "not" reaches in a text: over "not too bright", over a list, but not beyond what it denies."""

from collections.abc import Sequence

from samplemind_tasks.words.vocabulary import Phrase, Vocabulary

_REACH = 2
"""Words nobody knows that a denial reaches over; small words do not count."""


class Denial:
    """Walks along the words of a text and knows which phrases are denied.

    "Not" denies the next thing that is said, and with "or" the one after it: "not bright or harsh". An exclusion, such
    as "without", "no" or "anything but", denies a sound whatever adjective it has, and "and" goes on with it: "no drums
    and vocals". A comma goes on with a list of either that an "or" or "and" ends. Things of another sort end a list: in
    "without noise, dark or deep" the dark is wanted.
    """

    def __init__(self, words: Sequence[str], known: Vocabulary) -> None:
        self._words, self._known = words, known
        self._left = 0
        self._excludes = False
        self._last: str | None = None
        """The sort of what was denied last."""

    def begins(self, place: int) -> int:
        """How many words at a place deny what follows; 0 for none."""
        for length in (3, 2, 1):
            words = tuple(self._words[place : place + length])
            if words in self._known.denials or words in self._known.exclusions:
                self._left, self._last = _REACH, None
                self._excludes = words in self._known.exclusions
                return len(words)
        return 0

    def meets(self, phrase: Phrase, after: int) -> bool:
        """Whether a phrase, which ends before `after`, is denied."""
        sort = _sort(phrase)
        is_denied = self._left > 0 and self._last in (None, sort)
        if is_denied and self._excludes and not phrase.sounds and self._names_a_sound(after):
            return True  # and what follows too: "without harsh vocals"
        self._left, self._last = 0, sort if is_denied else None
        return is_denied

    def passes(self) -> bool:
        """Whether a word that nobody knows is denied."""
        is_denied = self._left > 0
        self._left -= is_denied
        return is_denied

    def divide(self, place: int) -> None:
        """Come to a comma, an "or" or an "and"."""
        if self._last is not None and self._goes_on(place):
            self._left = _REACH
        else:
            self._left, self._last = 0, None

    def _goes_on(self, place: int) -> bool:
        """Whether the list is divided, or after some commas ends, by a word that the denial reaches over."""
        for word in self._words[place:]:
            if word in self._known.joiners:
                return self._excludes or word in self._known.alternatives
            if (word,) in self._known.denials | self._known.exclusions:
                return False
        return False

    def _names_a_sound(self, place: int) -> bool:
        found = self._known.at(self._words, place)
        return found is not None and bool(self._known.phrases[found[0]].sounds)


def _sort(phrase: Phrase) -> str:
    if phrase.sounds:
        return "sound"
    return "kind" if phrase.kinds else "descriptor"
