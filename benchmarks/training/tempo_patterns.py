"""Drum patterns of many genres, drawn at random and played by a hand that is not a machine.

A pattern is a row of digits, one for each step of a bar: how likely a hit is (9: always, 0 or a dot: never) and, with
it, how loud. Every genre has several rows to choose from for each instrument, so that few drawn patterns are equal.
"""

from dataclasses import dataclass

import numpy as np

Random = np.random.Generator

KICK, RIM, SNARE, CLAP, SNARE_2 = 36, 37, 38, 39, 40
HAT, PEDAL_HAT, OPEN_HAT, CRASH, RIDE, RIDE_BELL = 42, 44, 46, 49, 51, 53
TAMBOURINE, COWBELL, SHAKER, CLAVES, AGOGO = 54, 56, 70, 75, 67
HIGH_CONGA, MUTE_CONGA, LOW_CONGA, HIGH_BONGO, LOW_BONGO, TIMBALE = 63, 62, 64, 60, 61, 65
SURDO, MUTE_SURDO = 87, 86
TOMS = (50, 47, 45, 43, 41)


@dataclass(frozen=True)
class Hit:
    """One stroke: seconds from the start, the General MIDI drum, and how loud, 1 to 127."""

    time_s: float
    drum: int
    velocity: int


@dataclass(frozen=True)
class Genre:
    """What drummers of a genre play.

    Attributes
    ----------
    bpm : lowest and highest usual tempo
    beats : in a bar
    steps : in a beat
    rows : drum to the rows to choose from; a row shorter than the bar is repeated; "" is silence
    swing : lowest and highest delay of every second step, as a part of a step
    human_s : lowest and highest deviation of the timing
    machine : whether only drum machines play it
    """

    bpm: tuple[float, float]
    rows: dict[int, tuple[str, ...]]
    beats: int = 4
    steps: int = 4
    swing: tuple[float, float] = (0.0, 0.0)
    human_s: tuple[float, float] = (0.001, 0.012)
    machine: bool = False


_BACKBEAT = ("....9.......9...", "....9..1.1..9..1", ".1..9..2.2..9..2", "....9.......9.13", "....9..1....9...")
_EIGHTHS = ("9.6.8.6.", "9.9.9.9.", "8.5.8.5.8.5.8.59", "9.4.9.4.")
_SIXTEENTHS = ("9476", "8585", "9365847393658473", "9595", "96769676")
_QUARTERS = ("9...", "8...")
_OFFBEATS = ("..9.", "..8.", "..9..3..")

