"""A detector small enough to build in a test.

Its first place is the mean (u, v, z) of all that is nearer than 1 m, with a score of 0.9 if there is anything; its second lies
4 cm behind that with 0.8, its third is always (0, 0, 0.5) with 0.1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard

HEIGHT, WIDTH, PLACES = 128, 160, 3
NEAR_M, BEHIND_M = 1.0, 0.04


def detector_card(**changes) -> ModelCard:
    values = {
        "name": "tiny_detector",
        "method": "mean of what is near",
        "input_kind": "depth_frame",
        "input_size": WIDTH,
        "cube_m": 0.0,
        "skeleton": "hand_center",
        "outputs": ("centers", "score"),
        "candidates": PLACES,
        "license": "Apache-2.0",
    }
    return ModelCard(**{**values, **changes})


def write_tiny_detector(path: Path, card: ModelCard | None = None) -> Path:
    """Write the model and return its path."""
    nodes: list[onnx.NodeProto] = []
    consts: list[onnx.TensorProto] = []

    def const(name: str, value) -> str:
        consts.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(kind: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    u, v = ((2 * np.arange(size) + 1) / size - 1 for size in (WIDTH, HEIGHT))
    grid = np.stack([np.tile(u, HEIGHT), np.repeat(v, WIDTH)], axis=1).astype(np.float32)
    flat = op("Reshape", ["depth_frame", const("flat_shape", np.array([0, 1, HEIGHT * WIDTH]))], "flat")
    near = op(
        "And",
        [
            op("Greater", [flat, const("zero", np.float32(0))], "valid"),
            op("Less", [flat, const("near_m", np.float32(NEAR_M))], "close"),
        ],
        "near",
    )
    weight = op("Cast", [near], "weight", to=TensorProto.FLOAT)
    count = op("ReduceSum", [weight, const("last", np.array([2]))], "count", keepdims=1)
    share = op("Div", [weight, op("Max", [count, const("one", np.float32(1))], "some")], "share")
    uv = op("MatMul", [share, const("grid", grid)], "uv")
    z = op("ReduceSum", [op("Mul", [share, flat], "shared_z"), "last"], "z", keepdims=1)
    mean = op("Concat", [uv, z], "mean", axis=2)
    behind = op("Add", [mean, const("behind_m", np.float32([0, 0, BEHIND_M]))], "behind")
    fixed = op("Add", [op("Mul", [mean, "zero"], "nothing"), const("middle", np.float32([0, 0, 0.5]))], "fixed")
    op("Concat", [mean, behind, fixed], "centers", axis=1)
    any_near = op("Squeeze", [op("Min", [count, "one"], "any_near"), "last"], "any")
    parts = op("Mul", [any_near, const("surely", np.float32([0.9, 0.8, 0.0]))], "parts")
    # The focal length has to be used, or it would be no input.
    unused = op("Mul", ["focal_px", "zero"], "unused")
    op("Add", [op("Add", [parts, const("rest", np.float32([0, 0, 0.1]))], "all"), unused], "score")
    graph = helper.make_graph(
        nodes,
        "tiny_detector",
        [
            helper.make_tensor_value_info("depth_frame", TensorProto.FLOAT, ["N", 1, HEIGHT, WIDTH]),
            helper.make_tensor_value_info("focal_px", TensorProto.FLOAT, ["N", 1]),
        ],
        [
            helper.make_tensor_value_info("centers", TensorProto.FLOAT, ["N", PLACES, 3]),
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N", PLACES]),
        ],
        consts,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    helper.set_model_props(model, {METADATA_KEY: (card or detector_card()).to_json()})
    path.write_bytes(model.SerializeToString())
    return path
