"""A split of a dataset of depth images: labels in memory, images read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import scandir
from pathlib import Path

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.datasets.center_of_mass import center_of_mass
from hand_pose_training.datasets.centers import open_centers
from hand_pose_training.datasets.sample import DatasetError, Sample


@dataclass(frozen=True)
class DepthDataset:
    """A sequence of samples.

    :param name, split, skeleton: as `sample.Dataset`
    :param camera: of every image
    :param folder: where `files` lie
    :param files: N names, in the protocol's order; the samples' names
    :param read: an image file -> depth (H, W) float32 metres, 0 where nothing was seen
    :param joints: (N, J, 3) metres, camera optical frame, NaN without a label; None where the labels are held back
    :param cube_m: (N,) edge of the cube
    :param centers: (N, 3) metres; None: centre of mass, found when the image is read
    :param center_source: what errors are printed with
    :param where: the dataset's name and where to get it
    :param side: of all its hands
    :param boxes: (N, 4) u_min, v_min, u_max, v_max where the dataset says in which part of the image the hand is
    :param y_up: files of centres have y up
    :param rows, frames: (N,) which of the split's frames these are, and how many it has; None: all of them
    """

    name: str
    split: str
    skeleton: Skeleton
    camera: Camera
    folder: Path
    files: Sequence[str]
    read: Callable[[Path], np.ndarray]
    joints: np.ndarray | None
    cube_m: np.ndarray
    centers: np.ndarray | None
    center_source: str
    where: str
    side: str = "unknown"
    boxes: np.ndarray | None = None
    y_up: bool = False
    rows: np.ndarray | None = None
    frames: int | None = None

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)} in {self.name} {self.split}")
        path = self.folder / self.files[index]
        depth = self.read(path)
        if depth.shape != (self.camera.height, self.camera.width):
            raise DatasetError(
                f"{path}: {depth.shape[1]}x{depth.shape[0]} pixels, not {self.camera.width}x{self.camera.height} as in the "
                f"{self.where}"
            )
        cube_m = float(self.cube_m[index])
        box = None if self.boxes is None else tuple(float(edge) for edge in self.boxes[index])
        center = center_of_mass(depth, self.camera, cube_m, box) if self.centers is None else self.centers[index]
        joints = None if self.joints is None else self.joints[index].astype(float)
        return Sample(self.files[index], depth, self.camera, joints, center, self.center_source, cube_m, self.side, bbox=box)

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def only(self, keep: np.ndarray) -> DepthDataset:
        """The samples with keep (N,) bool."""
        files = [name for name, kept in zip(self.files, keep) if kept]
        rest = {name: None if (value := getattr(self, name)) is None else value[keep] for name in ("joints", "centers", "boxes")}
        rows = np.flatnonzero(keep) if self.rows is None else self.rows[keep]
        return replace(self, files=files, cube_m=self.cube_m[keep], rows=rows, frames=self.frames or len(self), **rest)

    def with_centers(self, center: str | Path, y_up: bool) -> DepthDataset:
        """With centres from `center` (see `open_centers`), in which {split} stands for the split's name. Frames that a file calls
        invalid are left out, as in V2V-PoseNet, and so are frames without labels where these give the centre."""
        center = str(center).replace("{split}", self.split)
        centers, source = open_centers(center, self.joints, len(self), self.camera, y_up, self.where)
        found = replace(self, centers=centers, center_source=source, y_up=y_up)
        return found if centers is None else found.only(np.isfinite(centers).all(axis=1))

    def with_images(self, allow_missing: bool) -> DepthDataset:
        """The frames whose image is there.

        :param allow_missing: leave the others out
        :raises DatasetError: an image is missing (all are, with `allow_missing`); names the first
        """
        folders = {str(Path(name).parent) for name in self.files}
        there = {str(Path(f) / entry.name) for f in folders if (self.folder / f).is_dir() for entry in scandir(self.folder / f)}
        keep = np.fromiter((name in there for name in self.files), bool, len(self))
        if keep.all():
            return self
        if not allow_missing or not keep.any():
            raise DatasetError(
                f"{self.folder / self.files[int(np.argmin(keep))]}: no such image, nor {int((~keep).sum()) - 1} others of "
                f"{len(self)}; they belong to the {self.where}"
            )
        return self.only(keep)


def cubes(frames: int, cube_m: float) -> np.ndarray:
    """(N,) the same edge for every frame."""
    return np.full(frames, cube_m)
