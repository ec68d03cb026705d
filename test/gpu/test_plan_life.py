"""The life of a plan on a GPU: built at the first use, taken from the cache at the next, built again where it does not load."""

import time

import numpy as np
import pytest
from plan_builds import PLAN

from hand_pose_ros.inference.engine import EngineSettings, load_engine
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.plan_key import key_of
from hand_pose_ros.share import find

pytestmark = pytest.mark.usefixtures("gpu")  # skipped without one

MODEL = "models/hand21_fast.onnx"
TOLERANCE = 4e-4  # of the crop's coordinates: 0.05 mm of a cube of 0.25 m


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


@pytest.fixture(scope="module")
def crops():
    return {"depth_crop": np.random.default_rng(5).uniform(-1, 1, (4, 1, 96, 96)).astype(np.float32)}


def load(cache, *, serve_while_building=False):
    settings = EngineSettings(precision="fp32", cache=str(cache.folder), serve_while_building=serve_while_building)
    return load_engine(find(MODEL), "tensorrt", settings=settings)


def assert_agrees(engine, crops):
    expected = load_engine(find(MODEL)).infer(crops)
    np.testing.assert_allclose(engine.infer(crops)["joints"], expected["joints"], atol=TOLERANCE)


def test_built_at_the_first_use_and_taken_from_the_cache_at_the_next(cache, crops, caplog):
    with caplog.at_level("INFO", "hand_pose_ros"):
        first = load(cache)
        assert_agrees(first, crops)
        first.close()
        assert "was built in" in caplog.text
        caplog.clear()
        again = load(cache)
        assert_agrees(again, crops)
        again.close()
    assert "the plan is" in caplog.text and "was built in" not in caplog.text


def test_a_plan_that_does_not_load_is_built_again(cache, crops, caplog, gpu):
    path = find(MODEL)
    key = key_of(path, gpu.library, gpu.device)
    cache.store(key, PLAN, model=path, build_s=1.0)
    engine = load(cache)
    assert_agrees(engine, crops)
    engine.close()
    assert "does not load and will be built again" in caplog.text
    assert cache.load(key) not in (None, PLAN)


def test_onnx_runtime_answers_until_tensorrt_takes_over(cache, crops):
    engine = load(cache, serve_while_building=True)
    assert engine.backend == "onnxruntime"
    end = time.monotonic() + 300
    while engine.backend == "onnxruntime":
        assert time.monotonic() < end and not engine.status.startswith("no TensorRT"), engine.status
        assert_agrees(engine, crops)
    assert (engine.backend, engine.status) == ("tensorrt", "")
    assert_agrees(engine, crops)
    engine.close()
