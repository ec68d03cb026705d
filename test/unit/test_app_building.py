"""A node whose plan is being built: it answers, says how far the build is, and ends the build when it is stopped."""

import os
import queue
import re

import pytest
from plan_builds import is_gone, needs_rtx, until

from hand_pose_ros.inference.cuda_device import CudaDevice
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.plan_key import key_of
from hand_pose_ros.inference.plan_loading import Gpu, load_plan
from hand_pose_ros.inference.tensorrt_library import find_tensorrt
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import DIAGNOSTICS

pytestmark = needs_rtx
WAIT_S = 20


@pytest.fixture
def gpu():
    return Gpu(CudaDevice("a GPU that is not there", "8.6", "12.6", 0), find_tensorrt(["tensorrt_rtx"]))


def test_diagnostics_say_how_far_it_is_and_stop_ends_it(library, model, gpu, tmp_path, caplog):
    cache, messages = EngineCache(tmp_path / "engines"), queue.Queue()

    def publish(spec, message):
        if spec is DIAGNOSTICS:
            messages.put({pair.key: pair.value for status in message.status for pair in status.values})

    app = HandPoseApp(
        Parameters(diagnostics_period_s=0.1), library, publish, lambda: load_plan(model, gpu, cache, lambda: load_engine(model))
    )
    caplog.set_level("INFO", "hand_pose_ros")
    with cache.building(key_of(model, gpu.library, gpu.device).digest, lambda note: None) as lock:
        lock.tell("43% (Timing tactics)")
        app.start()
        try:
            said = f"building TensorRT plan: 0% (waiting for process {os.getpid()}: 43% (Timing tactics))"
            until(lambda: messages.get(timeout=WAIT_S)["engine"] == said, "diagnostics say how far it is")
            assert messages.get(timeout=WAIT_S)["backend"] == "onnxruntime"
            worker = int(re.search(r"process (\d+) builds a TensorRT plan", caplog.text)[1])
            assert not is_gone(worker)
        finally:
            app.stop()
        assert is_gone(worker)
    assert not list(cache.folder.iterdir())
