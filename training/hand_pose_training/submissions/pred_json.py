"""pred.json of the FreiHAND and HO-3D challenges: a list of the frames' 21 joints and a list of their 778 mesh vertices, metres.

Both servers take pred.zip with pred.json at its top (pred.py and the readme of lmb-freiburg/freihand and shreyashampali/ho3d);
frames in the order of the evaluation set. Without a mesh the vertices are zeros, as in the challenges' own templates: the joints'
scores hold, the mesh scores say nothing.

FreiHAND: joints in the order of freihand21, camera frame x right, y down, z forward; 3,960 frames.
HO-3D: the axes of its labels, OpenGL (x right, y up, z backward; its pred.py refuses z > 0), and their order, MANO's: its eval.py
scales by the bone from joint 0 to joint 4, wrist to middle_mcp; hassony2/handobjectconsist writes the same. 11,524 frames in
version 2, 20,137 in version 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from hand_pose_ros.skeleton import Skeleton, skeleton
from hand_pose_training.datasets.ho3d import optical
from hand_pose_training.score.protocols import PROTOCOLS
from hand_pose_training.submissions.archive import write_whole
from hand_pose_training.submissions.checks import SubmissionError, in_order

VERTICES = 778
_DECIMALS = 6  # a micrometre


def write_freihand(
    path: Path,
    joints: np.ndarray,
    joint_order: Skeleton | None = None,
    vertices: np.ndarray | None = None,
    frames: Sequence[int] = PROTOCOLS["freihand"].frames,
) -> None:
    """Write FreiHAND's pred.json, or pred.zip.

    :param joints: (N, J, 3) metres, camera optical frame, frames in the order of evaluation/rgb
    :param joint_order: of the predictions; default freihand21
    :param vertices: (N, 778, 3) metres of MANO's mesh, camera optical frame
    :param frames: numbers of frames that are right
    :raises SubmissionError: what the server would refuse
    """
    target = skeleton("freihand21")
    ordered = in_order(joints, joint_order or target, target, frames, "FreiHAND")
    _write(path, map(_text, ordered), _mesh(vertices, len(ordered), "FreiHAND"))


def write_ho3d(
    path: Path,
    joints: np.ndarray,
    joint_order: Skeleton | None = None,
    vertices: np.ndarray | None = None,
    frames: Sequence[int] = PROTOCOLS["ho3d"].frames,
) -> None:
    """Write HO-3D's pred.json, or pred.zip.

    :param joints: (N, J, 3) metres, camera optical frame, frames in the order of evaluation.txt
    :param joint_order: of the predictions; default ho3d21
    :param vertices: (N, 778, 3) metres of MANO's mesh, camera optical frame
    :param frames: numbers of frames that are right
    :raises SubmissionError: what the server would refuse
    """
    target = skeleton("ho3d21")
    ordered = in_order(joints, joint_order or target, target, frames, "HO-3D")
    if (behind := ordered[..., 2].max(axis=1) <= 0).any():
        frame = int(np.argmax(behind))
        raise SubmissionError(
            f"HO-3D: frame {frame} (from 0) lies behind the camera; give joints in the optical frame, z forward"
        )
    mesh = _mesh(None if vertices is None else optical(vertices), len(ordered), "HO-3D")
    _write(path, map(_text, optical(ordered)), mesh)


def _mesh(vertices: np.ndarray | None, frames: int, benchmark: str) -> Iterable[str]:
    if vertices is None:
        return repeat(_text(np.zeros((VERTICES, 3))), frames)
    vertices = np.asarray(vertices, float)
    if vertices.shape != (frames, VERTICES, 3) or not np.isfinite(vertices).all():
        raise SubmissionError(f"{benchmark}: vertices {vertices.shape} are not finite ({frames}, {VERTICES}, 3)")
    return map(_text, vertices)


def _text(frame: np.ndarray) -> str:
    return json.dumps(np.round(frame, _DECIMALS).tolist(), separators=(",", ":"))


def _write(path: Path, joints: Iterable[str], vertices: Iterable[str]) -> None:
    write_whole(Path(path), "pred.json", chain(["["], _list(joints), [","], _list(vertices), ["]"]))


def _list(frames: Iterable[str]) -> Iterator[str]:
    """Frame by frame: all meshes at once would fill the memory."""
    for number, frame in enumerate(frames):
        yield ("," if number else "[") + frame
    yield "]"
