"""Recorded frames to hands, with the stages and parameters of the live node, but every frame and as fast as it goes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hand_pose_ros.bags.source import Source, SourceFrame
from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.order import FrameOrder, Order
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.topics import TopicSpec
from hand_pose_ros.messages.color_input import ColorError
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.perception.types import DepthFrame, FrameResult

log = logging.getLogger(__name__)


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
    much older starts tracking anew, as in the live node. A frame that cannot be answered is answered with the reason. What the
    detector holds is given back after the last frame, or when the generator is closed.
    """
    step = FrameStep(engine, library, parameters)
    order = FrameOrder()
    sequence = None
    try:
        for frame in source.frames():
            if sequence != frame.sequence or not tracking:
                step.reset()
                sequence, order = frame.sequence, FrameOrder()
            if frame.error:
                yield Answer(frame, None, None, [], frame.error)
                continue
            verdict = order.next(stamp_ns(frame.image.header))
            if verdict is Order.LATE:
                behind_ms = order.behind_ns / 1e6
                error = f"its stamp is {behind_ms:.1f} ms behind, not newer than the one before (published twice? stamp not set?)"
                yield Answer(frame, None, None, [], error)
                continue
            if verdict is Order.SET_BACK:
                step.reset()
            yield _answer(frame, step)
    finally:
        step.close()


def _answer(frame: SourceFrame, step: FrameStep) -> Answer:
    if step.needs_color and frame.color is None:
        return Answer(frame, None, None, [], "no colour image was taken at its moment, and the model sees colour")
    started = time.perf_counter()
    try:
        answered = step.run(frame.image, frame.info, color=frame.color)
    except (DepthError, CameraError, ColorError) as error:
        return Answer(frame, None, None, [], str(error))
    except Exception as error:  # the next frame may be fine
        log.exception("frame %s could not be answered", frame.name)
        step.reset()
        return Answer(frame, None, None, [], f"it could not be answered: {error!r}")
    stage_ms = {**answered.result.stage_ms, "total": (time.perf_counter() - started) * 1e3}
    return Answer(frame, answered.depth, replace(answered.result, stage_ms=stage_ms), answered.messages)
