"""The figures of an evaluation, from arrays: overall, by joint, by slice, and what covariance and confidence are worth."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from hand_pose_ros.metrics import error_figures, good_frame_curve, joint_errors, mean_joint_error, median_joint_error, rounded
from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.calibration import CONFIDENT_WITHIN_M, squared_mahalanobis
from hand_pose_training.data import joints_m
from hand_pose_training.ranking import risk_coverage, roc_auc
from hand_pose_training.synthetic.scene import Companion
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.views import View

DISTANCES_M = (0.0, 0.4, 0.6, 0.8, 1.0, np.inf)
# Share of a 3D normal distribution within 1, 2 and 3 sigma.
NOMINAL_SHARES = (0.1987, 0.7385, 0.9707)
_COMPANIONS = {Companion.NONE: "alone", Companion.OBJECT: "holding_an_object", Companion.SECOND_HAND: "beside_a_second_hand"}


def figures_of(batch: dict[str, np.ndarray], outputs: dict[str, np.ndarray], joints: Skeleton) -> dict[str, Any]:
    """The JSON of figures. Errors are over crops with a hand; every key carries its unit."""
    batch, outputs = ({k: np.asarray(v, float) for k, v in d.items()} for d in (batch, outputs))
    errors = joint_errors(joints_m(batch, outputs["joints"]), joints_m(batch, batch["joints"]))
    labelled = batch["joint_weight"] > 0
    errors = np.where(labelled, errors, np.nan)
    present = batch["present"] > 0.5
    sigmas = None
    if "covariance" in outputs:
        sigmas = np.full(errors.shape, np.nan)
        residual = (outputs["joints"] - batch["joints"])[present]
        sigmas[present] = np.sqrt(squared_mahalanobis(residual, outputs["covariance"][present]))
        sigmas[~labelled] = np.nan
    figures: dict[str, Any] = {
        "crops": len(present),
        "crops_without_hand": int((~present).sum()),
        **error_figures(errors[present], joints),
        "good_frames_30mm": rounded(float(good_frame_curve(errors[present], np.array([0.030]))[0]), 4),
        "slices": {
            name: slice_figures(errors[present & rows], None if sigmas is None else sigmas[present & rows])
            for name, rows in slices(batch)
        },
    }
    if sigmas is not None:
        figures["joints_within_sigma"] = _shares_within(sigmas[present])
    if "confidence" in outputs:
        within = (errors <= CONFIDENT_WITHIN_M) & present[:, None]
        told = labelled | ~present[:, None]  # without a hand no joint is within 20 mm
        figures["confidence"] = _confidence(outputs["confidence"][told], within[told])
        figures["risk_coverage"] = {
            "hands": risk_coverage(_hand_errors(errors[present]), outputs["confidence"][present].mean(axis=1)),
            "joints": risk_coverage(errors[present].ravel(), outputs["confidence"][present].ravel()),
        }
    if "presence" in outputs:
        figures["presence_right_share"] = rounded(((outputs["presence"] >= 0.5) == present).mean(), 4)
        if not present.all():
            figures["presence_auc"] = rounded(roc_auc(outputs["presence"], present), 4)
    if "right_side" in outputs:
        right = (outputs["right_side"] >= 0.5) == (batch["right_side"] > 0.5)
        figures["side_right_share"] = rounded(right[present].mean(), 4)
        for name, rows in slices(batch):
            if (present & rows).any():
                figures["slices"][name]["side_right_share"] = rounded(right[present & rows].mean(), 4)
    return figures


def slices(batch: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Names and rows (N,) bool of the slices that errors are shown for; recordings do not tell all of them."""
    if "sensor" in batch:
        for kind in SensorKind:
            yield f"sensor_{kind.name.lower()}", batch["sensor"] == kind
    if "companion" in batch:
        for companion, name in _COMPANIONS.items():
            yield name, batch["companion"] == companion
    elif "object" in batch:
        yield "holding_an_object", batch["object"] > 0.5
        yield "empty_hand", batch["object"] <= 0.5
    if "view" in batch:
        for view in View:
            yield f"view_{view.name.lower()}", batch["view"] == view
    if {"view", "companion", "covered"} <= set(batch):
        alone = (batch["companion"] == Companion.NONE) & (batch["covered"] == 0)
        yield "unoccluded_third_person", alone & (batch["view"] != View.EGOCENTRIC)
    if "on_surface" in batch:
        yield "on_a_surface", batch["on_surface"] > 0.5
    distance = batch["distance_m"]
    for low, high in pairwise(DISTANCES_M):
        name = f"distance_{low:.1f}_to_{high:.1f}_m" if np.isfinite(high) else f"distance_over_{low:.1f}_m"
        yield name, (distance >= low) & (distance < high)
    yield "right_hand", batch["right_side"] > 0.5
    yield "left_hand", batch["right_side"] <= 0.5


def slice_figures(errors: np.ndarray, sigmas: np.ndarray | None = None) -> dict[str, Any]:
    """Figures of some crops.

    :param errors: (N, J) metres
    :param sigmas: (N, J) errors as multiples of the answers' own deviations, NaN where not known
    """
    figures: dict[str, Any] = {
        "crops": len(errors),
        "mean_error_mm": rounded(1e3 * mean_joint_error(errors)),
        "median_error_mm": rounded(1e3 * median_joint_error(errors)),
    }
    if sigmas is not None and np.isfinite(sigmas).any():
        figures["joints_within_sigma"] = {name: share["share"] for name, share in _shares_within(sigmas).items()}
    return figures


def _shares_within(sigmas: np.ndarray) -> dict[str, Any]:
    known = sigmas[np.isfinite(sigmas)]
    return {
        f"{k}_sigma": {"share": rounded((known <= k).mean(), 3), "nominal_share": round(nominal, 3)}
        for k, nominal in zip((1, 2, 3), NOMINAL_SHARES)
    }


def _hand_errors(errors: np.ndarray) -> np.ndarray:
    """(N,) mean of each hand's known joints (N, J), NaN without one."""
    with warnings.catch_warnings():  # of a hand without any label
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(errors, axis=1)


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
