"""FreiHAND (Zimmermann et al., ICCV 2019): colour images 224 x 224 of single right hands, mesh and joints in metres.

Files (lmb-freiburg/freihand, utils/fh_utils.py): training_K.json, training_xyz.json, one entry a unique frame (32,560);
training/rgb/%08d.jpg, image number frame + version * 32,560 for the versions gs (green screen), hom (homogenised), sample and
auto (coloured backgrounds), 130,240 in all; evaluation_K.json and evaluation/rgb/%08d.jpg (3,960 frames). The joints of the
evaluation set are read where evaluation_xyz.json, released later, lies beside. K projects xyz with no change of axes, so x is
right, y down, z forward. Joints in the order freihand21; the *_scale.json are the length of the middle finger's proximal bone
and are not read: JAR does not use them.

Protocol of JAR: the window lies in the image's middle, 130 pixels wide (zxz267/SAR, by JAR's first author; the paper prints
"from the center"); depths are relative to the wrist; on the evaluation set the wrist's depth is I2L-MeshNet's estimate, file
bbox_root_freihand_output.json of mks0601/I2L-MeshNet_RELEASE, entries in the order of the frames, root_cam in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets.color_files import CUBE_M, ColorDataset, camera_of, check_split, read_json, read_rgb
from hand_pose_training.datasets.sample import DatasetError, Sample

WHERE = "FreiHAND dataset, FreiHAND_pub_v2.zip and FreiHAND_pub_v2_eval.zip (https://lmb.informatik.uni-freiburg.de/projects/freihand/)"
ROOT_WHERE = "RootNet output for FreiHAND, linked from https://github.com/mks0601/I2L-MeshNet_RELEASE"
SPLITS = ("training", "evaluation")
VERSIONS = ("gs", "hom", "sample", "auto")
WINDOW_PX = 130


class FreiHand(ColorDataset):
    """FreiHAND's training or evaluation set.

    :param root: folder with training_K.json and training/
    :param versions: of each training frame, all of one version before the next; the evaluation set has none
    :param root_file: I2L-MeshNet's root depths for the evaluation set; without them its samples have no depth unless
        evaluation_xyz.json is there
    :param window_px: width of the window in the image's middle
    :raises DatasetError: naming the missing file and where to get it
    """

    name = "freihand"
    skeleton = skeleton("freihand21")

    def __init__(
        self,
        root: Path | str,
        split: str = "training",
        versions: Sequence[str] = VERSIONS,
        root_file: Path | str | None = None,
        window_px: float = WINDOW_PX,
    ) -> None:
        check_split(split, SPLITS, "FreiHAND")
        if unknown := set(versions) - set(VERSIONS):
            raise DatasetError(f"FreiHAND has no version {', '.join(sorted(unknown))}; it has {', '.join(VERSIONS)}")
        self.root, self.split, self.window_px = Path(root), split, window_px
        self.versions = tuple(versions) if split == "training" else VERSIONS[:1]
        self._k_file = self.root / f"{split}_K.json"
        self._cameras = read_json(self._k_file, WHERE)
        xyz_file = self.root / f"{split}_xyz.json"
        self._joints = read_json(xyz_file, WHERE) if split == "training" or xyz_file.exists() else None
        self._roots = None if root_file is None else [r["root_cam"] for r in read_json(Path(root_file), ROOT_WHERE)]
        for what, entries in ((xyz_file, self._joints), (root_file, self._roots)):
            if entries is not None and len(entries) != len(self._cameras):
                raise DatasetError(
                    f"{what} has {len(entries)} frames, {self._k_file} has {len(self._cameras)}; it should be as in the {WHERE}"
                )

    def __len__(self) -> int:
        return len(self._cameras) * len(self.versions)

    def read(self, index: int) -> Sample:
        version, frame = divmod(index, len(self._cameras))
        number = frame + VERSIONS.index(self.versions[version]) * len(self._cameras)
        name = f"{number:08d}"
        image = read_rgb(self.root / self.split / "rgb" / f"{name}.jpg", WHERE)
        joints = None if self._joints is None else np.asarray(self._joints[frame], float)
        if joints is not None and joints.shape != (21, 3):
            raise DatasetError(
                f"{self.split}_xyz.json, frame {frame}: {joints.shape} is not 21 joints; it should be as in the {WHERE}"
            )
        center, source = self._center(frame, joints)
        height, width = image.shape[:2]
        u, v, half = (width - 1) / 2, (height - 1) / 2, self.window_px / 2
        return Sample(
            name=name,
            image=image,
            camera=camera_of(self._cameras[frame], image, self._k_file),
            joints=joints,
            center=center,
            center_source=source,
            cube_m=CUBE_M,
            side="right",
            bbox=(u - half, v - half, u + half, v + half),
        )

    def _center(self, frame: int, joints: np.ndarray | None) -> tuple[np.ndarray | None, str]:
        if self._roots is not None:
            return np.asarray(self._roots[frame], float), "wrist, estimated by I2L-MeshNet's RootNet"
        if joints is not None:
            return joints[self.skeleton.index(self.root_joint)], "wrist, ground truth"
        return None, "unknown depth"
