"""DenseReg's maps and Algorithm 1 on them: labels by hand, and back to the joints they were made of."""

import pytest
import torch
from densereg_small import crops

from hand_pose_training.methods.densereg import DenseReg, DenseRegSettings, MapSettings, MeanShiftSettings
from hand_pose_training.methods.densereg_offsets import OffsetRegression
from hand_pose_training.representations.densereg_maps import DenseRegMaps, Maps, map_loss, radius, split
from hand_pose_training.representations.grid import cell_points


def points_of(*cells: tuple[float, float, float]) -> torch.Tensor:
    """(1, 3, 2, 2)."""
    return torch.tensor(cells).T.reshape(1, 3, 2, 2)


def test_labels():
    """A joint (0.3, 0.4, -0.5) from the first cell: 0.5 away in the image, 0.7071 in space; background has R alone."""
    points = points_of((0, 0, 0), (0.3, 0.4, -0.5), (0.3, 0.4, 0.5), (0, 0, 0))
    foreground = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
    form = DenseRegMaps(theta=0.8, tau_cells=0.625)  # 0.625 cells of 2 are 0.625 in normalised units
    found = form.encode(torch.tensor([[[0.3, 0.4, -0.5]]]), points, foreground)
    assert found.r.flatten().tolist() == pytest.approx([0.2, 1, 1, 0.2])
    assert found.s.flatten().tolist() == pytest.approx([1 - 0.7071068 / 0.8, 1, 0, 0])
    assert found.v[0, 0, :, 0, 0].tolist() == pytest.approx([0.4242641, 0.5656854, -0.7071068])
    assert found.v[0, 0, :, 1].abs().sum() == 0


def test_a_vote_is_theta_less_the_closeness_along_the_vector():
    found = Maps(torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1, 1), 0.75), torch.tensor([0.0, 0.6, 0.8]).view(1, 1, 3, 1, 1))
    votes = DenseRegMaps(theta=2.0, tau_cells=1).votes(found, torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1))
    assert votes.flatten().tolist() == pytest.approx([0.1, 0.2 + 0.5 * 0.6, 0.3 + 0.5 * 0.8])


def test_channels_are_r_then_s_then_v_joint_by_joint():
    found = split(torch.arange(10.0).view(1, 10, 1, 1), joints=2)
    assert found.r.flatten().tolist() == [0, 1]
    assert found.s.flatten().tolist() == [2, 3]
    assert found.v[0, 1].flatten().tolist() == [7, 8, 9]


def test_the_loss_is_summed_over_joints_and_cells_and_labels_are_masked():
    batch = {
        "present": torch.tensor([1.0, 1.0, 0.0]),
        "teaches": torch.tensor([1.0, 0.0, 1.0]),
        "joint_weight": torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]),
    }
    found, target = torch.zeros(3, 2, 2, 2), torch.full((3, 2, 2, 2), 0.5)
    assert map_loss(found, target, batch).item() == pytest.approx(4 * 0.25 / 2)  # the third crop has no hand, and is right
    assert map_loss(found + 1, target, batch).item() == pytest.approx((4 * 0.25 + 2 * 4) / 2)


def test_lengths_are_shares_of_half_the_cube():
    assert radius(0.08, cube_m=0.25) == pytest.approx(0.64)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("candidates", [1, 5, 12])
def test_true_maps_give_back_the_true_joints(weighted: bool, candidates: int):
    settings = DenseRegSettings(
        maps=MapSettings(tau_cells=2.0), mean_shift=MeanShiftSettings(candidates=candidates, weighted=weighted)
    )
    net, batch = DenseReg(settings, joints=21), crops(4)
    points, foreground = cell_points(batch["depth_crop"], 4)
    maps = net.form.encode(batch["joints"], points, foreground)
    found = net.decode(batch["depth_crop"], torch.cat([maps.r, maps.s, maps.v.flatten(1, 2)], dim=1))
    near = (maps.s > 0).sum((2, 3)) >= candidates  # cells beyond theta vote for themselves
    assert near.float().mean() > 0.5
    assert (found.joints - batch["joints"])[near].abs().max() < 1e-3
    assert found.covariance[near].abs().max() < 1e-5
    assert (found.support[near] > 0.1).all()


def test_true_offsets_give_back_the_true_joints():
    net, batch = OffsetRegression(DenseRegSettings(maps=MapSettings(tau_cells=2.0)), joints=21), crops(4)
    points, foreground = cell_points(batch["depth_crop"], 4)
    offsets = (batch["joints"][..., None, None] - points[:, None]) / net.form.theta
    maps = net.form.encode(batch["joints"], points, foreground)
    found = net.decode(batch["depth_crop"], torch.cat([maps.r, offsets.flatten(1, 2)], dim=1))
    assert (found.joints - batch["joints"]).abs().max() < 1e-3


def test_the_unweighted_form_weighs_by_the_cells_own_maps():
    """Two candidate cells on the left and right of the joint's: with one broad kernel the answer is the weighted mean of their
    votes, the cells themselves (V = 0). Weights (1 + R) S^2 are 1.5 x 0.64 and 1 x 0.25."""
    settings = DenseRegSettings(mean_shift=MeanShiftSettings(candidates=2, sigma_m=1e3, weighted=False))
    net, crop = DenseReg(settings, joints=1), torch.zeros(1, 1, 8, 8)
    dense = torch.zeros(1, 5, 2, 2)
    dense[0, 0, 0, 0], dense[0, 1, 0] = 0.5, torch.tensor([0.8, 0.5])
    found = net.decode(crop, dense)
    assert found.joints[0, 0].tolist() == pytest.approx([0.5 * (0.25 - 0.96) / 1.21, -0.5, 0], abs=1e-5)
    assert found.support.item() == pytest.approx((0.96 * 0.8 + 0.25 * 0.5) / 1.21, abs=1e-5)


def test_the_spread_of_the_votes_is_the_covariance():
    """The same cells weighted by R where they project to: 0.9 and 0.1."""
    settings = DenseRegSettings(mean_shift=MeanShiftSettings(candidates=2, sigma_m=1e3))
    net, crop = DenseReg(settings, joints=1), torch.zeros(1, 1, 8, 8)
    dense = torch.zeros(1, 5, 2, 2)
    dense[0, 0, 0], dense[0, 1, 0] = torch.tensor([0.9, 0.1]), torch.tensor([0.8, 0.5])
    found = net.decode(crop, dense)
    assert found.joints[0, 0].tolist() == pytest.approx([-0.4, -0.5, 0], abs=1e-5)
    assert found.covariance[0, 0].tolist() == pytest.approx([0.9 * 0.01 + 0.1 * 0.81, 0, 0, 0, 0, 0], abs=1e-5)
