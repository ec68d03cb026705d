"""Joint-aware regression: the paper's sizes, how features belong to joints and heads, what stages see, and that it learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from learning import learn
from small_methods import JAR
from test_freihand import root as freihand  # noqa: F401, a fixture

from hand_pose_training.backbones.joint_decoder import JointMlps, MultiHead, mlp
from hand_pose_training.backbones.resnet import Resnet
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.fit import fit
from hand_pose_training.methods.jar import Jar, JarSettings, JointDecoder
from hand_pose_training.methods.jar_baselines import FeatureRegression, FeatureRegressionSettings, HeatDepth, HeatDepthSettings
from hand_pose_training.recipe import load_recipe
from hand_pose_training.recipes import CONFIGS
from hand_pose_training.representations.joint_maps import depth_maps, heat_maps
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings

RESNET_50_FEATURES = 23_508_032


def hands(count: int) -> dict[str, torch.Tensor]:
    settings = SyntheticSettings(size=64, negatives=0.0, right_hands=1.0, color=True)
    return to_tensors(stacked(SyntheticCrops(5, count, settings)))


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def of_recipe(name: str, *overrides: str) -> torch.nn.Module:
    return load_recipe(CONFIGS / f"jar/{name}.yaml", list(overrides)).network()


@pytest.mark.parametrize(
    ("name", "millions", "beside_the_backbone"),
    [("resnet50_25d", 34.0, 10.5), ("resnet50_afr", 32.0, 8.5), ("resnet50", 28.9, 5.4)],
)
def test_parameters_are_those_of_table_2(name: str, millions: float, beside_the_backbone: float):
    count = parameters(of_recipe(name))
    assert count == pytest.approx(1e6 * millions, rel=0.01)
    assert count - RESNET_50_FEATURES == pytest.approx(1e6 * beside_the_backbone, rel=0.01)


def test_every_row_of_table_1_is_said_in_the_recipe_and_can_be_built():
    """The overrides in the comments of resnet18.yaml, a shared decoder has 1/21 of separate ones."""
    comments = [line for line in (CONFIGS / "jar/resnet18.yaml").read_text().splitlines() if line.startswith("#   ID")]
    counts = {}
    for part in "; ".join(comments).replace("#   ", "").split("; "):
        row, _, text = part.partition(": ")
        overrides = [word.removeprefix("--") for word in text.split() if word.startswith("--model.")]
        if ".yaml" not in text:  # rows 1 and 2 have recipes of their own
            counts[row] = parameters(of_recipe("resnet18", *overrides))
    assert list(counts) == [f"ID {i}" for i in range(3, 12)]
    decoder = 512 * 512 + 512 + 512 * 3 + 3
    assert counts["ID 5"] - counts["ID 6"] == 20 * decoder
    assert counts["ID 8"] < counts["ID 9"] < counts["ID 10"] < counts["ID 11"]


def test_decoders_by_hand():
    """ReLU(G W1 + b1) W2 + b2 with hidden width 1: max(0, g + 1) * 2 - 3."""
    shared, own = mlp(1, 1, 1), JointMlps(joints=2, inputs=1, hidden=1, outputs=1)
    with torch.no_grad():
        for parameter, value in zip(shared.parameters(), (1, 1, 2, -3)):
            parameter.fill_(value)
        own.weight1.copy_(torch.tensor([[[1.0]], [[-1.0]]]))
        own.bias1.fill_(1)
        own.weight2.fill_(2)
        own.bias2.copy_(torch.tensor([[-3.0], [0.0]]))
        features = torch.tensor([[[4.0], [4.0]], [[-5.0], [-5.0]]])
        assert shared(features).flatten().tolist() == [7, 7, -3, -3]
        assert own(features).flatten().tolist() == [7, 0, -3, 12]


def test_each_head_sees_its_part_of_each_joint():
    heads = MultiHead(heads=2, inputs=3, hidden=4, outputs=5)
    features = torch.randn(2, 7, 6)
    out = heads(features)
    assert out.shape == (2, 7, 10)
    torch.testing.assert_close(out[..., :5], heads.heads[0](features[..., :3]))
    torch.testing.assert_close(out[..., 5:], heads.heads[1](features[..., 3:]))


@pytest.mark.parametrize(("pooled", "expected"), [(False, [[0, 0, 1, 1], [2, 2, 3, 3]]), (True, [[0, 1], [2, 3]])])
def test_maps_belong_to_joints_in_channel_order(pooled: bool, expected: list):
    """Two joints, two maps each, of one row and two columns: Eq. 2."""
    net = Jar(replace(JAR, pooled=pooled, heads=1, maps=2, refine_maps=0), joints=2)
    maps = torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 1, 2)
    assert net._features(maps)[0].tolist() == expected


def test_heat_falls_with_the_squared_distance():
    """Four cells, centres at u, v = -0.75, -0.25, 0.25, 0.75; sigma 2 cells."""
    maps = heat_maps(torch.tensor([[[0.25, -0.75, 9.0]]]), 4, 2.0)[0, 0]
    assert maps[0, 2] == 1
    assert float(maps[0, 1]) == pytest.approx(np.exp(-1 / 4))
    assert float(maps[3, 0]) == pytest.approx(np.exp(-(9 + 4) / 4))


def test_depth_lies_on_the_joint():
    """On a cell's centre Eq. 6; a quarter of the way to the next column it shares; outside nothing."""
    joints = torch.tensor([[[0.25, -0.75, 3.0], [0.375, -0.75, 4.0], [0.25, 1.6, 5.0]]])
    on, between, outside = depth_maps(joints, 4)[0]
    assert on.flatten().nonzero().flatten().tolist() == [2] and on[0, 2] == 3
    assert between[0].tolist() == [0, 0, 3, 1] and between[1:].sum() == 0
    assert outside.sum() == 0


