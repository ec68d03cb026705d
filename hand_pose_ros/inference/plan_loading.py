"""A model on TensorRT: its plan from the cache, or built, while ONNX Runtime answers if that is wanted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hand_pose_ros.inference.building_engine import BuildingEngine
from hand_pose_ros.inference.cuda_device import CudaDevice
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.engine_builder import BuildRequest, PlanBuild
from hand_pose_ros.inference.engine_cache import CacheError, EngineCache
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import PlanKey, key_of, require_unchanged
from hand_pose_ros.inference.tensorrt_build import BuildCancelled
from hand_pose_ros.inference.tensorrt_engine import TensorRtEngine
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary
from hand_pose_ros.inference.tensorrt_runner import PlanError

_POLL_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gpu:
    """A GPU and the TensorRT that serves it."""

    device: CudaDevice
    library: TensorRtLibrary


def load_plan(
    model: Path,
    gpu: Gpu,
    cache: EngineCache,
    serving: Callable[[], Engine] | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Engine:
    """The model on TensorRT, or an engine that becomes it.

    :param model: the file to run
    :param serving: makes the engine that answers while the plan is built; None: wait for the plan
    :param cancelled: asked several times a second while it waits; True ends the build
    :raises ModelError: the plan cannot be built, and nothing answers meanwhile
    :raises BuildCancelled: `cancelled` returned True
    """
    key = key_of(model, gpu.library, gpu.device)
    engine = _from_cache(model, key, gpu, cache)
    if engine is not None:
        return engine
    answering = None
    if serving is not None:
        try:
            answering = serving()
        except ModelError as error:
            log.warning("nothing answers while the plan is built: %s", error)
    request = BuildRequest(str(model), key, str(cache.folder), gpu.device.index)

    def finish(build: PlanBuild) -> Engine:
        return _built(build, model, key, gpu)

    if answering is not None:
        try:
            return BuildingEngine(answering, PlanBuild(request), finish)
        except ModelError as error:
            log.error("%s goes on: %s", answering.backend, error)
            return answering
    build = PlanBuild(request)
    try:
        while not build.wait(_POLL_S):
            if cancelled():
                raise BuildCancelled(f"the TensorRT plan of {model} was not waited for")
        return finish(build)
    finally:
        build.cancel()


def _from_cache(model: Path, key: PlanKey, gpu: Gpu, cache: EngineCache) -> Engine | None:
    """The engine of a plan that is there and works; one that does not is removed."""
    keys = [key]
    if key.flavour == "tensorrt_rtx":  # its plans are finished on the GPU, so one made elsewhere will do
        keys.append(key.without_gpu())
    for candidate in keys:
        plan = cache.load(candidate)
        if plan is None:
            continue
        try:
            engine = TensorRtEngine(model, plan, gpu.library, device=gpu.device.index)
        except PlanError as error:
            log.warning("%s does not load and will be built again: %s", cache.path(candidate), error)
            _discard(cache, candidate)
            continue
        log.info("the plan is %s", cache.path(candidate))
        return engine
    return None


def _discard(cache: EngineCache, key: PlanKey) -> None:
    try:
        cache.discard(key.digest)
    except CacheError as error:
        log.warning("%s", error)


def _built(build: PlanBuild, model: Path, key: PlanKey, gpu: Gpu) -> Engine:
    """:raises ModelError: the build failed, or the file is another one now, whose card would not be the plan's"""
    built = build.result()
    require_unchanged(model, key)
    if built.not_kept:
        log.warning("the plan is built but not kept, and will be built again at the next start: %s", built.not_kept)
    what = "built by another process" if built.reused else "built"
    log.info("the TensorRT plan of %s was %s in %.1f s, %.1f MB", model, what, built.seconds, len(built.plan) / 1e6)
    return TensorRtEngine(model, built.plan, gpu.library, device=gpu.device.index)
