"""HANDS 2017 challenge (Yuan et al., The 2017 Hands in the Million Challenge, arXiv 1707.02237), its frame-based task.

    <root>/training/Training_Annotation.txt    957,032 lines: image, then x y z of 21 joints
    <root>/training/images/image_D00000001.png
    <root>/frame/BoundingBox.txt               295,510 lines: image, then left, top, width, height in pixels
    <root>/frame/images/image_D00000001.png

Millimetres, y down. The test split has no labels in these files (they were released apart in 2019; name the file with `labels`),
its errors over SEEN and UNSEEN subjects are the challenge server's: `frames` takes a list of either. Camera and joint order
as in mks0601/V2V-PoseNet_RELEASE and zhangboshen/A2J, the box as in xkunwu/depth-hand; cubes: 250 mm in V2V-PoseNet, 200 mm
in Elody-07/AWR-Adaptive-Weighting-Regression.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.centers import CENTER_OF_MASS, GROUND_TRUTH
from hand_pose_training.datasets.depth_dataset import DepthDataset, cubes
from hand_pose_training.datasets.files import depth_metres, need, read_numbers, read_png
from hand_pose_training.datasets.sample import DatasetError

WHERE = "HANDS 2017 challenge, http://icvl.ee.ic.ac.uk/hands17/challenge/"
CAMERA = Camera(640, 480, 475.065948, 475.065857, 315.944855, 245.287079)
SPLITS = ("train", "test")
CUBE_M = 0.250
FAR_MM = 5000.0  # no hand of this camera is so far; 65535 is none at all


def open_dataset(
    root: str | Path,
    split: str,
    *,
    center: str | Path | None = None,
    labels: str | Path | None = None,
    frames: str | Path | None = None,
    cube_m: float | None = None,
    allow_missing: bool = False,
) -> DepthDataset:
    """A split of HANDS 2017.

    :param center: source of the centres, see `centers.open_centers`; files of centres have y down. Default: ground truth for
        "train"; for "test" the centre of mass of the nearest object in the box that comes with the frame
    :param labels: file of the test split's labels, as Training_Annotation.txt
    :param frames: file of the image names to keep, one a line (for errors over seen or unseen subjects)
    :param cube_m: edge of every cube; None: CUBE_M
    :param allow_missing: leave out frames whose image is not there
    :raises DatasetError: a missing or wrong file; names it
    """
    if split not in SPLITS:
        raise DatasetError(f"HANDS 2017 has no split {split!r}; it has {', '.join(SPLITS)}")
    boxes, joints = None, None
    if split == "train":
        folder = Path(root) / "training"
        files, numbers = _lines(need(folder / "Training_Annotation.txt", WHERE), 63)
        joints = _joints(numbers)
    else:
        folder = Path(root) / "frame"
        files, numbers = _lines(need(folder / "BoundingBox.txt", WHERE), 4)
        boxes = np.concatenate([numbers[:, :2], numbers[:, :2] + numbers[:, 2:]], axis=1) - 0.5
        if labels is not None:
            labelled, values = _lines(need(Path(labels), WHERE), 63)
            joints = _in_order(Path(labels), files, labelled, _joints(values))
    dataset = DepthDataset(
        name="hands2017",
        split=split,
        skeleton=skeleton("hands2017_21"),
        camera=CAMERA,
        folder=folder / "images",
        files=files,
        read=read_depth,
        joints=joints,
        cube_m=cubes(len(files), cube_m or CUBE_M),
        centers=None,
        center_source="",
        where=WHERE,
        boxes=boxes,
    )
    dataset = dataset.with_centers(center or (GROUND_TRUTH if split == "train" else CENTER_OF_MASS), y_up=False)
    if frames is not None:
        kept = set(need(Path(frames), "list of frames to keep").read_text().split())
        dataset = dataset.only(np.fromiter((name in kept for name in dataset.files), bool, len(dataset)))
    return dataset.with_images(allow_missing)


def read_depth(path: Path) -> np.ndarray:
    """A depth image of HANDS 2017 -> (480, 640) float32 metres, 0 where nothing was seen."""
    return depth_metres(read_png(path, WHERE), FAR_MM)


def _lines(path: Path, count: int) -> tuple[list[str], np.ndarray]:
    """Image names (without folders) and (N, count) float32."""
    files, rows = [], []
    with path.open() as lines:
        for number, line in enumerate(lines, 1):
            name, *words = line.split() or [""]
            if name:
                files.append(name.rsplit("/", 1)[-1])
                rows.append(np.array(read_numbers(words[:count], count, path, number, WHERE), np.float32))
    if not rows:
        raise DatasetError(f"{path}: empty; it should be as in the {WHERE}")
    return files, np.stack(rows)


def _joints(numbers: np.ndarray) -> np.ndarray:
    return numbers.reshape(-1, 21, 3) * np.float32(1e-3)


def _in_order(path: Path, files: list[str], labelled: list[str], joints: np.ndarray) -> np.ndarray:
    """Labels in the order of the frames; NaN for frames without."""
    rows = {name: row for row, name in enumerate(labelled)}
    if not rows.keys() & set(files):
        raise DatasetError(f"{path}: labels none of the test frames (its first is {labelled[0]}, theirs {files[0]})")
    out = np.full((len(files), 21, 3), np.nan, np.float32)
    for i, name in enumerate(files):
        if name in rows:
            out[i] = joints[rows[name]]
    return out
