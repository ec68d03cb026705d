"""The smallest configuration of every method, for the tests that hold for all: export, parity, pipeline, engine building."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import onnx
import torch

from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.backbones.hourglass3d import Hourglass3dSettings
from hand_pose_training.backbones.point_network import PointNetworkSettings
from hand_pose_training.backbones.residual_attention import ResidualAttentionSettings
from hand_pose_training.backbones.resnet import ResnetSettings
from hand_pose_training.backbones.scale_net import ScaleNetSettings
from hand_pose_training.backbones.voting_hourglass import VotingHourglassSettings
from hand_pose_training.data import CUBE_M, fixed_set
from hand_pose_training.export import calibrated
from hand_pose_training.graph import ExportGraph, in_half, to_onnx
from hand_pose_training.methods.awr import AwrSettings
from hand_pose_training.methods.awr_points import AwrPointsSettings
from hand_pose_training.methods.awr_voxels import AwrVoxelsSettings
from hand_pose_training.methods.catalog import METHODS
from hand_pose_training.methods.center import CenterSettings
from hand_pose_training.methods.densereg import DenseRegSettings, MapSettings, MeanShiftSettings
from hand_pose_training.methods.densereg_baselines import CoordinateSettings, DetectionSettings, NumbersSettings
from hand_pose_training.methods.densereg_detector import DetectorSettings
from hand_pose_training.methods.jar import JarSettings
from hand_pose_training.methods.jar_baselines import FeatureRegressionSettings, HeatDepthSettings
from hand_pose_training.methods.jgr_p2o import JgrP2oSettings
from hand_pose_training.methods.regression import RegressionSettings
from hand_pose_training.methods.residual_attention import ResidualAttentionRegressionSettings

HOURGLASS = HourglassSettings(channels=16, depth=2, increase=0, stem_channels=8)
MAPS = MapSettings(tau_cells=2.0, width=16, hidden=32)
NUMBERS = NumbersSettings(size=48, pools=2, hidden=32)
ATTENTION = ResidualAttentionSettings(
    t=1, widths=(16, 24, 32), mask_halvings=(2, 1, 1), stem_channels=8, last_channels=64, last_units=1
)
JAR = JarSettings(layers=18, size=64, heads=2, hidden=32, head_outputs=16, stages=2)
VOTING = VotingHourglassSettings(stacks=1, channels=16, depth=2, stem_channels=8)

VOXELS = AwrVoxelsSettings(cells=32, backbone=Hourglass3dSettings(channels=8, stem_channels=4))
POINTS = AwrPointsSettings(points=128, backbone=PointNetworkSettings(stacks=1, width=8))


@dataclass(frozen=True)
class SmallMethod:
    """:param method: of the catalogue
    :param settings: its own
    :param size: S, pixels an edge of the crop
    """

    method: str
    settings: Any
    size: int = 48


# One a method.
SMALL = {
    "awr": SmallMethod("awr", AwrSettings(hand_head=True, spread_head=True, backbone=HOURGLASS)),
    # The order of a fresh network's scores is decided by rounding: in half precision all 144 cells must vote.
    "awr_voxels": SmallMethod("awr_voxels", VOXELS),
    "awr_points": SmallMethod("awr_points", POINTS),
    "densereg": SmallMethod(
        "densereg", DenseRegSettings(maps=MAPS, mean_shift=MeanShiftSettings(candidates=144, iterations=3), backbone=HOURGLASS)
    ),
    "residual_attention": SmallMethod("residual_attention", ResidualAttentionRegressionSettings(backbone=ATTENTION), size=64),
    "regression": SmallMethod("regression", RegressionSettings(layers=18)),
    "center": SmallMethod("center", CenterSettings(ScaleNetSettings(size=96, hidden=64)), size=96),
    "jgr_p2o": SmallMethod("jgr_p2o", JgrP2oSettings(backbone=VOTING)),
    "jar": SmallMethod("jar", JAR, size=64),
}
# Other forms of the methods, for `make test-full`.
VARIANTS = {
    "awr_two_stacks": SmallMethod("awr", AwrSettings(backbone=replace(HOURGLASS, stacks=2))),
    "awr_o2": SmallMethod("awr", AwrSettings(representation="O2", backbone=HOURGLASS)),
    "awr_h1_dense": SmallMethod("awr", AwrSettings(representation="H1", supervision="dense", backbone=HOURGLASS)),
    "awr_voxels_dense": SmallMethod("awr_voxels", replace(VOXELS, supervision="dense", hand_head=True)),
    "awr_points_dense": SmallMethod(
        "awr_points", replace(POINTS, supervision="dense", hand_head=True, backbone=PointNetworkSettings(width=8))
    ),
    "awr_o3_dense": SmallMethod("awr", AwrSettings(supervision="dense", backbone=HOURGLASS)),
    "residual_attention_plain": SmallMethod(
        "residual_attention",
        ResidualAttentionRegressionSettings(prior_size=0, backbone=replace(ATTENTION, attention=False)),
        size=64,
    ),
    "awr_p_resnet": SmallMethod("awr", AwrSettings(representation="P", backbone=ResnetSettings(layers=18, stride=4))),
    "jgr_p2o_similarity_two_stacks": SmallMethod(
        "jgr_p2o", JgrP2oSettings(graph="similarity", backbone=replace(VOTING, stacks=2))
    ),
    "jgr_p2o_parameterized": SmallMethod("jgr_p2o", JgrP2oSettings(graph="parameterized", backbone=VOTING)),
    "jgr_p2o_mean": SmallMethod("jgr_p2o", JgrP2oSettings(weights="mean", backbone=VOTING)),
    "jgr_p2o_attention": SmallMethod("jgr_p2o", JgrP2oSettings(weights="attention", backbone=VOTING)),
    "jgr_p2o_heat_maps": SmallMethod("jgr_p2o", JgrP2oSettings(decoding="heat_maps", backbone=VOTING)),
    "densereg_two_stacks": SmallMethod("densereg", DenseRegSettings(maps=MAPS, backbone=replace(HOURGLASS, stacks=2))),
    "densereg_unweighted": SmallMethod(
        "densereg", DenseRegSettings(maps=MAPS, mean_shift=MeanShiftSettings(weighted=False), backbone=HOURGLASS)
    ),
    "densereg_baseline_1": SmallMethod("densereg_coordinates", CoordinateSettings(numbers=NUMBERS, backbone=HOURGLASS)),
    "densereg_baseline_2": SmallMethod(
        "densereg_detection", DetectionSettings(tau_cells=2.0, numbers=NUMBERS, backbone=replace(HOURGLASS, stacks=2))
    ),
    "densereg_baseline_3": SmallMethod(
        "densereg_detection", DetectionSettings("depth", tau_cells=2.0, numbers=NUMBERS, backbone=HOURGLASS)
    ),
    "densereg_baseline_4": SmallMethod("densereg_offsets", DenseRegSettings(maps=MAPS, backbone=HOURGLASS)),
    "densereg_detector": SmallMethod("densereg_detector", DetectorSettings(tau_cells=2.0, backbone=HOURGLASS)),
    "heat_depth": SmallMethod("heat_depth", HeatDepthSettings(layers=18, deconvolutions=2), size=64),
    "jar_separate_decoders": SmallMethod("jar", replace(JAR, heads=1, shared=False, refine_maps=0), size=64),
    "jar_pooled": SmallMethod("jar", replace(JAR, heads=1, maps=32, pooled=True, refine_maps=0), size=64),
    "feature_regression_fr": SmallMethod(
        "feature_regression", FeatureRegressionSettings(layers=18, size=64, pooled=False, maps=8, hidden=64), size=64
    ),
    "feature_regression_afr": SmallMethod(
        "feature_regression", FeatureRegressionSettings(layers=18, size=64, maps=8, hidden=64), size=64
    ),
}


@cache
def crops(kind: str, size: int, count: int = 40) -> dict[str, np.ndarray]:
    """Calibration crops, stacked."""
    return fixed_set("calibration", size, CUBE_M, count, kind)


@cache
def small_graph(name: str) -> tuple[ExportGraph, dict[str, np.ndarray]]:
    """The graph of a fresh network, whose batch statistics are those of real crops, and inputs for it."""
    small = (SMALL | VARIANTS)[name]
    torch.manual_seed(0)
    net = METHODS[small.method].for_skeleton(small.settings, HAND21)
    batch = crops(net.crop_kind, small.size)
    inputs = net.inputs_of(batch[net.crop_kind])
    with torch.no_grad():
        net.train()({key: torch.as_tensor(values) for key, values in inputs.items()})
    graph = ExportGraph(net.eval(), calibrated(net, "unknown", batch)).eval()
    return graph, {key: values[:8] for key, values in inputs.items()}


def small_card(name: str, precision: str = "fp32") -> ModelCard:
    """The card of that graph."""
    graph, _ = small_graph(name)
    small = (SMALL | VARIANTS)[name]
    return ModelCard(
        name=name,
        method=small.method,
        **graph.net.card_input(small.size),
        cube_m=CUBE_M,
        skeleton="hand21",
        outputs=graph.output_names,
        precision=precision,
    )


@cache
def small_model(name: str, precision: str) -> onnx.ModelProto:
    """That graph as ONNX, without its card. Exporting takes seconds, so all tests of a process share one; leave it as it is."""
    graph, inputs = small_graph(name)
    return to_onnx(in_half(graph) if precision == "fp16" else graph, inputs)
