"""Direct regression, AWR's row R: its size, its loss, and that it learns."""

import pytest
import torch
from learning import learn

from hand_pose_training.backbones.resnet import Resnet
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.methods.regression import Regression, RegressionSettings
from hand_pose_training.recipes import recipes
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings


def hands(count: int) -> dict[str, torch.Tensor]:
    return to_tensors(stacked(SyntheticCrops(5, count, SyntheticSettings(size=48, negatives=0.0, right_hands=1.0))))


def test_a_resnet50_and_one_layer():
    """ResNet-50 has 25,557,032 parameters with colours and a classifier of 1000 classes. Without the classifier (2048 x 1000
    + 1000), with a first convolution of 5 x 5 on one channel in place of 7 x 7 on three, and with 2048 x 42 + 42 at the end."""
    net = dict(recipes())["regression/resnet50"].network()
    expected = 25_557_032 - 2_049_000 - 64 * 3 * 49 + 64 * 25 + 2048 * 42 + 42
    assert sum(p.numel() for p in net.parameters()) == expected == 23_586_282


def test_the_features_are_means_over_all_cells():
    net = Regression(RegressionSettings(layers=18), joints=3).eval()
    crop = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        features = net.backbone[0](crop)
        assert features.shape == (2, 512, 4, 4)
        expected = features.sum((2, 3)) / 16 @ net.head.weight.T + net.head.bias
        torch.testing.assert_close(net({"depth_crop": crop}), expected.view(2, 3, 3), atol=1e-5, rtol=1e-5)


def test_imagenet_weights_come_from_a_file(tmp_path):
    other, path = Resnet(18), tmp_path / "resnet18.pth"
    torch.save(other.state_dict(), path)
    net = Regression(RegressionSettings(layers=18, weights=str(path)), joints=3)
    assert torch.equal(net.backbone[0].layer4[1].conv2.weight, other.layer4[1].conv2.weight)


def test_smooth_l1_of_labelled_joints():
    """beta 0.01: 0.02 off costs 0.02 - 0.005 a coordinate, 0.004 off costs 0.004^2 / 0.02."""
    net, batch = Regression(RegressionSettings(layers=18), joints=21), hands(2)
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 2:] = 0
    found = batch["joints"].clone()
    found[0, 0] += 0.02
    found[0, 1] -= 0.004
    found[0, 2] += 1
    found[1] += 1
    loss = net.losses(found, batch, 0.0).terms["joint_loss"]
    assert float(loss) == pytest.approx((0.015 + 0.0008) / 2, rel=1e-3)


def test_it_learns_a_few_hands():
    torch.manual_seed(0)
    before, after = learn(Regression(RegressionSettings(layers=18), joints=21), hands(16), steps=15, learning_rate=1e-3)
    assert before > 0.040
    assert after < 0.030


def test_a_resnet_that_is_not_is_refused():
    with pytest.raises(ValueError, match="17 layers is not known: one of 18, 34, 50"):
        RegressionSettings(layers=17)
