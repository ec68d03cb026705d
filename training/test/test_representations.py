"""The dense forms of AWR: what labels say is what votes and aggregation give back, with values computed by hand."""

import pytest
import torch

from hand_pose_training.methods.awr import REPRESENTATIONS
from hand_pose_training.representations.heatmap import HeatmapDepth, HeatmapDepthOffset
from hand_pose_training.representations.offset2d import Offset2DDepth, Offset2DDepthOffset
from hand_pose_training.representations.pose import Pose

CELL = torch.tensor([[0.1, -0.2, 0.4]])
JOINT = torch.tensor([[[0.4, 0.2, -0.1]]])  # from the cell: (0.3, 0.4, -0.5), in the image 0.5 away


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Offset2DDepth(1.0), [0.6, 0.8, -0.1, 0.5]),
        (Offset2DDepthOffset(1.0), [0.6, 0.8, -0.5, 0.5]),
        (Offset2DDepthOffset(0.45), [0.0, 0.0, 0.0, 0.0]),  # both the image distance and the depth offset are beyond k
        (HeatmapDepth(1.0, sigma=0.5), [-0.1, 0.6065307]),  # exp(-1/2)
        (HeatmapDepthOffset(1.0, sigma=0.25), [-0.5, 0.1353353]),  # exp(-2)
        (Pose(), [0.4, 0.2, -0.1, 0.0]),
    ],
)
def test_labels(form, expected):
    assert form.channels(1) == len(expected)
    assert form.encode(JOINT, CELL)[0].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_vote_decoded_from_labels_is_the_joint(name: str):
    """Heat maps vote for their own cell in the image, so there the cell under the joint is asked."""
    form = REPRESENTATIONS[name]()
    cell = CELL.clone()
    if form.heat:
        cell[0, :2] = JOINT[0, 0, :2]
    votes, scores = form.decode(form.encode(JOINT, cell).view(1, -1, 1, 1), cell.view(1, 3, 1, 1))
    assert votes.shape == (1, 1, 3, 1) and scores.shape == (1, 1, 1)
    assert votes[0, 0, :, 0].tolist() == pytest.approx(JOINT[0, 0].tolist(), abs=1e-6)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_channels_keep_joints_and_values_apart(name: str):
    form, joints = REPRESENTATIONS[name](), torch.tensor([[[0.1, 0.2, 0.3], [-0.3, 0.1, 0.2]]])
    both = form.decode(form.encode(joints, CELL).view(1, -1, 1, 1), CELL.view(1, 3, 1, 1))
    for j in range(2):
        alone = form.decode(form.encode(joints[:, j : j + 1], CELL).view(1, -1, 1, 1), CELL.view(1, 3, 1, 1))
        assert all(torch.equal(b[:, j], a[:, 0]) for b, a in zip(both, alone))
