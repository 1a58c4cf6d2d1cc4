"""Trains the key finder.

    python -m benchmarks.training.key_scores SCORES.jsonl TRUTH.csv...        (music21)
    python -m benchmarks.training.key_material FOLDER SCORES.jsonl 1500 SEED  (pyfluidsynth, once for every seed)
    python -m benchmarks.training.key_train FOLDER OUT.npz 11,12,13,21,22,23,24,502,503,504,505,506 900,504,505 24

The last seeds are validated with: their scores are other pieces, their riffs, pads and progressions other draws.
"""

import hashlib
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.training.key_features import load
from samplemind_tasks.audio.key import EDGE_FRAMES, seen_by_network

REGISTERS, CLASSES = 5, 12
HIDDEN, MIXED, JUDGED = 48, 40, 48
_LONGEST_FRAMES = 330
_BATCH = 40


class KeyNetwork(nn.Module):
    """Hears the sound once from each of the twelve tonics with the same ears, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.ear = nn.Parameter(torch.randn(HIDDEN, REGISTERS, CLASSES) * 0.15)
        self.ear_bias = nn.Parameter(torch.zeros(HIDDEN))
        self.level = nn.Parameter(torch.randn(HIDDEN) * 0.1)
        self.mix = nn.Conv1d(HIDDEN, MIXED, 3, padding=1)
        self.attend = nn.Linear(MIXED, 1)
        self.judge = nn.Linear(4 * MIXED, JUDGED)
        self.tell = nn.Linear(JUDGED, 2)
        self.drop = nn.Dropout(0.2)
        shift = (torch.arange(CLASSES)[None, :] - torch.arange(CLASSES)[:, None]) % CLASSES
        self.register_buffer("shift", shift)

    def forward(self, seen: torch.Tensor, level: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """seen [b, f, 60], level [b, f], mask [b, f] -> logits [b, 24]."""
        b, f, _ = seen.shape
        turned = self.ear[:, :, self.shift].permute(2, 0, 1, 3).reshape(CLASSES * HIDDEN, REGISTERS * CLASSES)
        heard = F.linear(seen, turned).view(b, f, CLASSES, HIDDEN)
        heard = F.relu(heard + self.ear_bias + level[..., None, None] * self.level) * mask[..., None, None]
        mixed = F.relu(self.mix(heard.permute(0, 2, 3, 1).reshape(b * CLASSES, HIDDEN, f)))
        mixed = mixed.view(b, CLASSES, MIXED, f)
        logit = self.attend(mixed.transpose(2, 3))[..., 0]
        weight = torch.sigmoid(logit) * mask[:, None] + 1e-6 * mask[:, None]
        mean = (mixed * weight[:, :, None]).sum(3) / weight.sum(2)[..., None]
        most = mixed.masked_fill(mask[:, None, None] == 0, 0).amax(3)
        place = torch.cumsum(mask, 1) - 1
        count = mask.sum(1, keepdim=True)
        first = torch.exp(-place / EDGE_FRAMES) * mask
        last = torch.exp(-(count - 1 - place) / EDGE_FRAMES) * mask
        begins = torch.einsum("bcmf,bf->bcm", mixed, first / first.sum(1, keepdim=True))
        ends = torch.einsum("bcmf,bf->bcm", mixed, last / last.sum(1, keepdim=True))
        judged = F.relu(self.judge(self.drop(torch.cat([mean, most, begins, ends], 2))))
        return self.tell(judged).transpose(1, 2).reshape(b, 24)


def varied(random: np.random.Generator, sound: dict) -> np.ndarray:
    """The same music through other ears: tone controls, a register missing, a later start or an earlier end, hiss."""
    magnitudes = sound["notes"]
    if sound["family"] != "score" and len(magnitudes) > 8 and random.random() < 0.4:
        first, last = random.integers(0, len(magnitudes) // 5 + 1, 2)
        magnitudes = magnitudes[first : len(magnitudes) - last]
    gain = 10 ** (random.normal(0, 0.25, REGISTERS) + np.linspace(-1, 1, REGISTERS) * random.normal(0, 0.25))
    if random.random() < 0.1:
        gain[random.integers(REGISTERS)] *= 0.05
    magnitudes = magnitudes * gain[None, :, None].astype(np.float32)
    if random.random() < 0.3:
        loudest = magnitudes.max() * 10 ** random.uniform(-3.5, -1.7)
        magnitudes = magnitudes + loudest * random.random(magnitudes.shape, dtype=np.float32)
    return magnitudes


def batch(random: np.random.Generator | None, sounds: list[dict]) -> tuple[torch.Tensor, ...]:
    rows = []
    for sound in sounds:
        magnitudes = (sound["notes"] if random is None else varied(random, sound))[:_LONGEST_FRAMES]
        rows.append(seen_by_network(magnitudes))
    longest = max(len(level) for _, level in rows)
    seen, level, mask = (
        np.zeros((len(rows), longest, 60), np.float32),
        np.zeros((len(rows), longest), np.float32),
        np.zeros((len(rows), longest), np.float32),
    )
    for i, (row, heights) in enumerate(rows):
        seen[i, : len(row)], level[i, : len(row)], mask[i, : len(row)] = row, heights, 1
    target = np.zeros((len(rows), 24), np.float32)
    for i, sound in enumerate(sounds):
        target[i, sound["tonic"]], target[i, 12 + sound["tonic"]] = 1 - sound["minor"], sound["minor"]
    return tuple(torch.from_numpy(a) for a in (seen, level, mask, target))


def mirex(best: int, tonic: int, minor: float) -> tuple[float, float]:
    said, mode = best % 12, best // 12
    truth = int(minor > 0.5)
    step = (said - tonic) % 12
    if minor not in (0.0, 1.0):
        return float(step == 0), float(step == 0)
    if mode == truth:
        w = {0: 1.0, 7: 0.5, 5: 0.5}.get(step, 0.0)
    elif step == 0:
        w = 0.2
    else:
        w = 0.3 if step == (9 if truth == 0 else 3) else 0.0
    return float(w == 1.0), w


def batches(sounds: list[dict], size: int, random: np.random.Generator | None) -> list[list[dict]]:
    order = sorted(sounds, key=lambda s: len(s["notes"]) + (random.uniform(0, 12) if random else 0))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    if random is not None:
        random.shuffle(groups)
    return groups


def validate(network: KeyNetwork, sounds: list[dict]) -> str:
    network.eval()
    hits, loss = defaultdict(list), []
    with torch.no_grad():
        for group in batches(sounds, 64, None):
            *inputs, target = batch(None, group)
            logits = network(*inputs)
            loss.append(float(-(target * F.log_softmax(logits, 1)).sum(1).mean()))
            for sound, best in zip(group, logits.argmax(1).tolist(), strict=True):
                hits[sound["family"]].append(mirex(best, sound["tonic"], sound["minor"]))
    return f"val {np.mean(loss):.3f} " + " ".join(
        f"{k} {100 * np.mean([e for e, _ in v]):.0f}/{100 * np.mean([m for _, m in v]):.0f}"
        for k, v in sorted(hits.items())
    )


def temperature(network: KeyNetwork, sounds: list[dict]) -> float:
    """What to divide the answers by so that they are right as often as they say, fitted to sounds not trained with."""
    network.eval()
    with torch.no_grad():
        told = [
            (network(*inputs), target)
            for *inputs, target in (batch(None, group) for group in batches(sounds, 64, None))
        ]
    logits, targets = (torch.cat(column) for column in zip(*told, strict=True))
    tried = torch.arange(0.6, 3.0, 0.02)
    return float(min(tried, key=lambda t: float(-(targets * F.log_softmax(logits / t, 1)).sum(1).mean())))


def save(network: KeyNetwork, divisor: float, out: Path) -> None:
    """As the product reads it: float16, except biases."""
    w = {name: tensor.detach().numpy() for name, tensor in network.named_parameters()}
    np.savez_compressed(
        out,
        ear=w["ear"].astype(np.float16),
        ear_bias=w["ear_bias"],
        level=w["level"],
        mix=w["mix.weight"].transpose(1, 2, 0).reshape(HIDDEN, -1).astype(np.float16),
        mix_bias=w["mix.bias"],
        attend=w["attend.weight"][0],
        attend_bias=w["attend.bias"],
        judge=w["judge.weight"].T.astype(np.float16),
        judge_bias=w["judge.bias"],
        tell=w["tell.weight"].T.astype(np.float16),
        tell_bias=w["tell.bias"],
        temperature=np.float32(divisor),
    )


def held_out(sound: dict) -> bool:
    """A score is either trained with or tested with, whatever its rendering."""
    return sound["family"] == "score" and hashlib.md5(sound["name"].encode(), usedforsecurity=False).digest()[0] < 40


def main(folder: Path, out: Path, seeds: list[int], validation: list[int], epochs: int) -> None:
    """Train, print how well every family of the validation seeds is told (exact/MIREX) after each epoch, and save."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    train = [s for s in load(folder, seeds) if s["tonic"] is not None and not held_out(s)]
    test = [s for s in load(folder, validation) if s["tonic"] is not None and (s["family"] != "score" or held_out(s))]
    network = KeyNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, epochs * (len(train) // _BATCH + 1))
    print(len(train), len(test), sum(p.numel() for p in network.parameters()), flush=True)
    for epoch in range(epochs):
        network.train()
        begun, losses = time.process_time(), []
        for group in batches(train, _BATCH, random):
            *inputs, target = batch(random, group)
            loss = -(target * F.log_softmax(network(*inputs), 1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(
            epoch, f"{np.mean(losses):.3f}", validate(network, test), f"{time.process_time() - begun:.0f}s", flush=True
        )
        torch.save(network.state_dict(), out.with_suffix(".pt"))
    divisor = temperature(network, test)
    print("temperature", divisor)
    save(network, divisor, out)


if __name__ == "__main__":
    train_seeds, validation_seeds = ([int(seed) for seed in text.split(",")] for text in sys.argv[3:5])
    main(Path(sys.argv[1]), Path(sys.argv[2]), train_seeds, validation_seeds, int(sys.argv[5]))
