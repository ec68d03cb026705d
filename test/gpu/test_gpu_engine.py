"""TensorRT on a GPU answers as ONNX Runtime does, whatever the order of batch sizes, with and without CUDA graphs."""

import threading

import numpy as np
import pytest

from hand_pose_ros.inference.cuda_device import checked, cuda_runtime
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.onnxruntime_engine import OnnxRuntimeEngine
from hand_pose_ros.inference.tensorrt_engine import TensorRtEngine
from hand_pose_ros.inference.tensorrt_runner import PlanError

# Of normalised joints, and of the other outputs, and the share of the values that must be that near, as at export: TensorRT's
# order of additions is its own, and in half precision a rounding now and then tips a joint's votes.
TOLERANCES = {"fp32": (2e-4, 0.01, 1.0), "fp16": (1e-2, 0.1, 0.99)}
BATCHES = (1, 8, 2, 3, 1, 5, 8, 19, 1)


def crops(count: int, size: int, seed: int = 0) -> np.ndarray:
    """(count, 1, size, size): discs at random places and depths before an empty background."""
    random = np.random.default_rng(seed)
    u, v = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    images = np.ones((count, 1, size, size), np.float32)
    for image in images[:, 0]:
        x, y, radius, depth = random.uniform([-0.5, -0.5, 0.2, -0.6], [0.5, 0.5, 0.5, 0.6])
        inside = (u - x) ** 2 + (v - y) ** 2 < radius**2
        image[inside] = depth + 0.2 * u[inside]
    return images


def distance(name: str, found: np.ndarray, expected: np.ndarray, share: float) -> float:
    """How far that share of the values is away at most; a covariance as a share of its joint's trace."""
    scale = expected[..., [0, 3, 5]].sum(-1, keepdims=True) if name == "covariance" else 1.0
    return np.quantile(np.abs(found - expected) / scale, share)


@pytest.fixture(scope="module", params=[True, False], ids=["graph", "no graph"])
def engines(request, shipped, gpu):
    """The same model on both back ends."""
    path, plan = shipped
    engine = TensorRtEngine(path, plan, gpu.library, cuda_graph=request.param)
    assert request.param or not engine.uses_cuda_graphs
    yield engine, OnnxRuntimeEngine(path)
    engine.close()


def test_same_answers(engines):
    tensorrt, onnxruntime = engines
    joints, others, share = TOLERANCES[tensorrt.card.precision]
    for seed, batch in enumerate(BATCHES):
        inputs = {"depth_crop": crops(batch, tensorrt.card.input_size, seed)}
        found, expected = tensorrt.infer(inputs), onnxruntime.infer(inputs)
        assert {n: (a.shape, a.dtype) for n, a in found.items()} == {n: (a.shape, a.dtype) for n, a in expected.items()}
        for name in expected:
            assert distance(name, found[name], expected[name], share) <= (joints if name == "joints" else others), name


def test_answers_do_not_depend_on_what_was_asked_before(engines):
    engine, _ = engines
    inputs = {"depth_crop": crops(3, engine.card.input_size)}
    first = engine.infer(inputs)
    for batch in (8, 1, 4):
        engine.infer({"depth_crop": crops(batch, engine.card.input_size, seed=7)})
    again = engine.infer(inputs)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])


def test_an_empty_batch_is_refused_by_both(engines):
    for engine in engines:
        with pytest.raises(ModelError, match="refused the batch"):
            engine.infer({"depth_crop": crops(0, engine.card.input_size)})


def test_cuda_graphs_are_recorded(shipped, gpu):
    path, plan = shipped
    engine = TensorRtEngine(path, plan, gpu.library)
    assert engine.uses_cuda_graphs
    engine.close()


def test_wrong_batches_are_refused(tiny, gpu):
    engine = TensorRtEngine(*tiny, gpu.library)
    with pytest.raises(
        ModelError, match=r"tiny.onnx: TensorRT refused the batch: depth_crop is float32 \(1, 1, 64, 64\), it must be"
    ):
        engine.infer({"depth_crop": np.ones((1, 1, 64, 64), np.float32)})
    assert np.isfinite(engine.infer({"depth_crop": crops(1, 96)})["joints"]).all()  # and goes on
    engine.close()


def test_numbers_that_are_not_finite_are_an_error(tiny, gpu):
    engine = TensorRtEngine(*tiny, gpu.library)
    with pytest.raises(ModelError, match="tiny.onnx: TensorRT in fp32 gives joints.* that are not finite"):
        engine.infer({"depth_crop": np.full((1, 1, 96, 96), np.nan, np.float32)})
    assert np.isfinite(engine.infer({"depth_crop": crops(1, 96)})["joints"]).all()
    engine.close()


def test_another_thread_is_refused(tiny, gpu):
    engine = TensorRtEngine(*tiny, gpu.library)
    said = []

    def use():
        try:
            engine.infer({"depth_crop": crops(1, 96)})
        except ModelError as error:
            said.append(str(error))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert "belongs to another thread" in said[0]
    engine.close()


def test_closed(tiny, gpu):
    engine = TensorRtEngine(*tiny, gpu.library)
    engine.close()
    engine.close()
    with pytest.raises(ModelError, match="its TensorRT plan was closed"):
        engine.infer({"depth_crop": crops(1, 96)})


def test_plans_that_are_none(tiny, shipped, gpu):
    path, plan = tiny
    for content in (b"", b"not a plan", plan[: len(plan) // 2], bytes(len(plan))):
        with pytest.raises(PlanError, match="does not load with .*build it anew"):
            TensorRtEngine(path, content, gpu.library)
    with pytest.raises(PlanError, match="is another model's"):
        TensorRtEngine(path, shipped[1], gpu.library)


def test_memory_is_given_back(tiny, gpu):
    """Twenty engines one after the other leave no more behind than two do."""
    cuda = cuda_runtime()

    def free_after(count: int) -> int:
        for _ in range(count):
            TensorRtEngine(*tiny, gpu.library).close()
        return checked(cuda, "cudaMemGetInfo")[0]

    before = free_after(2)
    assert before - free_after(20) < 32 << 20