GENRES: dict[str, Genre] = {
    "rock": Genre(
        (75, 180),
        {
            KICK: (
                "9.......9.......",
                "9.....5.9.......",
                "9..3..3.9.5.....",
                "9.......9.9.....",
                "9.9.....9.9..3..",
                "9.....9...9.....",
            ),
            SNARE: _BACKBEAT,
            HAT: (*_EIGHTHS, *_QUARTERS, ""),
            RIDE: ("", "", "", "9.6.9.6.", "9..."),
        },
        human_s=(0.003, 0.015),
    ),
    "pop": Genre(
        (85, 135),
        {
            KICK: ("9.......9.......", "9.....9.9.......", "9..9....9.......", "9...9...9...9...", "9.....3.2.9....."),
            SNARE: _BACKBEAT,
            CLAP: ("", "", "....9.......9..."),
            HAT: (*_EIGHTHS, *_SIXTEENTHS),
            SHAKER: ("", "", "8575"),
            TAMBOURINE: ("", "", "....9..."),
        },
    ),
    "ballad": Genre(
        (58, 84),
        {
            KICK: ("9.......9.......", "9.......5.9.....", "9.....4.9.......", "9..............."),
            SNARE: ("....9.......9...", "....9.......9..2"),
            RIM: ("", "", "....9.......9..."),
            HAT: ("9.6.8.6.", "9.6.8.6.", "95759575", "9...8..."),
        },
        human_s=(0.003, 0.018),
    ),
    "hip hop": Genre(
        (70, 104),
        {
            KICK: (
                "9.....3.9.3.....",
                "9.9.......9.....",
                "9..3...3.39....3",
                "9......9..9.....",
                "9.5.......95..3.",
                "9.....9..3.3....",
            ),
            SNARE: ("....9.......9...", "....9..1.1..9..1", "....9..2.3..9.11"),
            CLAP: ("", "", "....9.......9..."),
            HAT: ("9.6.8.6.", "9.7.9.7.", "9486", "9.6.8.63"),
            OPEN_HAT: ("", "", "..............3.", "......3........."),
        },
        swing=(0.0, 0.35),
    ),
    "house": Genre(
        (116, 130),
        {
            KICK: ("9...", "9...", "9...9...9...9.13"),
            CLAP: ("....9...", "....9...", ""),
            SNARE: ("", "....9...", "....9.....2.9..2"),
            OPEN_HAT: _OFFBEATS,
            HAT: ("", "9575", "9.6.", "7696"),
            SHAKER: ("", "", "8596"),
            LOW_CONGA: ("", "", "..3..5..3.4..5.."),
        },
        swing=(0.0, 0.2),
        human_s=(0.0, 0.003),
        machine=True,
    ),
    "techno": Genre(
        (125, 148),
        {
            KICK: ("9...",),
            CLAP: ("", "....9...", "............9..."),
            HAT: ("..9.", "9696", "99", ".939"),
            RIDE: ("", "", "..9.", "9.9."),
            RIM: ("", "...4..5...3..4..", "..5..5..5..5..5."),
            LOW_BONGO: ("", "", ".3.4..5..4.3.5.."),
        },
        human_s=(0.0, 0.002),
        machine=True,
    ),
    "trap": Genre(
        (125, 160),
        {
            KICK: ("9.....4.....3...", "9.........9.....", "9..5......9...3.", "9.....9...3....."),
            SNARE: ("........9.......", "........9......2"),
            CLAP: ("", "........9......."),
            HAT: ("9.8.", "9.8.", "9.7.9.7.9.789998", "9.8.98889.8.9.88"),
            OPEN_HAT: ("", "", "......5........."),
        },
        human_s=(0.0, 0.004),
        machine=True,
    ),
    "drum and bass": Genre(
        (158, 180),
        {
            KICK: ("9.........9.....", "9..3......9.....", "9.........9..3..", "9.9.......9....."),
            SNARE: ("....9.......9...", "....9..2.2..9..2", "....9..3.4..9.3."),
            HAT: ("9.7.", "9.8.9.8.", "9575"),
            RIDE: ("", "", "9.7."),
        },
        human_s=(0.0, 0.006),
    ),
    "breakbeat": Genre(
        (92, 178),
        {
            KICK: (
                "9.9.......99....",
                "9.9.......9.....",
                "9..9......9..3..",
                "9.....9...9..9..",
                "9.3......39.....",
                "9..3..3..39.....",
            ),
            SNARE: ("....9..5.5..9..5", "....9..5.5....9.", "....9..3.3..9...", "....9..4.5..9.44", "....9.......9..4"),
            HAT: ("9.7.8.7.", "9.8.9.8.", "9576", ""),
            RIDE: ("", "", "9.8.9.8."),
            OPEN_HAT: ("", "", "..........5....."),
        },
        swing=(0.0, 0.25),
        human_s=(0.002, 0.014),
    ),
    "funk": Genre(
        (84, 124),
        {
            KICK: ("9.5....3..9..3..", "9.9....3..9.....", "9..5..3...3..9..", "9......5.39..3..", "9.3...9...5..3.."),
            SNARE: ("....9..4.4..9..4", ".2..9..3.42.9.23", "....9..3.3.39..3", "..1.9.2.1.2.9..3"),
            HAT: ("9576", "9485", "9.7.8.7.", "9597"),
            OPEN_HAT: ("", "", "......4.......3.", "..............5."),
        },
        swing=(0.0, 0.25),
        human_s=(0.003, 0.012),
    ),
    "soul": Genre(
        (72, 132),
        {
            KICK: ("9.....5.9.......", "9..3....9.5.....", "9...3...9...3...", "9.....9...9....."),
            SNARE: ("....9.......9...", "9...", "....9..2.2..9..2"),
            HAT: ("9.6.8.6.", "9.7.", "9575"),
            TAMBOURINE: ("", "", "....9...", "9.7."),
        },
        swing=(0.0, 0.2),
        human_s=(0.004, 0.016),
    ),
    "jazz swing": Genre(
        (96, 230),
        {
            RIDE: ("9..9.79..9.7", "9..8.6", "8..9.5", "9..9.49..9.6"),
            PEDAL_HAT: ("...9..", "...8.."),
            KICK: ("", "4..4..4..4..", "2....2..3...", "6..5.."),
            SNARE: ("", "..2..2..2..3", ".....3.....2", "...3.......4", "..1...3....."),
        },
        steps=3,
        human_s=(0.004, 0.016),
    ),
    "shuffle": Genre(
        (84, 160),
        {
            KICK: ("9.....9.....", "9..3..9.39..", "9.....9.5...", "9..9..9..9.."),
            SNARE: ("...9.....9..", "..29.2..29.2", "...9.....9.3"),
            HAT: ("9.79.7", "9.89.8", "9.69.6"),
            RIDE: ("", "", "9.79.7"),
        },
        steps=3,
        human_s=(0.003, 0.014),
    ),
    "slow blues": Genre(
        (52, 84),
        {
            KICK: ("9.....9.....", "9....59.....", "9.....9..3.."),
            SNARE: ("...9.....9..", "...9.....9.3"),
            HAT: ("976", "988", "965"),
            RIDE: ("", "", "976"),
        },
        steps=3,
        human_s=(0.003, 0.016),
    ),
    "bossa": Genre(
        (108, 168),
        {
            KICK: ("9..79...", "9...9..."),
            RIM: ("9.....9.....9...", "9.....9...9...9.....9.....9.....", "..9...9...9..9.."),
            HAT: ("9.6.8.6.", "9.7."),
            SHAKER: ("", "", "8575"),
        },
        human_s=(0.003, 0.012),
    ),
    "samba": Genre(
        (90, 130),
        {
            SURDO: ("....9...", "3...9..."),
            MUTE_SURDO: ("", "9......."),
            KICK: ("", "9..79..7", "7..79..9"),
            SHAKER: ("9449", "9558", ""),
            HAT: ("", "9558", "9..9"),
            TAMBOURINE: ("", "9..69..6", "94.9"),
            AGOGO: ("", "9.9..9.9.9.9..9.", "9..9.9.9..9.9.9."),
            SNARE: ("", "9335533953355395"),
        },
        swing=(0.0, 0.15),
        human_s=(0.003, 0.012),
    ),
    "salsa": Genre(
        (84, 120),
        {
            CLAVES: ("9..9..9...9.9...", "..9.9...9..9..9.", ""),
            COWBELL: ("", "9.8.9.8.", "9.77.7779.777.77"),
            LOW_CONGA: ("", "......99", "..4...99", "............9999"),
            MUTE_CONGA: ("", "5.6.9...", "5.5.9.5."),
            HIGH_BONGO: ("", "9585", "95859485"),
            TIMBALE: ("", "9.7.97.79.7.97.7"),
            KICK: ("", "...9..9.", "......9."),
            SHAKER: ("", "9.5."),
        },
        human_s=(0.003, 0.012),
    ),
    "afro": Genre(
        (94, 128),
        {
            KICK: ("9.....9...9.....", "9..3..9.9..3..9.", "9...9...9...9...", "...9..9....9..9."),
            SNARE: ("....2..9....2..9", "...9..9....9..9.", ".....3..9..3...."),
            RIM: ("", "9..9..9...9.9..."),
            HAT: ("9.7.", "..9.", "9576"),
            SHAKER: ("", "9575", "9485"),
            HIGH_CONGA: ("", "..3.5..9..3.5..9", "9..5.9.."),
        },
        human_s=(0.003, 0.014),
    ),
    "reggae": Genre(
        (62, 92),
        {
            KICK: ("........9.......", "9.......9.......", "9...9...9...9...", "....9.......9..."),
            RIM: ("........9.......", "....9.......9...", ""),
            SNARE: ("", "........9......2"),
            HAT: ("9.8.9.8.", "9.89", "9486", "..9."),
            TAMBOURINE: ("", "", "..9."),
        },
        swing=(0.0, 0.4),
        human_s=(0.003, 0.014),
    ),
    "dancehall": Genre(
        (88, 112),
        {
            KICK: ("9.......9.......", "9..9....9..9....", "9...9...9...9..."),
            SNARE: ("...9..9....9..9.", "......9.......9.", "...9..9."),
            HAT: ("9.8.", "..9.", "9575", ""),
            SHAKER: ("", "9585"),
        },
        human_s=(0.0, 0.006),
    ),
    "metal": Genre(
        (100, 220),
        {
            KICK: ("9.9.", "9999", "9..99.9.9..99.9.", "9.999.99", "9...9..99...9..."),
            SNARE: ("....9...", "....9.......9...", "..9."),
            HAT: ("", "9...", "9.9."),
            CRASH: ("9...", "", ""),
            RIDE: ("", "9...", "9.8."),
        },
        human_s=(0.001, 0.008),
    ),
    "punk": Genre(
        (150, 210),
        {
            KICK: ("9.......9.9.....", "9...9...9...9...", "9.....9.9.......", "9.9.....9.9....."),
            SNARE: ("....9.......9...", "..9...9.", "....9.......9.9."),
            HAT: ("9.9.9.9.", "9...9...", "9.7.9.7."),
            CRASH: ("", "", "9..."),
        },
        human_s=(0.003, 0.014),
    ),
    "slow rock": Genre(
        (54, 84),
        {
            KICK: ("9.......9.......", "9.....5.9.5.....", "9.......3.9.....", "9.9.....9.......", "9..5..3.9.3..5.."),
            SNARE: ("....9.......9...", "....9..2.2..9..2", ".1..9.......9.13", "....9.......9..."),
            HAT: ("9.7.9.7.", "9575", "9686", "9.6.8.65"),
            RIDE: ("", "", "9.7.", "9576"),
            OPEN_HAT: ("", "", "..............5."),
        },
        human_s=(0.003, 0.018),
    ),
    "slow funk": Genre(
        (60, 96),
        {
            KICK: ("9.5....5..9..3..", "9......9.59.....", "9..9...3..9..9..", "9.3..5.9..5...3.", "9...3.59.....95."),
            SNARE: ("....9..4.4..9..4", ".2..9..3.42.9.23", "....9.23.3.39..3", "..3.9..3..3.9.3."),
            HAT: ("9576", "9485", "9.7.8.7.", "9597", "9.8."),
            OPEN_HAT: ("", "......4.......3.", "..............5."),
        },
        swing=(0.0, 0.4),
        human_s=(0.003, 0.016),
    ),
    "bembe": Genre(
        (84, 150),
        {
            COWBELL: ("9.9.99.9.9.9", "9.9.9.99.9.9", ""),
            RIDE: ("", "9.9.99.9.9.9", "9.99.9"),
            KICK: ("9.....9.....", "...9..", "9..3..9..9.."),
            PEDAL_HAT: ("9..", "", "...9.."),
            SNARE: ("", "..5..9..5..9", "...9..3..9.3"),
            LOW_CONGA: ("", "..9..9", ".99.99"),
            TOMS[3]: ("", "", "..5.9...5.9."),
        },
        steps=3,
        human_s=(0.003, 0.014),
    ),
    "afrobeat": Genre(
        (96, 138),
        {
            KICK: ("9..3..9...3.9...", "..9...9.9...9...", "9.....9..3..9.3.", "9..9..9...9..9.."),
            SNARE: ("....9..3.3....9.", "...9..5...9..5..", "..3.9..9....9..3", ".....9..5...9..5"),
            HAT: ("9.7.9.7.", "9576", "9.77", "..9."),
            OPEN_HAT: ("", "..5...5.", "......9........."),
            SHAKER: ("", "9575"),
        },
        human_s=(0.003, 0.014),
    ),
    "songo": Genre(
        (84, 120),
        {
            KICK: ("...9..9....9..9.", "...9..9.", "......9.......9."),
            SNARE: ("..3.5..9.3..5..9", "....5..9..3.5.39", "....9......39..3"),
            COWBELL: ("9...9...9...9...", "9.8.9.8.9.88.8.8", ""),
            RIDE: ("", "", "9.9.99.99.9.9.9."),
            HAT: ("", "9.7.", "9..99.9."),
            TOMS[2]: ("", "", "..............95", "......9......93."),
        },
        human_s=(0.003, 0.014),
    ),
    "tom groove": Genre(
        (70, 150),
        {
            KICK: ("9.......9.......", "9...9...9...9...", "9.....9.9......."),
            SNARE: ("....9.......9...", "............9...", ""),
            TOMS[4]: ("9.66", "8.6.8.66", "9..7..8.", "6.89"),
            TOMS[2]: ("..5...7.", ".......8......77", "", "..........6.7.6."),
            HAT: ("", "", "9..."),
        },
        human_s=(0.003, 0.014),
    ),
    "march": Genre(
        (84, 136),
        {
            KICK: ("9...", "9.......", "9...5..."),
            SNARE: ("9.559.559.559555", "9.9.9.999.9.9999", "6.936.936.936999", "..9."),
            CRASH: ("", "", "9......."),
        },
        human_s=(0.003, 0.012),
    ),
    "glitch": Genre(
        (84, 150),
        {
            KICK: ("9..5..3.5.9..5..", "9....5..9..3..5.", "9.3.....5.9....."),
            SNARE: ("....9..3..5.9..3", "..5.9....3..9.5.", "....9.......9..."),
            RIM: ("", "..3.5.3..4.3.5.4", "4.5.3..45.3.4..3"),
            HAT: ("5454", "7.5.4.6.", "3645"),
            CLAVES: ("", "", "..4....3..5....4"),
            AGOGO: ("", "", "3....4.....3..4."),
        },
        human_s=(0.0, 0.006),
        machine=True,
    ),
    "dubstep": Genre(
        (136, 146),
        {
            KICK: ("9.......3.3.....", "9.....9......3..", "9..3......5....."),
            SNARE: ("........9.......",),
            CLAP: ("", "........9......."),
            HAT: ("9.7.9.7.", "9...7...", "9.9.", "9..7..9."),
        },
        human_s=(0.0, 0.003),
        machine=True,
    ),
    "abakua": Genre(
        (90, 150),
        {
            RIDE_BELL: ("9.9.99.9.9.9", "9.99.9.99.9.", "9.9.9.99.9.9"),
            KICK: ("9.....9.....", "9..9..9..9..", "..9..9..9..9", "....9.....9."),
            PEDAL_HAT: ("9..9..9..9..", "...9.....9..", ""),
            RIM: ("..9..9..9..9", "..9.9...9.9.", ""),
            TOMS[2]: ("....99....99", "..9.....9...", "", "9.9.9.9.9.9."),
            LOW_CONGA: ("", "..9.99..9.99"),
        },
        steps=3,
        human_s=(0.003, 0.014),
    ),
    "afro six": Genre(
        (84, 150),
        {
            HAT: ("9.9.9.", "9.9.99.9.9.9", "9.79.7", "999"),
            KICK: ("9..9..", "9....59....5", "9..3.59.....", "9.5..95..9.5"),
            SNARE: ("......9.....", "...9..3..9.3", "..3..39.3..3", "...9.3...9.3"),
            TOMS[3]: ("", "", "....5.....77"),
            COWBELL: ("", "9.9.99.9.9.9"),
        },
        steps=3,
        human_s=(0.003, 0.014),
    ),
    "fast swing": Genre(
        (160, 240),
        {
            RIDE: ("9..9.79..9.7", "9.79.7", ""),
            HAT: ("", "9.89.8", "9..9.8"),
            PEDAL_HAT: ("", "...9.."),
            KICK: ("8..8..8..8..", "9.....9.....", "9..4..9..4.4", "9....59....."),
            SNARE: ("...9.....9..", "...9.3...9.3", "..2..5..3..5", "...9.9...9.."),
        },
        steps=3,
        human_s=(0.004, 0.014),
    ),
    "disco": Genre(
        (104, 132),
        {
            KICK: ("9...",),
            SNARE: ("....9...", "....9..2....9..2"),
            OPEN_HAT: ("..9.", ""),
            HAT: ("9.7.", "9575", "99"),
            TAMBOURINE: ("", "9595"),
            COWBELL: ("", "", "9.5."),
        },
        human_s=(0.001, 0.010),
    ),
    "electro": Genre(
        (104, 136),
        {
            KICK: ("9..9....9.9.....", "9.....9.9.......", "9..9..9...9.....", "9.....9..9....9."),
            SNARE: ("....9.......9...",),
            CLAP: ("", "....9.......9..."),
            HAT: ("9.9.", "9696", "9999"),
            COWBELL: ("", "", "9..9..9.9..9.9.."),
        },
        human_s=(0.0, 0.002),
        machine=True,
    ),
    "lo-fi": Genre(
        (68, 92),
        {
            KICK: ("9......5..9.....", "9.....9...3.....", "9..3......9...3."),
            SNARE: ("....9.......9...", "....9..1....9.1."),
            HAT: ("9.7.", "9.8.9.8.", "9.6.8.63"),
        },
        swing=(0.15, 0.6),
        human_s=(0.004, 0.018),
    ),
    "country": Genre(
        (88, 200),
        {
            KICK: ("9...", "9.......", "9.....2.9......."),
            SNARE: ("..9.", "....9...", "..9.3.9.", "24942494"),
            HAT: ("", "9.8.", "..9."),
            RIM: ("", "", "..9."),
        },
        human_s=(0.003, 0.012),
    ),
    "new orleans": Genre(
        (84, 120),
        {
            KICK: ("9..9..9...9.....", "9..9....9..9..3.", "9.....9..9......"),
            SNARE: ("9335933593353395", "3.39.39.3.39..93", "..3.9.3.53.39.35"),
            HAT: ("", "..9.", "....9..."),
        },
        swing=(0.05, 0.35),
        human_s=(0.004, 0.014),
    ),
    "waltz": Genre(
        (84, 190),
        {
            KICK: ("9...........", "9.........3.", "9......3...."),
            SNARE: ("....9...9...", "........9...", "....8...9..2"),
            RIM: ("", "", "....9...9..."),
            HAT: ("9.7.", "9...", "....9...9..."),
            RIDE: ("", "", "9.8."),
        },
        beats=3,
        human_s=(0.003, 0.014),
    ),
    "six eight": Genre(
        (44, 84),
        {
            KICK: ("9.....9....5", "9.....3..3..", "9..3......3.", "9....9......"),
            SNARE: ("...9.....9..", "...9.1...9.2"),
            HAT: ("976", "999", "956"),
            RIDE: ("", "", "987"),
        },
        steps=3,
        human_s=(0.003, 0.014),
    ),
    "sparse": Genre(
        (66, 150),
        {
            KICK: ("9.......5.......", "9...............", "9.....4........."),
            SNARE: ("....9.......9...", "....9...........", "............9..."),
            HAT: ("", "", "..5...5...5...5.", "9..."),
            RIM: ("", "", "...3......3....."),
        },
        human_s=(0.001, 0.012),
    ),
    "percussion": Genre(
        (80, 140),
        {
            LOW_CONGA: ("9..5..93", "9.....99", "9...4.9."),
            HIGH_CONGA: ("..5.3...", "..9..9..", ".5..5..5"),
            HIGH_BONGO: ("", "9585", "9.5.9.55"),
            SHAKER: ("9575", "9.6.", ""),
            CLAVES: ("", "9..9..9...9.9..."),
            TAMBOURINE: ("", "....9...", "9.6."),
        },
        human_s=(0.002, 0.012),
    ),
    "hats only": Genre(
        (80, 160),
        {HAT: ("9.6.8.6.", "9576", "9485", "9.7.9.79"), OPEN_HAT: ("", "..9.", "......5."), SHAKER: ("", "", "9575")},
    ),
    "kick only": Genre((90, 150), {KICK: ("9...", "9.....9.9.......", "9..9..9.", "9..3..9...9.....")}),
}


