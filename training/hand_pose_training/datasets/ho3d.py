"""HO-3D versions 2 and 3 (Hampali et al., CVPR 2020): colour images 640 x 480 of right hands that hold objects.

Files (shreyashampali/ho3d): train.txt and evaluation.txt list SEQUENCE/FRAME; train/SEQUENCE/rgb/FRAME.png (version 3: .jpg) and
meta/FRAME.pkl with camMat (3, 3) and handJoints3D: (21, 3) in the training set, the wrist alone (3,) in the evaluation set,
which has handBoundingBox (u_min, v_min, u_max, v_max) instead. Metres in OpenGL axes: x right, y up, z backward, so y and z
change sign (project_3D_points of utils/vis_utils.py). Joints in the MANO model's order, ho3d21 (jointsMapManoToSimple of
vis_HO3D.py). Where evaluation_xyz.json lies in the root (axes and order of handJoints3D, frames as evaluation.txt), the
evaluation set has joints too.

Protocol of JAR: in training the window comes from the projected joints, in evaluation from handBoundingBox; the scale is not
used; errors are given after alignment of scale and translation (eval.py, align_sc_tr).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.color_files import (
    BOX_MARGIN,
    CUBE_M,
    ColorDataset,
    camera_of,
    check_split,
    points_box,
    read_json,
    read_rgb,
    square,
)
from hand_pose_training.datasets.files import need
from hand_pose_training.datasets.restricted_pickle import load_pickle
from hand_pose_training.datasets.sample import DatasetError, Sample

WHERE = "HO-3D dataset, version 2 or 3, linked from https://github.com/shreyashampali/ho3d"
SPLITS = ("train", "evaluation")
OPENGL_TO_OPTICAL = np.array([1.0, -1.0, -1.0])  # its own inverse


class Ho3d(ColorDataset):
    """HO-3D's training or evaluation set, frames in the order of its list.

    :param root: folder with train.txt, evaluation.txt, train/ and evaluation/
    :param margin: the window's width over that of the box (not printed in JAR)
    :raises DatasetError: naming the missing file and where to get it
    """

    name = "ho3d"
    skeleton = skeleton("ho3d21")

    def __init__(self, root: Path | str, split: str = "train", margin: float = BOX_MARGIN) -> None:
        check_split(split, SPLITS, "HO-3D")
        self.root, self.split, self.margin = Path(root), split, margin
        frames = self.root / f"{split}.txt"
        self.frames = need(frames, WHERE).read_text().split()
        if wrong := [frame for frame in self.frames if frame.count("/") != 1]:
            raise DatasetError(f"{frames}: {wrong[0]!r} is not SEQUENCE/FRAME; it should be as in the {WHERE}")
        labels = self.root / f"{split}_xyz.json"
        self._joints = read_json(labels, WHERE) if split == "evaluation" and labels.exists() else None
        if self._joints is not None and len(self._joints) != len(self.frames):
            raise DatasetError(
                f"{labels} has {len(self._joints)} frames, {frames} has {len(self.frames)}; it should be as in the {WHERE}"
            )

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, index: int) -> Sample:
        sequence, frame = self.frames[index].split("/")
        folder = self.root / self.split / sequence
        meta_file = folder / "meta" / f"{frame}.pkl"
        meta = load_pickle(meta_file, WHERE)
        png = folder / "rgb" / f"{frame}.png"
        image = read_rgb(png if png.exists() else png.with_suffix(".jpg"), WHERE)
        camera = camera_of(_entry(meta, "camMat", meta_file), image, meta_file)
        labels = optical(_entry(meta, "handJoints3D", meta_file))
        if self.split == "train":
            if labels.shape != (21, 3):
                raise DatasetError(
                    f"{meta_file}: handJoints3D should be 21 joints, not {labels.shape}; it should be as in the {WHERE}"
                )
            joints, box = labels, points_box(camera.project(labels))
        else:
            joints = None if self._joints is None else optical(self._joints[index])
            u_min, v_min, u_max, v_max = (float(edge) for edge in np.ravel(_entry(meta, "handBoundingBox", meta_file)))
            box = (u_min, v_min, u_max, v_max)
        return Sample(
            name=self.frames[index],
            image=image,
            camera=camera,
            joints=joints,
            center=labels.reshape(-1, 3)[0],  # MANO's first joint is the wrist
            center_source="wrist, ground truth",
            cube_m=CUBE_M,
            side="right",
            bbox=square(box, self.margin),
        )


def optical(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) in OpenGL axes -> camera optical frame, or back."""
    return np.asarray(points, float) * OPENGL_TO_OPTICAL


def _entry(meta: object, key: str, path: Path) -> np.ndarray:
    value = meta.get(key) if isinstance(meta, dict) else None
    if value is None:
        raise DatasetError(
            f"{path} has no {key}: this frame is not annotated, or the file is of another dataset; it should be as in the {WHERE}"
        )
    return np.asarray(value)
