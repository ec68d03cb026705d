"""A colour model small enough to build in a test: it follows what is red.

Its joints are the mean (u, v) of the redness, each with the offset of tiny_model.OFFSETS, all at the root's depth but for DEPTHS.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tiny_model import JOINTS, OFFSETS, tiny_card

from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard

DEPTHS = np.linspace(0, 0.2, JOINTS)  # normalised, behind the wrist
VARIANCE, CONFIDENCE = 1e-4, 0.9


def tiny_color_card(size: int = 32, **changes) -> ModelCard:
    return tiny_card(size, **{"name": "tiny_color", "input_kind": "rgb_crop", **changes})


def write_tiny_color_model(path: str | Path, size: int = 32, card: ModelCard | None = None) -> Path:
    """Write the model and return its path."""
    cells = ((2 * np.arange(size) + 1) / size - 1).astype(np.float32)
    grid = np.stack([np.tile(cells, size), np.repeat(cells, size)], axis=1)  # (S*S, 2)
    consts = {
        "channel": np.array([0]),
        "flat_shape": np.array([0, 1, size * size]),
        "last": np.array([2]),
        "least": np.float32([1e-6]),
        "grid": grid,
        "depth": np.zeros((2, 3), np.float32) + np.float32([[1, 0, 0], [0, 1, 0]]),
        "offsets": np.concatenate([OFFSETS[:, :2], DEPTHS[:, None]], axis=1).astype(np.float32),
        "zero": np.float32([0]),
        "variance": np.tile(np.float32([VARIANCE, 0, 0, VARIANCE, 0, VARIANCE]), (JOINTS, 1)),
        "confident": np.full((1, JOINTS), CONFIDENCE, np.float32),
        "row_shape": np.array([0, 1]),
    }
    nodes = [
        helper.make_node("Gather", ["rgb_crop", "channel"], ["red"], axis=1),
        helper.make_node("Reshape", ["red", "flat_shape"], ["flat"]),
        helper.make_node("ReduceSum", ["flat", "last"], ["total"], keepdims=1),
        helper.make_node("Max", ["total", "least"], ["some"]),
        helper.make_node("Div", ["flat", "some"], ["weight"]),
        helper.make_node("MatMul", ["weight", "grid"], ["uv"]),
        helper.make_node("MatMul", ["uv", "depth"], ["uvd"]),
        helper.make_node("Add", ["uvd", "offsets"], ["joints"]),
        helper.make_node("Mul", ["total", "zero"], ["none"]),
        helper.make_node("Add", ["none", "variance"], ["covariance"]),
        helper.make_node("Reshape", ["none", "row_shape"], ["row"]),
        helper.make_node("Add", ["row", "confident"], ["confidence"]),
    ]
    shapes = {"joints": ["N", JOINTS, 3], "covariance": ["N", JOINTS, 6], "confidence": ["N", JOINTS]}
    graph = helper.make_graph(
        nodes,
        "tiny_color",
        [helper.make_tensor_value_info("rgb_crop", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(value, name) for name, value in consts.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    helper.set_model_props(model, {METADATA_KEY: (card or tiny_color_card(size)).to_json()})
    path = Path(path)
    path.write_bytes(model.SerializeToString())
    return path
