"""The networks: sizes, shapes, and that the small one is small."""

from dataclasses import replace

import pytest
import torch

from hand_pose_training.backbones.hourglass import AWR_RELEASED, HourglassSettings, StackedHourglass
from hand_pose_training.methods.awr import Awr, AwrSettings


def released() -> Awr:
    return Awr(AwrSettings(backbone=AWR_RELEASED), joints=14).eval()


def network(**settings) -> Awr:
    return Awr(AwrSettings(**settings), joints=21).eval()


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_papers_hourglass_has_its_number_of_parameters():
    assert parameters(released()) == pytest.approx(4.58e6, rel=0.03)


def test_the_papers_hourglass_maps_128_to_64():
    with torch.no_grad():
        (dense,) = released()({"depth_crop": torch.zeros(1, 1, 128, 128)}).dense
    assert dense.shape == (1, 56, 64, 64)


def test_the_default_is_small():
    assert parameters(network()) < 2.0e6  # 8 MB in float32; 10 MB is the limit of the shipped file


def test_each_stack_gives_a_map_and_sees_the_one_before():
    net = StackedHourglass(HourglassSettings(stacks=2, channels=16, increase=0, stem_channels=8), outputs=12).eval()
    (first, second), features = net(torch.rand(2, 1, 64, 64))
    assert [seen.shape for seen in features] == 2 * [(2, 16, 16, 16)]
    assert first.shape == second.shape == (2, 12, 16, 16)
    second.sum().backward()
    assert net.heads[0].weight.grad.abs().sum() > 0


def test_an_empty_crop_gives_finite_numbers():
    found = network(hand_head=True).predict({"depth_crop": torch.ones(1, 1, 96, 96)})
    assert all(values.isfinite().all() for values in found)
    assert [tuple(values.shape) for values in found] == [(1, 21, 3), (1, 21, 6), (1, 21), (1, 2)]


def test_the_hand_head_is_there_when_asked_for():
    inputs = {"depth_crop": torch.rand(2, 1, 96, 96)}
    assert not network().tells_hand and network().predict(inputs).hand is None
    assert network(hand_head=True).tells_hand and network(hand_head=True).predict(inputs).hand.shape == (2, 2)


def test_the_first_stack_alone_answers_as_it_does_among_others():
    torch.manual_seed(0)
    backbone = HourglassSettings(stacks=2, channels=16, depth=2, increase=0, stem_channels=8)
    net, inputs = network(hand_head=True, spread_head=True, backbone=backbone), {"depth_crop": torch.rand(2, 1, 64, 64)}
    with torch.no_grad():
        expected, last = net._prediction(inputs, net(inputs), stack=0), net.predict(inputs)
        net.keep_stacks(1)
        found = net.predict(inputs)
    assert all(torch.equal(*values) for values in zip(found, expected))
    assert not torch.equal(found.joints, last.joints)
    alone = network(hand_head=True, spread_head=True, backbone=replace(backbone, stacks=1))
    assert {name: value.shape for name, value in net.state_dict().items()} == {
        name: value.shape for name, value in alone.state_dict().items()
    }
    with pytest.raises(ValueError, match="2 stacks to keep of a backbone with 1"):
        net.keep_stacks(2)


def test_batch_does_not_change_the_answer():
    torch.manual_seed(0)
    net, crops = network(), torch.rand(3, 1, 96, 96) * 2 - 1
    with torch.no_grad():
        together, alone = net.predict({"depth_crop": crops}), net.predict({"depth_crop": crops[1:2]})
    assert torch.allclose(together.joints[1], alone.joints[0], atol=1e-5)
