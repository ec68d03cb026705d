"""JGR-P2O: sizes of its tables, graphs and decoding by hand, and what its losses count."""

import math

import pytest
import torch
from learning import learn, losses_with_masked_joints_moved
from torch import nn

from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.aggregation.pixel_voting import spatial_softmax
from hand_pose_training.backbones.joint_graph import (
    JointGraphReasoning,
    SimilarityGraph,
    SkeletonGraph,
    joints_to_pixels,
    normalized_adjacency,
    pixels_to_joints,
)
from hand_pose_training.backbones.voting_hourglass import VotingHourglassSettings
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.methods.jgr_p2o import JgrP2o, JgrP2oSettings
from hand_pose_training.recipes import recipes
from hand_pose_training.representations.grid import cell_points
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings

SMALL = VotingHourglassSettings(stacks=1, channels=16, depth=2, stem_channels=8)
# Millions of parameters as printed; Table 2 prints none.
PRINTED = {
    "1": 0.72,
    "2": 1.37,
    "3": 2.02,
    "2_similarity": 1.43,
    "2_parameterized": 1.37,
    "2_attention": 1.42,
    "2_heat_maps": 1.37,
}


def crops(count: int) -> dict[str, torch.Tensor]:
    settings = SyntheticSettings(size=48, negatives=0.0, right_hands=1.0)
    return to_tensors(stacked(SyntheticCrops(5, count, settings)))


def network(backbone: VotingHourglassSettings = SMALL, **settings) -> JgrP2o:
    torch.manual_seed(0)
    return JgrP2o.for_skeleton(JgrP2oSettings(backbone=backbone, **settings), HAND21)


@pytest.mark.parametrize("name", PRINTED)
def test_the_papers_networks_have_their_number_of_parameters(name: str):
    net = dict(recipes())[f"jgr_p2o/{name}"].network()
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(1e6 * PRINTED[name], rel=0.03)


def test_each_stack_maps_96_to_24_and_sees_the_one_before():
    net = dict(recipes())["jgr_p2o/2"].network().eval()
    (first, _), (dense, weights) = net({"depth_crop": torch.rand(1, 1, 96, 96)})
    assert first.shape == dense.shape == (1, 42, 24, 24) and weights.shape == (1, 14, 576)
    dense.sum().backward()
    assert net.backbone.heads[0].weight.grad.abs().sum() > 0


def test_the_skeleton_graph_is_the_normalised_adjacency():
    """A chain of three: degrees with the joints themselves 2, 3, 2."""
    outer = 1 / math.sqrt(6)
    expected = torch.tensor([[1 / 2, outer, 0], [outer, 1 / 3, outer], [0, outer, 1 / 2]])
    torch.testing.assert_close(normalized_adjacency(3, [(0, 1), (2, 1)]), expected)


def test_the_skeleton_graph_takes_the_bones_of_the_recipe():
    net = dict(recipes())["jgr_p2o/2"].network()
    nyu = skeleton("nyu14")
    connected = net.backbone.weighers[0].graph.edges[nyu.index("palm")] > 0
    assert {name for name, on in zip(nyu.joint_names, connected) if on} == {
        *("palm", "wrist_little_side", "wrist_thumb_side", "thumb_mcp", "index_pip", "middle_pip", "ring_pip", "little_pip")
    }


def test_the_similarity_graph_is_a_softmax_over_the_other_joints():
    graph = SimilarityGraph(2)
    graph.query.weight.data, graph.key.weight.data = torch.eye(2), math.log(3) * torch.eye(2)
    edges = graph(torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))
    torch.testing.assert_close(edges, torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))


def test_features_go_to_joints_and_back_by_the_same_weights():
    """Two cells, two joints, one channel: the first joint has 1/4 and 3/4, the second all of the second cell."""
    weights = torch.tensor([[[0.25, 0.75], [0.0, 1.0]]])
    joints = pixels_to_joints(torch.tensor([[[[4.0, 8.0]]]]), weights)
    assert joints.flatten().tolist() == [7.0, 8.0]
    assert joints_to_pixels(torch.tensor([[[7.0], [8.0]]]), weights).flatten().tolist() == [0.875, 6.625]


def test_a_cell_hears_of_its_joint_s_neighbours():
    """Three cells, each all of one joint's, which shows its own channel: the context at a joint's cell is its row of A_e / 3."""
    graph = SkeletonGraph(3, [(0, 1), (2, 1)])
    module = JointGraphReasoning(3, 3, graph)
    module.transform = module.context = module.fuse = nn.Identity()
    module.vote.weight.data, module.vote.bias.data = 100 * torch.eye(3)[:, :, None, None], torch.zeros(3)
    module.evolve.weight.data = torch.eye(3)
    features, weights = module(torch.eye(3).view(1, 3, 1, 3))
    torch.testing.assert_close(weights[0], torch.eye(3))
    torch.testing.assert_close(features[0, :3, 0], graph.edges / 3)
    torch.testing.assert_close(features[0, 3:, 0], torch.eye(3))


