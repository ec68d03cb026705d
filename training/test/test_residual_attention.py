"""Residual attention regression: the public network's size, (1 + M) T, the prior from the principal components of poses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from learning import learn
from small import small_recipe
from small_methods import ATTENTION

from hand_pose_training.backbones.pose_prior import PosePrior, PriorError, pca_prior
from hand_pose_training.backbones.residual_attention import AttentionModule, ResidualAttentionNetwork, ResidualAttentionSettings
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.fit import fit
from hand_pose_training.methods.residual_attention import ResidualAttentionRegression, ResidualAttentionRegressionSettings
from hand_pose_training.recipe import Recipe
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.task import load_task

SMALL = ResidualAttentionRegressionSettings(prior_poses=40, backbone=ATTENTION)


def hands(count: int = 16) -> SyntheticCrops:
    return SyntheticCrops(5, count, SyntheticSettings(size=64, negatives=0.0, right_hands=1.0))


def prepared(settings: ResidualAttentionRegressionSettings, crops) -> ResidualAttentionRegression:
    torch.manual_seed(0)
    net = ResidualAttentionRegression(settings, joints=21)
    net.prepare_training(crops)
    return net


class Labelled:
    """Poses without images, as many as given, each fully labelled unless its number is in `bad`."""

    def __init__(self, joints: np.ndarray, bad: tuple[int, ...] = (), present: float = 1) -> None:
        self.joints, self.bad, self.present = joints, bad, present

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        weights = np.ones(self.joints.shape[1])
        weights[0] = i not in self.bad
        return {"joints": self.joints[i], "joint_weight": weights, "present": np.float32(self.present)}


def test_the_features_are_those_of_attention_56():
    """31.9 M parameters with three colours and a classifier of 1000 classes, as Wang et al. print in their Table 3."""
    features = sum(p.numel() for p in ResidualAttentionNetwork(ResidualAttentionSettings(), inputs=3).parameters())
    assert (features + 2049 * 1000) / 1e6 == pytest.approx(31.9, rel=0.01)


def test_attention_is_one_plus_the_mask_times_the_trunk():
    module = AttentionModule(8, 2, ResidualAttentionSettings()).eval()
    x = torch.randn(2, 8, 16, 16)
    with torch.no_grad():
        module.mask[-2].weight.zero_()  # the sigmoid of 0 is a half
        expected = module.last(1.5 * module.trunk(module.first(x)))
        torch.testing.assert_close(module(x), expected)
        without = AttentionModule(8, 2, ResidualAttentionSettings(attention=False)).eval()
        without.load_state_dict({k: v for k, v in module.state_dict().items() if not k.startswith("mask.")})
        torch.testing.assert_close(without(x), without.last(without.trunk(without.first(x))))


def test_the_mask_lies_between_0_and_1_and_is_as_large_as_the_trunk():
    module = AttentionModule(8, 3, ResidualAttentionSettings())
    mask = module.mask(50 * torch.randn(2, 8, 32, 32))
    assert mask.shape == (2, 8, 32, 32)
    assert mask.min() >= 0 and mask.max() <= 1 and mask.std() > 0.01


@pytest.mark.parametrize(("p", "t", "r"), [(1, 2, 1), (2, 1, 3)])
def test_p_t_and_r_count_residual_units(p: int, t: int, r: int):
    """p before and after, t in the trunk; r on the way down and up at each of two sizes, and one that skips the deeper one."""
    module = AttentionModule(8, 2, ResidualAttentionSettings(p=p, t=t, r=r))
    assert (len(module.first), len(module.trunk), len(module.last)) == (p, t, p)
    assert sum(type(m).__name__ == "ResidualUnit" for m in module.mask.modules()) == 4 * r + 1


def test_principal_components_of_poses_on_a_line():
    """One joint at (1 + 3 a, 2 - 4 a, 5): mean where a averages 0, and the one direction (3, -4, 0) / 5, its largest number
    turned positive."""
    a = np.array([-1.0, 0.5, 0.5, 2.0, -2.0])
    joints = np.stack([1 + 3 * a, 2 - 4 * a, np.full(5, 5.0)], axis=-1)[:, None]
    mean, components = pca_prior(joints, 1)
    np.testing.assert_allclose(mean, [1, 2, 5], atol=1e-12)
    np.testing.assert_allclose(components, [[-0.6, 0.8, 0]], atol=1e-12)


def test_the_prior_layer_gives_back_poses_from_their_components():
    """Poses of three degrees of freedom: three pose parameters hold them."""
    rng = np.random.default_rng(0)
    poses = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 42)) + rng.normal(size=42)
    layer = PosePrior(channels=8, size=3, joints=14, trainable=True)
    layer.learn(poses.reshape(50, 14, 3))
    mean, components = pca_prior(poses.reshape(50, 14, 3), 3)
    with torch.no_grad():
        found = layer.prior(torch.as_tensor((poses - mean) @ components.T, dtype=torch.float32))
    np.testing.assert_allclose(found, poses, atol=1e-4)


def test_the_prior_is_learned_from_fully_labelled_crops_alone():
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(60, 21, 3)).astype(np.float32)
    spoilt = joints.copy()
    spoilt[[3, 7]] = 100
    spoilt[50:] = 100  # beyond prior_poses
    first = prepared(replace(SMALL, prior_poses=50), Labelled(np.delete(joints, [3, 7], axis=0)[:48]))
    second = prepared(replace(SMALL, prior_poses=50), Labelled(spoilt, bad=(3, 7)))
    torch.testing.assert_close(first.head.prior.weight, second.head.prior.weight)
    torch.testing.assert_close(first.head.prior.bias, torch.as_tensor(np.delete(joints[:50], [3, 7], axis=0).mean(0).ravel()))


def test_joints_without_a_label_in_any_crop_are_left_out_of_the_prior():
    joints = np.random.default_rng(0).normal(size=(40, 21, 3)).astype(np.float32)
    net = prepared(replace(SMALL, prior_size=5), Labelled(joints, bad=tuple(range(40))))
    assert net.head.prior.weight[:3].abs().max() < 1e-6 and net.head.prior.bias[:3].abs().max() == 0
    torch.testing.assert_close(net.head.prior.bias[3:], torch.as_tensor(joints[:, 1:].mean(axis=0).ravel()))


def test_priors_that_cannot_be_are_refused():
    with pytest.raises(PriorError, match="20 fully labelled poses of 63 coordinates have no 30.*raise model.prior_poses"):
        prepared(SMALL, Labelled(np.zeros((20, 21, 3), np.float32)))
    with pytest.raises(PriorError, match="0 fully labelled poses"):
        prepared(SMALL, Labelled(np.ones((40, 21, 3), np.float32), present=0))
    with pytest.raises(PriorError, match="model.prior_size 30: 1 joints have 3 coordinates"):
        ResidualAttentionRegression(SMALL, joints=1)


def test_crops_that_no_mask_fits_are_refused():
    with pytest.raises(ValueError, match="crops of 48 pixels: give data.size a multiple of 32"):
        ResidualAttentionRegression(SMALL, joints=21)({"depth_crop": torch.zeros(2, 1, 48, 48)})
    with pytest.raises(ValueError, match="mask_halvings"):
        ResidualAttentionSettings(mask_halvings=(3, 2))


def test_a_frozen_prior_does_not_learn():
    net = prepared(
        replace(SMALL, prior_size=5, prior_trainable=False), Labelled(np.random.default_rng(0).normal(size=(9, 21, 3)))
    )
    before = net.head.prior.weight.clone()
    batch = to_tensors(stacked(hands(4)))
    learn(net, batch, steps=2, learning_rate=1e-2)
    assert torch.equal(net.head.prior.weight, before)
    assert net.head.bottleneck.weight.grad.abs().sum() > 0


def test_it_learns_a_few_hands():
    crops = hands()
    batch = to_tensors(stacked(crops))
    net = prepared(replace(SMALL, prior_size=12), Labelled(batch["joints"].numpy()))
    before, after = learn(net, batch, steps=25, learning_rate=4e-3)
    assert before > 0.040
    assert after < 0.018


def test_a_run_begins_with_the_prior_and_takes_it_along(tmp_path):
    """A fresh run learns the prior from its own crops, a resumed one does not."""
    base = small_recipe(8, side="unknown", learning_rate=1e-30, weight_decay=0.0, average_decay=0.0)
    data = replace(base.data, size=64)
    recipe: Recipe = replace(base, method="residual_attention", model=SMALL, data=data)
    task = fit(recipe, tmp_path / "first")
    joints = [task.crops[i]["joints"] for i in range(40) if task.crops[i]["present"] > 0]
    mean, components = pca_prior(np.array(joints), 30)
    for net in (task.net, load_task(tmp_path / "first/final.ckpt").exported_net):
        np.testing.assert_allclose(net.head.prior.bias.detach(), mean, atol=1e-6)
        np.testing.assert_allclose(net.head.prior.weight.detach(), components.T, atol=1e-6)
    longer = replace(recipe, budget=replace(recipe.budget, samples=16), seed=2)
    again = fit(longer, tmp_path / "resumed", resume=tmp_path / "first/final.ckpt")
    assert again.samples_seen == 16
    np.testing.assert_allclose(again.net.head.prior.bias.detach(), mean, atol=1e-6)


def test_what_has_no_label_counts_for_nothing():
    net, batch = ResidualAttentionRegression(SMALL, joints=21), to_tensors(stacked(hands(2)))
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 4] = 0
    output = torch.zeros(2, 21, 3)
    before = net.losses(output, batch, 0.5).terms["joint_loss"]
    labelled = [j for j in range(21) if j != 4]
    torch.testing.assert_close(before, batch["joints"][0, labelled].square().sum() / 20)
    batch["joints"][1] += 0.3
    batch["joints"][0, 4] += 0.3
    assert torch.equal(net.losses(output, batch, 0.5).terms["joint_loss"], before)
