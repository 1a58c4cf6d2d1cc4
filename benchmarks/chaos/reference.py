"""What an undisturbed run finds in a file: the stages' own code, called in this process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes, in_name
from samplemind_tasks.audio.files import open_regular
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.settings import Settings


@dataclass(frozen=True)
class Found:
    """Of one file."""

    features: dict[str, Any]
    vector: NDArray[np.float32]


class Reference:
    """Loaded once a campaign."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedder: Embedder = load(settings.model_card, settings.data_dir / "models", "cpu")

    def of(self, path: Path) -> Found:
        """Measure and hear a file."""
        card = self._settings.model_card
        with open_regular(path) as file:
            with open_sound(
                file,
                name=path.name,
                max_bytes=self._settings.max_file_bytes,
                max_duration_s=self._settings.max_duration_s,
                max_seconds=self._settings.analysis_seconds,
            ) as sound:
                heard = listen(sound, card.front_ends)
            measured = analyze(heard, (*in_bytes(file), *in_name(str(path))))
        return Found(measured.features.model_dump(mode="json"), self._embedder.embed(heard.windows).vector)
