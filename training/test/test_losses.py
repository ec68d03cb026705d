"""Errors and losses that methods share."""

import pytest
import torch

from hand_pose_training.losses import joint_error_m


def test_errors_in_metres_take_each_axis_by_its_own_length():
    """A colour crop's window is 93 mm from its middle to its edge where its depth range is 150 mm."""
    one, none = torch.tensor([[1.0]]), torch.zeros(1, 1, 3)
    batch = {"joints": none, "joint_weight": one, "present": one[0], "teaches": one[0], "cube_m": torch.tensor([0.3])}
    batch["half_uvd"] = torch.tensor([[0.093, 0.093, 0.15]])
    assert float(joint_error_m(torch.tensor([[[0.1, 0.0, 0.0]]]), batch)) == pytest.approx(0.0093)
    assert float(joint_error_m(torch.tensor([[[0.0, 0.0, 0.1]]]), batch)) == pytest.approx(0.015)
    batch["half_uvd"] = torch.full((1, 3), float("nan"))  # the root's depth is not known
    assert float(joint_error_m(torch.tensor([[[0.1, 0.0, 0.0]]]), batch)) == pytest.approx(0.015)
