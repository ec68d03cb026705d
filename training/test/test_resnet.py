"""ResNets: sizes of the papers, ImageNet weights from a file."""

import pytest
import torch

from hand_pose_training.backbones.resnet import Resnet, ResnetDeconv, ResnetSettings


def millions(net: torch.nn.Module) -> float:
    return sum(p.numel() for p in net.parameters()) / 1e6


@pytest.mark.parametrize(("layers", "expected"), [(18, 11.69), (34, 21.80), (50, 25.56), (101, 44.55), (152, 60.19)])
def test_sizes_are_those_of_the_public_networks(layers: int, expected: float):
    """As published with a classifier of 1000 classes, which is added here."""
    net = Resnet(layers)
    assert millions(net) + (net.channels + 1) * 1000 / 1e6 == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("layers", "stride", "expected"), [(18, 2, 15), (50, 2, 34), (101, 2, 53), (50, 4, 33), (50, 8, 32)])
def test_awr_table_2(layers: int, stride: int, expected: float):
    net = ResnetDeconv(ResnetSettings(layers=layers, stride=stride), outputs=4 * 14)
    assert millions(net) == pytest.approx(expected, rel=0.03)


def test_the_released_resnet18_for_14_joints():
    assert millions(ResnetDeconv(ResnetSettings(layers=18), outputs=56)) == pytest.approx(15.38, abs=0.01)
    assert millions(ResnetDeconv(ResnetSettings(layers=50), outputs=56)) == pytest.approx(34.00, abs=0.01)


@pytest.mark.parametrize(("stride", "cells"), [(2, 32), (4, 16), (8, 8), (16, 4)])
def test_stride_decides_the_map(stride: int, cells: int):
    net = ResnetDeconv(ResnetSettings(layers=18, stride=stride), outputs=8).eval()
    (dense,), (features,) = net(torch.zeros(1, 1, 64, 64))
    assert dense.shape == (1, 8, cells, cells)
    assert features.shape == (1, net.channels, cells, cells)


def test_imagenet_weights_come_from_a_file(tmp_path):
    other, path = Resnet(18), tmp_path / "resnet18.pth"
    torch.save(other.state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, path)
    net = Resnet(18)
    net.load_imagenet(path)
    assert torch.equal(net.layer4[1].conv2.weight, other.layer4[1].conv2.weight)
    depth = ResnetDeconv(ResnetSettings(layers=18, weights=str(path)), outputs=4)
    assert torch.equal(depth.resnet.layer1[0].conv1.weight, other.layer1[0].conv1.weight)
    assert depth.resnet.conv1.weight.shape == (64, 1, 5, 5)


def test_imagenet_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "resnet18.pth"
    with pytest.raises(ValueError, match="resnet18.pth: no such file"):
        Resnet(50).load_imagenet(path)
    torch.save(Resnet(18).state_dict(), path)
    with pytest.raises(ValueError, match="of another network"):
        Resnet(50).load_imagenet(path)
