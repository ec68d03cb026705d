"""Covariances and probabilities that mean what they say, on data whose truth is known."""

import numpy as np
import pytest
import torch

from hand_pose_training.calibration import CalibratedOutputs, calibrate, hand_features, joint_features, squared_mahalanobis
from hand_pose_training.methods.method import Prediction

N, JOINTS = 3000, 2


def world(seed: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Crops whose errors are normal with three times the votes' spread; a tenth holds no hand and has little support."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.02, 0.2, (N, JOINTS, 1))
    present = rng.random(N) > 0.1
    truth = rng.uniform(-0.5, 0.5, (N, JOINTS, 3))
    variance = (sigma / 3) ** 2
    support = np.where(present[:, None], rng.uniform(0.7, 0.9, (N, JOINTS)), rng.uniform(0.1, 0.3, (N, JOINTS)))
    outputs = {
        "joints": truth + sigma * rng.normal(size=truth.shape),
        "votes_covariance": variance * np.array([1, 0, 0, 1, 0, 1]),
        "support": support,
    }
    camera, center = np.tile([500.0, 500.0, 320.0, 240.0], (N, 1)), np.tile([0.0, 0.0, 0.6], (N, 1))
    batch = {"joints": truth, "present": present.astype(float), "right_side": np.ones(N), "cube_m": np.full(N, 0.25)}
    return outputs, batch | {"camera": camera, "center": center}


def prediction(outputs: dict[str, np.ndarray], hand: np.ndarray | None = None) -> Prediction:
    tensors = [torch.as_tensor(outputs[name]).float() for name in ("joints", "votes_covariance", "support")]
    return Prediction(*tensors, None if hand is None else torch.as_tensor(hand).float())


def test_covariance_is_that_of_the_errors_and_ellipsoids_hold_their_share():
    fresh, truth = world(seed=1)
    outputs, batch = world()
    covariance, _ = CalibratedOutputs(calibrate(outputs, None, batch))(prediction(fresh))
    rows = truth["present"] > 0.5
    covariance, votes = covariance.numpy()[rows], fresh["votes_covariance"][rows]
    assert np.median(covariance[..., 0] / votes[..., 0]) == pytest.approx(9, rel=0.15)
    squared = squared_mahalanobis((fresh["joints"] - truth["joints"])[rows], covariance)
    assert (squared <= 1).mean() == pytest.approx(0.199, abs=0.03)
    assert (squared <= 4).mean() == pytest.approx(0.739, abs=0.03)
    assert (squared <= 9).mean() == pytest.approx(0.971, abs=0.02)


def test_confidence_is_the_share_within_20_mm():
    outputs, batch = world()
    fresh, truth = world(seed=1)
    _, confidence = CalibratedOutputs(calibrate(outputs, None, batch))(prediction(fresh))
    # All joints lie near the centre's depth, where one unit is 125 mm.
    error_m = np.linalg.norm(fresh["joints"] - truth["joints"], axis=-1) * 0.125
    within = (error_m <= 0.020) & (truth["present"] > 0.5)[:, None]
    confidence = confidence.numpy()
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0)):
        rows = (confidence >= low) & (confidence < high)
        assert within[rows].mean() == pytest.approx(confidence[rows].mean(), abs=0.1)
    assert confidence[truth["present"] < 0.5].mean() < 0.05


def test_side_and_presence_come_from_both_looks():
    outputs, batch = world()
    rng = np.random.default_rng(2)
    batch["right_side"] = (rng.random(N) < 0.5).astype(float)
    right = batch["right_side"] > 0.5

    def look(shows_right: np.ndarray, sign: int) -> dict[str, np.ndarray]:
        logit = np.where(shows_right, 1.0, -1.0) + rng.normal(size=N)
        covariance = outputs["votes_covariance"] * np.where(shows_right, 1, 4)[:, None, None]
        return outputs | {"hand": np.stack([np.zeros(N), logit], 1), "votes_covariance": covariance, "look": np.full(N, sign)}

    plain, mirrored = look(right, 1), look(~right, -1)
    calibration = calibrate(plain, mirrored, batch)
    _, _, presence, right_side = CalibratedOutputs(calibration)(prediction(plain, plain["hand"]))
    assert ((presence.numpy() > 0.5) == (batch["present"] > 0.5)).mean() > 0.99
    alone = CalibratedOutputs(calibrate(plain, None, batch))(prediction(plain, plain["hand"]))  # a model of both sides
    assert len(alone) == 4
    head_alone = ((plain["hand"][:, 1] > 0) == right).mean()
    assert ((right_side.numpy() > 0.5) == right).mean() > head_alone + 0.05


def test_features_by_hand():
    covariance = np.tile([0.01, 0, 0, 0.02, 0, 0.03], (1, 2, 1))
    outputs = {"joints": np.zeros((1, 2, 3)), "votes_covariance": covariance, "support": np.array([[0.5, 0.7]])}
    log_spread = np.log(0.06 + 1e-6)
    found = prediction(outputs, hand=np.array([[2.0, -1.0]]))
    assert hand_features(found)[0].tolist() == pytest.approx([log_spread, 0.6, 2, -1], rel=1e-5)
    assert joint_features(found)[0, 1].tolist() == pytest.approx([log_spread, 0.7, log_spread, 0.6, 2, -1], rel=1e-5)


def test_squared_mahalanobis_by_hand():
    assert squared_mahalanobis(np.array([2.0, 0, 3]), np.array([4.0, 0, 0, 1, 0, 9])) == pytest.approx(2.0)