@dataclass(frozen=True)
class Take:
    """A drawn performance.

    Attributes
    ----------
    hits : ascending in time
    beat_times_s : of every beat, the first is 0
    beats : in a bar
    """

    hits: list[Hit]
    beat_times_s: np.ndarray
    beats: int


def play(genre: Genre, bpm: float, bars: int, random: Random, *, drift: float = 0.0, fills: bool = True) -> Take:
    """Play a drawn pattern for a number of bars.

    Parameters
    ----------
    drift : deviation of the tempo's random walk for each beat, as a part of it; its mean stays the tempo
    fills : whether the last bar of four may be one
    """
    phrase = _phrase(genre, random)
    beat_times_s = _beat_times_s(bpm, bars * genre.beats, drift, random)
    swing, human_s = random.uniform(*genre.swing), random.uniform(*genre.human_s)
    late_s = {drum: random.normal(0.0, 0.4 * human_s) for drum in genre.rows}
    bar_steps = genre.beats * genre.steps
    hits = []
    for bar in range(bars):
        rows = phrase[bar % len(phrase)]
        is_fill = fills and bar % 4 == 3 and random.random() < 0.5
        if bar % 8 == 0 and bar and random.random() < 0.5:
            hits.append(Hit(float(beat_times_s[bar * genre.beats]), CRASH, 110))
        for step, drum, velocity in _bar(rows, bar_steps, random) if not is_fill else _fill(rows, bar_steps, random):
            place = (bar * bar_steps + step + swing * (step % 2)) / genre.steps
            time_s = np.interp(place, np.arange(len(beat_times_s)), beat_times_s)
            time_s += late_s.get(drum, 0.0) + random.normal(0.0, human_s)
            hits.append(Hit(float(max(time_s, 0.0)), drum, velocity))
    return Take(sorted(hits, key=lambda hit: hit.time_s), beat_times_s, genre.beats)


