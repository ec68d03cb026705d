"""One frame from its messages to the messages that answer it, each stage timed: what the live node and replay share."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.outputs import OutputBuilder
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import TopicSpec
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import MessageLibrary
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, FrameResult


class Answered(NamedTuple):
    """What one frame gave: the image in metres, its hands with the milliseconds of every stage, and what to publish."""

    depth: DepthFrame
    result: FrameResult
    messages: list[tuple[TopicSpec, Any]]


class FrameStep:
    """Decodes, finds hands, builds messages. Not thread safe."""

    def __init__(self, engine: Engine, library: MessageLibrary, parameters: Parameters) -> None:
        self._parameters = parameters
        self._pipeline = Pipeline(engine, parameters.pipeline_settings())
        self._outputs = OutputBuilder(library, parameters, engine.card.name)

    def configure(self, parameters: Parameters) -> None:
        """Other values from the next frame on; the hands stay."""
        self._parameters = self._outputs.parameters = parameters
        self._pipeline.configure(parameters.pipeline_settings())

    def reset(self) -> None:
        """Forget the hands: they are searched for anew and get other ids."""
        self._pipeline.reset()

    def run(self, image: Any, info: Any) -> Answered:
        """Answer one frame.

        :param image, info: as for `depth_frame`
        :raises DepthError, CameraError: as `depth_frame`
        """
        started = time.perf_counter()
        scale = self._parameters.depth_scale or None
        depth = depth_frame(image, info, rectified=self._parameters.rectified, depth_scale=scale)
        decoded = time.perf_counter()
        result = self._pipeline.process(depth)
        processed = time.perf_counter()
        messages = self._outputs.build(result)
        build_ms = (time.perf_counter() - processed) * 1e3
        stage_ms = {"decode": (decoded - started) * 1e3, **result.stage_ms, "build": build_ms}
        return Answered(depth, replace(result, stage_ms=stage_ms), messages)
