"""Reading a text query: numbers first, then the longest phrases of the vocabulary, then light typos."""

from dataclasses import dataclass, field

from samplemind_tasks.features import Kind
from samplemind_tasks.words.numbers import read_numbers
from samplemind_tasks.words.text import words_of
from samplemind_tasks.words.understood import Descriptor, Sound, Understood
from samplemind_tasks.words.vocabulary import SURE, TYPO_WEIGHT, Phrase, Vocabulary, vocabulary

READ_CHARS = 1_000
"""A text is read up to here: nobody asks for one sound with more, and reading stays a matter of milliseconds."""
FADED = 0.25
"""What is left of a guess beside a sure meaning: in "piano chord" the chord is hardly a synthesiser's."""
_NEGATED_WORDS = 2
"""A negation reaches so far: "not too bright"."""


@dataclass
class _Reading:
    sounds: list[Sound] = field(default_factory=list)
    descriptors: list[Descriptor] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    kind_words: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def add(self, phrase: Phrase, words: str, *, wanted: bool, trust: float) -> None:
        """Take up what a phrase means."""
        for name, weight in phrase.sounds.items():
            self.sounds.append(Sound(name=name, weight=round(weight * trust, 3), wanted=wanted, words=words))
        for name in phrase.descriptors:
            self.descriptors.append(Descriptor(name=name, wanted=wanted, words=words))
        if phrase.kinds and not phrase.sounds and wanted:
            self.kinds.extend(kind for kind in phrase.kinds if kind not in self.kinds)
            self.kind_words.append(words)


def parse(text: str) -> Understood:
    """Read any text; what it does not say is left empty. Never fails."""
    numbers = read_numbers(text[:READ_CHARS])
    reading = _read(words_of(numbers.left), vocabulary())
    return Understood(
        sounds=_faded(reading.sounds),
        descriptors=_once(reading.descriptors),
        kinds=reading.kinds,
        key=numbers.key,
        tonic=numbers.tonic,
        tempo_bpm=numbers.tempo_bpm,
        pitch_midi=numbers.pitch_midi,
        pitch_hz=numbers.pitch_hz,
        duration_s=numbers.duration_s,
        kind_words=" ".join(reading.kind_words),
        key_words=" ".join(numbers.key_words),
        words=reading.words,
        rest=reading.rest,
    )


def _read(words: list[str], known: Vocabulary) -> _Reading:
    reading = _Reading()
    place, negated_until = 0, -1
    while place < len(words):
        word = words[place]
        if word in known.negations:
            negated_until = place + _NEGATED_WORDS
            place += 1
            continue
        found = known.at(words, place)
        if found is None and word not in known.ignored:
            corrected = known.near(word)
            found = known.at([corrected], 0) if corrected else None
            trust = TYPO_WEIGHT
        else:
            trust = 1.0
        wanted = place > negated_until
        length = found[1] if found else 1
        taken = words[place : place + length]
        if found:
            reading.add(known.phrases[found[0]], " ".join(taken), wanted=wanted, trust=trust)
            negated_until = -1
        elif word not in known.ignored and wanted:
            reading.rest.append(word)
        if wanted and (found or word not in known.ignored):
            reading.words.extend(taken)
        place += length
    return reading


def _faded(sounds: list[Sound]) -> list[Sound]:
    """Each sound once, the likeliest first; guesses fade beside a sure meaning."""
    sure = any(sound.wanted and sound.weight >= SURE for sound in sounds)
    sure_words = {sound.words for sound in sounds if sound.weight >= SURE}
    best: dict[tuple[str, bool], Sound] = {}
    for sound in sounds:
        if sure and sound.wanted and sound.words not in sure_words:
            sound = sound.model_copy(update={"weight": round(sound.weight * FADED, 3)})
        kept = best.get((sound.name, sound.wanted))
        if kept is None or sound.weight > kept.weight:
            best[sound.name, sound.wanted] = sound
    return sorted(best.values(), key=lambda sound: -sound.weight)


def _once(descriptors: list[Descriptor]) -> list[Descriptor]:
    return list({descriptor.name: descriptor for descriptor in descriptors}.values())