def _phrase(genre: Genre, random: Random) -> list[dict[int, str]]:
    """One, two or four bars that come again: the drawn rows, and small variations of them."""
    rows = {drum: alternatives[random.integers(len(alternatives))] for drum, alternatives in genre.rows.items()}
    if not any(rows.values()):
        rows = {drum: alternatives[0] or alternatives[-1] for drum, alternatives in genre.rows.items()}
    bars = int(random.choice([1, 2, 4]))
    return [rows] + [
        {
            drum: _varied(row, genre.beats * genre.steps, random) if random.random() < 0.4 else row
            for drum, row in rows.items()
        }
        for _ in range(bars - 1)
    ]


def _varied(row: str, bar_steps: int, random: Random) -> str:
    """The row of a whole bar with a stroke or two added or left out, never the first."""
    steps = list((row * bar_steps)[:bar_steps])
    for step in random.integers(1, bar_steps, random.integers(1, 3)) if row else ():
        steps[step] = "." if steps[step] != "." else str(random.integers(3, 9))
    return "".join(steps)


def _beat_times_s(bpm: float, beats: int, drift: float, random: Random) -> np.ndarray:
    """Times of the beats and of the end, [beats + 1], whose mean tempo is exactly the tempo."""
    steps = np.ones(beats)
    if drift > 0.0:
        walk = np.convolve(random.normal(0.0, drift, beats + 8), np.full(8, 0.35), mode="valid")[:beats]
        steps = np.maximum(1.0 + walk, 0.8)
        steps /= steps.mean()
    return np.concatenate([[0.0], np.cumsum(steps)]) * 60.0 / bpm


