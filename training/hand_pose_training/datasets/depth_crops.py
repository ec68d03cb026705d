"""Training samples from a dataset of depth images: the keys of `synthetic.dataset.SyntheticCrops` that real data has.

Shapes of a batch of N: depth_crop (N, 1, S, S); joints (N, J, 3) normalised (u, v, d) of `CubeCrop`, 0 where unknown;
joint_weight (N, J) 1 where a joint is labelled, else 0; present (N,) 0 for a frame in which no centre was found; right_side (N,)
1, 0, or 0.5 where the dataset does not say; cube_m, distance_m, frame (N,), frame the index in the dataset; half_uvd, center
(N, 3); camera (N, 4) as fx, fy, cx, cy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.crop import BACKGROUND
from hand_pose_training.datasets.augment import Augmentation, AugmentedCrop, AugmentSettings, draw
from hand_pose_training.datasets.sample import Dataset, DatasetError, Sample

_SIDES = {"right": 1.0, "left": 0.0}


@dataclass(frozen=True)
class CropSettings:
    """How crops are made.

    :param size: S, pixels an edge
    :param cube_m: another cube than the dataset's protocol's, for all frames
    :param augment: None: the frames as they are
    :param shuffle: every epoch in an order of its own
    """

    size: int = 128
    cube_m: float | None = None
    augment: AugmentSettings | None = None
    shuffle: bool = False


class DepthCrops:
    """A map-style dataset of crops. Index i is frame i mod len(dataset) of epoch i // len(dataset), in the epoch's order; its
    sample depends on (seed, i) and the settings alone, whatever process asks and whenever.
    """

    def __init__(self, dataset: Dataset, seed: int = 0, length: int | None = None, settings: CropSettings | None = None) -> None:
        """
        :param length: samples, over as many epochs as that takes (default: one epoch)
        :raises DatasetError: a dataset without frames
        """
        if len(dataset) == 0:
            raise DatasetError(f"{dataset.name} {dataset.split} has no frames to train on")
        self.dataset, self.seed, self.settings = dataset, seed, settings or CropSettings()
        self.length = len(dataset) if length is None else length
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        if not 0 <= i < self.length:
            raise IndexError(f"sample {i} of {self.length}")
        settings = self.settings
        frame = self.frame(i)
        rng = np.random.Generator(np.random.SFC64((self.seed, i)))
        augmentation = Augmentation() if settings.augment is None else draw(settings.augment, rng)
        found = crop_sample(self.dataset[frame], settings.size, settings.cube_m, augmentation, len(self.dataset.skeleton))
        return found | {"frame": np.asarray(frame, np.float32)}

    def frame(self, i: int) -> int:
        """The dataset's index of sample i."""
        epoch, place = divmod(i, len(self.dataset))
        if not self.settings.shuffle:
            return place
        if self._order is None or self._order[0] != epoch:
            # A third number keeps these draws apart from those of sample i == epoch.
            order = np.random.Generator(np.random.SFC64((self.seed, epoch, 1))).permutation(len(self.dataset))
            self._order = epoch, order
        return int(self._order[1][place])


def crop_sample(
    sample: Sample, size: int, cube_m: float | None, augmentation: Augmentation, joints: int
) -> dict[str, np.ndarray]:
    """The training sample of one frame, float32.

    :param cube_m: another cube than the sample's
    :param joints: J, for frames without labels
    """
    camera = sample.camera
    found = sample.center is not None
    center = sample.center if found else np.array([0.0, 0.0, 1.0])
    cut = AugmentedCrop(camera, center, cube_m or sample.cube_m, size, augmentation)
    labels = np.full((joints, 3), np.nan) if sample.joints is None else cut.normalize(sample.joints)
    known = np.isfinite(labels).all(axis=1) & found
    values = {
        "depth_crop": cut.extract(sample.image)[None] if found else np.full((1, size, size), BACKGROUND),
        "joints": np.where(known[:, None], labels, 0),
        "joint_weight": known,
        "present": found,
        "right_side": _SIDES.get(sample.side, 0.5),
        "cube_m": cut.crop.cube_m,
        "half_uvd": np.full(3, cut.crop.half_m),
        "center": cut.crop.center,
        "camera": (camera.fx, camera.fy, camera.cx, camera.cy),
        "distance_m": cut.crop.center[2],
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}
