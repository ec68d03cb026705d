"""What every dataset's reader gives: one frame with its camera, its labels and where the hand is.

Readers turn each dataset's files into the conventions of this project: metres, the camera optical frame (x right, y down, z
forward), pixels with the centre of the top left one at (0, 0), joints by the names of a skeleton.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import Skeleton


class DatasetError(ValueError):
    """A dataset that cannot be read; the text names the file, and where to get it or how it should look."""


@dataclass(frozen=True)
class Sample:
    """One hand in one frame.

    :param name: of the frame inside its dataset, as its prediction and submission files order or name it
    :param image: depth (H, W) float32 metres, invalid and background pixels 0; or colour (H, W, 3) uint8, RGB
    :param camera: of the image
    :param joints: (J, 3) metres, camera optical frame, in the order of the dataset's skeleton; NaN for joints without a label,
        None where the labels are held back
    :param center: (3,) metres, centre of the crop's cube; None for colour images without a known depth
    :param center_source: where it comes from ("ground truth", "refined, V2V-PoseNet", "centre of mass"), printed with every error
    :param cube_m: edge of the cube by the dataset's protocol
    :param side: "right", "left" or "unknown"
    :param bbox: (u_min, v_min, u_max, v_max) outer edges in pixels, for colour crops; None where the centre and cube say it
    """

    name: str
    image: np.ndarray
    camera: Camera
    joints: np.ndarray | None
    center: np.ndarray | None
    center_source: str
    cube_m: float
    side: str = "unknown"
    bbox: tuple[float, float, float, float] | None = None


class Dataset(Protocol):
    """A split of a dataset; a sequence of samples, read when asked for.

    :ivar name: short name ("nyu", "icvl", ...)
    :ivar split: "train", "test", ... as the dataset's protocol calls it
    :ivar skeleton: of every sample's joints
    """

    name: str
    split: str
    skeleton: Skeleton

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...


class Part:
    """Some frames of a split, as a `Dataset`.

    :param rows: which, by their place in the split
    """

    def __init__(self, frames: Dataset, rows: Sequence[int]) -> None:
        self.name, self.split, self.skeleton = frames.name, frames.split, frames.skeleton
        self._frames, self._rows = frames, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        return self._frames[self._rows[index]]

    def __iter__(self) -> Iterator[Sample]:
        return (self._frames[row] for row in self._rows)
