"""The figures of an evaluation, from arrays: overall, by joint, by slice, and what covariance and confidence are worth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from hand_pose_ros.metrics import error_figures, good_frame_curve, joint_errors, mean_joint_error, median_joint_error, rounded
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.calibration import CONFIDENT_WITHIN_M, squared_mahalanobis
from hand_pose_training.data import joints_m
from hand_pose_training.synthetic.views import View

DISTANCES_M = (0.0, 0.4, 0.6, 0.8, np.inf)
# Share of a 3D normal distribution within 1, 2 and 3 sigma.
NOMINAL_SHARES = (0.1987, 0.7385, 0.9707)


def figures_of(batch: dict[str, np.ndarray], outputs: dict[str, np.ndarray], joints: Skeleton) -> dict[str, Any]:
    """The JSON of figures. Errors are over crops with a hand; every key carries its unit."""
    batch, outputs = ({k: np.asarray(v, float) for k, v in d.items()} for d in (batch, outputs))
    errors = joint_errors(joints_m(batch, outputs["joints"]), joints_m(batch, batch["joints"]))
    labelled = batch["joint_weight"] > 0
    errors = np.where(labelled, errors, np.nan)
    present = batch["present"] > 0.5
    figures: dict[str, Any] = {
        "crops": len(present),
        "crops_without_hand": int((~present).sum()),
        **error_figures(errors[present], joints),
        "good_frames_30mm": rounded(float(good_frame_curve(errors[present], np.array([0.030]))[0]), 4),
        "slices": {name: slice_figures(errors[present & rows]) for name, rows in slices(batch)},
    }
    if "covariance" in outputs:
        residual = (outputs["joints"] - batch["joints"])[present]
        sigmas = np.sqrt(squared_mahalanobis(residual, outputs["covariance"][present])[labelled[present]])
        figures["joints_within_sigma"] = {
            f"{k}_sigma": {"share": rounded((sigmas <= k).mean(), 3), "nominal_share": round(nominal, 3)}
            for k, nominal in zip((1, 2, 3), NOMINAL_SHARES)
        }
    if "confidence" in outputs:
        within = (errors <= CONFIDENT_WITHIN_M) & present[:, None]
        told = labelled | ~present[:, None]  # without a hand no joint is within 20 mm
        figures["confidence"] = _confidence(outputs["confidence"][told], within[told])
    if "presence" in outputs:
        figures["presence_right_share"] = rounded(((outputs["presence"] >= 0.5) == present).mean(), 4)
    if "right_side" in outputs:
        figures["side_right_share"] = rounded(((outputs["right_side"] >= 0.5) == (batch["right_side"] > 0.5))[present].mean(), 4)
    return figures


def slices(batch: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Names and rows (N,) bool of the slices that errors are shown for."""
    distance = batch["distance_m"]
    for low, high in pairwise(DISTANCES_M):
        name = f"distance_{low:.1f}_to_{high:.1f}_m" if np.isfinite(high) else f"distance_over_{low:.1f}_m"
        yield name, (distance >= low) & (distance < high)
    if "object" in batch:  # recordings do not tell
        yield "holding_an_object", batch["object"] > 0.5
        yield "empty_hand", batch["object"] <= 0.5
    if "view" in batch:
        for view in View:
            yield f"view_{view.name.lower()}", batch["view"] == view
    yield "right_hand", batch["right_side"] > 0.5
    yield "left_hand", batch["right_side"] <= 0.5


def slice_figures(errors: np.ndarray) -> dict[str, Any]:
    """Errors (N, J) metres of some crops."""
    return {
        "crops": len(errors),
        "mean_error_mm": rounded(1e3 * mean_joint_error(errors)),
        "median_error_mm": rounded(1e3 * median_joint_error(errors)),
    }


def _confidence(confidence: np.ndarray, within: np.ndarray) -> dict[str, Any]:
    """Of confidences (M,): how often joints of each are within 20 mm, and the mean squared difference (Brier score)."""
    edges = np.linspace(0, 1, 6)
    bins = []
    for low, high in pairwise(edges):
        rows = (confidence >= low) & (confidence < high if high < 1 else confidence <= 1)
        if rows.any():
            share = rounded(within[rows].mean(), 3)
            bins.append({"from": round(low, 1), "to": round(high, 1), "joints": int(rows.sum()), "share_within_20mm": share})
    return {"brier_score": rounded(np.square(confidence - within).mean(), 4), "bins": bins}
