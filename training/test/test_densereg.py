"""DenseReg's network: shapes, the cascade, that it learns, and what counts for nothing."""

import pytest
import torch
from densereg_small import HOURGLASS, MAPS, crops
from learning import learn, losses_with_masked_joints_moved

from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.backbones.hourglass_cascade import DENSEREG
from hand_pose_training.methods.densereg import DenseReg, DenseRegSettings, MeanShiftSettings
from hand_pose_training.methods.densereg_offsets import OffsetRegression

TWO_STACKS = HourglassSettings(stacks=2, channels=16, depth=2, increase=0, stem_channels=8)


def small(stacks: int = 1) -> DenseReg:
    return DenseReg(DenseRegSettings(maps=MAPS, backbone=HOURGLASS if stacks == 1 else TWO_STACKS), joints=21)


def test_the_papers_network_maps_128_to_32_with_128_channels():
    net = DenseReg(DenseRegSettings(), joints=14).eval()
    with torch.no_grad():
        first, second = net({"depth_crop": torch.zeros(1, 1, 128, 128)})
    assert first.shape == second.shape == (1, 5 * 14, 32, 32)
    assert DENSEREG.channels == 128 and net.backbone.heads[0].heat_2d.in_channels == 128


def test_later_stacks_see_the_outputs_before_them():
    net = small(stacks=2)
    _, second = net({"depth_crop": torch.rand(2, 1, 48, 48)})
    second.sum().backward()
    head = net.backbone.heads[0]
    assert all(layer.weight.grad.abs().sum() > 0 for layer in (head.heat_2d, head.heat_3d[-1], head.vectors.connected[-1]))


def test_vectors_see_the_features_masked_by_the_foreground():
    """Changing the features of background cells alone changes the vectors through the plain branch alone."""
    torch.manual_seed(0)
    head = small().eval().backbone.heads[0].vectors
    features, foreground = torch.rand(1, 24 + 42, 12, 12), torch.zeros(1, 1, 12, 12)
    foreground[..., :4] = 1
    masked = []
    head.masked.register_forward_hook(lambda _, inputs, output: masked.append(output))
    with torch.no_grad():
        before = head(features, foreground)
        after = head(features + (1 - foreground), foreground)
    assert torch.equal(*masked)
    assert not torch.equal(before, after)


@pytest.mark.parametrize(("cls", "bound_m"), [(DenseReg, 0.035), (OffsetRegression, 0.020)])
def test_it_learns_a_few_hands(cls, bound_m: float):
    torch.manual_seed(0)
    before, after = learn(cls(DenseRegSettings(maps=MAPS, backbone=HOURGLASS), joints=21), crops(8), 120, 4e-3)
    assert before > 0.040
    assert after < bound_m


@pytest.mark.parametrize("cls", [DenseReg, OffsetRegression])
def test_crops_that_teach_nothing_and_joints_without_a_label_count_for_nothing(cls):
    net, batch = cls(DenseRegSettings(maps=MAPS, backbone=TWO_STACKS), joints=21), crops(2)
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 4] = 0
    output = net(batch)
    before, after = losses_with_masked_joints_moved(net, output, batch)
    assert all(torch.equal(before[name], after[name]) for name in before)
    batch["joints"][0, 5] += 0.3
    assert all(not torch.equal(before[name], value) for name, value in net.losses(output, batch, 1.0).terms.items())


def test_a_crop_without_a_hand_teaches_zero_maps():
    net, batch = small(), crops(1)
    batch["present"] = torch.zeros(1)
    terms = net.losses([torch.zeros(1, 105, 12, 12)], batch, 1.0).terms
    assert all(value == 0 for value in terms.values())


def test_an_empty_crop_gives_finite_numbers():
    found = small().eval().predict({"depth_crop": torch.ones(1, 1, 48, 48)})
    assert all(values.isfinite().all() for values in found[:3])
    assert [tuple(values.shape) for values in found[:3]] == [(1, 21, 3), (1, 21, 6), (1, 21)]


def test_another_stride_is_refused():
    with pytest.raises(ValueError, match=r"stem_stride 1: .*give 2"):
        DenseReg(DenseRegSettings(backbone=HourglassSettings(stem_stride=1)), joints=14)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"candidates": 0}, "mean_shift.candidates 0: 1 to 3840"),
        ({"sigma_m": 0.0}, "sigma_m 0.0 must be above 0"),
        ({"iterations": 0}, "iterations 0 at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, message: str):
    with pytest.raises(ValueError, match=message):
        MeanShiftSettings(**values)
