"""Where the centre of every frame's cube comes from.

It is named with every error that is printed: a centre that comes from the labels gives a part of the answer away.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import scipy.io

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.datasets.files import read_numbers
from hand_pose_training.datasets.sample import DatasetError

GROUND_TRUTH = "ground_truth"
CENTER_OF_MASS = "center_of_mass"


def open_centers(
    center: str | Path, joints: np.ndarray | None, frames: int, camera: Camera, y_up: bool, where: str
) -> tuple[np.ndarray | None, str]:
    """Centres (N, 3) in metres, camera optical frame, and the name of their source.

    :param center: "ground_truth", the mean of a frame's labelled joints; "center_of_mass", of the nearest object, found when
        the frame is read (the centres are None); or a file of centres as published with V2V-PoseNet, AWR or A2J
    :param joints: (N, J, 3) metres, NaN where there is no label; None for a split without labels
    :param frames: N
    :param camera: of the images
    :param y_up: a file's y axis points up, as that of the dataset's own labels
    :raises DatasetError: ground truth of a split without labels; no such file, or one of another dataset
    """
    if str(center) == CENTER_OF_MASS:
        return None, "centre of mass of the nearest object"
    if str(center) == GROUND_TRUTH:
        if joints is None:
            raise DatasetError(
                f"no labels to take the centres from in this split of the {where}: name a file of centres, or {CENTER_OF_MASS!r}"
            )
        known = np.isfinite(joints).all(axis=-1, keepdims=True)
        count = known.sum(axis=1)
        total = np.where(known, joints, 0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan), "ground truth, mean of the joints"
    return read_centers(Path(center), frames, camera, y_up, where), f"file {Path(center).name}"


def read_centers(path: Path, frames: int, camera: Camera, y_up: bool, where: str) -> np.ndarray:
    """A published file of centres -> (N, 3) metres, camera optical frame, NaN for frames that it calls invalid.

    Text as of mks0601/V2V-PoseNet_RELEASE (center_test_refined.txt, which Elody-07/AWR-Adaptive-Weighting-Regression took over):
    a line a frame with x y z in millimetres, in the axes of the dataset's labels with z positive, or the word `invalid`.
    A .mat file as of zhangboshen/A2J (nyu_center_test.mat): centre_pixel (N, 1, 3), pixels and millimetres. The two name the
    same points for NYU's test frames: projected with its camera, y up, the text gives the other's pixels.

    :raises DatasetError: no such file; neither format; another number of centres than frames
    """
    if not path.is_file():
        raise DatasetError(
            f"{path}: no such file of centres for the {where}; files for NYU, ICVL and MSRA are linked from "
            f"https://github.com/mks0601/V2V-PoseNet_RELEASE, or use {CENTER_OF_MASS!r} or {GROUND_TRUTH!r}"
        )
    if path.suffix == ".mat":
        uvd = _pixels(path)
        centers = camera.back_project(uvd[:, :2], uvd[:, 2] * 1e-3)
    else:
        centers = _text(path) * (1e-3, -1e-3 if y_up else 1e-3, 1e-3)
    if len(centers) != frames:
        raise DatasetError(
            f"{path}: {len(centers)} centres for {frames} frames: it belongs to another split or dataset; where each split has a "
            "file, write {split} in the place of its name"
        )
    return centers


def write_centers(path: Path, centers: np.ndarray, y_up: bool) -> None:
    """The text that `read_centers` reads, of centres (N, 3) in metres, camera optical frame, NaN for a frame without.

    :param y_up: the file's y axis points up
    """
    half = path.with_name(f".{path.name}.half")
    with half.open("w") as file:
        for x, y, z in np.asarray(centers, float) * (1e3, -1e3 if y_up else 1e3, 1e3):
            file.write(f"{x:.4f} {y:.4f} {z:.4f}\n" if np.isfinite(z) else "invalid\n")
    os.replace(half, path)


def _text(path: Path) -> np.ndarray:
    lines = path.read_text().rstrip().split("\n")
    centers = np.full((len(lines), 3), np.nan)
    for i, line in enumerate(lines):
        words = line.split()
        if words != ["invalid"]:
            centers[i] = read_numbers(words, 3, path, i + 1, "files of centres (x y z in millimetres, or invalid)")
    return centers


def _pixels(path: Path) -> np.ndarray:
    try:
        return scipy.io.loadmat(path, variable_names=["centre_pixel"])["centre_pixel"].reshape(-1, 3).astype(float)
    except (KeyError, ValueError, NotImplementedError, OSError) as error:
        raise DatasetError(f"{path}: no array centre_pixel in it ({error}), as the files of centres of A2J have") from None
