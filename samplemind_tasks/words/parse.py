"""Reading a text query: numbers first, then the longest phrases of the vocabulary, translated or mistyped too."""

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Kind
from samplemind_tasks.words.denial import Denial
from samplemind_tasks.words.numbers import ABOUT_TEMPO, read_numbers
from samplemind_tasks.words.specific import is_machine
from samplemind_tasks.words.text import BREAK, words_of, words_of_text
from samplemind_tasks.words.understood import Bounds, Descriptor, Sound, Understood
from samplemind_tasks.words.vocabulary import SURE, TYPO_WEIGHT, Phrase, Vocabulary, vocabulary

READ_CHARS = 1_000
"""A text is read up to here: nobody asks for one sound with more, and reading stays a matter of milliseconds."""
FADED = 0.25
"""What is left of a guess beside a sure meaning: in "piano chord" the chord is hardly a synthesiser's."""
FAINTEST = 0.16
"""A guess that has faded below this is none: a "kick drum" that was mistyped is no snare."""
_LOOPS = frozenset({Category.DRUM_LOOP, Category.MELODIC_LOOP})
_BARE_BPM = range(60, 201)
"""A number beside a loop that is its tempo: "loop 124"."""


class _Reading:
    """A text on its way through the vocabulary."""

    def __init__(self, words: list[str], known: Vocabulary) -> None:
        self.sounds: list[Sound] = []
        self.descriptors: list[Descriptor] = []
        self.kinds: dict[Kind, bool] = {}
        """Whether each is wanted."""
        self.kind_words: list[str] = []
        self.words: list[str] = []
        self.rest: list[str] = []
        self.senseless: list[str] = []
        self._typed, self._known = words, known
        self._meant = [known.meant(word) for word in words]
        self._said = [meant or known.plain(word) for word, meant in zip(words, self._meant, strict=True)]
        self._denial = Denial(self._said, known)
        place = 0
        while place < len(words):
            place += self._take(place)

    def _take(self, place: int) -> int:
        """Read what begins at a place: how many words it takes."""
        word = self._said[place]
        found = self._known.at(self._said, place)
        if found is None and (word == BREAK or word in self._known.joiners):
            self._denial.divide(place)
            return 1
        if denial := self._denial.begins(place):
            return denial
        found = found or self._known.at([self._known.translated(word)], 0)
        if found is None:
            if word not in self._known.ignored:
                self._take_unknown(self._typed[place])
            return 1
        phrase, length = self._known.phrases[found[0]], found[1]
        self._take_phrase(phrase, place, length, wanted=not self._denial.meets(phrase, place + length))
        return length

    def _take_unknown(self, word: str) -> None:
        if self._denial.passes():
            self.senseless.append(word)
            return
        self.rest.append(word)
        self.words.append(word)

    def _take_phrase(self, phrase: Phrase, place: int, length: int, *, wanted: bool) -> None:
        """Take up what a phrase means."""
        taken = self._typed[place : place + length]
        words, trust = " ".join(taken), TYPO_WEIGHT if any(self._meant[place : place + length]) else 1.0
        if wanted:
            self.words.extend(self._said[place : place + length])
            for name, weight in phrase.sounds.items():
                self.sounds.append(Sound(name=name, weight=round(weight * trust, 3), words=words))
        else:
            self.sounds += [Sound(name=name, weight=1.0, wanted=False, words=words) for name in phrase.excluded]
        if wanted or not phrase.excluded:
            told = words if wanted else f"not {words}"
            for name in phrase.descriptors:
                self.descriptors.append(Descriptor(name=name, wanted=wanted, words=told))
            for name in phrase.denied:
                self.descriptors.append(Descriptor(name=name, wanted=not wanted, words=told))
        if phrase.kinds and not phrase.sounds:
            self.kinds.update(dict.fromkeys(phrase.kinds, wanted))
            self.kind_words.append(words if wanted else f"not {words}")


