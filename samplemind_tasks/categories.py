"""What a sound can be: the categories people see, and the finer leaves that the default model tells apart."""

from enum import StrEnum


class Category(StrEnum):
    """What a producer would call a sound. Wire words: stored, shown, never renamed."""

    KICK = "kick"
    SNARE = "snare"
    RIM = "rim"
    CLAP = "clap"
    CLOSED_HAT = "closed hat"
    OPEN_HAT = "open hat"
    CRASH = "crash"
    RIDE = "ride"
    TOM = "tom"
    COWBELL = "cowbell"
    SHAKER = "shaker"
    TAMBOURINE = "tambourine"
    CONGA = "conga"
    OTHER_PERCUSSION = "other percussion"
    BASS = "bass"
    SUB = "sub"
    LEAD = "lead"
    PAD = "pad"
    PLUCK = "pluck"
    KEYS = "keys"
    PIANO = "piano"
    ORGAN = "organ"
    GUITAR = "guitar"
    STRINGS = "strings"
    BRASS = "brass"
    WIND = "wind"
    BELL = "bell"
    VOCAL = "vocal"
    FX = "fx"
    RISER = "riser"
    IMPACT = "impact"
    NOISE = "noise"
    DRUM_LOOP = "drum loop"
    MELODIC_LOOP = "melodic loop"
    FULL_TRACK = "full track"


_LEAVES_OF = {
    Category.KICK: ("acoustic kick", "electronic kick", "808 kick"),
    Category.SNARE: ("acoustic snare", "electronic snare", "brush snare"),
    Category.RIM: ("rim",),
    Category.CLAP: ("clap", "snap"),
    Category.CLOSED_HAT: ("closed hat", "pedal hat"),
    Category.OPEN_HAT: ("open hat",),
    Category.CRASH: ("crash", "splash", "china"),
    Category.RIDE: ("ride", "ride bell"),
    Category.TOM: ("acoustic tom", "electronic tom"),
    Category.COWBELL: ("cowbell",),
    Category.SHAKER: ("shaker", "maracas", "cabasa"),
    Category.TAMBOURINE: ("tambourine",),
    Category.CONGA: ("conga", "bongo"),
    Category.OTHER_PERCUSSION: (
        "tabla", "timbale", "timpani", "taiko", "triangle", "woodblock", "clave", "castanets", "guiro", "agogo",
        "vibraslap", "whistle", "cuica", "sleigh bells",
    ),
    Category.BASS: ("electric bass", "upright bass", "synth bass", "growl bass"),
    Category.SUB: ("sub", "808 bass"),
    Category.LEAD: ("synth lead", "stab"),
    Category.PAD: ("pad", "ambience"),
    Category.PLUCK: ("synth pluck", "harp", "pizzicato", "koto", "kalimba", "sitar"),
    Category.KEYS: ("electric piano", "clavinet", "harpsichord"),
    Category.PIANO: ("piano",),
    Category.ORGAN: ("organ", "church organ", "accordion"),
    Category.GUITAR: ("acoustic guitar", "electric guitar", "muted guitar", "distorted guitar", "banjo"),
    Category.STRINGS: ("strings", "solo strings", "orchestra hit"),
    Category.BRASS: ("brass", "synth brass"),
    Category.WIND: ("flute", "reed", "saxophone", "harmonica"),
    Category.BELL: ("bell", "tubular bell", "glockenspiel", "vibraphone", "mallet", "steel drum"),
    Category.VOCAL: ("voice", "choir"),
    Category.FX: ("zap", "glitch", "scratch", "sweep", "soundscape"),
    Category.RISER: ("riser",),
    Category.IMPACT: ("impact",),
    Category.NOISE: ("noise", "crackle"),
    Category.DRUM_LOOP: ("drum loop", "percussion loop"),
    Category.MELODIC_LOOP: ("melodic loop", "bass loop"),
    Category.FULL_TRACK: ("full track",),
}  # fmt: skip

LEAVES: dict[str, Category] = {leaf: category for category, leaves in _LEAVES_OF.items() for leaf in leaves}
"""Every leaf and the category it is shown as. A leaf has one name, so a search for "tabla" can mean it alone."""

CATEGORY_NUMBERS = tuple(list(Category).index(category) for category in LEAVES.values())
"""Of each leaf, the place of its category among the categories."""

UNSURE_BELOW = 0.12
"""A category less probable than this is not told. Just above it, of sounds held out, one in five is right."""
