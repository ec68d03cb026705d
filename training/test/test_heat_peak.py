"""Where a heat map is highest, and the depth of what lies under it."""

import pytest
import torch

from hand_pose_training.aggregation.heat_peak import depth_near, heat_peak


def test_a_lone_cell_is_the_peak():
    heat = torch.zeros(1, 2, 4, 4)
    heat[0, 0, 1, 3] = heat[0, 1, 2, 0] = 1.0
    assert heat_peak(heat)[0].tolist() == [[0.75, -0.25], [-0.75, 0.25]]


def test_a_peak_between_cells_is_between_them():
    """Above half of the maximum 0.8: 0.4 and 0.2, whose squares weigh 4 : 1. The cell of 0.4 is not above half."""
    heat = torch.tensor([[[[0.0, 0.8, 0.6, 0.4]] * 4]]) * torch.tensor([0.0, 0.0, 1.0, 0.0])[:, None]
    assert heat_peak(heat)[0, 0].tolist() == pytest.approx([(4 * -0.25 + 0.25) / 5, 0.25])


def test_a_cone_is_found_to_a_fraction_of_a_cell():
    axis = (2 * torch.arange(32) + 1) / 32 - 1
    cone = (0.25 - ((axis[None] - 0.47).square() + (axis[:, None] + 0.11).square()).sqrt()).clamp(min=0)
    assert heat_peak(cone[None, None])[0, 0].tolist() == pytest.approx([0.47, -0.11], abs=0.1 * 2 / 32)


def test_without_heat_it_is_the_middle():
    assert heat_peak(-torch.ones(1, 1, 4, 4)).tolist() == [[[0, 0]]]


def test_faint_heat_fades_to_the_middle_instead_of_leaving_it_to_rounding():
    heat = torch.zeros(1, 1, 4, 4)
    heat[..., 0, 3] = 0.01  # weighs (0.01 / 2)^2 of LEAST_WEIGHT
    assert heat_peak(heat)[0, 0].tolist() == pytest.approx([0.25 * 0.75, 0.25 * -0.75])
    surface = torch.ones(1, 1, 4, 4)
    assert depth_near(heat / 10, 0.5 * surface, surface).item() == pytest.approx(0.01 * 0.5)


def test_depth_is_that_of_the_surface_under_the_heat():
    heat = torch.tensor([[[[1.0, 2.0], [3.0, -5.0]]]])
    depth, foreground = torch.tensor([[[[0.1, 0.2], [1.0, 0.9]]]]), torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]]])
    assert depth_near(heat, depth, foreground).item() == pytest.approx((0.1 + 4 * 0.2) / 5)
    assert depth_near(heat, depth, 0 * foreground).item() == 0
