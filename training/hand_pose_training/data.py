"""Which crops are for what: seeds that never meet, and an endless order that goes on after a resume."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler, Subset

from hand_pose_ros.skeleton import HAND21, HAND_CENTER, Skeleton, remap
from hand_pose_training.datasets import rgb_crops
from hand_pose_training.datasets.augment import AugmentSettings
from hand_pose_training.datasets.catalog import open_dataset
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.datasets.rgb_augment import RgbAugmentSettings
from hand_pose_training.datasets.rgb_crops import RgbCrops, RgbCropSettings
from hand_pose_training.datasets.sample import Dataset, Part
from hand_pose_training.synthetic import dataset as synthetic_dataset
from hand_pose_training.synthetic import heldout
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.heldout import QuotaCrops

# Training takes the recipe's seed, below TRAINING_SEEDS; the fixed sets lie above it, so no crop is in two sets.
TRAINING_SEEDS = 1_000_000
HELD_OUT = SyntheticSettings(cube_m=(0.25, 0.25), center_tail=0.0, negatives=0.0, distance_m=heldout.DISTANCE_M, held_out=True)


@dataclass(frozen=True)
class FixedSet:
    """Synthetic crops for one purpose, with the quotas of `synthetic.heldout`.

    :param seed: of all that the quotas leave open
    :param count: how many crops
    """

    seed: int
    count: int
    settings: SyntheticSettings = HELD_OUT


# Networks are measured on hands, objects and sensor models that they were not trained on, and calibrated on other crops of what
# the shipped one was trained on: how far that holds on new sensors is then measured too. The calibration set has crops without a
# hand, which the held-out errors could not count; presence is measured on `negatives`, half hands, half what may pass for one.
# `familiar` has the quotas of `heldout` with training's people, objects and sensors: what it is better at was learned by heart.
_FIXED_SETS = {
    "heldout": FixedSet(2_000_001, 2000),
    "calibration": FixedSet(
        2_000_002,
        4000,
        replace(HELD_OUT, center_tail=0.25, processed=0.6, negatives=0.1, max_hidden_joints=11, held_out=False),
    ),
    "validation": FixedSet(2_000_003, 256),
    "negatives": FixedSet(2_000_004, 2000, replace(HELD_OUT, negatives=0.5)),
    "familiar": FixedSet(2_000_006, 2000, replace(HELD_OUT, held_out=False)),
}
SETS = tuple(_FIXED_SETS)
_ENDLESS = 1 << 40
CUBE_M = HELD_OUT.cube_m[0]  # what the runtime crops: the middle of what networks are trained on, and the papers' size

Batch = dict[str, np.ndarray]


@dataclass(frozen=True)
class DataSettings:
    """What a network is trained on.

    :param source: "synthetic", or a dataset of `hand-pose-train datasets`
    :param size: S, pixels an edge of the crops
    :param root: folder of the dataset's files
    :param train_split, validation_split: as the dataset's reader calls them
    :param holdout_every: every so many-th frame of the training split is not trained on, and the error that is watched while
        training is that of these frames instead of the validation split's; 0: none
    :param options: of the dataset's reader, for example {center: center_of_mass}; in {center: FILE} the word {split} stands for
        the split's name
    :param augment: of the training crops of a dataset of depth images; null: none
    :param augment_rgb: of the training crops of a dataset of colour images; null: none
    :param validation_frames: evenly taken frames of the validation split that the error is measured on while training
    :param epoch_samples: crops that count as an epoch of the endless synthetic data
    :param synthetic: what synthetic crops are drawn from; its `size` is S here, its `color` as the network asks
    """

    source: str = "synthetic"
    size: int = 96
    root: str = ""
    train_split: str = "train"
    validation_split: str = "test"
    holdout_every: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    augment: AugmentSettings | None = field(default_factory=AugmentSettings)
    augment_rgb: RgbAugmentSettings | None = field(default_factory=RgbAugmentSettings)
    validation_frames: int = 1000
    epoch_samples: int = 100_000
    synthetic: SyntheticSettings = field(default_factory=SyntheticSettings)

    def __post_init__(self) -> None:
        if self.holdout_every < 0 or self.holdout_every == 1:
            raise ValueError(f"data.holdout_every {self.holdout_every}: 0 for none, or 2 or more")

    @property
    def validates_on_training_data(self) -> bool:
        """Whether errors are measured on frames that are trained on, for want of other labels."""
        return self.source != "synthetic" and self.train_split == self.validation_split


class Crops(Protocol):
    """A map-style set of samples, each a dict of arrays with the keys of `synthetic.dataset`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Batch: ...