def _bar(rows: dict[int, str], bar_steps: int, random: Random) -> list[tuple[int, int, int]]:
    hits = []
    for drum, row in rows.items():
        for step in range(bar_steps if row else 0):
            digit = row[step % len(row)]
            chance = 0 if digit == "." else int(digit)
            # From 6 on a digit is a loudness alone: such hits are part of the groove and always played.
            if chance and (chance >= 6 or random.random() < chance / 9 + 0.1):
                hits.append((step, drum, _velocity(chance, random)))
    return hits


def _fill(rows: dict[int, str], bar_steps: int, random: Random) -> list[tuple[int, int, int]]:
    """The pattern, then a roll over snare and toms to the end of the bar."""
    start = bar_steps - int(random.integers(2, bar_steps // 2 + 1))
    hits = [hit for hit in _bar(rows, bar_steps, random) if hit[0] < start]
    drums = (SNARE, *TOMS)
    for step in range(start, bar_steps):
        if random.random() < 0.75:
            place = (step - start) / max(bar_steps - start, 1) * (len(drums) - 1) + random.uniform(-1, 1)
            hits.append((step, drums[int(np.clip(round(place), 0, len(drums) - 1))], _velocity(8, random)))
    return hits


def _velocity(digit: int, random: Random) -> int:
    return int(np.clip(35 + 9 * digit + random.normal(0, 7), 12, 127))
