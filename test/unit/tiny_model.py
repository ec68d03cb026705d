"""A model file small enough to build in a test, with the inputs, outputs and card of a real one.

Its 21 joints are the mean (u, v, d) of the crop's foreground, each with a small fixed offset; the covariance is the
foreground's spread; the confidence grows with the foreground's area. So its answers move with the hand, and a test
can compute them by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard

JOINTS = 21
# (21, 3) normalised: every joint stands 0.01 right of and 0.005 below the one before; their mean is 0.
OFFSETS = (np.arange(JOINTS) - (JOINTS - 1) / 2)[:, None] * np.array([0.01, 0.005, 0.0])
CUBE_M = 0.25
CONFIDENCE = 0.9  # of a crop with enough foreground
ENOUGH = 0.03  # of the crop's area


def tiny_card(size: int = 96, **changes) -> ModelCard:
    values = {
        "name": "tiny",
        "method": "mean of the foreground",
        "input_kind": "depth_crop",
        "input_size": size,
        "cube_m": CUBE_M,
        "skeleton": "hand21",
        "trained_on": "nothing: built by a test",
        "errors": {"mean_error_mm": 30.0},
        "license": "Apache-2.0",
    }
    return ModelCard(**{**values, **changes})


def write_tiny_model(path: str | Path, size: int = 96, *, card: str | None = "", drop_output: str = "") -> Path:
    """Write the model and return its path.

    :param card: JSON text of its card ("": the right one, None: no card at all)
    :param drop_output: leave this output out of the graph
    """
    nodes: list[onnx.NodeProto] = []
    consts: list[onnx.TensorProto] = []

    def const(name: str, value) -> str:
        consts.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(kind: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    cells = ((2 * np.arange(size) + 1) / size - 1).astype(np.float32)
    grid = np.stack([np.tile(cells, size), np.repeat(cells, size)])  # (2, S*S): u, v of every pixel
    flat = op("Reshape", ["depth_crop", const("flat_shape", np.array([0, 1, size * size]))], "flat")  # (N, 1, S*S)
    fore = op("Cast", [op("Less", [flat, const("one", np.float32([1.0]))], "fore_bool")], "fore", to=TensorProto.FLOAT)
    area = op("ReduceSum", [fore, const("last", np.array([2]))], "area", keepdims=1)  # (N, 1, 1)
    weight = op("Div", [fore, op("Max", [area, "one"], "area1")], "weight")  # (N, 1, S*S)
    uv = op("MatMul", [weight, const("grid", np.ascontiguousarray(grid.T))], "uv")  # (N, 1, 2)
    d = op("ReduceSum", [op("Mul", [weight, flat], "weighted_d"), "last"], "d", keepdims=1)  # (N, 1, 1)
    mean = op("Concat", [uv, d], "mean", axis=2)  # (N, 1, 3)
    op("Add", [mean, const("offsets", OFFSETS.astype(np.float32))], "joints")  # (N, 21, 3)

    uu = op("MatMul", [weight, const("grid2", np.ascontiguousarray(grid.T**2))], "uu")
    var_uv = op("Sub", [uu, op("Mul", [uv, uv], "uv2")], "var_uv")
    dd = op("ReduceSum", [op("Mul", ["weighted_d", flat], "weighted_dd"), "last"], "dd", keepdims=1)
    var = op("Concat", [var_uv, op("Sub", [dd, op("Mul", [d, d], "d2")], "var_d")], "var", axis=2)  # (N, 1, 3)
    spread = np.zeros((3, 6), np.float32)
    spread[[0, 1, 2], [0, 3, 5]] = 1.0  # xx, yy, zz
    row = op("MatMul", [var, const("to_six", spread)], "cov_row")
    op("Add", [row, const("cov_base", np.tile(np.float32([1e-6, 0, 0, 1e-6, 0, 1e-6]), (JOINTS, 1)))], "covariance")

    part = op("Div", [area, const("enough", np.float32([ENOUGH * size * size]))], "part")
    level = op("Mul", [op("Min", [part, "one"], "part1"), const("high", np.float32([CONFIDENCE]))], "level")
    level2 = op("Reshape", [level, const("level_shape", np.array([0, 1]))], "level2")  # (N, 1)
    op("Mul", [level2, const("ones", np.ones((1, JOINTS), np.float32))], "confidence")  # (N, 21)

    shapes = {"joints": ["N", JOINTS, 3], "covariance": ["N", JOINTS, 6], "confidence": ["N", JOINTS]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("depth_crop", TensorProto.FLOAT, ["N", 1, size, size])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items() if n != drop_output],
        consts,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    text = tiny_card(size).to_json() if card == "" else card
    if text is not None:
        helper.set_model_props(model, {METADATA_KEY: text})
    path = Path(path)
    path.write_bytes(model.SerializeToString())
    return path
