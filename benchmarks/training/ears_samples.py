"""The samples of Sonic Pi (CC0), with what they are by name.

Debian's sonic-pi-samples has 163 of them; newer releases (npm's supersonic-scsynth-samples) 207, with 20 more hats.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.training.ears_sound import RATE_HZ, Sound

_LEAF_OF = {
    "ambi_choir": "choir", "ambi_dark_woosh": "ambience", "ambi_drone": "ambience", "ambi_glass_hum": "ambience",
    "ambi_glass_rub": "ambience", "ambi_haunted_hum": "ambience", "ambi_lunar_land": "ambience", "ambi_piano": "pad",
    "ambi_sauna": "ambience", "ambi_soft_buzz": "ambience", "ambi_swoosh": "ambience", "bass_dnb_f": "growl bass",
    "bass_drop_c": "growl bass", "bass_hard_c": "synth bass", "bass_hit_c": "synth bass", "bass_thick_c": "synth bass",
    "bass_trance_c": "synth bass", "bass_voxy_c": "growl bass", "bass_voxy_hit_c": "growl bass",
    "bass_woodsy_c": "synth bass", "bd_808": "808 kick", "drum_bass_hard": "acoustic kick",
    "drum_bass_soft": "acoustic kick", "drum_cowbell": "cowbell", "drum_cymbal_closed": "closed hat",
    "drum_cymbal_hard": "crash", "drum_cymbal_open": "open hat", "drum_cymbal_pedal": "pedal hat",
    "drum_cymbal_soft": "crash", "drum_heavy_kick": "acoustic kick", "drum_snare_hard": "acoustic snare",
    "drum_snare_soft": "acoustic snare", "drum_splash_hard": "splash", "drum_splash_soft": "splash",
    "elec_beep": "zap", "elec_bell": "bell", "elec_chime": "bell", "elec_filt_snare": "electronic snare",
    "elec_fuzz_tom": "electronic tom", "elec_hi_snare": "electronic snare", "elec_hollow_kick": "electronic kick",
    "elec_lo_snare": "electronic snare", "elec_mid_snare": "electronic snare", "elec_snare": "electronic snare",
    "elec_soft_kick": "electronic kick", "elec_triangle": "triangle", "elec_twip": "zap", "elec_wood": "woodblock",
    "elec_cymbal": "crash", "glitch_bass_g": "growl bass", "guit_e_fifths": "electric guitar",
    "guit_e_slide": "electric guitar", "guit_em9": "electric guitar", "guit_harmonics": "electric guitar",
    "loop_3d_printer": "soundscape", "loop_amen": "drum loop", "loop_amen_full": "drum loop",
    "loop_breakbeat": "drum loop", "loop_compus": "drum loop", "loop_industrial": "drum loop",
    "loop_mika": "drum loop", "loop_mehackit1": "drum loop", "loop_mehackit2": "drum loop",
    "loop_safari": "percussion loop", "loop_tabla": "percussion loop", "loop_perc1": "percussion loop",
    "loop_perc2": "percussion loop", "loop_drone_g_97": "ambience", "loop_electric": "melodic loop",
    "loop_garzul": "melodic loop", "loop_weirdo": "melodic loop", "misc_burp": "voice", "misc_cineboom": "impact",
    "misc_crow": "soundscape", "perc_bell": "bell", "perc_bell2": "bell", "perc_impact1": "impact",
    "perc_impact2": "impact", "perc_snap": "snap", "perc_snap2": "snap", "perc_swash": "sweep", "perc_swoosh": "sweep",
    "bd_jazz": "acoustic kick", "hat_gump": "open hat", "hat_cats": "open hat", "ride_tri": "ride", "ride_via": "ride",
    "tbd_perc_blip": "zap", "tbd_perc_hat": "closed hat", "tbd_highkey_c4": "electric piano",
    "tbd_fxbed_loop": "soundscape",
    "vinyl_backspin": "scratch", "vinyl_hiss": "crackle", "vinyl_rewind": "scratch", "vinyl_scratch": "scratch",
}  # fmt: skip
_LEAF_OF_PREFIX = {
    "bd_": "electronic kick", "sn_": "electronic snare", "tabla_": "tabla", "drum_tom_": "acoustic tom",
    "hat_": "closed hat", "tbd_pad_": "pad", "arovane_beat_": "drum loop", "glitch_perc": "glitch",
    "glitch_robot": "soundscape", "mehackit_": "soundscape",
}  # fmt: skip


def leaf_of(name: str) -> str | None:
    """The leaf of a file by its name; None where its name says nothing that we have a leaf for."""
    return _LEAF_OF.get(name) or next((leaf for start, leaf in _LEAF_OF_PREFIX.items() if name.startswith(start)), None)


def sample_sounds(folder: Path) -> Iterator[Sound]:
    """Every file that has a leaf, mixed to mono at 44.1 kHz."""
    for path in sorted(folder.glob("*.flac")):
        leaf = leaf_of(path.stem)
        if leaf is not None:
            samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
            yield Sound(np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)), leaf, "sonic-pi", path.stem)