class Prepared:
    """Crops with labels for a network's joints and complete, and its inputs beside them.

    :param source, target: skeletons of the crops and of the network
    :param inputs_of: `Method.inputs_of`
    :param crop_kind: `Method.crop_kind`
    """

    def __init__(
        self, crops: Crops, source: Skeleton, target: Skeleton, inputs_of: Callable[[np.ndarray], Batch], crop_kind: str
    ) -> None:
        self.crops, self.source, self.target = crops, source, target
        self.inputs_of, self.crop_kind = inputs_of, crop_kind

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, index: int) -> Batch:
        sample = relabelled(complete(self.crops[index]), self.source, self.target)
        return sample | {name: values[0] for name, values in self.inputs_of(sample[self.crop_kind][None]).items()}


def relabelled(batch: Batch, source: Skeleton, target: Skeleton) -> Batch:
    """A complete sample or batch with the joints of another skeleton; those that the source lacks get joint_weight 0.

    The one joint of the skeleton `hand_center` is the mean of the labelled joints.
    """
    if source.name == target.name:
        return batch
    known = np.where(batch["joint_weight"][..., None] > 0, batch["joints"], np.nan)
    if target.name == HAND_CENTER.name:
        with warnings.catch_warnings():  # of a crop without any label
            warnings.simplefilter("ignore", RuntimeWarning)
            joints = np.nanmean(known, axis=-2, keepdims=True)
    else:
        joints = remap(known, source, target)
    found = np.isfinite(joints).all(-1)
    return batch | {"joints": np.nan_to_num(joints).astype(np.float32), "joint_weight": found.astype(np.float32)}


def complete(batch: Batch) -> Batch:
    """A sample or batch with joint_weight (..., J) and teaches (...), all ones where they are missing."""
    joints = batch["joints"]
    ones = {"joint_weight": np.ones(joints.shape[:-1], np.float32), "teaches": np.ones(joints.shape[:-2], np.float32)}
    return ones | batch


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


def training_crops(seed: int, settings: DataSettings, crop_kind: str) -> tuple[Crops, Skeleton, int]:
    """Endless training crops, the skeleton of their labels, and how many are an epoch; crop k depends on (seed, k) and the
    settings alone.

    :param crop_kind: "depth_crop" or "rgb_crop"
    :raises ValueError: a seed that is kept for the other sets
    :raises DatasetError: a dataset that cannot be read
    """
    if not 0 <= seed < TRAINING_SEEDS:
        raise ValueError(f"recipe seed {seed}: training seeds are 0 to {TRAINING_SEEDS - 1}; the ones above are for evaluation")
    if settings.source == "synthetic":
        drawn = replace(settings.synthetic, size=settings.size, color=crop_kind == "rgb_crop")
        return SyntheticCrops(seed, _ENDLESS, drawn), HAND21, settings.epoch_samples
    frames = _training_frames(settings)
    if crop_kind == "rgb_crop":
        crops = RgbCrops(frames, seed, _ENDLESS, RgbCropSettings(settings.size, settings.augment_rgb, shuffle=True))
    else:
        crops = DepthCrops(frames, seed, _ENDLESS, CropSettings(settings.size, augment=settings.augment, shuffle=True))
    return crops, frames.skeleton, len(frames)


