"""MSRA hand gesture database (Sun et al., Cascaded Hand Pose Regression, CVPR 2015), from its own files.

    <root>/P0 ... P8/<gesture>/joint.txt             number of frames, then a line of 21 x y z a frame
    <root>/P0 ... P8/<gesture>/000000_depth.bin      6 integers: width, height, left, top, right, bottom; then float32 of that box

9 subjects, 17 gestures of about 500 frames, 76,391 in all as V2V-PoseNet counts. Millimetres; camera 241.42, centre (160, 120);
right hands (by its readme). The labels' y is up and their z negative: mks0601/V2V-PoseNet_RELEASE and moberweger/deep-prior-pp
turn both.
Protocol: leave one subject out, errors averaged over the nine. Cubes: 200 mm in V2V-PoseNet, in deep-prior-pp by subject
(`SUBJECT_CUBES_M`). deep-prior-pp also lists faulty images, among them empty ones: they are frames of the protocol all the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.centers import GROUND_TRUTH
from hand_pose_training.datasets.depth_dataset import DepthDataset
from hand_pose_training.datasets.files import depth_metres, need, read_numbers
from hand_pose_training.datasets.sample import DatasetError

WHERE = "MSRA hand gesture database (cvpr15_MSRAHandGestureDB), https://jimmysuen.github.io/"
CAMERA = Camera(320, 240, 241.42, 241.42, 160.0, 120.0)
SPLITS = ("train", "test")
SUBJECTS = 9
GESTURES = "1 2 3 4 5 6 7 8 9 I IP L MP RP T TIP Y".split()  # in the order of the published results
CUBE_M = 0.200
SUBJECT_CUBES_M = (0.200, 0.200, 0.200, 0.180, 0.180, 0.180, 0.170, 0.160, 0.150)
FAR_MM = 2000.0
_HEADER = 6


def open_dataset(
    root: str | Path,
    split: str,
    *,
    subject: int = 0,
    center: str | Path = GROUND_TRUTH,
    cube_m: float | None = CUBE_M,
    allow_missing: bool = False,
) -> DepthDataset:
    """One of the nine splits of MSRA: "test" is the subject's frames, "train" those of the other eight.

    :param subject: 0 to 8, the one that is left out of training
    :param center: source of the centres, see `centers.open_centers`; files of centres have y up
    :param cube_m: edge of every cube; None: the subjects' own
    :param allow_missing: leave out frames whose image is not there
    :raises DatasetError: a missing or wrong file; names it
    """
    if split not in SPLITS or subject not in range(SUBJECTS):
        raise DatasetError(
            f"MSRA has no split {split!r} of subject {subject}; splits train and test, subjects 0 to {SUBJECTS - 1}"
        )
    files, joints, edges = [], [], []
    for person in range(SUBJECTS):
        if (person == subject) == (split == "test"):
            for gesture in GESTURES:
                labels = _labels(need(Path(root) / f"P{person}" / gesture / "joint.txt", WHERE))
                files += [f"P{person}/{gesture}/{frame:06d}_depth.bin" for frame in range(len(labels))]
                joints.append(labels)
                edges += [SUBJECT_CUBES_M[person] if cube_m is None else cube_m] * len(labels)
    dataset = DepthDataset(
        name="msra",
        split=split,
        skeleton=skeleton("msra21"),
        camera=CAMERA,
        folder=Path(root),
        files=files,
        read=read_depth,
        joints=np.concatenate(joints),
        cube_m=np.array(edges),
        centers=None,
        center_source="",
        where=WHERE,
        side="right",
    )
    return dataset.with_centers(center, y_up=True).with_images(allow_missing)


def read_depth(path: Path) -> np.ndarray:
    """A .bin file -> (240, 320) float32 metres, 0 outside its box and where nothing was seen.

    :raises DatasetError: no such file, or one that ends early
    """
    data = need(path, WHERE).read_bytes()
    header = np.frombuffer(data[: 4 * _HEADER], "<i4")
    if len(header) == _HEADER:
        width, height, left, top, right, bottom = (int(v) for v in header)
        box = np.frombuffer(data[4 * _HEADER :][: (len(data) - 4 * _HEADER) // 4 * 4], "<f4")
        if 0 <= left <= right <= width and 0 <= top <= bottom <= height and len(box) == (right - left) * (bottom - top):
            image = np.zeros((height, width), np.float32)
            image[top:bottom, left:right] = box.reshape(bottom - top, right - left)
            return depth_metres(image, FAR_MM)
    raise DatasetError(f"{path}: {len(data)} bytes are not a header and the pixels of its box; unpack it again from the {WHERE}")


def _labels(path: Path) -> np.ndarray:
    """(N, 21, 3) float32 metres, camera optical frame."""
    first, *lines = path.read_text().split("\n")
    lines = [line for line in lines if line.strip()]
    if not first.strip().isdigit() or int(first) != len(lines):
        raise DatasetError(f"{path}: says {first.strip()!r} frames and has {len(lines)}; it should be as in the {WHERE}")
    rows = [read_numbers(line.split(), 63, path, number, WHERE) for number, line in enumerate(lines, 2)]
    return (np.array(rows, np.float32).reshape(-1, 21, 3) * (1e-3, -1e-3, -1e-3)).astype(np.float32)
