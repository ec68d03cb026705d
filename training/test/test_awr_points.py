"""AWR on point sets: P2P's network, gathering and interpolation by hand, what its losses count, and that it learns."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from learning import learn, losses_with_masked_joints_moved

from hand_pose_training.backbones.point_network import PointNetwork, PointNetworkSettings, interpolated, take
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.methods.awr_points import AwrPoints, AwrPointsSettings
from hand_pose_training.recipes import recipes
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings

ROWS = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], [[4.0, 40.0], [5.0, 50.0], [6.0, 60.0]]])  # two sets of three


def network(stacks: int = 1, **settings) -> AwrPoints:
    torch.manual_seed(0)
    return AwrPoints(AwrPointsSettings(points=128, backbone=PointNetworkSettings(stacks, width=8), **settings), joints=21)


def crops(count: int, net: AwrPoints) -> dict[str, torch.Tensor]:
    batch = synthetic(count)
    return to_tensors(batch | net.inputs_of(batch["depth_crop"]))


@cache
def synthetic(count: int) -> dict[str, np.ndarray]:
    return stacked(SyntheticCrops(5, count, SyntheticSettings(size=48, negatives=0.0, right_hands=1.0)))


def test_the_network_has_the_parameters_of_p2p():
    """Layers of 64 64 128, 128 128 256, 256 512 1024 down and 256 256, 256 128, 128 128 128 up, as in P2P's public code."""

    def layers(*widths: int) -> int:  # with bias and batch norm
        return sum(after * (before + 3) for before, after in pairwise(widths))

    outputs = 4 * 14
    up = layers(1024 + 256, 256, 256) + layers(256 + 128, 256, 128) + layers(128, 128, 128, 128)
    deep = layers(3 + 128, 128, 128, 256) + layers(3 + 256, 256, 512, 1024) + up + outputs * 129
    expected = [deep + layers(3, 64, 64, 128), deep + layers(3 + 128 + outputs, 64, 64, 128)]
    net = dict(recipes())["awr_points/nyu"].network()
    assert sum(p.numel() for p in net.parameters()) == sum(expected) == 2_796_272


def test_take_gathers_within_each_set():
    taken = take(ROWS, torch.tensor([[[2, 0]], [[1, 1]]]))
    assert taken.tolist() == [[[[3, 30], [1, 10]]], [[[5, 50], [5, 50]]]]


def test_interpolation_is_a_weighted_sum():
    found = interpolated(ROWS, torch.tensor([[[0, 1, 2]], [[2, 2, 0]]]), torch.tensor([[[0.5, 0.25, 0.25]], [[0.5, 0.25, 0.25]]]))
    assert found.tolist() == [[[1.75, 17.5]], [[5.5, 55.0]]]


def test_a_point_knows_of_its_neighbours_and_of_the_whole_set():
    """A far point's place changes what a point says, and the order of a neighbourhood does not."""
    net = network().eval()
    inputs = {name: values for name, values in crops(2, net).items() if name in net.input_names}
    before = net(inputs).dense[0]
    shuffled = inputs | {"groups_1": inputs["groups_1"].flip(-1), "groups_2": inputs["groups_2"].flip(-1)}
    assert torch.equal(net(shuffled).dense[0], before)
    moved = inputs["point_set"].clone()
    moved[0, -1] += 1
    after = net(inputs | {"point_set": moved}).dense[0]
    assert (after[0, :, 0] != before[0, :, 0]).any() and torch.equal(after[1], before[1])


def test_each_stack_sees_the_one_before():
    net = PointNetwork(PointNetworkSettings(stacks=2, width=8), outputs=12)
    inputs = crops(2, network())
    (first, second), (_, features) = net(*(inputs[name] for name in network().input_names))
    assert first.shape == second.shape == (2, 12, 128) and features.shape == (2, 16, 128, 1)
    second.sum().backward()
    assert net.heads[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("supervision", ["both", "dense"])
def test_true_maps_give_back_the_true_joints(supervision: str):
    net = network(supervision=supervision, kernel_size=1.5)
    batch = crops(4, net)
    sets = zip(batch["joints"], batch["point_set"])
    maps = [net.representation.encode(joints.expand(len(p), -1, -1), p).T for joints, p in sets]
    assert (net.decode(batch, torch.stack(maps)) - batch["joints"]).abs().max() < 1e-5


def test_what_is_not_labelled_counts_for_nothing():
    net = network(stacks=2)
    batch = crops(4, net)
    batch["teaches"], batch["present"] = torch.tensor([1.0, 0, 1, 1]), torch.tensor([1.0, 1, 0, 1])
    batch["joint_weight"][0, 4] = 0
    output = net(batch)
    before, after = losses_with_masked_joints_moved(net, output, batch)
    assert set(before) == {"dense_loss", "joint_loss"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    batch["joints"][3] += 0.3
    assert net.losses(output, batch, 1.0).terms["dense_loss"] != before["dense_loss"]


def test_it_learns_a_few_hands():
    net = network()
    before, after = learn(net, crops(16, net), steps=200, learning_rate=1e-2)
    assert before > 0.040
    assert after < 0.012


@pytest.mark.parametrize("settings, said", [({"points": 100}, "multiple of 16"), ({"representation": "O2"}, "O3 alone")])
def test_settings_that_cannot_be_used(settings: dict, said: str):
    with pytest.raises(ValueError, match=said):
        AwrPointsSettings(**settings)
