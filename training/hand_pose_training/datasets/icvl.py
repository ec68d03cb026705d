"""ICVL hand posture dataset (Tang et al., Latent Regression Forest, CVPR 2014), from its own files.

    <root>/Training/labels.txt                 331,006 lines: image, then u v depth of 16 points
    <root>/Training/Depth/<sequence>/image_0000.png; rotated copies lie in <angle>/<sequence>/
    <root>/Testing/test_seq_1.txt, test_seq_2.txt (702 and 894 lines), <root>/Testing/Depth/test_seq_1/image_0000.png ...

Labels are pixels and millimetres. About 22,000 of the training frames are originals, in folders named by a date ("2014..."); the
rest are rotated copies (DenseReg and the residual attention network train on the originals). Some images of labels.txt do
not exist. Files as read by mks0601/V2V-PoseNet_RELEASE and melonwan/denseReg; cubes: 250 mm in moberweger/deep-prior-pp,
200 mm in V2V-PoseNet. The camera is that of the published evaluation (xinghaochen/awesome-hand-pose-estimation); deep-prior-pp
and V2V-PoseNet have 241.42 for both focal lengths. Left hands (all of the test labels bend that way).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.centers import GROUND_TRUTH
from hand_pose_training.datasets.depth_dataset import DepthDataset, cubes
from hand_pose_training.datasets.files import depth_metres, need, read_numbers, read_png
from hand_pose_training.datasets.sample import DatasetError

WHERE = "ICVL hand posture dataset, https://labicvl.github.io/hand.html"
CAMERA = Camera(320, 240, 240.99, 240.96, 160.0, 120.0)
SPLITS = {"train": ("Training", ("labels",)), "test": ("Testing", ("test_seq_1", "test_seq_2"))}
SPLITS |= {name: ("Testing", (name,)) for name in ("test_seq_1", "test_seq_2")}
FAR_MM = 2000.0  # the camera ends near one metre and writes 32001 beyond
CUBE_M = 0.250


def open_dataset(
    root: str | Path,
    split: str,
    *,
    center: str | Path = GROUND_TRUTH,
    originals: bool = False,
    cube_m: float | None = None,
    allow_missing: bool = True,
) -> DepthDataset:
    """A split of ICVL: "train", "test" (both sequences, the first one first) or one of its sequences.

    :param center: source of the centres, see `centers.open_centers`; files of centres have y down
    :param originals: the training frames that are no rotated copies
    :param cube_m: edge of every cube; None: CUBE_M
    :param allow_missing: leave out frames whose image is not there, as some of the dataset's are not
    :raises DatasetError: a missing or wrong file; names it
    """
    if split not in SPLITS:
        raise DatasetError(f"ICVL has no split {split!r}; it has {', '.join(SPLITS)}")
    part, lists = SPLITS[split]
    files, uvd = [], []
    for name in lists:
        found = _labels(need(Path(root) / part / f"{name}.txt", WHERE))
        files += found[0]
        uvd.append(found[1])
    joints = _metres(np.concatenate(uvd))
    dataset = DepthDataset(
        name="icvl",
        split=split,
        skeleton=skeleton("icvl16"),
        camera=CAMERA,
        folder=Path(root) / part / "Depth",
        files=files,
        read=read_depth,
        joints=joints,
        cube_m=cubes(len(files), cube_m or CUBE_M),
        centers=None,
        center_source="",
        where=WHERE,
        side="left",
    )
    dataset = dataset.with_centers(center, y_up=False)
    if originals and split == "train":
        dataset = dataset.only(np.fromiter((name.startswith("2014") for name in dataset.files), bool, len(dataset)))
    return dataset.with_images(allow_missing)


def read_depth(path: Path) -> np.ndarray:
    """A depth image of ICVL -> (240, 320) float32 metres, 0 where nothing was seen."""
    return depth_metres(read_png(path, WHERE), FAR_MM)


def _labels(path: Path) -> tuple[list[str], np.ndarray]:
    """Image names, and (N, 16, 3) float32 pixels and millimetres."""
    files, rows = [], []
    with path.open() as lines:
        for number, line in enumerate(lines, 1):
            name, *words = line.split() or [""]
            if name:
                files.append(name)
                rows.append(np.array(read_numbers(words, 48, path, number, WHERE), np.float32))
    if not rows:
        raise DatasetError(f"{path}: no labels in it; it should be as in the {WHERE}")
    return files, np.stack(rows).reshape(-1, 16, 3)


def _metres(uvd: np.ndarray) -> np.ndarray:
    return CAMERA.back_project(uvd[..., :2], uvd[..., 2] * 1e-3).astype(np.float32)
