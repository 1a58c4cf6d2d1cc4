"""Rounds of a real job with faults in it."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.random import Generator

from benchmarks.chaos.faults import one_fault
from benchmarks.chaos.interference import Meddling
from benchmarks.chaos.invariants import broken, unbalanced
from benchmarks.chaos.material import folder
from benchmarks.chaos.reference import Reference
from benchmarks.world import ENDED, World

POLL_S = 0.2
PAUSE_S = (0.3, 3.0)
"""Between two faults."""
MEDDLES = 0.25
"""How often it is a person who interferes."""
RECOVERS_WITHIN_S = 60.0
GIVEN_UP_S = 240.0
SETTLES_WITHIN_S = 20.0
"""What the last messages and processes may still need."""

Json = dict[str, Any]


@dataclass
class Round:
    """What happened, and what of it should not have."""

    seed: int
    files: int
    faults: list[str] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    polls: int = 0
    seconds: float = 0.0
    recovery_s: float = 0.0
    """From the last fault to the end of the last job."""
    broken: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        """For the report."""
        return asdict(self)


def play(world: World, reference: Reference, home: Path, seed: int, files: int, faults: int) -> Round:
    """One round: a folder is asked for, everything goes wrong, and when it is quiet again the stores are looked at."""
    dice, told = np.random.default_rng(seed), Round(seed, files)
    asked = folder(home / f"round-{seed}", files, seed)
    with httpx.Client(base_url=world.stack.url, timeout=10, trust_env=False) as gateway:
        meddling = Meddling(gateway, asked, _submitted(gateway, asked.path))
        began = time.monotonic()
        last = _disturb(world, meddling, dice, told, faults)
        _until_ended(meddling, told, deadline=last + GIVEN_UP_S)
        ended = time.monotonic()
    told.seconds, told.recovery_s = round(ended - began, 2), round(ended - last, 2)
    if told.recovery_s > RECOVERS_WITHIN_S:
        told.broken.append(f"recovery took {told.recovery_s:.0f} s")
    told.broken += _settled(world, meddling, reference)
    return told


def _disturb(world: World, meddling: Meddling, dice: Generator, told: Round, faults: int) -> float:
    """Do so many faults while there is work, with pauses; when the last one was done."""
    job = meddling.job
    for _ in range(faults):
        until = time.monotonic() + float(dice.uniform(*PAUSE_S))
        while time.monotonic() < until:
            if _look(meddling.gateway, job, told):  # nothing would be hurt any more: all of it is done anew
                job = _submitted(meddling.gateway, meddling.folder.path, rerun="everything")
                meddling.jobs.append(job)
            time.sleep(POLL_S)
        if dice.random() < MEDDLES:
            name, what = "a person", meddling.meddle(dice)
        else:
            name, what = one_fault(world, dice)
        told.faults.append(what)
        told.by_kind[name] = told.by_kind.get(name, 0) + 1
    return time.monotonic()


def _submitted(gateway: httpx.Client, path: Path, **wants: str) -> str:
    """The job's id, once it is acknowledged. Repeating is safe: one of them is enough."""
    while True:
        try:
            answer = gateway.post("/v1/jobs", json={"path": str(path), **wants})
            return str(answer.raise_for_status().json()["id"])
        except httpx.HTTPError:
            time.sleep(POLL_S)


def _look(gateway: httpx.Client, job: str, told: Round) -> bool:
    """Poll once; whether the job has ended. No answer is no news."""
    try:
        answer = gateway.get(f"/v1/jobs/{job}")
    except httpx.HTTPError:
        return False
    if answer.status_code == httpx.codes.NOT_FOUND:
        told.broken.append(f"job {job} was acknowledged and is not known")
    if not answer.is_success:
        return False
    told.polls += 1
    told.broken += unbalanced(answer.json())
    return answer.json()["state"] in ENDED


def _until_ended(meddling: Meddling, told: Round, deadline: float) -> None:
    for job in (meddling.job, *meddling.jobs):
        while not _look(meddling.gateway, job, told):
            meddling.let_go()
            if time.monotonic() > deadline:
                told.broken.append(f"job {job} did not end within {GIVEN_UP_S:.0f} s")
                return
            time.sleep(POLL_S)


def _settled(world: World, meddling: Meddling, reference: Reference) -> list[str]:
    """What is still broken when everything has had its time."""
    until = time.monotonic() + SETTLES_WITHIN_S
    while found := _looked(world, meddling, reference):
        if time.monotonic() > until:
            return found
        time.sleep(1.0)
    return []


def _looked(world: World, meddling: Meddling, reference: Reference) -> list[str]:
    try:
        return broken(world, meddling, reference)
    except Exception as error:  # noqa: BLE001 - a store that does not answer is what is being looked for
        return [f"the stores cannot be looked at: {type(error).__name__}: {error}"[:300]]