def test_weights_are_a_softmax_over_the_cells_in_float32():
    weights = spatial_softmax(torch.tensor([[[[0.0, math.log(3)], [0.0, math.log(3)]]]]).half())
    assert weights.dtype == torch.float32
    assert weights[0, 0].tolist() == pytest.approx([1 / 8, 3 / 8, 1 / 8, 3 / 8], abs=1e-3)


def test_offsets_from_the_truth_decode_to_the_truth():
    net, batch = network(), crops(2)
    points = cell_points(batch["depth_crop"], 4)[0].flatten(2)
    offsets = batch["joints"][..., None] - points[:, None]
    dense = offsets.unflatten(3, (12, 12)).flatten(1, 2)
    votes, found = net.decode(dense, torch.rand(2, 21, 144).softmax(-1), points)
    torch.testing.assert_close(found.joints, batch["joints"], atol=1e-5, rtol=0)
    torch.testing.assert_close(votes, batch["joints"][..., None].expand_as(votes), atol=1e-5, rtol=0)


def test_heat_maps_decode_to_the_mean_of_cells_and_depths():
    """All weight on two cells, 1/4 and 3/4; each has its own depth."""
    net = JgrP2o.for_skeleton(JgrP2oSettings(decoding="heat_maps", backbone=SMALL), skeleton("hand_center"))
    points = cell_points(torch.ones(1, 1, 16, 16), 4)[0].flatten(2)  # cells at -0.75, -0.25, 0.25, 0.75
    dense = torch.zeros(1, 2, 4, 4)
    dense[0, 0] = -1e4
    dense[0, 0, 0, 0], dense[0, 0, 2, 3] = 0.0, math.log(3)
    dense[0, 1, 0, 0], dense[0, 1, 2, 3] = 0.8, -0.4
    _, found = net.decode(dense, torch.zeros(1, 1, 16), points)
    assert found.joints.flatten().tolist() == pytest.approx([0.375, 0.0, -0.1], abs=1e-6)


def test_losses_are_the_printed_sums():
    """One joint 0.005 off along u (square) and 0.03 along v (linear); the votes of its 9 cells are as far off."""
    net = JgrP2o.for_skeleton(JgrP2oSettings(backbone=SMALL), skeleton("hand_center"))
    crop = torch.ones(1, 1, 12, 12)
    points = cell_points(crop, 4)[0]
    batch = {"depth_crop": crop, "joints": torch.tensor([[[0.1, 0.2, 0.3]]]), "joint_weight": torch.ones(1, 1)}
    batch |= {"present": torch.ones(1), "teaches": torch.ones(1)}
    dense = torch.tensor([0.105, 0.23, 0.3]).view(1, 3, 1, 1) - points
    terms = net.losses([(dense, torch.full((1, 1, 9), 1 / 9))], batch, 0.0).terms
    huber = 0.005**2 / 2 + 0.01 * (0.03 - 0.005)
    assert terms["joint_loss"].item() == pytest.approx(huber, rel=1e-3)
    assert terms["offset_loss"].item() == pytest.approx(1e-4 * 9 * huber, rel=1e-3)


@pytest.mark.parametrize("settings", [{"offset_weight": 0.0}, {"decoding": "heat_maps"}])
def test_there_is_no_offset_loss_where_none_belongs(settings: dict):
    net, batch = network(**settings), crops(2)
    assert set(net.losses(net(batch), batch, 0.0).terms) == {"joint_loss"}


def test_crops_that_teach_nothing_and_joints_without_a_label_count_for_nothing():
    net, batch = network(), crops(3)
    batch["teaches"][1], batch["present"][2], batch["joint_weight"][0, 4] = 0, 0, 0
    before, after = losses_with_masked_joints_moved(net, net(batch), batch, progress=0.0)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("settings", [{"weights": "mean"}, {"weights": "attention"}, {"decoding": "heat_maps"}, {}])
def test_an_empty_crop_gives_finite_numbers(settings: dict):
    found = network(**settings).eval().predict({"depth_crop": torch.ones(1, 1, 48, 48)})
    assert all(values.isfinite().all() for values in found[:3])
    assert [tuple(values.shape) for values in found[:3]] == [(1, 21, 3), (1, 21, 6), (1, 21)]


def test_it_learns_a_few_hands():
    before, after = learn(network(), crops(16), steps=120, learning_rate=4e-3)
    assert before > 0.040
    assert after < 0.012


@pytest.mark.parametrize("key", ["weights", "graph", "decoding"])
def test_unknown_forms_are_named(key: str):
    with pytest.raises(ValueError, match=f"model.{key} 'magic': one of"):
        JgrP2oSettings(**{key: "magic"})
