"""What `analyze` measures of one sound: every number carries its unit, and a value that does not exist its reason."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Frozen, and a field nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
"""What people send as JSON is taken as it stands: "87" is no number, and "yes" is not true."""


class Kind(StrEnum):
    """What a sound is for."""

    ONE_SHOT = "one-shot"
    LOOP = "loop"
    TRACK = "track"


class Reason(StrEnum):
    """Why a value does not exist."""

    ONE_SHOT = "one_shot"
    """A single event has no tempo."""
    NOT_ONE_SHOT = "not_one_shot"
    """Many events have no single pitch, attack or decay."""
    NOT_LOOP = "not_loop"
    """Only a loop is a number of bars long."""
    SILENT = "silent"
    TOO_SHORT = "too_short"
    ATONAL = "atonal"
    """Drums and noise have no key."""
    UNPITCHED = "unpitched"
    """A sound without one fundamental frequency."""
    NO_PULSE = "no_pulse"
    """Nothing repeats."""
    ENDLESS = "endless"
    """It has not died away where the file ends."""
    MONO = "mono"
    """One channel has no width."""
    QUIET = "quiet"
    """Nothing rises above the gate at -70 LUFS."""
    UNKNOWN = "unknown"
    """The container does not say."""


_NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def note_name(midi: int) -> str:
    """A4 for 69, as most hosts write it."""
    return f"{_NOTES[midi % 12]}{midi // 12 - 1}"


def _is_range(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError("the lower tempo comes first")
    return bounds


Confidence = Annotated[float, Field(ge=0, le=1)]
LEAST_BPM, MOST_BPM = 20.0, 400.0
"""Bounds of any tempo, exclusive."""
Bpm = Annotated[Number, Field(gt=LEAST_BPM, lt=MOST_BPM)]
TempoRange = Annotated[tuple[Bpm, Bpm], AfterValidator(_is_range)]
"""Lowest and highest tempo a person expects, bpm."""
KeyName = Annotated[str, Field(pattern=r"^[A-G][#b]? (major|minor)$")]


class Spread(Strict):
    """A quantity that moves over time: mean, standard deviation and percentiles over the frames."""

    mean: float
    deviation: Annotated[float, Field(ge=0)]
    p10: float
    p50: float
    p90: float


class Evidence(Strict):
    """What a file says about itself, in a chunk, a tag or its name. Kept apart from what was heard."""

    source: Literal["acid", "smpl", "basc", "tag", "name", "folder"]
    about: Literal["tempo_bpm", "key", "pitch_midi", "beats", "kind", "category"]
    value: float | str
    """bpm, MIDI note or number of beats; else the key ("A minor", or "F#" where no mode is named), kind or category."""
    text: Annotated[str, Field(max_length=64)]
    """The words it was read from, and no others."""
    score: Confidence | None = None
    """How far such words can be trusted, where that was measured."""


class Word(Strict):
    """A word for how a sound is perceived, and how strongly it holds: 0 to 1."""

    name: str
    score: Confidence


class Features(Strict):
    """What `analyze` measured of one sound. A value that does not exist is null, and `reasons` says why."""

    analysis_version: int

    # the file --------------------------------------------------------------------------------------------------------
    container: str
    """WAV, FLAC, MP3, OGG, ..."""
    codec: str
    """PCM_16, MPEG_LAYER_III, aac, ..."""
    rate_hz: Annotated[float, Field(ge=4_000, le=768_000)]
    channels: Annotated[int, Field(ge=1, le=32)]
    bit_depth: int | None
    duration_s: Annotated[float, Field(gt=0)]
    measured_s: Annotated[float, Field(gt=0)]
    """How much of it was measured: less than duration_s where the file is longer than the analysis limit."""
    pcm_hash: str
    """Of the decoded samples, the rate and the channels: equal for the same sound in another container."""
    fingerprint: str | None
    """For finding near duplicates; see audio/fingerprint.py."""
    evidence: list[Evidence]
    """What the file says about itself."""

    # what it is ------------------------------------------------------------------------------------------------------
    kind: Kind
    kind_confidence: Confidence

    # rhythm ----------------------------------------------------------------------------------------------------------
    tempo_bpm: Bpm | None
    tempo_confidence: Confidence | None
    tempo_second_bpm: Bpm | None
    """The runner-up, often half or double."""
    tempo_source: Literal["chunk", "tag", "name", "length", "sound"] | None
    """What decided: what the file says where the sound agrees, a length of whole bars, or the sound alone."""
    tempo_heard_bpm: Bpm | None
    """The sound's own answer, whatever decided."""
    beat_times_s: list[float] | None
    downbeat_times_s: list[float] | None
    """A guess at which beats begin a bar."""
    beats_per_bar: Annotated[int, Field(ge=2, le=12)] | None
    """A guess."""
    bars: float | None
    """How many bars a loop holds."""
    onset_count: Annotated[int, Field(ge=0)]
    onset_times_s: list[float]
    """Where sounds begin; the first 4096."""

    # one-shots -------------------------------------------------------------------------------------------------------
    pitch_midi: Annotated[int, Field(ge=0, le=127)] | None
    """The nearest note; 69 is A = 440 Hz."""
    pitch_cents: Annotated[float, Field(ge=-50, le=50)] | None
    """How far from that note."""
    pitch_confidence: Confidence | None
    attack_s: Annotated[float, Field(ge=0)] | None
    """From 10 % to 90 % of the loudest."""
    decay_s: Annotated[float, Field(ge=0)] | None
    """From the loudest to 20 dB below it."""
    envelope: list[float] | None
    """Amplitude of 32 equal slices, the loudest is 1."""

    # tonality --------------------------------------------------------------------------------------------------------
    key: KeyName | None
    """Tonic and mode: "C# minor"."""
    key_confidence: Confidence | None
    key_second: str | None
    key_camelot: Annotated[str, Field(pattern=r"^([1-9]|1[0-2])[AB]$")] | None
    """The same key on the Camelot wheel: "12A"."""
    tuning_cents: Annotated[float, Field(ge=-50, le=50)] | None
    """How far from A = 440 Hz."""

    # level -----------------------------------------------------------------------------------------------------------
    loudness_lufs: float | None
    """EBU R128 integrated loudness."""
    loudness_range_lu: float | None
    loudness_momentary_max_lufs: float | None
    """Of 400 ms."""
    loudness_short_term_max_lufs: float | None
    """Of 3 s; a shorter sound has none."""
    true_peak_dbtp: float | None
    """Between the samples, by ITU-R BS.1770 annex 2."""
    sample_peak_dbfs: float | None
    rms_dbfs: float | None
    crest_db: float | None
    """Peak over RMS."""
    clipped_samples: Annotated[int, Field(ge=0)]
    """Samples in runs at full scale."""
    dc_offset: float
    """Mean of the channel where it is farthest from zero; full scale is 1."""
    silence_start_s: Annotated[float, Field(ge=0)]
    silence_end_s: Annotated[float, Field(ge=0)]
    """Below -60 dBFS."""
    stereo_width: Annotated[float, Field(ge=0, le=1)] | None
    """Share of the power in the difference of the channels: 0 is mono, 0.5 unrelated channels."""
    stereo_correlation: Annotated[float, Field(ge=-1, le=1)] | None

    # spectrum --------------------------------------------------------------------------------------------------------
    centroid_hz: Spread | None
    bandwidth_hz: Spread | None
    rolloff_hz: Spread | None
    """The frequency below which 85 % of the magnitude lies."""
    flatness: Spread | None
    """0 is a pure tone, 1 is white noise."""
    contrast_db: list[Spread] | None
    """Peaks over valleys in 7 octave bands."""
    flux: Spread | None
    """Rise of the mel spectrum from frame to frame, dB."""
    zero_crossing_rate: Spread | None
    """Sign changes per sample."""
    mfcc: list[Spread] | None
    """20 mel-frequency cepstral coefficients."""
    chroma: list[Spread] | None
    """12 pitch classes from C, the strongest of a frame is 1."""
    tonnetz: list[Spread] | None
    """6 coordinates: fifths, minor thirds and major thirds, sine and cosine of each."""
    words: list[Word]
    """bright, dark, warm, ...: see audio/words.py for what each means."""

    reasons: dict[str, Reason]
    """Field name to why it is null."""
    notes: list[str]
    """What a person should know: "3 samples were not finite and were set to zero"."""
