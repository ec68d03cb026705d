"""Training samples from a dataset of colour images: what an RGB network sees and learns.

Shapes of a batch of N: rgb_crop (N, 3, S, S) RGB in [0, 1]; joints (N, J, 3) normalised (u, v, d) of `ColorCrop`, 0 where there
is no label, and joint_weight (N, J) then 0; to_image (N, 2, 3) normalised (u, v, 1) -> pixels; right_side (N,) 1, 0, or 0.5
where the dataset does not say; root_z, cube_m, present, distance_m, frame (N,), frame the index in the dataset; half_uvd (N, 3)
metres of a normalised unit at the root's depth; center (N, 3) the root joint; camera (N, 4) as fx, fy, cx, cy. Where the root's
depth is not known it, its place and half_uvd are NaN.

The root joint is the wrist in every dataset: HO-3D's released root and I2L-MeshNet's root depths for FreiHAND are the wrist's
(root_joint_idx of its mano.py), RHD's and STB's readers in hand3d and hand-graph-cnn take it, and so does zxz267/SAR. The cube
is the reader's: the same for all hands, or in units of the hand's own bone where the benchmark gives the scale (RHD, STB), so
that d has no scale and `joints_m` puts the true one back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hand_pose_ros.geometry.color_crop import ColorCrop
from hand_pose_training.datasets.rgb_augment import RgbAugmentation, RgbAugmentSettings, draw
from hand_pose_training.datasets.sample import Dataset, DatasetError, Sample

_SIDES = {"right": 1.0, "left": 0.0}


@dataclass(frozen=True)
class RgbCropSettings:
    """How crops are made.

    :param size: S, pixels an edge
    :param augment: None: the frames as they are
    :param shuffle: every epoch in an order of its own
    """

    size: int = 256
    augment: RgbAugmentSettings | None = None
    shuffle: bool = False


class RgbCrops:
    """A map-style dataset of crops. Index i is frame i mod len(dataset) of epoch i // len(dataset), in the epoch's order; its
    sample depends on (seed, i) and the settings alone.
    """

    def __init__(
        self, dataset: Dataset, seed: int = 0, length: int | None = None, settings: RgbCropSettings | None = None
    ) -> None:
        """
        :param length: samples, over as many epochs as that takes (default: one epoch)
        :raises DatasetError: a dataset without frames
        """
        if len(dataset) == 0:
            raise DatasetError(f"{dataset.name} {dataset.split} has no frames to train on")
        self.dataset, self.seed, self.settings = dataset, seed, settings or RgbCropSettings()
        self.length = len(dataset) if length is None else length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        if not 0 <= i < self.length:
            raise IndexError(f"sample {i} of {self.length}")
        settings, frame = self.settings, self.frame(i)
        rng = np.random.Generator(np.random.SFC64((self.seed, i)))
        augmentation = RgbAugmentation() if settings.augment is None else draw(settings.augment, rng)
        found = rgb_sample(self.dataset[frame], settings.size, augmentation, len(self.dataset.skeleton))
        return found | {"frame": np.asarray(frame, np.float32)}

    def frame(self, i: int) -> int:
        """The dataset's index of sample i."""
        epoch, place = divmod(i, len(self.dataset))
        return int(_order(self.seed, epoch, len(self.dataset))[place]) if self.settings.shuffle else place


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, frames: int) -> np.ndarray:
    """(frames,) the frames of one epoch."""
    # A third number keeps these draws apart from those of sample i == epoch.
    return np.random.Generator(np.random.SFC64((seed, epoch, 1))).permutation(frames)


def rgb_sample(sample: Sample, size: int, augmentation: RgbAugmentation, joints: int) -> dict[str, np.ndarray]:
    """The training sample of one frame, float32.

    :param joints: J, for frames without labels
    :raises DatasetError: a sample without a window, or with labels and no root depth
    """
    if sample.bbox is None or sample.camera.distortion:
        raise DatasetError(f"frame {sample.name}: a colour crop needs a window (bbox) in a rectified image")
    if sample.joints is not None and sample.center is None:
        raise DatasetError(f"frame {sample.name}: joints without the root's depth; give the reader root depths")
    crop = augmentation.window(ColorCrop.around(sample.camera, sample.bbox, size, sample.cube_m))
    center = np.full(3, np.nan) if sample.center is None else np.asarray(sample.center, float)
    labels = np.full((joints, 3), np.nan) if sample.joints is None else crop.normalize(sample.joints, center[2])
    c = sample.camera
    values = {
        "rgb_crop": augmentation.recolor(crop.extract(sample.image)),
        "joints": np.nan_to_num(labels, nan=0.0),
        "joint_weight": np.isfinite(labels).all(axis=-1),
        "to_image": crop.to_image,
        "root_z": center[2],
        "cube_m": crop.cube_m,
        "half_uvd": (*(crop.half_px * center[2] / np.array([c.fx, c.fy])), crop.cube_m / 2),
        "center": center,
        "camera": (c.fx, c.fy, c.cx, c.cy),
        "present": 1,
        "right_side": _SIDES.get(sample.side, 0.5),
        "distance_m": center[2],
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def window_m(batch: dict[str, np.ndarray]) -> float:
    """Width of a batch's windows in metres at the root's depth, their median: how much the node is to show the network. 0 where
    no root's depth is known."""
    widths = 2 * batch["half_uvd"][:, 0]
    known = widths[np.isfinite(widths)]
    return round(float(np.median(known)), 4) if len(known) else 0.0


def joints_m(batch: dict[str, np.ndarray], joints: np.ndarray) -> np.ndarray:
    """Normalised joints (N, J, 3) of a batch -> metres (N, J, 3), camera frame: `ColorCrop.denormalize` for arrays.

    Works on NumPy arrays and on torch tensors. The batch's root_z and cube_m may be others than the reader's, for example a
    measured depth.
    """
    to_image, camera = batch["to_image"][:, None], batch["camera"][:, None]
    u, v = joints[..., 0], joints[..., 1]
    z = batch["root_z"][:, None] + joints[..., 2] * (batch["cube_m"][:, None] / 2)
    out = joints * 0
    for axis in (0, 1):
        pixel = to_image[..., axis, 0] * u + to_image[..., axis, 1] * v + to_image[..., axis, 2]
        out[..., axis] = (pixel - camera[..., 2 + axis]) / camera[..., axis] * z
    out[..., 2] = z
    return out