def parse(text: str) -> Understood:
    """Read any text; what it does not say is left empty. Never fails."""
    numbers = read_numbers(text[:READ_CHARS])
    reading = _Reading(words_of_text(numbers.left), vocabulary())
    _set_machines_apart(reading)
    _put_into_loops(reading)
    tempo = numbers.tempo_bpm or _bare_tempo(reading)
    return Understood(
        sounds=_faded(reading.sounds),
        descriptors=_once(reading.descriptors),
        kinds=_kinds(reading.kinds),
        key=numbers.key,
        mode=numbers.mode,
        tonic=numbers.tonic,
        tempo_bpm=tempo,
        pitch_midi=numbers.pitch_midi,
        pitch_hz=numbers.pitch_hz,
        duration_s=numbers.duration_s,
        kind_words=" ".join(reading.kind_words),
        key_words=" ".join(numbers.key_words),
        words=reading.words,
        rest=reading.rest,
        senseless=[*reading.senseless, *numbers.senseless],
    )


def _set_machines_apart(reading: _Reading) -> None:
    """In "808 hat" the machine says whose hat, not that a kick is wanted: names may know it, nothing that is heard."""
    if any(sound.wanted and sound.weight >= SURE for sound in reading.sounds):
        machines = [sound for sound in reading.sounds if sound.wanted and is_machine(sound.words)]
        reading.rest += dict.fromkeys(sound.words for sound in machines)
        reading.sounds = [sound for sound in reading.sounds if sound not in machines]


def _put_into_loops(reading: _Reading) -> None:
    """In "kick and snare loop" the kick is in the loop: what is wanted is one loop."""
    wanted = [sound for sound in reading.sounds if sound.wanted and sound.weight >= SURE]
    inside = [sound for sound in wanted if not _is_loop(sound)]
    if inside and _is_loop(wanted[-1]) and _is_of_hits(wanted[-1].words):
        loop = wanted[-1].model_copy(update={"name": Category.DRUM_LOOP.value})
        reading.sounds = [loop, *(sound for sound in reading.sounds if sound not in wanted)]


def _is_of_hits(loop: str) -> bool:
    """Whether the words of a loop begin with a hit's: "snare loop", but not "drum loop"."""
    known, words = vocabulary(), words_of(loop)
    first = known.at(words[:1], 0)
    return len(words) > 1 and first is not None and known.phrases[first[0]].is_sure


def _is_loop(sound: Sound) -> bool:
    return (LEAVES.get(sound.name) or sound.name) in _LOOPS


def _bare_tempo(reading: _Reading) -> Bounds | None:
    """The one number beside a loop, taken out of the rest."""
    is_loop = reading.kinds.get(Kind.LOOP) or any(
        sound.wanted and sound.weight >= SURE and _is_loop(sound) for sound in reading.sounds
    )
    numbers = [word for word in reading.rest if word.isdecimal() and int(word) in _BARE_BPM]
    if not is_loop or len(numbers) != 1:
        return None
    reading.rest.remove(numbers[0])
    bpm = float(numbers[0])
    return Bounds(least=bpm * (1 - ABOUT_TEMPO), most=bpm * (1 + ABOUT_TEMPO), words=numbers[0])


def _kinds(asked: dict[Kind, bool]) -> list[Kind]:
    """The kinds that are wanted; where some are only not wanted, all others."""
    wanted = [kind for kind, is_wanted in asked.items() if is_wanted]
    return wanted or [kind for kind in Kind if asked and kind not in asked]


def _faded(sounds: list[Sound]) -> list[Sound]:
    """Each sound once, the likeliest first; guesses fade beside a sure meaning, the faintest away."""
    sure = any(sound.wanted and sound.weight >= SURE for sound in sounds)
    sure_words = {sound.words for sound in sounds if sound.weight >= SURE}
    best: dict[tuple[str, bool], Sound] = {}
    for sound in sounds:
        if sure and sound.wanted and sound.words not in sure_words:
            sound = sound.model_copy(update={"weight": round(sound.weight * FADED, 3)})
            if sound.weight < FAINTEST:
                continue
        kept = best.get((sound.name, sound.wanted))
        if kept is None or sound.weight > kept.weight:
            best[sound.name, sound.wanted] = sound
    return sorted(best.values(), key=lambda sound: -sound.weight)


def _once(descriptors: list[Descriptor]) -> list[Descriptor]:
    return list({descriptor.name: descriptor for descriptor in descriptors}.values())
