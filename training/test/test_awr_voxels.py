"""AWR on voxels: V2V-PoseNet's network, cells and votes by hand, what its losses count, and that it learns."""

from functools import cache

import numpy as np
import pytest
import torch
from learning import learn, losses_with_masked_joints_moved

from hand_pose_training.backbones.hourglass3d import Hourglass3d, Hourglass3dSettings
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.methods.awr_voxels import AwrVoxels, AwrVoxelsSettings
from hand_pose_training.recipes import recipes
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings

SMALL = Hourglass3dSettings(channels=8, stem_channels=4)
# Released V2V-PoseNet, layer by layer (weights, biases and batch norms): 7^3 stem, residual blocks, two halvings, two 1x1 layers.
V2V_WITHOUT_HEAD = 3_409_760


def network(**settings) -> AwrVoxels:
    torch.manual_seed(0)
    return AwrVoxels(AwrVoxelsSettings(**{"cells": 16, "kernel_size": 1.0, "backbone": SMALL, **settings}), joints=21)


@cache
def crops() -> dict[str, np.ndarray]:
    return stacked(SyntheticCrops(5, 4, SyntheticSettings(size=48, negatives=0.0, right_hands=1.0)))


def batch(net: AwrVoxels) -> dict[str, torch.Tensor]:
    return to_tensors(crops() | net.inputs_of(crops()["depth_crop"]))


def test_the_network_has_the_parameters_of_v2v():
    def conv(inputs: int, outputs: int, kernel: int) -> int:  # with bias and batch norm
        return outputs * (inputs * kernel**3 + 3)

    def residual(inputs: int, outputs: int) -> int:
        skip = 0 if inputs == outputs else conv(inputs, outputs, 1)
        return conv(inputs, outputs, 3) + conv(outputs, outputs, 3) + skip

    stem = conv(1, 16, 7) + residual(16, 32) + 2 * residual(32, 32)
    quarter = residual(64, 128) + 2 * residual(128, 128) + conv(128, 64, 2)
    half = residual(32, 64) + residual(64, 64) + quarter + residual(64, 64) + conv(64, 32, 2)
    whole = stem + residual(32, 32) + half + residual(32, 32) + 2 * conv(32, 32, 1)
    assert whole == V2V_WITHOUT_HEAD
    released = Hourglass3d(Hourglass3dSettings(), outputs=14)  # one heat map a joint
    assert sum(p.numel() for p in released.parameters()) == V2V_WITHOUT_HEAD + 14 * 33
    net = dict(recipes())["awr_voxels/nyu"].network()
    assert sum(p.numel() for p in net.parameters()) == V2V_WITHOUT_HEAD + 56 * 33
    assert net.representation.kernel_size == pytest.approx(15 / 22, abs=1e-5)


def test_the_grid_is_halved_once():
    net = network(hand_head=True).eval()
    output = net({"voxel_grid": torch.zeros(2, 1, 16, 16, 16)})
    assert output.dense[0].shape == (2, 84, 8, 8, 8) and output.hand[0].shape == (2, 2)


def test_cells_are_points_in_crop_coordinates_where_any_voxel_is_occupied():
    grid = torch.zeros(1, 1, 8, 8, 8)
    grid[0, 0, 1, 2, 7] = 1  # depth, row, column
    points, occupied = network(cells=8).cells({"voxel_grid": grid})
    assert occupied[0, 0].nonzero().tolist() == [[0, 1, 3]]
    assert points[0, :, 0, 1, 3].tolist() == [0.75, -0.25, -0.75]  # u, v, d


@pytest.mark.parametrize("supervision", ["both", "dense"])
def test_true_maps_give_back_the_true_joints(supervision: str):
    net = network(cells=32, kernel_size=1.2, supervision=supervision)
    labels = batch(net)
    points, occupied = net.cells(labels)
    cells = points.flatten(2).transpose(1, 2)
    maps = [net.representation.encode(joints.expand(len(p), -1, -1), p).T for joints, p in zip(labels["joints"], cells)]
    found = net.decode(labels, torch.stack(maps).unflatten(2, points.shape[2:]))
    assert (found - labels["joints"]).abs().max() < 1e-5
    assert occupied.sum((1, 2, 3, 4)).min() > 20


def test_what_is_not_labelled_counts_for_nothing():
    net = network()
    labels = batch(net)
    labels["teaches"], labels["present"] = torch.tensor([1.0, 0, 1, 1]), torch.tensor([1.0, 1, 0, 1])
    labels["joint_weight"][0, 4] = 0
    output = net(labels)
    before, after = losses_with_masked_joints_moved(net, output, labels)
    assert set(before) == {"dense_loss", "joint_loss"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    labels["joints"][3] += 0.3
    assert net.losses(output, labels, 1.0).terms["dense_loss"] != before["dense_loss"]


def test_it_learns_a_few_hands():
    net = network()
    before, after = learn(net, batch(net), steps=150, learning_rate=8e-3)
    assert before > 0.040
    assert after < 0.014


@pytest.mark.parametrize("settings, said", [({"cells": 20}, "multiple of 8"), ({"representation": "H1"}, "O3 alone")])
def test_settings_that_cannot_be_used(settings: dict, said: str):
    with pytest.raises(ValueError, match=said):
        AwrVoxelsSettings(**settings)
