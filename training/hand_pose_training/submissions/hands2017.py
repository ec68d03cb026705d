"""result.txt of the HANDS 2017 challenge, frame-based task: a line a frame of its name and 63 numbers, between tabs.

The numbers are x, y, z of 21 joints in millimetres, in the form of the training annotation: the depth camera's frame, x right,
y down, z forward, joints in the order of hands2017_21 (mks0601/V2V-PoseNet_RELEASE, src/data/HANDS2017/data.lua). Frames as in
frame/BoundingBox.txt: image_D00000001.png and so on, 295,510 of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hand_pose_ros.skeleton import Skeleton, skeleton
from hand_pose_training.score.protocols import PROTOCOLS
from hand_pose_training.submissions.archive import write_whole
from hand_pose_training.submissions.checks import SubmissionError, in_order


def write_hands2017(
    path: Path,
    names: Sequence[str],
    joints: np.ndarray,
    joint_order: Skeleton | None = None,
    frames: Sequence[int] = PROTOCOLS["hands2017"].frames,
) -> None:
    """Write result.txt, or a zip archive with it.

    :param names: of the frames, in the order of BoundingBox.txt
    :param joints: (N, J, 3) metres, camera optical frame
    :param joint_order: of the predictions; default hands2017_21
    :param frames: numbers of frames that are right
    :raises SubmissionError: what the server would refuse
    """
    target = skeleton("hands2017_21")
    ordered = in_order(joints, joint_order or target, target, frames, "HANDS 2017")
    if len(names) != len(ordered) or len(set(names)) != len(names):
        raise SubmissionError(
            f"HANDS 2017: {len(set(names))} different names for {len(ordered)} frames; each needs a name of its own"
        )
    rows = (1000 * ordered).reshape(len(ordered), -1)
    lines = ("\t".join([name, *(f"{value:.4f}" for value in row)]) + "\n" for name, row in zip(names, rows))
    write_whole(Path(path), "result.txt", lines)
