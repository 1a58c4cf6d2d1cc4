"""How many files each part takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of files and seconds. The bars of DESIGN hold for FULL; QUICK is for a look while developing."""

    trip_files: int
    submit_files: int
    submit_posts: int
    rescan_files: int
    rescan_contents: int
    """Distinct contents among them."""
    rescans: int
    clients: int
    poll_rounds: int
    poll_phase_s: float
    idle_s: float
    search_samples: int
    searches: int
    """Of each kind."""


FULL = Sizes(
    trip_files=2_000,
    submit_files=100_000,
    submit_posts=10,
    rescan_files=20_000,
    rescan_contents=20,
    rescans=3,
    clients=50,
    poll_rounds=3,
    poll_phase_s=4.0,
    idle_s=20.0,
    search_samples=100_000,
    searches=100,
)
QUICK = Sizes(
    trip_files=400,
    submit_files=10_000,
    submit_posts=10,
    rescan_files=4_000,
    rescan_contents=20,
    rescans=2,
    clients=50,
    poll_rounds=2,
    poll_phase_s=1.2,
    idle_s=10.0,
    search_samples=10_000,
    searches=40,
)
