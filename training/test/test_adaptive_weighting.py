"""Equation 1 of AWR with weights, joints and covariances computed by hand."""

import math

import pytest
import torch

from hand_pose_training.aggregation.adaptive_weighting import adaptive_weighting, support, vote_covariance

# Two cells whose closeness differs by ln 3 / 30: weights 1/4 and 3/4 at temperature 30. A third is background.
CLOSENESS = torch.tensor([[[0.5, 0.5 + math.log(3) / 30, 0.9]]])
VOTES = torch.tensor([[[[0.0, 0.4, 9.0], [0.0, 0.0, 9.0], [0.2, -0.2, 9.0]]]])
FOREGROUND = torch.tensor([[[1.0, 1.0, 0.0]]])


def test_joint_is_the_weighted_mean_of_the_foreground_votes():
    found = adaptive_weighting(VOTES, CLOSENESS, FOREGROUND, 30.0)
    assert found.weights[0, 0].tolist() == pytest.approx([0.25, 0.75, 0.0], abs=1e-6)
    assert found.joints[0, 0].tolist() == pytest.approx([0.3, 0.0, -0.1], abs=1e-6)


def test_covariance_is_the_weighted_spread_of_the_votes():
    found = adaptive_weighting(VOTES, CLOSENESS, FOREGROUND, 30.0)
    # x: 1/4 0.3^2 + 3/4 0.1^2; xz: 1/4 (-0.3)(0.3) + 3/4 (0.1)(-0.1); z as x
    assert vote_covariance(VOTES, found)[0, 0].tolist() == pytest.approx([0.03, 0, -0.03, 0, 0, 0.03], abs=1e-6)


def test_support_is_the_weighted_closeness():
    found = adaptive_weighting(VOTES, CLOSENESS, FOREGROUND, 30.0)
    assert support(CLOSENESS, found)[0, 0].item() == pytest.approx(0.5 + 0.75 * math.log(3) / 30, abs=1e-6)


def test_without_foreground_the_answer_is_finite():
    found = adaptive_weighting(VOTES, CLOSENESS, torch.zeros(1, 1, 3), 30.0)
    assert found.weights[0, 0].tolist() == pytest.approx([1 / 3] * 3)
    assert vote_covariance(VOTES, found).isfinite().all()


def test_stays_in_float32_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        found = adaptive_weighting(VOTES.bfloat16(), CLOSENESS.bfloat16(), FOREGROUND, 30.0)
    assert found.joints.dtype == found.weights.dtype == torch.float32


def test_gradient_reaches_votes_and_closeness():
    votes, closeness = VOTES.clone().requires_grad_(), CLOSENESS.clone().requires_grad_()
    adaptive_weighting(votes, closeness, FOREGROUND, 30.0).joints[..., 0].sum().backward()
    assert votes.grad[0, 0, 0].tolist() == pytest.approx([0.25, 0.75, 0.0], abs=1e-6)
    # d joint_x / d closeness_i = 30 w_i (vote_i - joint)
    assert closeness.grad[0, 0].tolist() == pytest.approx([30 * 0.25 * -0.3, 30 * 0.75 * 0.1, 0.0], abs=1e-5)
