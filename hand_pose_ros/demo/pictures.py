"""Draws what came back into the images that were sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from hand_pose_ros.bags.source import Source, playable
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.demo.session import SentFrame, Session
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.read_hands import frame_result
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import DepthFrame, FrameResult
from hand_pose_ros.viz.overlay import overlay
from hand_pose_ros.viz.pictures import RunPictures


def draw_session(
    session: Session, source: Source, library: RosbagsLibrary, writer: BagWriter, folder: Path, *, video: bool
) -> Iterator[None]:
    """Write pictures and video of a session, and its images into its recording; yields after each frame.

    :param source: the recording that was played, opened anew
    :param writer: of the session's recording: it gets the images, with the stamps they were sent with
    """
    topics = [(f"/{spec.name}", spec.typename) for spec in (DEPTH_IMAGE, CAMERA_INFO)]
    for topic, typename in topics:
        writer.add_topic(topic, typename)
    with RunPictures(folder, len(session.frames), source.rate_hz, video=video) as pictures:
        for sent, frame in zip(session.frames, playable(source)):
            header = make_header(library, sent.stamp_ns, frame.image.header.frame_id)
            frame.image.header = frame.info.header = header
            for (topic, typename), message in zip(topics, (frame.image, frame.info)):
                writer.write(topic, sent.stamp_ns, library.serialize(message, typename))
            pictures.add(sent.name, partial(_draw, sent, depth_frame(frame.image, frame.info, depth_scale=source.depth_scale)))
            yield


def _draw(sent: SentFrame, frame: DepthFrame) -> np.ndarray:
    if sent.answer is None:
        result, label = FrameResult(sent.stamp_ns, frame.frame_id, ()), f"{sent.name}: no answer"
    else:
        result, label = frame_result(sent.answer), f"{sent.name}: {sent.latency_ms:.1f} ms from image to hands"
    return overlay(frame.depth, frame.camera, result, truth=[hand.joints for hand in sent.true or []], label=label)
