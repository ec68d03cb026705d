"""Rendered Hand Pose, RHD (Zimmermann and Brox, ICCV 2017): rendered colour images 320 x 320 of people, two hands labelled.

Files (the dataset's readme; create_binary_db.py of lmb-freiburg/hand3d): training/anno_training.pickle, a dict of frames with
K (3, 3), uv_vis (42, 3) pixels and visibility, xyz (42, 3) metres; training/color/%05d.png and training/mask/%05d.png; the same
under evaluation. K projects xyz with no change of axes. Joints 0 to 20 are the left hand, 21 to 41 the right one, each the wrist
and then thumb to little finger from tip to palm: rhd21. The mask is 0 for background, 1 for the person, 2 to 17 for the left
hand, 18 to 33 for the right one. 41,258 frames train, 2,728 test.

Protocol (data/BinaryDbReader.py of hand3d): the hand with more pixels in the mask, the right one if equal. JAR: the window comes
from the mask, and the root's depth and the hand's scale are those of the ground truth: the sample's centre and cube say them.
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
    mask_box,
    points_box,
    read_rgb,
    scale_cube_m,
    square,
)
from hand_pose_training.datasets.files import read_png
from hand_pose_training.datasets.restricted_pickle import load_pickle
from hand_pose_training.datasets.sample import DatasetError, Sample

WHERE = "RHD dataset (https://lmb.informatik.uni-freiburg.de/resources/datasets/RenderedHandposeDataset.en.html)"
SPLITS = ("training", "evaluation")
LEFT_CLASSES, RIGHT_CLASSES = (2, 17), (18, 33)  # first and last class of the mask


class Rhd(ColorDataset):
    """RHD's training or evaluation set: one hand a frame.

    :param root: folder with training/ and evaluation/
    :param use_scale: the cube follows the hand's true scale, as JAR; else all hands have the same
    :param margin: the window's width over that of the mask's box (not printed in JAR)
    :raises DatasetError: naming the missing file and where to get it
    """

    name = "rhd"
    skeleton = skeleton("rhd21")

    def __init__(self, root: Path | str, split: str = "training", use_scale: bool = True, margin: float = BOX_MARGIN) -> None:
        check_split(split, SPLITS, "RHD")
        self.folder, self.split, self.use_scale, self.margin = Path(root) / split, split, use_scale, margin
        self._file = self.folder / f"anno_{split}.pickle"
        annotations = load_pickle(self._file, WHERE)
        if not isinstance(annotations, dict):
            raise DatasetError(f"{self._file} should be a dict of frames; it should be as in the {WHERE}")
        self._frames = sorted(annotations.items())

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> Sample:
        number, frame = self._frames[index]
        name = f"{number:05d}"
        image = read_rgb(self.folder / "color" / f"{name}.png", WHERE)
        mask = read_png(self.folder / "mask" / f"{name}.png", WHERE)
        try:
            matrix, both = frame["K"], np.asarray(frame["xyz"], float).reshape(2, 21, 3)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{self._file}, frame {number}: no K or no xyz of 42 joints ({error}); it should be as in the {WHERE}"
            ) from error
        left, right = (_classes(mask, *classes) for classes in (LEFT_CLASSES, RIGHT_CLASSES))
        is_left = left.sum() > right.sum()
        joints = both[0 if is_left else 1]
        camera = camera_of(matrix, image, self._file)
        box = mask_box(left if is_left else right) or points_box(camera.project(joints))
        return Sample(
            name=name,
            image=image,
            camera=camera,
            joints=joints,
            center=joints[self.skeleton.index(self.root_joint)],
            center_source="wrist, ground truth",
            cube_m=scale_cube_m(joints, self.skeleton) if self.use_scale else CUBE_M,
            side="left" if is_left else "right",
            bbox=square(box, self.margin),
        )


def _classes(mask: np.ndarray, first: int, last: int) -> np.ndarray:
    return (mask >= first) & (mask <= last)
