"""Every model that this repository ships or can export is parsed and built by TensorRT, here by TensorRT-RTX, which needs no GPU.

A method is in it by its line in small_methods.SMALL.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import onnx
import pytest
import torch
from small_methods import SMALL, VARIANTS, small_card, small_graph, small_model
from tensorrt_network import Layer, Tensor, parsed, reaches_in_full, wrongly_half

from hand_pose_ros.inference.model_checks import output_shapes
from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.inference.tensorrt_build import build_plan
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary, find_tensorrt
from hand_pose_ros.share import find
from hand_pose_training.graph import write
from hand_pose_training.methods.catalog import METHODS

pytestmark = pytest.mark.skipif(find_spec("tensorrt_rtx") is None, reason="no wheel of TensorRT-RTX for this machine")

SHIPPED = sorted(find("models").glob("*.onnx"))
BUILD_S = 30.0
TYPES = {"float32": "FLOAT", "int64": "INT64", "int32": "INT32"}
MODELS = [(name, precision) for name in SMALL for precision in ("fp32", "fp16")]
# The first variant of a method that SMALL lacks is always built, the others in `make test-full`.
FIRST = {small.method: name for name, small in reversed((SMALL | VARIANTS).items())}
FORMS = [name if name in FIRST.values() else pytest.param(name, marks=pytest.mark.full) for name in VARIANTS]
# Kinds of layers that the aggregation of a method has, which must be there in single precision.
AGGREGATION = {
    "awr": {"SOFTMAX", "REDUCE.SUM"},
    "awr_voxels": {"SOFTMAX", "REDUCE.SUM"},
    "awr_points": {"SOFTMAX", "REDUCE.SUM"},
    "densereg": {"TOPK", "REDUCE.SUM"},
    "jgr_p2o": {"SOFTMAX", "REDUCE.SUM"},
}


@pytest.fixture(scope="module")
def library() -> TensorRtLibrary:
    return find_tensorrt(("tensorrt_rtx",))


@pytest.fixture(scope="module", params=MODELS, ids=", ".join)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A method's name in SMALL, and its network in one precision, as export writes it."""
    return request.param[0], write_model(*request.param, tmp_path_factory.mktemp("gate"))


def write_model(name: str, precision: str, folder: Path) -> Path:
    model = onnx.ModelProto()
    model.CopyFrom(small_model(name, precision))
    path = folder / f"{name}_{precision}.onnx"
    write(model, small_card(name, precision), path)
    return path


def check_ends(library: TensorRtLibrary, path: Path) -> None:
    """Names, types, shapes and profile of the parsed network are the file's and the card's."""
    file, network = read_model_file(path), parsed(library, path)
    assert {name: dtype for name, (dtype, _) in network.inputs.items()} == {i.name: TYPES[i.dtype] for i in file.inputs}
    for spec in file.inputs:
        rest = spec.shape[1:]
        assert network.inputs[spec.name][1] == (-1, *rest)
        assert network.profile[spec.name] == ((1, *rest), (1, *rest), (8, *rest))
    for name, (batch, *rest) in output_shapes(file.card, -1).items():
        assert network.outputs[name] == ("FLOAT", (batch, *rest))


def check_builds(library: TensorRtLibrary, path: Path) -> None:
    """A plan with all the weights comes out, in time."""
    phases: set[str] = set()
    began = time.perf_counter()
    plan = build_plan(library, path, progress=lambda phase, done, steps: phases.add(phase))
    seconds = time.perf_counter() - began
    weights = sum(onnx.numpy_helper.to_array(w).nbytes for w in onnx.load(path).graph.initializer)
    assert len(plan) > 0.9 * weights
    assert "Building engine" in phases
    assert seconds < BUILD_S


def check_precisions(library: TensorRtLibrary, path: Path) -> list[Layer]:
    """Half precision is computed where the card says, and nowhere else (weights may be stored in it); the layers."""
    layers = parsed(library, path).layers
    assert wrongly_half(layers) == []
    precisions = {t.dtype for layer in layers if layer.kind != "CONSTANT" for t in layer.outputs}
    assert ("HALF" in precisions) == (read_model_file(path).card.precision == "fp16")
    return layers


def test_every_method_is_in_it():
    """Baselines may be among the variants."""
    assert set(FIRST) == set(METHODS)


def test_a_method_s_network_is_built(library: TensorRtLibrary, exported: tuple[str, Path]):
    check_ends(library, exported[1])
    check_builds(library, exported[1])


def test_aggregation_and_depth_stay_in_single_precision(library: TensorRtLibrary, exported: tuple[str, Path]):
    name, path = exported
    layers = check_precisions(library, path)
    full = {layer.kind for layer in layers if all(t.dtype != "HALF" for t in (*layer.inputs, *layer.outputs))}
    assert AGGREGATION.get(name, set()) <= full
    graph, inputs = small_graph(name)
    with torch.no_grad():
        votes = graph.net.predict({key: torch.as_tensor(values) for key, values in inputs.items()}).covariance is not None
    # A vote is a cell's own point and an offset: there is a way from the input to the joints that is never rounded to half.
    assert reaches_in_full(layers, graph.net.input_names[0], "joints") or not votes


@pytest.mark.parametrize("variant", FORMS)
def test_other_forms_of_a_method_are_built(library: TensorRtLibrary, variant: str, tmp_path: Path):
    path = write_model(variant, "fp16", tmp_path)
    check_ends(library, path)
    check_builds(library, path)
    check_precisions(library, path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_model_is_built(library: TensorRtLibrary, path: Path):
    check_ends(library, path)
    check_builds(library, path)
    check_precisions(library, path)


def test_what_is_wrongly_in_half_precision_is_found():
    crop, half = Tensor("crop", "FLOAT"), Tensor("h", "HALF")
    network = [
        Layer("cast", "CAST", (crop,), (half,)),
        Layer("conv", "CONVOLUTION", (half,), (Tensor("c", "HALF"),)),
        Layer("weights", "SOFTMAX", (Tensor("c", "HALF"),), (Tensor("w", "HALF"),)),
        Layer("scale", "UNARY.EXP", (Tensor("w", "HALF"),), (Tensor("e", "HALF"),)),
        Layer("back", "CAST", (Tensor("e", "HALF"),), (Tensor("f", "FLOAT"),)),
        Layer("vote", "ELEMENTWISE.SUM", (Tensor("f", "FLOAT"), crop), (Tensor("v", "FLOAT"),)),
        Layer("joints", "REDUCE.SUM", (Tensor("v", "FLOAT"),), (Tensor("joints", "FLOAT"),)),
    ]
    assert wrongly_half(network) == ["weights (SOFTMAX)", "scale (UNARY.EXP)"]
    assert reaches_in_full(network, "crop", "joints")
    without_votes = [replace(layer, inputs=layer.inputs[:1]) for layer in network]
    assert not reaches_in_full(without_votes, "crop", "joints")