def test_refinement_sees_the_joints_and_sends_no_gradient_through_the_heads():
    net, batch = Jar(replace(JAR, heat_maps=False, depth_maps=False), joints=21), hands(2)
    first, second = net(batch)
    assert first.shape == second.shape == (2, 21, 3)
    second.sum().backward()
    assert net.refine[0].map[0].weight.grad.abs().sum() > 0
    assert net.decoders[0].heads.heads[0][0].weight.grad is None
    assert next(net.trunk.parameters()).grad.abs().sum() > 0
    drawn = Jar(replace(JAR, refine_maps=0), joints=21)
    drawn(batch)[1].sum().backward()
    assert drawn.decoders[0].last[0].weight.grad.abs().sum() > 0


def test_all_stages_are_taught_by_l1():
    net, batch = Jar(JAR, joints=21), hands(2)
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 4] = 0
    off = batch["joints"].clone()
    off[0, :, 0] += 0.3
    off[0, 4] += 9
    off[1] += 9
    terms = net.losses([off, off + 0.3], batch, 0.5).terms
    assert float(terms["joint_loss_1"]) == pytest.approx(0.1, rel=1e-4)
    assert float(terms["joint_loss_2"]) == pytest.approx(0.4, rel=1e-4)


def test_soft_argmax_of_heat_and_depth_by_hand():
    """Heat ln 3 on one cell of 2 x 2 and 0 on the others: shares 1/2 and 1/6."""
    heat = torch.tensor([[0.0, np.log(3.0)], [0.0, 0.0]])
    depth = torch.tensor([[0.6, 0.2], [0.0, 0.0]])
    found = HeatDepth(HeatDepthSettings(layers=18), joints=1).decode(torch.stack([heat, depth])[None])
    np.testing.assert_allclose(found[0, 0], [1 / 6, -1 / 6, 0.2], atol=1e-6)


def test_imagenet_weights_come_from_a_file(tmp_path: Path):
    other, path = Resnet(18), tmp_path / "resnet18.pth"
    torch.save(other.state_dict(), path)
    net = Jar(replace(JAR, weights=str(path)), joints=21)
    for group in (net.groups[0][0], net.groups[1][1]):
        assert torch.equal(group[1].conv2.weight, other.layer4[1].conv2.weight)
    assert torch.equal(net.trunk.groups[0].weight, other.conv1.weight)
    grey = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    assert torch.equal(net.eval().trunk(grey), net.trunk.groups(torch.zeros(1, 3, 64, 64)))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"size": 100}, "model.size 100: a multiple of 32"),
        ({"layers": 20}, "ResNet of 20 layers"),
        ({"shared": False}, "one head"),
        ({"stages": 2, "heads": 1}, "several heads"),
        ({"stages": 2, "heat_maps": False, "depth_maps": False, "refine_maps": 0}, "sees nothing new"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict, text: str):
    with pytest.raises(ValueError, match=text):
        JarSettings(**wrong)


def test_it_learns_a_few_colour_hands():
    torch.manual_seed(0)
    before, after = learn(Jar(JAR, joints=21), hands(10), steps=22, learning_rate=1e-3)
    assert before > 0.040
    assert after < 0.025


@pytest.mark.parametrize(
    "net",
    [
        lambda: FeatureRegression(FeatureRegressionSettings(layers=18, size=64, pooled=False, maps=4, hidden=256), joints=21),
        lambda: HeatDepth(HeatDepthSettings(layers=18, deconvolutions=1), joints=21),
    ],
    ids=["fr", "2.5d"],
)
def test_the_baselines_learn_too(net):
    torch.manual_seed(0)
    before, after = learn(net(), hands(6), steps=12, learning_rate=5e-4)
    assert after < before / 2


def test_the_decoder_of_one_head_is_equation_3():
    decoder = JointDecoder(replace(JAR, heads=1, refine_maps=0), joints=21)
    features = torch.randn(2, 21, 8 * 4)
    found = decoder(features)
    assert found.heads is None
    torch.testing.assert_close(found.joints, decoder.last(features))


def test_the_recipe_trains_on_freihand_s_files(freihand: Path, tmp_path: Path):  # noqa: F811
    """Eight images in FreiHAND's format, an evaluation set without labels: one epoch of the recipe, made small."""
    small = ["data.size=64", "model.size=64", "model.layers=18", "model.hidden=16", "model.heads=2", "model.stages=2"]
    here = [f"data.root={freihand}", "budget.epochs=1", "loop.batch_size=4", "loop.processes=1"]
    task = fit(load_recipe(CONFIGS / "jar/freihand.yaml", small + here), tmp_path / "run")
    assert task.samples_seen == 8
    assert all(parameter.isfinite().all() for parameter in task.net.parameters())
