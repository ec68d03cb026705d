"""Predictions and ground truth from files: text of a frame a line, JSON, npz. Metres out.

Text is what the depth benchmarks exchange: J x 3 numbers a line, after the frame's name where there is one (HANDS 2017), below
a line with the number of frames where there is one (MSRA). JSON is FreiHAND's and HO-3D's: a list of J x 3 a frame, or that list
and the list of vertices. npz has an array `joints` (N, J, 3) and may have `names` (N,).
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.score.protocols import ScoreError

FORMATS = ("uvd", "xyz")
_MM = 1e-3


@dataclass(frozen=True)
class Poses:
    """The frames of one file.

    :param path: where they were read
    :param joints: (N, J, 3) metres, x right, y down, z forward unless the file holds (x, y, z) of another frame
    :param names: (N,) of the frames, None where the file has none
    """

    path: Path
    joints: np.ndarray
    names: tuple[str, ...] | None = None


def read_poses(path: Path, joints: int, text: str, camera: Camera | None, *, labels: bool = False) -> Poses:
    """All frames of a file, by its ending: .json, .npz, anything else is text.

    :param joints: how many a frame must have
    :param text: "uvd" (pixels and millimetres, through the camera) or "xyz" (millimetres); JSON and npz are metres
    :param camera: needed for "uvd"
    :param labels: this is ground truth, where NaN in JSON and npz marks joints without a label
    :raises ScoreError: missing file, wrong columns, what is no finite number
    """
    if not path.exists():
        raise ScoreError(f"{path}: no such file")
    if path.is_dir():
        raise ScoreError(f"{path}: is a folder; name the file of joints in it")
    if path.suffix in (".json", ".npz"):
        values, names = _json(path) if path.suffix == ".json" else _npz(path)
        if values.ndim != 3 or values.shape[1:] != (joints, 3):
            raise ScoreError(
                f"{path}: holds {values.shape}, needed is (frames, {joints}, 3): {joints} joints of x, y, z in metres"
            )
        bad = np.isinf(values) if labels else ~np.isfinite(values)
        if bad.any():
            frame, joint, _ = np.argwhere(bad)[0]
            raise ScoreError(
                f"{path}: frame {frame} (from 0), joint {joint}: not a finite number; predict every joint of every frame"
            )
        return Poses(path, values, names)
    values, names = read_text(path, joints)
    if text == "xyz":
        return Poses(path, values * _MM, names)
    if camera is None:
        raise ScoreError(f"{path}: (u, v, d) needs a camera and this dataset's protocol has none: give --format xyz")
    return Poses(path, camera.back_project(values[..., :2], values[..., 2] * _MM), names)


def read_text(path: Path, joints: int) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Numbers (N, J, 3) as they stand in a text file, and the frames' names where each line begins with one.

    :raises ScoreError: the line that is wrong and why
    """
    columns = 3 * joints
    rows: list[np.ndarray] = []
    names: list[str] = []
    count = None
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        fields = line.replace(",", " ").split()
        if not fields:
            continue
        if not rows and count is None and len(fields) == 1 and fields[0].isdigit():
            count = int(fields[0])
            continue
        if len(fields) == columns + 1:
            names.append(fields.pop(0).replace("\\", "/"))
        if len(fields) != columns:
            raise ScoreError(
                f"{path}, line {number}: {len(fields)} columns, needed are {columns} ({joints} joints x 3), after the frame's "
                "name if there is one; is it the right --dataset, and does the file hold all its joints?"
            )
        try:
            values = np.array(fields, dtype=float)
        except ValueError as error:
            raise ScoreError(
                f"{path}, line {number}: {error}; columns are numbers, separated by spaces, tabs or commas"
            ) from None
        if not np.isfinite(values).all():
            column = int(np.argmin(np.isfinite(values))) + 1
            raise ScoreError(f"{path}, line {number}, number {column}: {fields[column - 1]}; predict every joint of every frame")
        rows.append(values)
    if not rows:
        raise ScoreError(f"{path}: has no frame; a line a frame of {columns} numbers is needed")
    if names and len(names) != len(rows):
        raise ScoreError(f"{path}: {len(names)} of {len(rows)} lines begin with a frame's name; give all lines one, or none")
    if count is not None and count != len(rows):
        raise ScoreError(f"{path}: its first line says {count} frames and {len(rows)} follow; is the file complete?")
    return np.array(rows).reshape(-1, joints, 3), tuple(names) or None


def matched(predicted: Poses, truth: Poses) -> np.ndarray:
    """Predicted joints (N, J, 3) in the order of the truth: by name where both files have names, else frame by frame.

    :raises ScoreError: another number of frames, or a true frame that is not predicted once
    """
    if predicted.names is None or truth.names is None:
        if len(predicted.joints) != len(truth.joints):
            raise ScoreError(
                f"{predicted.path}: {len(predicted.joints)} frames, and {truth.path} has {len(truth.joints)}; "
                "predict every frame of the ground truth, in its order"
            )
        return predicted.joints
    rows = {name: row for row, name in enumerate(predicted.names)}
    if len(rows) != len(predicted.names):
        twice = next(name for row, name in enumerate(predicted.names) if rows[name] != row)
        raise ScoreError(f"{predicted.path}: frame {twice} is there twice; leave one")
    missing = [name for name in truth.names if name not in rows]
    if missing:
        raise ScoreError(
            f"{predicted.path}: {len(missing)} frames of {truth.path} are not predicted, the first is {missing[0]}; "
            "the names must be written the same way in both"
        )
    return predicted.joints[[rows[name] for name in truth.names]]


def _json(path: Path) -> tuple[np.ndarray, None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ScoreError(f"{path}: not JSON ({error}); write it again") from None
    try:
        # [joints, vertices] of a submission: told from two frames by the depth of the nesting.
        if len(content) == 2 and isinstance(content[0][0][0], list):
            content = content[0]
        return np.array(content, dtype=float), None
    except (TypeError, ValueError, KeyError, IndexError):
        raise ScoreError(
            f"{path}: needed is a list of frames, each a list of joints [x, y, z], or that and one of vertices"
        ) from None


def _npz(path: Path) -> tuple[np.ndarray, tuple[str, ...] | None]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "joints" not in arrays.files:
                raise ScoreError(f"{path}: has {', '.join(arrays.files) or 'no array'}; needed is `joints` (frames, joints, 3)")
            joints = np.asarray(arrays["joints"], dtype=float)
            names = tuple(str(n) for n in arrays["names"]) if "names" in arrays.files else None
    except ScoreError:
        raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ScoreError(f"{path}: not an npz of plain arrays ({error}); write it with numpy.savez") from None
    if names is not None and len(names) != len(joints):
        raise ScoreError(f"{path}: {len(joints)} frames and {len(names)} names; one name a frame is needed")
    return joints, names
