"""Tempo and key against their truth, peers beside ours."""

import statistics
from collections.abc import Callable, Sequence

from benchmarks.audio import ours
from benchmarks.audio.material import Truth, corpus
from benchmarks.audio.peers import KEY_PEERS, TEMPO_PEERS, Peer
from benchmarks.figures import Figure

PITCH = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
Pair = tuple[float, float]


def tempo_score(truth_bpm: float, answer_bpm: float | None) -> Pair:
    """Acc1: within 4 %. Acc2: also at twice, thrice, half or a third of it (Gouyon et al., 2006)."""
    if not answer_bpm:
        return 0.0, 0.0
    ratio = answer_bpm / truth_bpm
    close = [abs(ratio / factor - 1) <= 0.04 for factor in (1, 2, 3, 1 / 2, 1 / 3)]
    return float(close[0]), float(any(close))


def key_score(truth: str, answer: str | None) -> Pair:
    """Exact, and the MIREX weight: 0.5 a fifth away, 0.3 for the relative key, 0.2 for the parallel one."""
    if not answer:
        return 0.0, 0.0
    (tonic, mode), (answered_tonic, answered_mode) = _parsed(truth), _parsed(answer)
    step = (answered_tonic - tonic) % 12
    if mode == answered_mode:
        weight = {0: 1.0, 5: 0.5, 7: 0.5}.get(step, 0.0)
    else:
        weight = {0: 0.2, (9 if mode == "major" else 3): 0.3}.get(step, 0.0)
    return float(weight == 1.0), weight


def _parsed(key: str) -> tuple[int, str]:
    tonic, mode = key.split()
    return (PITCH[tonic[0]] + tonic.count("#") - tonic[1:].count("b") - tonic.count("-")) % 12, mode


def tempo(quick: bool) -> list[Figure]:
    """Tempo on the open corpus."""
    rows = corpus("tempo")[:: 4 if quick else 1]
    answers = [ours.features(row.path).tempo_bpm for row in rows]
    pairs = [tempo_score(float(row.answer), bpm) for row, bpm in zip(rows, answers, strict=True)]
    peers = _peers(TEMPO_PEERS, rows, lambda truth, bpm: tempo_score(float(truth), float(bpm)))
    return [_figure("tempo", "Acc1 / Acc2", rows, pairs, peers, (85, 95))]


def key(quick: bool) -> list[Figure]:
    """Key on the open corpus."""
    rows = corpus("key")[:: 4 if quick else 1]
    pairs = [key_score(row.answer, ours.features(row.path).key) for row in rows]
    peers = _peers(KEY_PEERS, rows, lambda truth, name: key_score(truth, str(name)))
    return [_figure("key", "exact / MIREX", rows, pairs, peers, (86, 92))]


def _peers(
    peers: Sequence[Peer], rows: Sequence[Truth], judge: Callable[[str, str | float], Pair]
) -> dict[str, list[float]]:
    """The two scores of every peer that is installed."""
    return {peer.name: _means([judge(row.answer, peer.answer(row.path)) for row in rows]) for peer in peers}


def _means(pairs: Sequence[Pair]) -> list[float]:
    return [round(100 * statistics.fmean(pair[place] for pair in pairs), 1) for place in (0, 1)]


def _figure(
    name: str,
    scores: str,
    rows: Sequence[Truth],
    pairs: Sequence[Pair],
    peers: dict[str, list[float]],
    bars: tuple[int, int],
) -> Figure:
    found = _means(pairs)
    tiers = {
        tier: _means([pair for row, pair in zip(rows, pairs, strict=True) if row.tier == tier])
        for tier in sorted({row.tier for row in rows})
    }
    return Figure(
        name,
        f"{scores} on {len(rows)} sounds of known {name}, in per cent",
        f"{found[0]:.0f} / {found[1]:.0f}",
        f">= {bars[0]} / {bars[1]}",
        found[0] >= bars[0] and found[1] >= bars[1],
        {"scores": found, "tiers": tiers, "peers": peers},
        peers=", ".join(f"{peer} {first:.0f}/{second:.0f}" for peer, (first, second) in peers.items()),
    )
