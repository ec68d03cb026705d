"""What the readers of colour datasets share: files with clear errors, square windows, and access by index."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.datasets.files import need
from hand_pose_training.datasets.sample import DatasetError, Sample

Box = tuple[float, float, float, float]  # u_min, v_min, u_max, v_max: outer edges in pixels

# A window's width over its box's is not printed in JAR; 1.25 is that of mks0601/I2L-MeshNet_RELEASE, whose pipeline JAR's first
# author goes on from (zxz267/SAR).
BOX_MARGIN = 1.25
# The depth range of all joints around the wrist: `bbox_3d_size` of I2L-MeshNet, `depth_box` of zxz267/SAR; not printed in JAR.
CUBE_M = 0.30
# Where the hand's scale is given, the cube is so many proximal bones of the middle finger (not printed in JAR; about CUBE_M).
CUBE_BONES = 10.0


class ColorDataset(ABC):
    """A sequence of samples, each read when asked for; subclasses know the files.

    :ivar root_joint: joint that depths are relative to; its true or estimated place is `Sample.center`
    """

    name: str
    split: str
    skeleton: Skeleton
    root_joint = "wrist"

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: int) -> Sample:
        """Sample number `index`, 0 <= index < len."""

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return self.read(index)

    def __iter__(self) -> Iterator[Sample]:
        return (self.read(i) for i in range(len(self)))


def check_split(split: str, splits: tuple[str, ...], dataset: str) -> None:
    """:raises DatasetError: unknown split"""
    if split not in splits:
        raise DatasetError(f"{dataset} has no split {split!r}; it has {', '.join(splits)}")


def read_rgb(path: Path, where: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an image file.

    :param where: which dataset it belongs to and where that is found
    :raises DatasetError: missing or unreadable file
    """
    image = cv2.imread(str(need(path, where)), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path} is no readable image; it should be as in the {where}")
    return np.ascontiguousarray(image[..., ::-1])


def read_json(path: Path, where: str) -> Any:
    """:raises DatasetError: missing or broken file"""
    try:
        return json.loads(need(path, where).read_text())
    except ValueError as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} is no readable JSON ({error}); it should be as in the {where}") from error


def camera_of(matrix: Any, image: np.ndarray, path: Path) -> Camera:
    """The camera of an image by its 3x3 intrinsics.

    :raises DatasetError: naming the file that the matrix comes from
    """
    k = np.asarray(matrix, float)
    if k.shape != (3, 3) or not np.isfinite(k).all() or k[0, 0] <= 0 or k[1, 1] <= 0:
        raise DatasetError(f"{path}: intrinsics should be 3x3 with positive focal lengths, not {k.tolist()}")
    return Camera(image.shape[1], image.shape[0], k[0, 0], k[1, 1], k[0, 2], k[1, 2])


def points_box(pixels: np.ndarray) -> Box:
    """Box around pixels (J, 2); NaN are left out."""
    low, high = np.nanmin(pixels, axis=0), np.nanmax(pixels, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def mask_box(mask: np.ndarray) -> Box | None:
    """Outer edges of the set pixels of a mask (H, W), None where there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5


def square(box: Box, margin: float = BOX_MARGIN) -> Box:
    """The square around a box's middle with `margin` times its longer side."""
    u, v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = margin * max(box[2] - box[0], box[3] - box[1]) / 2
    return u - half, v - half, u + half, v + half


def scale_cube_m(joints: np.ndarray, skeleton: Skeleton) -> float:
    """The cube's edge for a hand (J, 3) of known scale: CUBE_BONES times its middle finger's proximal bone.

    RHD and STB give that bone (lmb-freiburg/hand3d: keypoints 12 and 11; 3d-hand-shape/hand-graph-cnn: mid_01 and mid_02).
    """
    mcp, pip = skeleton.indices("middle_mcp", "middle_pip")
    return CUBE_BONES * float(np.linalg.norm(joints[mcp] - joints[pip]))
