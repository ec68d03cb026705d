"""What every submission file must be before it is written: all frames, in the benchmark's order and joints, finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_ros.skeleton import Skeleton, remap


class SubmissionError(ValueError):
    """Predictions that a benchmark's server would refuse; the text says which and what to do."""


def in_order(joints: np.ndarray, source: Skeleton, target: Skeleton, frames: Sequence[int], benchmark: str) -> np.ndarray:
    """Predicted joints (N, J, 3) in the joints of the benchmark, float64.

    :param source: what the predictions' joints are
    :param target: what the benchmark's are
    :param frames: numbers of frames that its test sets have
    :raises SubmissionError: another number of frames or joints, joints that the predictions lack, no finite number
    """
    joints = np.asarray(joints, float)
    if joints.ndim != 3 or joints.shape[1:] != (len(source), 3):
        raise SubmissionError(f"{benchmark}: predictions {joints.shape} are not (frames, {len(source)}, 3) of {source.name}")
    if len(joints) not in frames:
        wanted = " or ".join(str(count) for count in frames)
        raise SubmissionError(f"{benchmark}: {len(joints)} frames; its test set has {wanted}: predict every frame once")
    if not np.isfinite(joints).all():
        frame, joint, _ = np.argwhere(~np.isfinite(joints))[0]
        name = source.joint_names[joint]
        raise SubmissionError(f"{benchmark}: frame {frame} (from 0), {name}: not a finite number; predict every joint")
    ordered = remap(joints, source, target)
    missing = [name for name, lacks in zip(target.joint_names, np.isnan(ordered).any(axis=(0, 2))) if lacks]
    if missing:
        raise SubmissionError(f"{benchmark}: skeleton {source.name} has no {', '.join(missing)}")
    return ordered


def by_name(names: Sequence[str], wanted: Sequence[str], benchmark: str) -> list[int]:
    """For every wanted frame the position of its prediction.

    :raises SubmissionError: a frame twice, or one that is not predicted
    """
    rows = {name: row for row, name in enumerate(names)}
    if len(rows) != len(names):
        twice = next(name for row, name in enumerate(names) if rows[name] != row)
        raise SubmissionError(f"{benchmark}: frame {twice} is predicted twice; leave one")
    if missing := [name for name in wanted if name not in rows]:
        raise SubmissionError(f"{benchmark}: {len(missing)} frames are not predicted, the first is {missing[0]}")
    return [rows[name] for name in wanted]
