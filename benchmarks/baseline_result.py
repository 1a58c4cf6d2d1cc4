"""What the baseline process answers. Apart from it, since it loads the signal and model libraries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """What the stages alone cost."""

    files: int
    wall_s: float
    analyze_cpu_s: float
    embed_cpu_s: float

    def plus(self, other: "Spent") -> "Spent":
        """Two runs, one after the other."""
        return Spent(
            self.files + other.files,
            self.wall_s + other.wall_s,
            self.analyze_cpu_s + other.analyze_cpu_s,
            self.embed_cpu_s + other.embed_cpu_s,
        )
