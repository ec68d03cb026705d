"""Figures from arrays: errors by slice, covariance by slice, presence and side."""

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.figures import figures_of, slices
from hand_pose_training.figures_table import table
from hand_pose_training.synthetic.scene import Companion
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.views import View

N = 4


def crops() -> dict[str, np.ndarray]:
    """Four crops half a metre away, one unit of normalised depth 0.125 m; the last has no hand."""
    return {
        "joints": np.zeros((N, 21, 3)),
        "joint_weight": np.ones((N, 21)),
        "center": np.tile([0.0, 0.0, 0.5], (N, 1)),
        "cube_m": np.full(N, 0.25),
        "present": np.array([1.0, 1, 1, 0]),
        "right_side": np.array([1.0, 0, 1, 1]),
        "distance_m": np.array([0.3, 0.5, 1.1, 0.5]),
        "sensor": np.array([0.0, 1, 1, 2]),
        "companion": np.array([Companion.NONE, Companion.OBJECT, Companion.NONE, Companion.NONE], float),
        "view": np.array([View.FACING, View.ANY, View.EGOCENTRIC, View.FACING], float),
        "covered": np.zeros(N),
        "on_surface": np.array([0.0, 1, 0, 0]),
    }


def answers() -> dict[str, np.ndarray]:
    """Off by 1, 2 and 3 times 8 mm in depth, with a deviation of 8 mm, surest first."""
    joints = np.zeros((N, 21, 3))
    joints[:, :, 2] = np.array([1, 2, 3, 9])[:, None] * 0.064
    covariance = np.zeros((N, 21, 6))
    covariance[..., [0, 3, 5]] = 0.064**2
    confidence = np.tile(np.array([0.9, 0.6, 0.3, 0.1])[:, None], (1, 21))
    return {
        "joints": joints,
        "covariance": covariance,
        "confidence": confidence,
        "presence": np.array([0.9, 0.3, 0.8, 0.4]),
        "right_side": np.array([0.9, 0.2, 0.1, 0.5]),
    }


def test_errors_and_coverage_by_slice():
    found = figures_of(crops(), answers(), HAND21)
    part = found["slices"]
    assert found["mean_error_mm"] == 16.0 and part["sensor_structured_light"]["mean_error_mm"] == 8.0
    assert part["sensor_stereo"]["mean_error_mm"] == 20.0 and part["sensor_time_of_flight"]["crops"] == 0
    assert part["holding_an_object"]["mean_error_mm"] == part["on_a_surface"]["mean_error_mm"] == 16.0
    assert part["alone"]["crops"] == 2 and part["unoccluded_third_person"]["mean_error_mm"] == 8.0
    assert part["distance_over_1.0_m"]["mean_error_mm"] == 24.0
    assert part["sensor_stereo"]["joints_within_sigma"] == {"1_sigma": 0.0, "2_sigma": 0.5, "3_sigma": 1.0}
    assert found["joints_within_sigma"]["2_sigma"] == {"share": 0.667, "nominal_share": pytest.approx(0.739, abs=1e-3)}


def test_presence_sides_and_risk():
    found = figures_of(crops(), answers(), HAND21)
    assert found["presence_auc"] == pytest.approx(2 / 3, abs=1e-4)  # one of three hands is below the negative
    assert found["presence_right_share"] == 0.75
    assert found["side_right_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["slices"]["left_hand"]["side_right_share"] == 1.0 and found["slices"]["right_hand"]["side_right_share"] == 0.5
    risk = found["risk_coverage"]["hands"]
    assert risk["mean_error_mm"]["0.1"] == 8.0 and risk["mean_error_mm"]["1.0"] == 16.0
    assert risk["area_mm"] == risk["best_area_mm"] == 12.0  # (8 + 12 + 16) / 3


def test_recordings_without_a_scene_have_fewer_slices():
    batch = {key: values for key, values in crops().items() if key in ("distance_m", "right_side")}
    assert [name for name, _ in slices(batch)][-2:] == ["right_hand", "left_hand"]
    assert not any(name.startswith(("sensor", "view", "unoccluded")) for name, _ in slices(batch))


def test_every_kind_has_a_slice():
    names = {name for name, _ in slices(crops())}
    assert {f"sensor_{kind.name.lower()}" for kind in SensorKind} | {f"view_{view.name.lower()}" for view in View} <= names


def test_the_table_says_what_the_figures_say():
    text = table({"model": "m.onnx", "set": "heldout", "center": "c", **figures_of(crops(), answers(), HAND21)})
    assert "mean error                         16.00 mm" in text and "presence, area under ROC" in text
    assert "sensor_time_of_flight" not in text  # no crop of it
    assert "8.0 mm at 10%" in text and "12.00 mm (best ranking 12.00, none 16.00)" in text