def validation_crops(settings: DataSettings, crop_kind: str) -> tuple[Batch, Skeleton, str]:
    """What the error is measured on while training, stacked, the skeleton of its labels, and the source of its centres.

    :raises DatasetError: a dataset that cannot be read
    """
    if settings.source == "synthetic":
        return fixed_set("validation", settings.size, crop_kind=crop_kind), HAND21, HELD_OUT.center_source
    if settings.holdout_every:
        frames = _training_frames(settings, held_out=True)
    else:
        frames = open_dataset(settings.source, settings.root, settings.validation_split, **settings.options)
    count = min(settings.validation_frames, len(frames))
    rows = [k * len(frames) // count for k in range(count)]
    if crop_kind == "rgb_crop":
        crops = RgbCrops(frames, settings=RgbCropSettings(settings.size))
    else:
        crops = DepthCrops(frames, settings=CropSettings(settings.size))
    return stacked(Subset(crops, rows)), frames.skeleton, frames[rows[0]].center_source


def _training_frames(settings: DataSettings, held_out: bool = False) -> Dataset:
    """The training split without the frames that are held out, or these."""
    frames = open_dataset(settings.source, settings.root, settings.train_split, **settings.options)
    every = settings.holdout_every
    return Part(frames, [k for k in range(len(frames)) if (k % every == 0) == held_out]) if every else frames


def training_cube_m(settings: DataSettings) -> float:
    """Edge in metres of the cube of most depth crops that are trained on: what the node is to crop.

    :raises DatasetError: a dataset that cannot be read
    """
    if settings.source == "synthetic":
        return CUBE_M
    return float(np.median(open_dataset(settings.source, settings.root, settings.train_split, **settings.options).cube_m))


def endless_loader(crops: Crops, batch_size: int, start: int = 0, rank: int = 0, world: int = 1, workers: int = 0) -> DataLoader:
    """Endless batches.

    :param batch_size: crops a batch of this process
    :param start: index of the first crop: how many the run has seen before
    :param workers: processes that make crops. On a CPU none pays: crops cost a quarter of a step, and a worker of its own
        would take the core that the other process's step needs.
    """
    sampler = EndlessSampler(start, rank, world)
    return DataLoader(crops, batch_size=batch_size, sampler=sampler, drop_last=True, num_workers=workers)


def fixed_set(
    name: str,
    input_size: int,
    cube_m: float = CUBE_M,
    crops: int | None = None,
    crop_kind: str = "depth_crop",
) -> Batch:
    """All crops of one of SETS, stacked, one array a key of `SyntheticCrops`.

    :param input_size: S, pixels an edge
    :param cube_m: edge of every crop's cube in metres
    :param crops: how many, from the first, in which the quotas hold nearly (default: the set's size)
    :param crop_kind: "depth_crop" or "rgb_crop", of the same scenes
    :raises ValueError: unknown set
    """
    return stacked(fixed_crops(name, input_size, cube_m, crops, crop_kind))


def fixed_crops(
    name: str, input_size: int, cube_m: float = CUBE_M, crops: int | None = None, crop_kind: str = "depth_crop"
) -> QuotaCrops:
    """The crops of one of SETS, made when asked for; arguments and errors of `fixed_set`."""
    if name not in _FIXED_SETS:
        raise ValueError(f"unknown set {name!r}; known: {', '.join(SETS)}")
    fixed = _FIXED_SETS[name]
    settings = replace(fixed.settings, size=input_size, cube_m=(cube_m, cube_m), color=crop_kind == "rgb_crop")
    return QuotaCrops(fixed.seed, min(crops or fixed.count, fixed.count), settings, fixed.count)


def stacked(crops: Crops) -> Batch:
    """All of a set, one array a key."""
    samples = [crops[i] for i in range(len(crops))]
    return complete({key: np.stack([sample[key] for sample in samples]) for key in samples[0]})


def to_tensors(batch: Batch) -> dict[str, torch.Tensor]:
    """Tensors of a stacked set, numbers as float32, indices as they are."""
    return {
        key: torch.as_tensor(value if value.dtype == np.int64 else np.asarray(value, np.float32)) for key, value in batch.items()
    }


def as_right_hands(batch: Batch) -> Batch:
    """A stacked set with every left hand mirrored into a right one (image, joints, centre); exact, and `right_side` becomes 1."""
    left = (batch["present"] == 1) & (batch["right_side"] == 0)
    out = {key: value.copy() for key, value in batch.items()}
    for kind in {"depth_crop", "rgb_crop"} & set(batch):
        out[kind][left] = batch[kind][left][..., ::-1]
    out["joints"][left, :, 0] *= -1
    if "to_image" in batch:  # a colour crop's window is mirrored, the hand in metres is not
        out["to_image"][left, :, 0] *= -1
    else:
        out["center"][left, 0] *= -1
    out["right_side"][left] = 1
    return out


def joints_m(batch: Batch, joints: np.ndarray) -> np.ndarray:
    """Normalised joints (N, J, 3) of depth or colour crops -> metres (N, J, 3), camera frame."""
    to_metres = rgb_crops.joints_m if "to_image" in batch else synthetic_dataset.joints_m
    return to_metres(batch, joints)
