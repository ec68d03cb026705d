"""Recorded frames to hands, with the stages and parameters of the live node, but every frame and as fast as it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hand_pose_ros.bags.source import Source, SourceFrame
from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.app import LATE_FRAME_NS
from hand_pose_ros.live.outputs import OutputBuilder
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import TopicSpec
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, FrameResult


@dataclass(frozen=True)
class Answer:
    """What one recorded frame gave.

    :param frame: as recorded
    :param depth, result: decoded, and what was found in it, with the time of every stage; None where `error` says why not
    :param messages: what the node publishes for it
    """

    frame: SourceFrame
    depth: DepthFrame | None
    result: FrameResult | None
    messages: list[tuple[TopicSpec, Any]]
    error: str = ""


def answers(
    source: Source, engine: Engine, parameters: Parameters, library: MessageLibrary, *, tracking: bool = True
) -> Iterator[Answer]:
    """Run every frame of a recording through the pipeline.

    :param tracking: use the frame before; False looks at each frame alone, for frames far apart in time
    Tracking starts anew with each sequence. A frame that is a little older than the one before is left out and one that is
    much older starts tracking anew, as in the live node. A frame that cannot be read is answered with the reason.
    """
    pipeline = Pipeline(engine, parameters.pipeline_settings())
    outputs = OutputBuilder(library, parameters, engine.card.name)
    sequence, last_ns = None, -1
    for frame in source.frames():
        stamp = stamp_ns(frame.image.header)
        if sequence != frame.sequence or not tracking or stamp <= last_ns - LATE_FRAME_NS:
            pipeline.reset()
        elif stamp <= last_ns:
            yield Answer(frame, None, None, [], f"its stamp is {(last_ns - stamp) / 1e6:.1f} ms older than the frame before")
            continue
        sequence, last_ns = frame.sequence, stamp
        try:
            yield _answer(frame, pipeline, outputs, parameters)
        except (DepthError, CameraError) as error:
            yield Answer(frame, None, None, [], str(error))


def _answer(frame: SourceFrame, pipeline: Pipeline, outputs: OutputBuilder, parameters: Parameters) -> Answer:
    started = time.perf_counter()
    scale = parameters.depth_scale or None
    depth = depth_frame(frame.image, frame.info, rectified=parameters.rectified, depth_scale=scale)
    decoded = time.perf_counter()
    result = pipeline.process(depth)
    processed = time.perf_counter()
    messages = outputs.build(result)
    ended = time.perf_counter()
    stage_ms = {
        "decode": (decoded - started) * 1e3,
        **result.stage_ms,
        "build": (ended - processed) * 1e3,
        "total": (ended - started) * 1e3,
    }
    return Answer(frame, depth, replace(result, stage_ms=stage_ms), messages)
