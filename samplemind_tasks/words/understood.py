"""What a text was understood as: shown to the person who typed it, and ranked by ranking.py."""

from typing import Annotated, Literal

from pydantic import Field

from samplemind_tasks.features import Confidence, KeyName, Kind, Strict
from samplemind_tasks.keynames import tonic_name


class Sound(Strict):
    """A category or leaf that is asked for."""

    name: str
    weight: Confidence
    wanted: bool = True
    """False: it should not be this."""
    words: str
    """The words it was read from."""


class Descriptor(Strict):
    """How it should sound: a word of audio/words.py, or long, low, high, loud, quiet, fast, slow."""

    name: str
    wanted: bool
    """False: it should not."""
    words: str
    """The words it was read from, "not" before those that were denied: "dry" itself asks for not sustained."""


class Bounds(Strict):
    """From `least` to `most`, both included."""

    least: float
    most: float
    words: str


class Understood(Strict):
    """A text, read."""

    sounds: list[Sound] = Field(default_factory=list)
    descriptors: list[Descriptor] = Field(default_factory=list)
    kinds: list[Kind] = Field(default_factory=list)
    key: KeyName | None = None
    tempo_bpm: Bounds | None = None
    pitch_midi: Bounds | None = None
    pitch_hz: Bounds | None = None
    duration_s: Bounds | None = None
    tonic: Annotated[int, Field(ge=0, le=11)] | None = None
    """Of a key whose mode was not said, semitones above C."""
    mode: Literal["minor", "major"] | None = None
    """Of any key, where no key was said."""
    kind_words: str = ""
    key_words: str = ""
    """The words that kinds, and key, tonic or mode, were read from."""
    words: list[str] = Field(default_factory=list)
    """Every word that says something, as names are searched for it: corrected, and in English where that is known."""
    rest: list[str] = Field(default_factory=list)
    """Words that were read as nothing; the sentence model may know them."""
    senseless: list[str] = Field(default_factory=list)
    """What was read as nothing and is not worth a question: "-1 bpm", or what nobody knows and is not wanted."""

    beyond: list[tuple[str, str, str]] = Field(default_factory=list)
    """What words of the rest are to a library after all: tags, names, sounds of like meaning; as in `read_as`."""

    def with_found(self, beyond: list[tuple[str, str, str]]) -> "Understood":
        """The same, less those words of the rest that were of use after all."""
        used = {word for _, _, words in beyond for word in words.split()}
        rest = [word for word in self.rest if word not in used]
        return self.model_copy(update={"beyond": beyond, "rest": rest})

    @property
    def rest_text(self) -> str:
        return " ".join([*self.rest, *self.senseless])

    def read_as(self) -> list[tuple[str, str, str]]:
        """What each part of the text was read as, for people: what it is about, its value, the words."""
        told = [("category", sound.name, sound.words) for sound in self.sounds if sound.wanted]
        unwanted = [sound for sound in self.sounds if not sound.wanted]
        for words in dict.fromkeys(sound.words for sound in unwanted):
            names = ", ".join(sound.name for sound in unwanted if sound.words == words)
            told.append(("category", f"not {names}", words))
        told += [("descriptor", one.name if one.wanted else f"not {one.name}", one.words) for one in self.descriptors]
        told += [("kind", kind.value, self.kind_words) for kind in self.kinds]
        if self.key is not None or self.tonic is not None or self.mode is not None:
            told.append(("key", self.key or self.mode or tonic_name(self.tonic or 0), self.key_words))
        for what in ("tempo_bpm", "pitch_midi", "pitch_hz", "duration_s"):
            bounds = getattr(self, what)
            if bounds is not None:
                told.append((what, f"{bounds.least:g} to {bounds.most:g}", bounds.words))
        return told + self.beyond

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing to search for."""
        return self == Understood()
