"""How each benchmark measures: its camera, joints, frames, alignment and the limits of its AUC, as one table.

A protocol holds for the file that its community exchanges: text of pixels and millimetres for NYU, ICVL and MSRA, text of
millimetres for HANDS 2017, JSON or npz of metres for the colour datasets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.datasets import hands2017, icvl, msra, nyu
from hand_pose_training.score.alignment import NONE, PROCRUSTES, ROOT, SCALE_TRANSLATION


class ScoreError(ValueError):
    """Predictions that cannot be measured; the text names the file, the line and the remedy."""


@dataclass(frozen=True)
class Protocol:
    """One benchmark's way of measuring.

    :param skeleton: whose joints the files hold, all of them counted, in its order
    :param frames: how many frames its test set has, by version; empty where there is no one test set
    :param alignment: done before its main figure
    :param also: alignments whose figures its evaluation gives beside
    :param auc_limits_m: between which its AUC of PCK is taken
    :param text: what a line of its text files holds, "uvd" or "xyz"
    :param camera: converts (u, v, d); None where images have a camera each
    :param root: joint that is moved by alignment `root`
    :param scale_bone: the unit of predictions that know no scale (--unit bone)
    :param scales_by_bone: `scale_translation` scales by that bone and moves the root, instead of least squares
    """

    dataset: str
    skeleton: str
    frames: tuple[int, ...]
    alignment: str = NONE
    also: tuple[str, ...] = ()
    auc_limits_m: tuple[float, float] = (0.0, 0.050)
    text: str = "xyz"
    camera: Camera | None = None
    root: str | None = None
    scale_bone: tuple[str, str] | None = None
    scales_by_bone: bool = False

    def root_and_bone(self, joints: Skeleton) -> tuple[int, tuple[int, int]]:
        """Positions of the root and of the scale bone's ends in the protocol's skeleton.

        :raises ScoreError: the benchmark has none
        """
        if self.root is None or self.scale_bone is None:
            raise ScoreError(f"{self.dataset}'s protocol has no root joint and no scale bone: use another --alignment or --unit")
        parent, child = joints.indices(*self.scale_bone)
        return joints.index(self.root), (parent, child)


# The scale that FreiHAND gives with each image, and the unit of ColorHandPose3D's predictions.
_MIDDLE_FINGER: dict[str, Any] = {"root": "wrist", "scale_bone": ("middle_mcp", "middle_pip")}
# ColorHandPose3D (Zimmermann and Brox, ICCV 2017): root and scale are given, AUC from 20 to 50 mm.
_GIVEN_ROOT: dict[str, Any] = {"alignment": ROOT, "auc_limits_m": (0.020, 0.050), **_MIDDLE_FINGER}

PROTOCOLS = {
    p.dataset: p
    for p in (
        Protocol("nyu", "nyu14", (8252,), text="uvd", camera=nyu.CAMERA),
        Protocol("icvl", "icvl16", (1596,), text="uvd", camera=icvl.CAMERA),
        # All nine subjects, each predicted by a network that was trained on the other eight; published files leave out 16 frames.
        Protocol("msra", "msra21", (76391, 76375), text="uvd", camera=msra.CAMERA),
        Protocol("hands2017", "hands2017_21", (295510,), camera=hands2017.CAMERA),
        Protocol("freihand", "freihand21", (3960,), PROCRUSTES, also=(NONE,), **_MIDDLE_FINGER),
        # Its evaluation moves the wrist and scales by wrist to middle_mcp; versions 2 and 3 of the dataset.
        Protocol(
            "ho3d",
            "ho3d21",
            (11524, 20137),
            SCALE_TRANSLATION,
            also=(NONE, PROCRUSTES),
            root="wrist",
            scale_bone=("wrist", "middle_mcp"),
            scales_by_bone=True,
        ),
        Protocol("rhd", "rhd21", (2728,), **_GIVEN_ROOT),
        # Two sequences of 1,500 frames, one camera or both; the palm's centre is moved to the wrist (JAR, section 3.1).
        Protocol("stb", "hand21", (3000, 6000), **_GIVEN_ROOT),
    )
}


def protocol_of(dataset: str) -> Protocol:
    """The protocol of a dataset by name.

    :raises ScoreError: unknown dataset
    """
    try:
        return PROTOCOLS[dataset]
    except KeyError:
        raise ScoreError(f"unknown dataset {dataset!r}; known: {', '.join(PROTOCOLS)}") from None
