"""The figures of one file of predictions, from arrays: overall, by joint, curves, alignments, subsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hand_pose_ros.metrics import (
    AVERAGE_JOINT,
    CURVE_THRESHOLDS_M,
    WORST_JOINT,
    area_under,
    good_frame_curve,
    joint_errors,
    mean_joint_error,
    median_joint_error,
    pck_curve,
    per_joint_error,
    rounded,
)
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.score import alignment
from hand_pose_training.score.protocols import Protocol

GOOD_WITHIN_M = np.array([0.010, 0.020, 0.030, 0.040])
# FreiHAND's and HO-3D's evaluation take the PCK at as many thresholds.
AUC_STEPS = 100


@dataclass(frozen=True)
class Counting:
    """Which joints count, after which alignment.

    :param joints: of the files, in their order
    :param counted: positions of those that count
    :param auc_limits_m: between which the AUC of PCK is taken
    """

    protocol: Protocol
    joints: Skeleton
    counted: tuple[int, ...]
    alignment: str
    auc_limits_m: tuple[float, float]

    @property
    def names(self) -> list[str]:
        """Names of the joints that count."""
        return [self.joints.joint_names[i] for i in self.counted]

    def errors(self, predicted: np.ndarray, truth: np.ndarray, how: str) -> np.ndarray:
        """Errors (N, counted joints) metres after an alignment that all joints (N, J, 3) take part in."""
        return joint_errors(aligned(predicted, truth, how, self.protocol, self.joints), truth)[:, list(self.counted)]


def aligned(predicted: np.ndarray, truth: np.ndarray, how: str, protocol: Protocol, joints: Skeleton) -> np.ndarray:
    """Predicted joints (N, J, 3) moved onto the true ones.

    :param how: one of ALIGNMENTS; `scale_translation` goes by the protocol's bone where its benchmark does, else by least squares
    :raises ScoreError: alignment `root` where the protocol has no root
    """
    if how == alignment.PROCRUSTES:
        return alignment.procrustes(predicted, truth)
    if how == alignment.SCALE_TRANSLATION:
        if protocol.scales_by_bone:
            return alignment.scale_translation_by_bone(predicted, truth, *protocol.root_and_bone(joints))
        return alignment.scale_translation(predicted, truth)
    if how == alignment.ROOT:
        return alignment.root_translation(predicted, truth, protocol.root_and_bone(joints)[0])
    return predicted


def alignment_text(how: str, protocol: Protocol) -> str:
    """An alignment in words, for the figures."""
    if how == alignment.SCALE_TRANSLATION and protocol.scales_by_bone:
        return f"scale by {'-'.join(protocol.scale_bone or ())}, then translation of {protocol.root}, frame by frame"
    return {
        alignment.NONE: "none",
        alignment.ROOT: f"translation of {protocol.root}, frame by frame",
        alignment.SCALE_TRANSLATION: "least-squares scale and translation, frame by frame",
        alignment.PROCRUSTES: "least-squares rotation, scale and translation (Umeyama 1991), frame by frame",
    }[how]


def figures_of(predicted: np.ndarray, truth: np.ndarray, counting: Counting) -> dict[str, Any]:
    """The JSON of figures of one file of predictions; errors in millimetres, curves and AUC as fractions.

    :param predicted, truth: (N, J, 3) metres
    """
    others = dict.fromkeys((alignment.NONE, *counting.protocol.also))
    others.pop(counting.alignment, None)
    errors = counting.errors(predicted, truth, counting.alignment)
    return {
        **summary(errors, counting),
        "joint_error_mm": dict(zip(counting.names, (rounded(1e3 * e, 3) for e in per_joint_error(errors)))),
        "curves": {
            "threshold_mm": [round(1e3 * t) for t in CURVE_THRESHOLDS_M],
            "good_frames_by_worst_joint": _fractions(good_frame_curve(errors, by=WORST_JOINT)),
            "good_frames_by_average_joint": _fractions(good_frame_curve(errors, by=AVERAGE_JOINT)),
            "pck": _fractions(pck_curve(errors, CURVE_THRESHOLDS_M)),
        },
        "other_alignments": {
            how: {
                "alignment": alignment_text(how, counting.protocol),
                **summary(counting.errors(predicted, truth, how), counting),
            }
            for how in others
        },
    }


def summary(errors: np.ndarray, counting: Counting) -> dict[str, Any]:
    """Overall figures of errors (N, J) metres: mean and median, good frames at 10 to 40 mm both ways, AUC of PCK."""
    keys = [f"{1e3 * t:.0f}_mm" for t in GOOD_WITHIN_M]
    limits = np.linspace(*counting.auc_limits_m, AUC_STEPS)
    return {
        "frames": len(errors),
        "mean_error_mm": rounded(1e3 * mean_joint_error(errors), 3),
        "median_error_mm": rounded(1e3 * median_joint_error(errors), 3),
        "good_frames_by_worst_joint": dict(zip(keys, _fractions(good_frame_curve(errors, GOOD_WITHIN_M, WORST_JOINT)))),
        "good_frames_by_average_joint": dict(zip(keys, _fractions(good_frame_curve(errors, GOOD_WITHIN_M, AVERAGE_JOINT)))),
        "auc_pck": rounded(area_under(pck_curve(errors, limits), limits), 4),
        "auc_pck_limits_mm": [rounded(1e3 * limit) for limit in counting.auc_limits_m],
    }


def subset_figures(predicted: np.ndarray, truth: np.ndarray, counting: Counting, rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """The overall figures of each subset, and the mean over subsets of their mean errors (MSRA's leave-one-subject-out).

    :param rows: (N,) bool of each subset
    """
    errors = counting.errors(predicted, truth, counting.alignment)
    means = [mean_joint_error(errors[of]) for of in rows.values()]
    return {
        "subsets": {name: summary(errors[of], counting) for name, of in rows.items()},
        "mean_of_subsets_mm": rounded(1e3 * float(np.mean(means)), 3),
    }


def _fractions(curve: np.ndarray) -> list[float | None]:
    return [rounded(value, 5) for value in curve]
