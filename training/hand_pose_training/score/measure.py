"""Files of predictions against ground truth by a benchmark's protocol: everything between the command line and the arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.skeleton import Skeleton, skeleton
from hand_pose_training.score.alignment import bone_lengths
from hand_pose_training.score.figures import Counting, alignment_text, figures_of, subset_figures
from hand_pose_training.score.files import Poses, matched, read_poses
from hand_pose_training.score.protocols import Protocol, ScoreError, protocol_of
from hand_pose_training.score.subsets import read_subsets

UNITS = ("m", "mm", "bone")
# A hand predicted so many times larger or smaller than the true one is in another unit.
OTHER_UNIT = 50.0
# Hands at least so far before the camera in one file and behind it in the other are in two frames, metres.
OTHER_FRAME_M = 0.2


def score(
    predictions: Path,
    ground_truth: Path,
    dataset: str,
    *,
    compare: dict[str, Path] | None = None,
    center_source: str = "not stated",
    alignment: str | None = None,
    auc_limits_mm: tuple[float, float] | None = None,
    leave_out: tuple[str, ...] = (),
    split_by: Path | None = None,
    text_format: str | None = None,
    unit: str = "m",
) -> dict[str, Any]:
    """Figures of one file of predictions, and of those to compare it with, each with what it depends on beside it.

    :raises ScoreError: files that cannot be measured by that dataset's protocol
    """
    protocol = protocol_of(dataset)
    joints = skeleton(protocol.skeleton)
    counting = _counting(protocol, joints, alignment, auc_limits_mm, leave_out)
    text = text_format or protocol.text
    truth = read_poses(ground_truth, len(joints), text, protocol.camera, labels=True)
    rows = read_subsets(split_by, len(truth.joints), truth.names) if split_by else None

    def measured(path: Path) -> dict[str, Any]:
        predicted = in_metres(read_poses(path, len(joints), text, protocol.camera), truth, unit, protocol, joints)
        found = figures_of(predicted, truth.joints, counting)
        if rows:
            found |= subset_figures(predicted, truth.joints, counting, rows)
        return {"predictions": str(path), **found}

    return {
        "dataset": dataset,
        "ground_truth": str(ground_truth),
        "test_set_frames": list(protocol.frames),
        "complete": len(truth.joints) in protocol.frames,
        "joints": counting.names,
        "joints_left_out": list(leave_out),
        "center": center_source,
        "alignment": alignment_text(counting.alignment, protocol),
        **measured(predictions),
        "compared": {name: measured(path) for name, path in (compare or {}).items()},
    }


def in_metres(predicted: Poses, truth: Poses, unit: str, protocol: Protocol, joints: Skeleton) -> np.ndarray:
    """Predicted joints (N, J, 3) in metres and in the truth's order.

    :param unit: of JSON and npz; text is converted when it is read. "bone": multiples of the true length of the scale bone
    :raises ScoreError: hands of quite another size than the true ones, or behind the camera where those are before it
    """
    values = matched(predicted, truth)
    if predicted.path.suffix in (".json", ".npz"):
        if unit == "mm":
            values = values * 1e-3
        elif unit == "bone":
            values = values * bone_lengths(truth.joints, protocol.root_and_bone(joints)[1])[:, None, None]
    if not np.isfinite(truth.joints).all(axis=-1).any():
        raise ScoreError(f"{truth.path}: no joint of any frame has a label; is it the file of predictions?")
    sizes = [_hand_size(poses) for poses in (values, truth.joints)]
    ratio = sizes[0] / sizes[1] if min(sizes) > 0 else 1.0
    if not 1 / OTHER_UNIT < ratio < OTHER_UNIT:
        raise ScoreError(
            f"{predicted.path}: hands are {ratio:.3g} times as large as in {truth.path}; text is read as millimetres, "
            "JSON and npz as metres (--unit)"
        )
    depths = [float(np.nanmedian(poses[..., 2])) for poses in (values, truth.joints)]
    if min(depths) < -OTHER_FRAME_M and max(depths) > OTHER_FRAME_M:
        raise ScoreError(
            f"{predicted.path}: hands are at z {depths[0]:.2f} m, in {truth.path} at {depths[1]:.2f} m; one has OpenGL's axes "
            "(HO-3D's files), the other the camera's: negate y and z in one"
        )
    return values


def _hand_size(joints: np.ndarray) -> float:
    """Median distance of the known joints (N, J, 3) from the middle of theirs."""
    labelled = joints[np.isfinite(joints).all(axis=-1).any(axis=-1)]
    return float(np.nanmedian(np.linalg.norm(labelled - np.nanmean(labelled, axis=1, keepdims=True), axis=-1)))


def _counting(
    protocol: Protocol, joints: Skeleton, alignment: str | None, limits_mm: tuple[float, float] | None, leave_out: tuple[str, ...]
) -> Counting:
    unknown = [name for name in leave_out if name not in joints.joint_names]
    if unknown:
        raise ScoreError(f"--leave-out: {protocol.dataset} has no joint {unknown[0]!r}; it has {', '.join(joints.joint_names)}")
    counted = tuple(i for i, name in enumerate(joints.joint_names) if name not in leave_out)
    if not counted:
        raise ScoreError("--leave-out: no joint is left to count")
    limits = (limits_mm[0] * 1e-3, limits_mm[1] * 1e-3) if limits_mm else protocol.auc_limits_m
    if not 0 <= limits[0] < limits[1]:
        raise ScoreError("--auc-limits: two distances in mm are needed, the smaller first, such as 0 50")
    return Counting(protocol, joints, counted, alignment or protocol.alignment, limits)
