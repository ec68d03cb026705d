"""One engine answers until the other is ready: two real engines, a real build process."""

import gc
import logging
import os
import threading

import numpy as np
import onnx
import pytest
from plan_builds import PLAN, any_key, is_gone, request, until, until_it_waits
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros.inference.build_lock import BuildLock
from hand_pose_ros.inference.building_engine import BuildingEngine
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.inference.engine_builder import PlanBuild
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.model_card import ModelError

CROPS = {"depth_crop": np.full((2, 1, 96, 96), 0.25, np.float32)}


class Closable(Engine):
    """A real engine that remembers whether it was closed, and on which thread it was made."""

    def __init__(self, path):
        self._engine = load_engine(path)
        self.path, self.card, self.backend = path, self._engine.card, self._engine.backend
        self.input_shapes, self.output_shapes = self._engine.input_shapes, self._engine.output_shapes
        self.closed = False
        self.thread = threading.get_ident()

    def infer(self, inputs):
        return self._engine.infer(inputs)

    def close(self):
        self.closed = True


class Scene:
    """A build that lasts until `finish_build`, and an engine for before; the one for after is in `after`."""

    def __init__(self, folder):
        self.cache = EngineCache(folder / "engines")
        self.model = write_tiny_model(folder / "before.onnx", card=tiny_card(name="before").to_json())
        self.faster = write_tiny_model(folder / "after.onnx", card=tiny_card(name="after", precision="fp16").to_json())
        self.key = any_key(self.model)
        self.cache.folder.mkdir()
        self._lock = BuildLock(self.cache.folder / f"{self.key.digest}.lock")
        self._lock.acquire(lambda note: None)
        self._lock.tell("43 %")
        self.before, self.after = Closable(self.model), None
        self.build = PlanBuild(request(self.model, self.key, self.cache.folder))
        self.engine = BuildingEngine(self.before, self.build, self.finish)
        until_it_waits(self.build)

    def finish(self, build):
        assert build.result().plan == PLAN
        self.after = Closable(self.faster)
        return self.after

    def finish_build(self):
        self.cache.store(self.key, PLAN, model=self.model, build_s=1.0)
        self._lock.release()
        until(lambda: self.build.done, "the build is done")

    def fail_build(self):
        self._lock.release()  # and it finds no TensorRT of that kind
        until(lambda: self.build.done, "the build has failed")


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.engine.close()


def test_answers_while_the_plan_is_built_and_swaps_between_two_batches(scene, caplog):
    engine = scene.engine
    expected = load_engine(scene.model).infer(CROPS)
    for _ in range(3):
        np.testing.assert_array_equal(engine.infer(CROPS)["joints"], expected["joints"])
    assert (engine.card.name, engine.path) == ("before", scene.model)
    assert engine.status == f"building TensorRT plan: 0% (waiting for process {os.getpid()}: 43 %)"
    scene.finish_build()
    assert (engine.card.name, engine.status) == ("before", "TensorRT build ended")  # until the owner's thread comes by
    with caplog.at_level(logging.INFO, "hand_pose_ros"):
        answer = engine.infer(CROPS)
    np.testing.assert_array_equal(answer["joints"], expected["joints"])
    assert (engine.card.name, engine.card.precision, engine.path, engine.status) == ("after", "fp16", scene.faster, "")
    assert engine.output_shapes == scene.after.output_shapes and engine.input_shapes == scene.after.input_shapes
    assert scene.before.closed and not scene.after.closed
    assert "takes over from onnxruntime after" in caplog.text and "differ by at most 0.00 mm" in caplog.text
    engine.close()
    assert scene.after.closed


def test_the_new_engine_is_made_on_the_thread_that_asks(scene):
    scene.finish_build()
    asking = threading.Thread(target=scene.engine.infer, args=(CROPS,))
    asking.start()
    asking.join()
    assert scene.after.thread == asking.ident != threading.get_ident()


def test_the_difference_is_said_in_millimetres(scene, caplog, tmp_path):
    shifted = onnx.load(scene.faster)
    (offsets,) = [i for i in shifted.graph.initializer if i.name == "offsets"]
    values = onnx.numpy_helper.to_array(offsets).copy()
    values[3, 1] += 0.08  # of half a cube of 0.25 m
    offsets.CopyFrom(onnx.numpy_helper.from_array(values, "offsets"))
    onnx.save(shifted, scene.faster)
    scene.finish_build()
    with caplog.at_level(logging.INFO, "hand_pose_ros"):
        scene.engine.infer(CROPS)
    assert "differ by at most 10.00 mm" in caplog.text


def test_a_failed_build_is_said_once_and_the_node_serves_on(scene, caplog):
    scene.fail_build()
    for _ in range(3):
        assert scene.engine.infer(CROPS)["joints"].shape == (2, 21, 3)
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(said) == 1
    assert said[0].startswith("no TensorRT plan, onnxruntime goes on: backend tensorrt finds no TensorRT that it can use")
    assert scene.engine.status == said[0]
    assert scene.engine.card.name == "before" and not scene.before.closed


@pytest.mark.parametrize(
    ("error", "text", "traces"),
    [(ModelError("it does not load"), "it does not load", 0), (KeyError("a fault"), "KeyError('a fault')", 1)],
)
def test_a_plan_of_no_use(scene, caplog, error, text, traces):
    def finish(build):
        raise error

    engine = BuildingEngine(scene.before, scene.build, finish)
    scene.finish_build()
    assert engine.infer(CROPS)["joints"].shape == (2, 21, 3)
    assert engine.status == f"no TensorRT plan, onnxruntime goes on: {text}"
    assert sum(r.exc_info not in (None, False) for r in caplog.records) == traces


def test_a_new_engine_that_fails_its_first_batch_is_not_taken(scene):
    write_tiny_model(scene.faster, size=64)  # refuses crops of 96
    scene.finish_build()
    assert scene.engine.infer(CROPS)["joints"].shape == (2, 21, 3)
    assert "refused the batch" in scene.engine.status
    assert scene.after.closed and not scene.before.closed


def test_close_ends_the_build(scene):
    pid = scene.build.pid
    scene.engine.close()
    assert is_gone(pid)
    assert scene.before.closed
    assert scene.engine.status == ""


def test_forgotten_without_being_closed_it_ends_the_build_too(tmp_path):
    scene = Scene(tmp_path)
    pid = scene.build.pid
    del scene
    gc.collect()
    until(lambda: is_gone(pid), "the worker is gone")
