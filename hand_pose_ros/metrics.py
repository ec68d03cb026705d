"""How far off the joints are and how long it took: the figures of the papers, from arrays. Metres in, metres out.

Joints that are not known (NaN in either array) are left out of every figure; frames without a known joint count nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_ros.skeleton import Skeleton

# The thresholds of the good-frame curve, metres: 0 to 80 mm, as the papers plot it.
CURVE_THRESHOLDS_M = np.linspace(0.0, 0.080, 81)

# What makes a frame good: its worst joint, as most papers say, or the average of its joints.
WORST_JOINT, AVERAGE_JOINT = "worst_joint", "average_joint"


def joint_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Euclidean distance of each joint, (..., J, 3) and (..., J, 3) -> (..., J) metres, NaN where either is not known."""
    predicted, truth = np.asarray(predicted, float), np.asarray(truth, float)
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted joints {predicted.shape} and true joints {truth.shape} differ in shape")
    return np.linalg.norm(predicted - truth, axis=-1)


def mean_joint_error(errors: np.ndarray) -> float:
    """Mean over all known joints of all frames, (N, J) metres -> metres; NaN where there are none."""
    known = np.asarray(errors)[np.isfinite(errors)]
    return float(known.mean()) if known.size else float("nan")


def median_joint_error(errors: np.ndarray) -> float:
    """Median over all known joints of all frames, (N, J) metres -> metres; NaN where there are none."""
    known = np.asarray(errors)[np.isfinite(errors)]
    return float(np.median(known)) if known.size else float("nan")


def per_joint_error(errors: np.ndarray) -> np.ndarray:
    """Mean of each joint over the frames that know it, (N, J) -> (J,) metres, NaN for a joint never known."""
    errors = np.asarray(errors, float)
    known = np.isfinite(errors)
    total = np.where(known, errors, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def good_frame_curve(errors: np.ndarray, thresholds: np.ndarray = CURVE_THRESHOLDS_M, by: str = WORST_JOINT) -> np.ndarray:
    """The fraction of frames whose worst joint is within each threshold (Taylor et al., CVPR 2012, section 5).

    :param errors: (N, J) metres
    :param thresholds: (T,) metres
    :param by: "worst_joint", or "average_joint": frames whose mean error is within it, as equation 4 of the residual
        attention regression paper has it, where its text names the worst joint; the more lenient of the two
    :return: (T,) in [0, 1], all NaN where no frame counts
    """
    errors = np.asarray(errors, float)
    known = np.isfinite(errors)
    if by == WORST_JOINT:
        frames = np.max(np.where(known, errors, -np.inf), axis=1, initial=-np.inf)
    elif by == AVERAGE_JOINT:
        with np.errstate(invalid="ignore"):
            frames = np.where(known, errors, 0.0).sum(axis=1) / known.sum(axis=1)
    else:
        raise ValueError(f"frames are good by {WORST_JOINT} or {AVERAGE_JOINT}, not by {by!r}")
    return _fraction_within(frames, thresholds)


def pck_curve(errors: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Percentage of correct keypoints (PCK), as a fraction: of all known joints of all frames, those within each threshold.

    :param errors: (N, J) metres
    :param thresholds: (T,) metres
    :return: (T,) in [0, 1], all NaN where no joint is known
    """
    return _fraction_within(np.asarray(errors, float).ravel(), thresholds)


def _fraction_within(distances: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The fraction of the finite distances (M,) that are within each threshold (T,)."""
    finite = np.sort(distances[np.isfinite(distances)])
    if not finite.size:
        return np.full(len(thresholds), np.nan)
    return np.searchsorted(finite, np.asarray(thresholds, float), side="right") / finite.size


def area_under(curve: np.ndarray, thresholds: np.ndarray = CURVE_THRESHOLDS_M) -> float:
    """Area under a curve by trapezoids, divided by the thresholds' span: 1 where every frame is good at once."""
    thresholds = np.asarray(thresholds, float)
    steps = np.diff(thresholds)
    middles = (np.asarray(curve)[1:] + np.asarray(curve)[:-1]) / 2
    return float((steps * middles).sum() / (thresholds[-1] - thresholds[0]))


def percentiles(values: Sequence[float] | np.ndarray, *ranks: float) -> list[float]:
    """Percentiles (linear interpolation) of the finite values, one for each rank; NaN where there are none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return [float(np.percentile(values, rank)) if values.size else float("nan") for rank in ranks]


def latency_figures(name: str, milliseconds: Sequence[float] | np.ndarray) -> dict[str, float | None]:
    """The keys `<name>_p50_ms` and `<name>_p99_ms` of a JSON of figures; null where nothing was timed."""
    return {f"{name}_p{rank}_ms": rounded(value) for rank, value in zip((50, 99), percentiles(milliseconds, 50, 99))}


def error_figures(errors: np.ndarray, skeleton: Skeleton) -> dict[str, object]:
    """The error keys of a JSON of figures, in millimetres.

    :param errors: (N, J) metres, J the skeleton's joints
    :return: mean_error_mm, median_error_mm, good_frame_auc (0 to 80 mm), good_frames_20mm, joint_error_mm by name
    """
    curve = good_frame_curve(errors)
    return {
        "mean_error_mm": rounded(1e3 * mean_joint_error(errors)),
        "median_error_mm": rounded(1e3 * median_joint_error(errors)),
        "good_frame_auc_0_80mm": rounded(area_under(curve), 4),
        "good_frames_20mm": rounded(float(good_frame_curve(errors, np.array([0.020]))[0]), 4),
        "joint_error_mm": dict(zip(skeleton.joint_names, (rounded(1e3 * e) for e in per_joint_error(errors)))),
    }


def rounded(value: float, digits: int = 2) -> float | None:
    """A number fit for JSON: rounded, and None where it is NaN or infinite."""
    return round(float(value), digits) if np.isfinite(value) else None
