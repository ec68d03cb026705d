"""The spread head: covariances that follow what a crop shows, learned without touching the joints."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hand_pose_training.backbones.spread_head import SpreadHead, spread_loss

DIAGONAL = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])


def test_the_loss_is_a_t_distributions_negative_log_likelihood():
    covariance = torch.stack([0.04 * DIAGONAL, torch.tensor([0.01, 0.005, 0.0, 0.02, 0.0, 0.04])])[None]
    residual = torch.tensor([[[0.2, 0.0, 0.2], [0.1, 0.0, 0.0]]])
    # First joint: |r|^2 / 0.04 = 2, log det = 3 log 0.04. Second: the 2x2 block's inverse has 0.02 / (0.01 * 0.02 - 0.005^2).
    first = 1.5 * math.log(0.04) + 5.5 * math.log(1 + 2 / 8)
    block = 0.01 * 0.02 - 0.005**2
    second = 0.5 * math.log(block * 0.04) + 5.5 * math.log(1 + 0.1**2 * 0.02 / block / 8)
    assert float(spread_loss(covariance, residual, torch.ones(1, 2))) == pytest.approx((first + second) / 2, rel=1e-5)
    assert float(spread_loss(covariance, residual, torch.tensor([[1.0, 0.0]]))) == pytest.approx(first, rel=1e-5)


def test_a_fresh_head_adds_its_floor_alone():
    head = SpreadHead(channels=4, joints=2).eval()
    votes = torch.tensor([0.03, 0.01, 0.0, 0.02, 0.0, 0.01]).expand(3, 2, 6)
    with torch.no_grad():
        found = head(torch.randn(3, 4, 5, 5), torch.randn(3, 2, 3), votes, torch.rand(3, 2))
    np.testing.assert_allclose(found, votes + 0.002 * DIAGONAL, atol=1e-7)


def test_it_learns_where_joints_are_off_and_nothing_learns_through_it():
    torch.manual_seed(0)
    head = SpreadHead(channels=4, joints=2)
    features = torch.zeros(400, 4, 1, 1)
    features[200:, 0] = 1.0  # crops of this kind are ten times as far off
    deviation = torch.where(torch.arange(400) < 200, 0.02, 0.2)
    residual = deviation[:, None, None] * torch.randn(400, 2, 3)
    joints, votes = torch.zeros(400, 2, 3, requires_grad=True), 1e-4 * DIAGONAL.expand(400, 2, 6)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss = spread_loss(head(features.requires_grad_(), joints, votes, torch.ones(400, 2)), residual, torch.ones(400, 2))
        loss.backward()
        optimizer.step()
    assert joints.grad is None and features.grad is None
    with torch.no_grad():
        trace = head.eval()(features, joints, votes, torch.ones(400, 2))[..., [0, 3, 5]].mean((1, 2)).sqrt()
    assert 0.015 < trace[:200].mean() < 0.025 and 0.15 < trace[200:].mean() < 0.25
