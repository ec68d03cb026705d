"""Which synthetic crops are for what: seeds that never meet, and an endless order that goes on after a resume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from hand_pose_training.synthetic.dataset import HELD_OUT, SyntheticCrops, SyntheticSettings

# Training takes the recipe's seed, below TRAINING_SEEDS; the fixed sets lie above it, so no crop is in two sets.
TRAINING_SEEDS = 1_000_000
# The calibration set has crops without a hand, which the held-out errors could not count, and sizes as the runtime crops.
_FIXED_SETS = {
    "heldout": (2_000_001, 2000, HELD_OUT),
    "calibration": (2_000_002, 4000, replace(HELD_OUT, center_tail=SyntheticSettings().center_tail, negatives=0.1)),
    "validation": (2_000_003, 256, HELD_OUT),
}
SETS = tuple(_FIXED_SETS)
_ENDLESS = 1 << 40


class EndlessSampler(Sampler[int]):
    """Indices start + rank, start + rank + world, ... for ever: together the processes take every index once."""

    def __init__(self, start: int, rank: int, world: int) -> None:
        self.start, self.rank, self.world = start, rank, world

    def __iter__(self) -> Iterator[int]:
        index = self.start + self.rank
        while True:
            yield index
            index += self.world

    def __len__(self) -> int:
        return _ENDLESS // self.world


def training_loader(
    seed: int, settings: SyntheticSettings, batch_size: int, start: int = 0, rank: int = 0, world: int = 1
) -> DataLoader:
    """Endless batches of training crops.

    :param batch_size: crops a batch of this process
    :param start: index of the first crop: how many the run has seen before
    :raises ValueError: a seed that is kept for the other sets

    Crops are made in the training process: they cost a quarter of a step, and a worker of its own would take the core
    that the other process's step needs.
    """
    if not 0 <= seed < TRAINING_SEEDS:
        raise ValueError(f"recipe seed {seed}: training seeds are 0 to {TRAINING_SEEDS - 1}; the ones above are for evaluation")
    crops = SyntheticCrops(seed, _ENDLESS, settings)
    return DataLoader(crops, batch_size=batch_size, sampler=EndlessSampler(start, rank, world), drop_last=True)


def fixed_set(name: str, input_size: int, cube_m: float = HELD_OUT.cube_m[0], crops: int | None = None) -> dict[str, np.ndarray]:
    """All crops of one of SETS, stacked, one array a key of `SyntheticCrops`.

    :param input_size: S, pixels an edge
    :param cube_m: edge of every crop's cube in metres
    :param crops: how many, from the first (default: the set's size)
    :raises ValueError: unknown set
    """
    if name not in _FIXED_SETS:
        raise ValueError(f"unknown set {name!r}; known: {', '.join(SETS)}")
    seed, size, settings = _FIXED_SETS[name]
    size = min(crops or size, size)
    source = SyntheticCrops(seed, size, replace(settings, size=input_size, cube_m=(cube_m, cube_m)))
    samples = [source[i] for i in range(size)]
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


def to_tensors(batch: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Float32 tensors of a stacked set."""
    return {key: torch.as_tensor(np.asarray(value, np.float32)) for key, value in batch.items()}


def as_right_hands(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A stacked set with every left hand mirrored into a right one (image, joints, centre); exact, and `right_side` becomes 1."""
    left = (batch["present"] == 1) & (batch["right_side"] == 0)
    out = {key: value.copy() for key, value in batch.items()}
    out["depth_crop"][left] = batch["depth_crop"][left][..., ::-1]
    out["joints"][left, :, 0] *= -1
    out["center"][left, 0] *= -1
    out["right_side"][left] = 1
    return out
