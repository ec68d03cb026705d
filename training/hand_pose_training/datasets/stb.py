"""Stereo Hand Pose Tracking Benchmark, STB (Zhang et al., ICIP 2017): left hands before six backgrounds, 12 x 1,500 frames.

Files (the readme of zhjwustc/icip17_stereo_hand_pose_dataset): images/SEQUENCE/STREAM_%d.png, sequences B1Counting, B1Random to
B6Random, streams BB_left, BB_right (a Bumblebee2 stereo pair) and SK_color, SK_depth (a RealSense F200), 640 x 480;
labels/SEQUENCE_BB.mat and SEQUENCE_SK.mat with handPara (3, 21, 1500) in millimetres: palm centre, then little finger to thumb
from palm to tip, stb21. BB labels are in the left camera's frame, the right camera lies 120.054 mm to its right. SK labels are in
the depth camera's frame, x_depth = R x_colour + t with the readme's rotation vector and translation. No axes change: K projects.

Protocol (lmb-freiburg/hand3d, 3d-hand-shape/hand-graph-cnn): B1's two sequences test, the ten others train; the palm's centre is
moved to the wrist, as far beyond the palm's centre as that lies from the ring finger's mcp. JAR counts 18,000 images, one a
frame, and does not say of which stream; the default is hand-graph-cnn's, SK_color. It names masks for the windows, which STB
lacks: they come from the joints. The root's depth and the hand's scale are those of the ground truth. Whether the left hands
are mirrored is not printed; here they stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.io

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.datasets.color_files import (
    BOX_MARGIN,
    CUBE_M,
    ColorDataset,
    check_split,
    points_box,
    read_rgb,
    scale_cube_m,
    square,
)
from hand_pose_training.datasets.files import need
from hand_pose_training.datasets.sample import DatasetError, Sample

WHERE = "STB dataset, linked from https://github.com/zhjwustc/icip17_stereo_hand_pose_dataset"
SPLITS = {
    "train": tuple(f"B{background}{poses}" for background in range(2, 7) for poses in ("Counting", "Random")),
    "test": ("B1Counting", "B1Random"),
}
STB21 = skeleton("stb21")


@dataclass(frozen=True)
class Stream:
    """One camera of the benchmark.

    :param labels: suffix of its label files
    :param intrinsics: fx, fy, cx, cy in pixels
    :param rotation, translation: camera -> frame of the labels, a rotation vector and metres
    """

    labels: str
    intrinsics: tuple[float, float, float, float]
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def from_labels(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in the labels' frame -> this camera's."""
        return (points - self.translation) @ cv2.Rodrigues(np.array(self.rotation))[0]


_BB = (822.79041, 822.79041, 318.47345, 250.31296)
STREAMS = {
    "SK_color": Stream(
        "SK", (607.92271, 607.88192, 314.78337, 236.42484), (0.00531, -0.01196, 0.00301), (-0.0240381, -0.0004563, -0.0012326)
    ),
    "BB_left": Stream("BB", _BB),
    "BB_right": Stream("BB", _BB, translation=(0.120054, 0.0, 0.0)),
}


class Stb(ColorDataset):
    """STB's training or test sequences of one stream.

    :param root: folder with images/ and labels/
    :param stream: one of STREAMS
    :param wrist: the palm's centre is moved to the wrist, and joints are in the order of hand21; else stb21 as labelled
    :param use_scale: the cube follows the hand's true scale, as JAR; else all hands have the same
    :param margin: the window's width over that of the joints' box (not printed in JAR)
    :raises DatasetError: naming the missing file and where to get it
    """

    name = "stb"

    def __init__(
        self,
        root: Path | str,
        split: str = "train",
        stream: str = "SK_color",
        wrist: bool = True,
        use_scale: bool = True,
        margin: float = BOX_MARGIN,
    ) -> None:
        check_split(split, tuple(SPLITS), "STB")
        if stream not in STREAMS:
            raise DatasetError(f"STB has no colour stream {stream!r}; it has {', '.join(STREAMS)}")
        self.root, self.split, self.stream, self.wrist = Path(root), split, stream, wrist
        self.use_scale, self.margin = use_scale, margin
        self.skeleton = HAND21 if wrist else STB21
        self.root_joint = "wrist" if wrist else "palm"
        camera = STREAMS[stream]
        labels = [(s, _read_labels(self.root / "labels" / f"{s}_{camera.labels}.mat")) for s in SPLITS[split]]
        self._frames = [(sequence, i) for sequence, frames in labels for i in range(len(frames))]
        joints = camera.from_labels(np.concatenate([frames for _, frames in labels]))
        self._joints = wrist_for_palm(joints) if wrist else joints

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> Sample:
        sequence, number = self._frames[index]
        name = f"{sequence}/{self.stream}_{number}"
        image = read_rgb(self.root / "images" / f"{name}.png", WHERE)
        camera = Camera(image.shape[1], image.shape[0], *STREAMS[self.stream].intrinsics)
        joints = self._joints[index]
        return Sample(
            name=name,
            image=image,
            camera=camera,
            joints=joints,
            center=joints[0],
            center_source=f"{self.root_joint}, ground truth",
            cube_m=scale_cube_m(joints, self.skeleton) if self.use_scale else CUBE_M,
            side="left",
            bbox=square(points_box(camera.project(joints)), self.margin),
        )


def wrist_for_palm(joints: np.ndarray) -> np.ndarray:
    """Joints (..., 21, 3) in stb21's order -> hand21's; the wrist is ring_mcp + 2 (palm - ring_mcp)."""
    palm, ring = joints[..., STB21.index("palm"), :], joints[..., STB21.index("ring_mcp"), :]
    order = STB21.indices(*(name for name in HAND21.joint_names if name != "wrist"))
    return np.concatenate([(2 * palm - ring)[..., None, :], joints[..., order, :]], axis=-2)


def _read_labels(path: Path) -> np.ndarray:
    """(N, 21, 3) metres of one label file."""
    try:
        labels = np.asarray(scipy.io.loadmat(need(path, WHERE))["handPara"], float)
    except DatasetError:
        raise
    except Exception as error:  # a broken .mat file raises nearly any exception
        raise DatasetError(
            f"{path} is no readable label file ({type(error).__name__}: {error}); it should be as in the {WHERE}"
        ) from error
    if labels.ndim != 3 or labels.shape[:2] != (3, 21):
        raise DatasetError(f"{path}: handPara should be 3 x 21 x frames, not {labels.shape}; it should be as in the {WHERE}")
    return labels.transpose(2, 1, 0) / 1000
