"""Every recipe of the repository: its network exports, agrees with torch, and its graph takes any batch (`make test-full`)."""

import numpy as np
import pytest
import torch

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.data import CUBE_M, fixed_set
from hand_pose_training.export import calibrated
from hand_pose_training.graph import ExportGraph, check_parity, to_onnx
from hand_pose_training.recipes import recipes

RECIPES = dict(recipes())
CROPS = 12


@pytest.mark.full
@pytest.mark.parametrize("name", RECIPES)
def test_a_fresh_network_of_the_recipe_exports(name: str):
    recipe = RECIPES[name]
    torch.manual_seed(0)
    net = recipe.network()
    batch = fixed_set("calibration", recipe.data.size, CUBE_M, CROPS, net.crop_kind)
    batch["joints"] = batch["joints"][:, np.arange(len(skeleton(recipe.skeleton))) % 21]  # any, for as many joints
    inputs = net.inputs_of(batch[net.crop_kind])
    tensors = {key: torch.as_tensor(values) for key, values in inputs.items()}
    with torch.no_grad():
        net.train()(tensors)  # batch statistics of real crops
    graph = ExportGraph(net.eval(), calibrated(net, "unknown", batch)).eval()
    some = {key: values[:4] for key, values in inputs.items()}
    check_parity(to_onnx(graph, some), graph, some)
