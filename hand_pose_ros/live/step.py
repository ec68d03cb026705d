"""One frame from its messages to the messages that answer it, each stage timed: what the live node and replay share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.outputs import OutputBuilder
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import TopicSpec
from hand_pose_ros.live.transforms import TransformLookup, TransformMissing, no_transforms
from hand_pose_ros.messages.color_input import registered_rgb
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import MessageLibrary
from hand_pose_ros.perception.inputs import crop_kind
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, FrameResult, PixelRegion
from hand_pose_ros.perception.workspace import Workspace


class Answered(NamedTuple):
    """What one frame gave.

    :param depth: the image in metres
    :param result: its hands in the image's frame, with the milliseconds of every stage
    :param messages: what to publish, in the target frame
    :param problem: why the messages have no hands although there may be some, or ""
    """

    depth: DepthFrame
    result: FrameResult
    messages: list[tuple[TopicSpec, Any]]
    problem: str = ""


class FrameStep:
    """Decodes, finds hands, builds messages. Not thread safe. The detector that the parameters name is its own.

    :param lookup: the transforms for `target_frame`
    :param cancelled: as `load_detector`
    :raises ModelError, ShareError, BuildCancelled: as `load_detector`, or the engine's model does not tell joints
    """

    def __init__(
        self,
        engine: Engine,
        library: MessageLibrary,
        parameters: Parameters,
        lookup: TransformLookup = no_transforms,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._parameters, self._lookup = parameters, lookup
        self._detector = load_detector(parameters, cancelled)
        self._pipeline = Pipeline(engine, parameters.pipeline_settings(), self._detector)
        self._needs_color = crop_kind(engine.card) == "rgb_crop"
        self._outputs = OutputBuilder(library, parameters, engine.card.name)
        self._frame_id: str | None = None

    def configure(self, parameters: Parameters) -> None:
        """Other values from the next frame on; the hands stay."""
        self._parameters = self._outputs.parameters = parameters
        self._pipeline.configure(parameters.pipeline_settings())

    def reset(self) -> None:
        """Forget the hands: they are searched for anew and get other ids."""
        self._pipeline.reset()
        self._outputs.reset()

    def close(self) -> None:
        """Give back what the detector holds; on the thread that made it."""
        if self._detector is not None:
            self._detector.engine.close()

    @property
    def needs_color(self) -> bool:
        """The model sees colour images."""
        return self._needs_color

    @property
    def angle_error_m(self) -> float:
        """How far the last frame's joints are, on average, from those that its joint angles stand for; NaN without angles."""
        return self._outputs.angle_error_m

    def run(self, image: Any, info: Any, regions: Sequence[PixelRegion] | None = None, color: Any | None = None) -> Answered:
        """Answer one frame; one of another camera than the frame before, by its frame_id, starts tracking anew.

        Without the transform to the target frame it is answered without hands: a controller that listens must never get numbers
        in another frame than it asked for.

        :param image, info: as for `depth_frame`
        :param regions: where new hands are looked for; None: everywhere
        :param color: sensor_msgs/Image registered to the depth image, for a model that sees colour. Without it such a model
            gives no hands, and those that are followed wait
        :raises DepthError, CameraError: as `depth_frame`
        :raises ColorError: as `registered_rgb`
        """
        started = time.perf_counter()
        scale = self._parameters.depth_scale or None
        depth = depth_frame(image, info, rectified=self._parameters.rectified, depth_scale=scale)
        if depth.frame_id != self._frame_id:  # of another camera: the hands' places mean nothing in its frame
            if self._frame_id is not None:
                self.reset()
            self._frame_id = depth.frame_id
        if self._needs_color and color is not None:
            depth = replace(depth, color=registered_rgb(color, image))
        stage_ms = {"decode": _since(started)}
        target, box = self._parameters.target_frame or depth.frame_id, self._parameters.box()
        result = shown = FrameResult(depth.stamp_ns, depth.frame_id, ())
        transform, problem = None, ""
        try:
            if box:  # perception needs it
                transform = self._transform(depth, target, stage_ms)
            if depth.color is not None or not self._needs_color:
                found = self._pipeline.process(depth, regions=regions, workspace=Workspace(box, transform) if box else None)
                result = self._outputs.stabilized(found)
            shown = result
            if target != depth.frame_id:  # as late as can be, for TF has had the longest time to arrive
                transform = transform or self._transform(depth, target, stage_ms)
                shown = result.transformed(transform, target)
        except TransformMissing as error:
            problem, shown = str(error), FrameResult(depth.stamp_ns, target, ())
        processed = time.perf_counter()
        messages = self._outputs.build(shown)
        stage_ms = {**stage_ms, **result.stage_ms, "build": _since(processed)}
        return Answered(depth, replace(result, stage_ms=stage_ms), messages, problem)

    def _transform(self, depth: DepthFrame, target: str, stage_ms: dict[str, float]) -> RigidTransform:
        """From the image's frame to the target; what it takes is added to the stage times as "transform"."""
        if target == depth.frame_id:
            return RigidTransform.identity()
        started = time.perf_counter()
        try:
            return self._lookup(target, depth.frame_id, depth.stamp_ns, self._parameters.transform_timeout_s)
        finally:
            stage_ms["transform"] = _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
