"""TensorRT on a machine without a GPU: everything up to where the plan would go onto one."""

import os
import re
import signal
import sys
import threading

import numpy as np
import pytest
from plan_builds import PLAN, is_gone, needs_rtx, until, without_gpu
from tiny_model import write_tiny_model

from hand_pose_ros.inference.cuda_device import CudaDevice
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import key_of
from hand_pose_ros.inference.plan_loading import Gpu, load_plan
from hand_pose_ros.inference.tensorrt_build import BuildCancelled
from hand_pose_ros.inference.tensorrt_library import find_tensorrt

CROPS = {"depth_crop": np.ones((1, 1, 96, 96), np.float32)}


pytestmark = [needs_rtx, without_gpu]


@pytest.fixture
def gpu():
    return Gpu(CudaDevice("a GPU that is not there", "8.6", "12.6", 0), find_tensorrt(["tensorrt_rtx"]))


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def test_serves_while_it_builds_and_where_the_plan_does_not_run_after_it(model, gpu, cache):
    engine = load_plan(model, gpu, cache, lambda: load_engine(model))
    assert engine.backend == "onnxruntime" and engine.status.startswith("building TensorRT plan: ")
    until(lambda: engine.status == "TensorRT build ended", "the plan is built")
    assert cache.load(key_of(model, gpu.library, gpu.device)) is not None
    assert engine.infer(CROPS)["joints"].shape == (1, 21, 3)
    assert engine.backend == "onnxruntime"
    assert engine.status.startswith("no TensorRT plan, onnxruntime goes on: backend tensorrt needs")
    engine.close()


def test_a_model_that_is_replaced_while_its_plan_is_built_is_not_served_by_it(gpu, cache, tmp_path):
    mine = write_tiny_model(tmp_path / "mine.onnx")
    engine = load_plan(mine, gpu, cache, lambda: load_engine(mine))
    until(lambda: engine.status == "TensorRT build ended", "the plan is built")
    write_tiny_model(mine, size=64)
    assert engine.infer(CROPS)["joints"].shape == (1, 21, 3)
    assert engine.status.startswith("no TensorRT plan, onnxruntime goes on: ")
    assert f"model {mine} has changed since it was loaded: start again" in engine.status
    engine.close()


def test_a_gpu_that_tensorrt_rtx_has_nothing_for(model, gpu, cache, caplog):
    unknown = Gpu(CudaDevice("a GPU of no kind", "1.0", "12.6", 0), gpu.library)
    engine = load_plan(model, unknown, cache, lambda: load_engine(model))
    until(lambda: engine.status == "TensorRT build ended", "the build has failed")
    assert engine.infer(CROPS)["joints"].shape == (1, 21, 3)
    assert "builds for 7.5, " in engine.status and "not for 1.0" in engine.status
    assert cache.entries() == {}


def test_waits_for_the_plan_where_nothing_else_is_to_answer(model, gpu, cache, caplog):
    def missing():
        raise ModelError("ONNX Runtime cannot be imported")

    for serving in (None, missing):
        with caplog.at_level("INFO", "hand_pose_ros"), pytest.raises(ModelError, match="backend tensorrt needs"):
            load_plan(model, gpu, cache, serving)
        key = key_of(model, gpu.library, gpu.device)
        assert cache.load(key) is not None
        assert f"of {model} was built in" in caplog.text
        cache.discard(key.digest)
    assert "nothing answers while the plan is built: ONNX Runtime cannot be imported" in caplog.text


def test_a_plan_that_cannot_be_kept_is_said_and_used(model, gpu, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="backend tensorrt needs"):
        load_plan(model, gpu, EngineCache(tmp_path / "file/engines"), None)
    kept = [r.getMessage() for r in caplog.records if "built but not kept" in r.getMessage()]
    assert len(kept) == 1 and "set the parameter engine_cache" in kept[0]


@pytest.mark.parametrize("portable", [False, True])
def test_a_cached_plan_is_taken_also_one_made_without_a_gpu(model, gpu, cache, portable):
    key = key_of(model, gpu.library, gpu.device)
    cache.store(key.without_gpu() if portable else key, PLAN, model=model, build_s=1.0)
    # It goes as far as asking for the GPU, builds nothing, and throws nothing away: the plan is not to blame.
    with pytest.raises(ModelError, match="backend tensorrt needs"):
        load_plan(model, gpu, cache, None)
    assert [len(e.key.gpu) > 0 for e in cache.entries().values()] == [not portable]


def test_where_no_process_can_be_started(model, gpu, cache, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", str(model))  # a file, but no program
    engine = load_plan(model, gpu, cache, lambda: load_engine(model))
    assert engine.infer(CROPS)["joints"].shape == (1, 21, 3)
    assert "onnxruntime goes on: no process to build a TensorRT plan can be started" in caplog.text
    with pytest.raises(ModelError, match="no process to build a TensorRT plan can be started .*: set backend to onnxruntime"):
        load_plan(model, gpu, cache, None)


def test_ctrl_c_while_waiting_ends_the_build(model, gpu, cache):
    cache.folder.mkdir()
    key = key_of(model, gpu.library, gpu.device)
    with cache.building(key.digest, lambda note: None):
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            load_plan(model, gpu, cache, None)
    assert not list(cache.folder.iterdir())


def test_who_waits_may_give_up(model, gpu, cache, caplog):
    """A node that is ended while it starts: its signal handler raises nothing, and its engine is loaded on another thread."""
    asked = []

    def third_time() -> bool:
        asked.append(0)
        return len(asked) == 3

    cache.folder.mkdir()
    caplog.set_level("INFO", "hand_pose_ros")
    with cache.building(key_of(model, gpu.library, gpu.device).digest, lambda note: None):
        with pytest.raises(BuildCancelled, match="tiny.onnx was not waited for"):
            load_plan(model, gpu, cache, None, third_time)
        assert is_gone(int(re.search(r"process (\d+) builds", caplog.text)[1]))
    assert len(asked) == 3
    assert not list(cache.folder.iterdir())
