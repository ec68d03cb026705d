"""What holds for every method: its exported graph agrees with torch in both precisions, takes any batch, and runs in the node."""

import numpy as np
import onnx
import pytest
import torch
from small_methods import SMALL, VARIANTS, small_card, small_graph, small_model

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.perception.color_estimate import hand_estimator
from hand_pose_ros.perception.estimate import StageClock
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_training.graph import check_parity, in_half, write

CAMERA = Camera(width=160, height=120, fx=120.0, fy=120.0, cx=79.5, cy=59.5)


@pytest.fixture(scope="module", params=SMALL)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def path(name: str, tmp_path_factory: pytest.TempPathFactory):
    """The exported model, having passed parity in batches of 8 and 1."""
    graph, inputs = small_graph(name)
    model = onnx.ModelProto()
    model.CopyFrom(small_model(name, "fp32"))
    check_parity(model, graph, inputs)
    out = tmp_path_factory.mktemp(name) / f"{name}.onnx"
    write(model, small_card(name), out)
    return out


@pytest.mark.full
@pytest.mark.parametrize("variant", VARIANTS)
def test_other_forms_agree_with_torch(variant: str):
    graph, inputs = small_graph(variant)
    check_parity(small_model(variant, "fp32"), graph, inputs)


def test_half_precision_agrees_too(name: str):
    graph, inputs = small_graph(name)
    check_parity(small_model(name, "fp16"), in_half(graph), inputs, "fp16")


def test_an_empty_crop_gives_finite_outputs(name: str):
    graph, _ = small_graph(name)
    net, card = graph.net, small_card(name)
    empty = net.inputs_of(np.ones((1, 3 if net.crop_kind == "rgb_crop" else 1, SMALL[name].size, SMALL[name].size), np.float32))
    with torch.no_grad():
        outputs = graph(*(torch.as_tensor(empty[key]) for key in net.input_names))
    assert len(outputs) == len(card.outputs)
    assert all(values.isfinite().all() for values in outputs)


def test_it_runs_in_the_node(path):
    """A blob in the cube: crop, inputs by the card, network, and back to metres in the cube's neighbourhood."""
    engine = load_engine(path, "onnxruntime")
    depth = np.full((120, 160), 1.2, np.float32)
    depth[40:80, 60:100] = 0.5
    color = np.uint8(200) * (depth < 1)[..., None].repeat(3, axis=2)
    frame, center = DepthFrame(depth, CAMERA, 0, "camera", color), np.array([0.0, 0.0, 0.5])
    estimator = hand_estimator(engine, engine.card.cube_m, min_depth_m=0.1, max_depth_m=1.5)
    (found,) = estimator.run(frame, [center], [False], StageClock("crop", "network"))
    assert found.joints.shape == (21, 3) and np.linalg.norm(found.joints - center, axis=1).max() < 1
    assert np.isfinite(found.covariance()).all()
