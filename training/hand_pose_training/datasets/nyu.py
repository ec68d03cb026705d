"""NYU hand pose dataset (Tompson et al., Real-Time Continuous Pose Recovery of Human Hands, TOG 2014), from its own files.

    <root>/train/joint_data.mat, depth_1_0000001.png ... 72,757 frames
    <root>/test/joint_data.mat,  depth_1_0000001.png ...  8,252 frames

Depth is in millimetres, its high byte in a PNG's green channel and the low one in blue; `joint_xyz` (view, frame, 36, 3) is in
millimetres with y up, in view 1's camera for the images depth_1, and so on. Papers use view 1 (the frontal one) and 14 of the
36 points; cubes of 300 mm, and from test frame 2440 on, a smaller hand, of 250 mm. Read as in moberweger/deep-prior-pp and
Elody-07/AWR-Adaptive-Weighting-Regression, which agree on all of this. Right hands (97 % of the test labels bend that way).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.centers import GROUND_TRUTH
from hand_pose_training.datasets.depth_dataset import DepthDataset, cubes
from hand_pose_training.datasets.files import depth_metres, need, read_png
from hand_pose_training.datasets.sample import DatasetError

WHERE = "NYU hand pose dataset, https://jonathantompson.github.io/NYU_Hand_Pose_Dataset.htm"
CAMERA = Camera(640, 480, 588.03, 587.07, 320.0, 240.0)
SPLITS = ("train", "test")
FAR_MM = 2000.0  # the files have 2001 and the like where nothing was seen
SMALL_HAND_FROM, CUBE_M, SMALL_CUBE_M = 2440, 0.300, 0.250


def open_dataset(
    root: str | Path,
    split: str,
    *,
    center: str | Path = GROUND_TRUTH,
    points: str = "nyu14",
    view: int = 1,
    cube_m: float | None = None,
    allow_missing: bool = False,
) -> DepthDataset:
    """A split of NYU.

    :param center: source of the centres, see `centers.open_centers`; files of centres have y up
    :param points: "nyu14", those that are evaluated, or "nyu36"
    :param view: which of the three cameras; they share one calibration
    :param cube_m: another cube than the protocol's 300 mm; that of the smaller test hand is 5/6 of it, as 250 of 300 mm (so too
        in AWR's released code, whose cube is 250 mm)
    :param allow_missing: leave out frames whose image is not there
    :raises DatasetError: a missing or wrong file; names it
    """
    if split not in SPLITS:
        raise DatasetError(f"NYU has no split {split!r}; it has {', '.join(SPLITS)}")
    folder = Path(root) / split
    joints = _joints(need(folder / "joint_data.mat", WHERE), view)
    everything, wanted = skeleton("nyu36"), skeleton(points)
    frames = len(joints)
    edges = cubes(frames, CUBE_M if cube_m is None else cube_m)
    if split == "test":
        edges[SMALL_HAND_FROM:] *= SMALL_CUBE_M / CUBE_M
    dataset = DepthDataset(
        name="nyu",
        split=split,
        skeleton=wanted,
        camera=CAMERA,
        folder=folder,
        files=[f"depth_{view}_{frame:07d}.png" for frame in range(1, frames + 1)],
        read=read_depth,
        joints=joints[:, everything.indices(*wanted.joint_names)],
        cube_m=edges,
        centers=None,
        center_source="",
        where=WHERE,
        side="right",
    )
    return dataset.with_centers(center, y_up=True).with_images(allow_missing)


def read_depth(path: Path) -> np.ndarray:
    """A depth image of NYU -> (480, 640) float32 metres, 0 where nothing was seen.

    :raises DatasetError: no such file, or not three channels
    """
    image = read_png(path, WHERE)
    if image.ndim != 3:
        raise DatasetError(f"{path}: one channel; NYU packs depth into green and blue. Unpack it again from the {WHERE}")
    blue, green = image[..., 0].astype(np.uint16), image[..., 1].astype(np.uint16)
    return depth_metres(green << 8 | blue, FAR_MM)


def _joints(path: Path, view: int) -> np.ndarray:
    """(N, 36, 3) float32 metres, y down."""
    try:
        xyz = scipy.io.loadmat(path, variable_names=["joint_xyz"])["joint_xyz"]
    except (KeyError, ValueError, NotImplementedError, OSError) as error:
        raise DatasetError(f"{path}: no array joint_xyz in it ({error}); it should be as in the {WHERE}") from None
    if xyz.ndim != 4 or xyz.shape[2:] != (36, 3) or not 1 <= view <= len(xyz):
        raise DatasetError(f"{path}: joint_xyz is {xyz.shape}, not (views, frames, 36, 3) with a view {view}")
    return (xyz[view - 1] * (1e-3, -1e-3, 1e-3)).astype(np.float32)
