"""Plans are really built, by TensorRT-RTX, which needs no GPU for it; what cannot be built is refused with a reason."""

import threading
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from plan_builds import needs_rtx, without_gpu
from tiny_model import write_tiny_model

from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_build import BuildCancelled, batch_profile, build_plan, parse_network
from hand_pose_ros.inference.tensorrt_engine import TensorRtEngine
from hand_pose_ros.inference.tensorrt_library import find_tensorrt

pytestmark = needs_rtx


@pytest.fixture(scope="module")
def rtx():
    return find_tensorrt(["tensorrt_rtx"])


def write_graph(path, nodes, dtype=TensorProto.FLOAT, shape=("N", 4), out=TensorProto.FLOAT, weights=()):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", dtype, shape)], [helper.make_tensor_value_info("y", out, None)], weights
    )
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString())
    return path


def test_a_plan_with_progress(rtx, model):
    steps: dict[str, list[tuple[int, int]]] = {}
    plan = build_plan(rtx, model, progress=lambda phase, done, total: steps.setdefault(phase, []).append((done, total)))
    assert isinstance(plan, bytes) and len(plan) > 10_000
    whole = steps["Building engine"]
    assert [done for done, _ in whole] == sorted(done for done, _ in whole)
    assert whole[0][0] == 0 and whole[-1][0] == whole[-1][1] > 0
    assert len(steps) > 3


def test_the_interpreter_runs_on_meanwhile(rtx, model):
    """A node serves frames while a plan is built in another thread."""
    thread = threading.Thread(target=build_plan, args=(rtx, model))
    gaps, last = [], time.perf_counter()
    thread.start()
    while thread.is_alive():
        time.sleep(0.001)
        gaps.append(time.perf_counter() - last)
        last = time.perf_counter()
    thread.join()
    assert len(gaps) > 10
    assert np.median(gaps) < 0.05


def test_cancelled(rtx, model):
    asked = []

    def after_thirty() -> bool:
        asked.append(0)
        return len(asked) > 30

    with pytest.raises(BuildCancelled):
        build_plan(rtx, model, cancelled=after_thirty)
    assert 30 < len(asked) < 200
    with pytest.raises(BuildCancelled):
        build_plan(rtx, model, cancelled=lambda: True)
    assert build_plan(rtx, model, cancelled=lambda: False)


def test_what_progress_raises_ends_the_build_and_is_raised(rtx, model):
    def broken(phase, done, total):
        raise KeyError(phase)

    with pytest.raises(KeyError):
        build_plan(rtx, model, progress=broken)


def test_the_profile(rtx, model):
    builder = rtx.module.Builder(rtx.logger)
    network = parse_network(rtx, builder, model)
    assert network.get_flag(rtx.module.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    profile = batch_profile(builder, network, model, opt_batch=2, max_batch=6)
    assert [tuple(shape) for shape in profile.get_shape("depth_crop")] == [(n, 1, 96, 96) for n in (1, 2, 6)]


def test_for_another_gpu(rtx, model):
    assert build_plan(rtx, model, compute_capability="8.9") != build_plan(rtx, model, compute_capability="12.0")
    with pytest.raises(ModelError, match=r"builds for 7.5, .*not for 8.7: use TensorRT itself there"):
        build_plan(rtx, model, compute_capability="8.7")


@pytest.mark.parametrize("dtype, name", [(TensorProto.UINT8, "UINT8"), (TensorProto.FLOAT16, "HALF")])
def test_inputs_of_other_types_are_refused(rtx, tmp_path, dtype, name):
    path = write_graph(tmp_path / "typed.onnx", [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)], dtype=dtype)
    with pytest.raises(
        ModelError, match=f"typed.onnx: x is {name}, TensorRT runs it with FLOAT, INT32, INT64, BOOL only: cast inside"
    ):
        build_plan(rtx, path)


def test_outputs_of_other_types_are_refused(rtx, tmp_path):
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16)]
    with pytest.raises(ModelError, match="y is HALF, TensorRT runs it with FLOAT only"):
        build_plan(rtx, write_graph(tmp_path / "half.onnx", nodes, out=TensorProto.FLOAT16))


@pytest.mark.parametrize("shape", [(1, 4), ("N", "M"), ()])
def test_only_the_batch_may_vary(rtx, tmp_path, shape):
    path = write_graph(tmp_path / "shaped.onnx", [helper.make_node("Relu", ["x"], ["y"])], shape=shape)
    with pytest.raises(ModelError, match=r"shaped.onnx: input x is \(.*\), where the batch and nothing else must be dynamic"):
        build_plan(rtx, path)


def test_an_operator_that_tensorrt_has_not(rtx, tmp_path):
    path = write_graph(tmp_path / "odd.onnx", [helper.make_node("NoSuchOperator", ["x"], ["y"], name="node7", domain="odd")])
    with pytest.raises(
        ModelError, match="odd.onnx: tensorrt_rtx [0-9.]+ cannot parse it .*NoSuchOperator node7: .*set backend to onnxruntime"
    ):
        build_plan(rtx, path)


def test_files_that_are_no_model(rtx, tmp_path, model):
    with pytest.raises(ModelError, match="gone.onnx cannot be read"):
        build_plan(rtx, tmp_path / "gone.onnx")
    for content in (b"not a model", model.read_bytes()[:5000]):
        (tmp_path / "cut.onnx").write_bytes(content)
        with pytest.raises(ModelError, match="cut.onnx: tensorrt_rtx [0-9.]+ cannot parse it"):
            build_plan(rtx, tmp_path / "cut.onnx")


def test_batches_that_make_no_sense(rtx, model):
    for opt, most in ((0, 8), (9, 8), (1, 0)):
        with pytest.raises(ModelError, match=f"opt_batch {opt} does not lie in 1 to max_batch {most}"):
            build_plan(rtx, model, opt_batch=opt, max_batch=most)


def test_half_precision_is_what_the_file_says(rtx, tmp_path):
    """Strongly typed: the casts in the graph decide, and no flag of the builder."""
    weights = onnx.numpy_helper.from_array(np.eye(4, dtype=np.float16), "w")
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("MatMul", ["h", "w"], ["m"]),
        helper.make_node("Cast", ["m"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Exp", ["f"], ["y"]),
    ]
    path = write_graph(tmp_path / "half.onnx", nodes, weights=[weights])
    network = parse_network(rtx, rtx.module.Builder(rtx.logger), path)
    layers = [network.get_layer(i) for i in range(network.num_layers)]
    kinds = {layer.type.name: layer.get_output(0).dtype.name for layer in layers}
    assert kinds["MATRIX_MULTIPLY"] == "HALF"
    assert kinds["UNARY"] == "FLOAT"
    assert build_plan(rtx, path)


@without_gpu
def test_without_a_gpu_the_engine_says_so_and_touches_nothing(rtx, tmp_path):
    path = write_tiny_model(tmp_path / "tiny.onnx")
    with pytest.raises(ModelError, match="needs an NVIDIA GPU and its driver, and CUDA finds none"):
        TensorRtEngine(path, b"never looked at", rtx)
    with pytest.raises(ModelError, match="bare.onnx has no model card"):
        TensorRtEngine(write_tiny_model(tmp_path / "bare.onnx", card=None), b"", rtx)
