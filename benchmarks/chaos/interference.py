"""What people do meanwhile: files change and vanish, samples are deleted, jobs are paused, repeated and cancelled."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import soundfile
from numpy.random import Generator

from benchmarks.chaos.material import Folder
from benchmarks.material import RATE_HZ, one_shot

Json = dict[str, object]


@dataclass
class Meddling:
    """Somebody at work on the same folder. What is touched is judged by itself."""

    gateway: httpx.Client
    folder: Folder
    job: str
    changed: set[Path] = field(default_factory=set)
    gone: set[Path] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    """Ids of samples that the gateway said were deleted."""
    unsure: set[str] = field(default_factory=set)
    """Those whose deletion was asked for and got no answer: either is right."""
    jobs: list[str] = field(default_factory=list)
    """Further jobs over the same files."""
    held: set[str] = field(default_factory=set)
    """Jobs that may be paused: a request without an answer may have been heard all the same."""

    def meddle(self, dice: Generator) -> str:
        """One thing, chosen by dice. The gateway may be away: then nothing has happened."""
        acts: list[Callable[[Generator], str]] = [
            self.change_a_file, self.remove_a_file, self.delete_a_sample, self.pause_and_resume, self.ask_again,
        ]  # fmt: skip
        with suppress(httpx.HTTPError):
            return acts[int(dice.integers(len(acts)))](dice)
        return "the gateway was away"

    def change_a_file(self, dice: Generator) -> str:
        """Between the scan and the analysis, perhaps: it must be the new sound, or be told to have changed."""
        path = self._untouched(dice)
        soundfile.write(path, one_shot(dice), RATE_HZ, subtype="PCM_16")
        self.changed.add(path)
        return f"changed {path.name}"

    def remove_a_file(self, dice: Generator) -> str:
        """It must be told to have vanished, if it was not measured before."""
        path = self._untouched(dice)
        path.unlink()
        self.gone.add(path)
        return f"removed {path.name}"

    def delete_a_sample(self, dice: Generator) -> str:
        """It must never come back."""
        answer = self.gateway.get("/v1/samples", params={"limit": 50}).raise_for_status()
        mine = {str(path) for path in self.folder.good}
        for row in answer.json()["samples"]:
            detail = self.gateway.get(f"/v1/samples/{row['id']}").raise_for_status().json()
            if {place["path"] for place in detail["places"]} <= mine and row["id"] not in self.deleted:
                self.unsure.add(row["id"])
                self.gateway.delete(f"/v1/samples/{row['id']}").raise_for_status()
                self.unsure.discard(row["id"])
                self.deleted.add(row["id"])
                return f"deleted sample {row['id']}"
        return "no sample to delete"

    def pause_and_resume(self, _: Generator) -> str:
        """The job stands still, and goes on."""
        self.held.add(self.job)
        for verb in ("pause", "resume"):
            answer = self.gateway.post(f"/v1/jobs/{self.job}/{verb}")
            if answer.status_code == httpx.codes.CONFLICT:
                return "the job had ended"
            answer.raise_for_status()
        self.held.discard(self.job)
        return "paused and resumed the job"

    def let_go(self) -> None:
        """Resume what may be paused, as whoever was told to ask again does once the gateway answers."""
        for job in sorted(self.held):
            with suppress(httpx.HTTPError):
                answer = self.gateway.post(f"/v1/jobs/{job}/resume")
                if answer.is_success or answer.status_code == httpx.codes.CONFLICT:
                    self.held.discard(job)

    def ask_again(self, _: Generator) -> str:
        """A second job over the same files; every other one is cancelled at once."""
        job = self.gateway.post("/v1/jobs", json={"path": str(self.folder.path)}).raise_for_status().json()["id"]
        self.jobs.append(job)
        if len(self.jobs) % 2 == 0:
            self.gateway.post(f"/v1/jobs/{job}/cancel")
            return "asked again, and cancelled that"
        return "asked again"

    def _untouched(self, dice: Generator) -> Path:
        left = [path for path in self.folder.good if path not in self.changed | self.gone]
        return left[int(dice.integers(len(left)))]
