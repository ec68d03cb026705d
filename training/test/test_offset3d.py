"""O3 maps and the points that vote, with values computed by hand."""

import pytest
import torch

from hand_pose_training.representations.grid import cell_points
from hand_pose_training.representations.offset3d import Offset3D


def test_cell_points_take_cell_centres_and_the_mean_foreground_depth():
    crop = torch.ones(1, 1, 4, 4)
    crop[0, 0, 0, 0], crop[0, 0, 0, 1] = -0.5, 0.1  # two of the four pixels of cell (0, 0)
    crop[0, 0, 3, 2] = 0.25
    points, foreground = cell_points(crop, 2)
    assert foreground[0, 0].tolist() == [[1, 0], [0, 1]]
    assert points[0, :, 0, 0].tolist() == pytest.approx([-0.5, -0.5, -0.2])
    assert points[0, :, 0, 1].tolist() == pytest.approx([0.5, -0.5, 1.0])
    assert points[0, :, 1, 1].tolist() == pytest.approx([0.5, 0.5, 0.25])


def test_encode_stores_directions_from_pixel_to_joint_and_closeness():
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -0.3]])
    joints = torch.tensor([[[0.3, 0.4, 0.0]], [[0.0, 2.0, 0.0]]])
    near, far = Offset3D(kernel_size=1.0).encode(joints, points)
    assert near.tolist() == pytest.approx([0.6, 0.8, 0.0, 0.5])  # |(0.3, 0.4, 0)| = 0.5
    assert far.tolist() == [0, 0, 0, 0]  # beyond the kernel


def test_encode_halves_the_distance_scale_with_the_kernel():
    (row,) = Offset3D(kernel_size=0.8).encode(torch.tensor([[[0.2, 0.0, 0.0]]]), torch.zeros(1, 3))
    assert row.tolist() == pytest.approx([1.0, 0.0, 0.0, 0.75])


def test_a_joint_on_its_pixel_is_finite():
    (row,) = Offset3D().encode(torch.zeros(1, 1, 3), torch.zeros(1, 3))
    assert row.tolist() == [0, 0, 0, 1]


def test_every_cell_within_the_kernel_votes_for_the_true_joint():
    torch.manual_seed(0)
    representation, crop = Offset3D(kernel_size=1.0), torch.rand(2, 1, 16, 16) - 0.5
    points, foreground = cell_points(crop, 4)
    joints = torch.rand(2, 3, 3) * 0.6 - 0.3
    crops, rows, columns = foreground[:, 0].nonzero(as_tuple=True)
    dense = torch.zeros(2, 12, 4, 4)
    dense.permute(0, 2, 3, 1)[crops, rows, columns] = representation.encode(joints[crops], points[crops, :, rows, columns])
    votes, closeness = representation.decode(dense, points)
    within = closeness > 0
    assert within.sum() > 40
    error = (votes - joints[..., None]).norm(dim=2)
    assert error[within].max() < 1e-5
