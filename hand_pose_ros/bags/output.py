"""What replay writes: the recording of hands, joints by frame, pictures and video."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.bags.answer import Answer
from hand_pose_ros.bags.results import BAG, JOINTS
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.live.topics import CAMERA_INFO, HAND_OUTPUTS, MODEL, TopicSpec
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.metrics import rounded
from hand_pose_ros.perception.types import Hand
from hand_pose_ros.viz.overlay import overlay
from hand_pose_ros.viz.pictures import RunPictures

TOPICS = (*HAND_OUTPUTS, MODEL)


class ReplayOutput:
    """Writes the answers into a prepared folder; a context manager that finishes every file whatever happens inside.

    :param frames: how many there will be, to choose the pictures
    :param rate_hz: of the video
    :param model_card: JSON for the topic `model`
    :param images: copy the depth images, which are of this topic, into the recording of hands, so that one file shows both
    """

    def __init__(
        self,
        folder: Path,
        library: RosbagsLibrary,
        *,
        frames: int,
        rate_hz: float,
        model_card: str,
        video: bool = True,
        images: TopicSpec | None = None,
    ) -> None:
        self.folder = folder
        self._library = library
        self._model_card = model_card
        self._images = images
        with ExitStack() as stack:  # undoes what was opened when a later one fails
            self._bag = stack.enter_context(BagWriter(folder / BAG, library, compression="zstd" if images else "none"))
            for topic in TOPICS:
                self._bag.add_topic(_absolute(topic), topic.typename, transient_local=topic.qos.transient_local)
            if images:
                for topic in (images, CAMERA_INFO):
                    self._bag.add_topic(_absolute(topic), topic.typename)
            self._joints = stack.enter_context((folder / JOINTS).open("w", encoding="utf-8"))
            self._pictures = stack.enter_context(RunPictures(folder, frames, rate_hz, video=video))
            self._files = stack.pop_all()

    def __enter__(self) -> ReplayOutput:
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.close()

    def add(self, answer: Answer, true: list[np.ndarray]) -> None:
        """Write one frame. `true` are the known joints of its hands, (J, 3) metres each, drawn as crosses."""
        if answer.result is None:
            self._joints.write(json.dumps({"frame": answer.frame.name, "error": answer.error, "hands": []}) + "\n")
            return
        stamp = answer.result.stamp_ns
        if self._model_card:
            message = self._library.make("std_msgs/msg/String", data=self._model_card)
            self._write(MODEL, message, stamp)
            self._model_card = ""
        if self._images:
            self._write(self._images, answer.frame.recorded, stamp)
            self._write(CAMERA_INFO, answer.frame.info, stamp)
        for topic, message in answer.messages:
            self._write(topic, message, stamp)
        self._joints.write(json.dumps(_line(answer)) + "\n")
        name, depth = answer.frame.name, answer.depth
        self._pictures.add(name, lambda: overlay(depth.depth, depth.camera, answer.result, truth=true, label=name))

    def _write(self, topic: TopicSpec, message: Any, stamp: int) -> None:
        self._bag.write(_absolute(topic), stamp, self._library.serialize(message, topic.typename))


def _absolute(topic: TopicSpec) -> str:
    return "/" + topic.name.lstrip("/")


def _line(answer: Answer) -> dict[str, Any]:
    """A frame as a line of joints.jsonl: joints by name, metres in the camera optical frame, and pixels."""
    result, camera = answer.result, answer.depth.camera
    return {
        "frame": answer.frame.name,
        "stamp_ns": result.stamp_ns,
        "frame_id": result.frame_id,
        "hands": [_hand(hand, camera) for hand in result.hands],
    }


def _hand(hand: Hand, camera: Camera) -> dict[str, Any]:
    pixels = camera.project(hand.joints)
    joints = {
        name: {
            "xyz_m": [rounded(v, 5) for v in hand.joints[i]],
            "uv_px": [rounded(v, 2) for v in pixels[i]],
            "confidence": rounded(hand.confidence[i], 3),
        }
        for i, name in enumerate(hand.skeleton.joint_names)
    }
    return {
        "id": hand.id,
        "slot": hand.slot,
        "side": hand.side.name.lower(),
        "presence": rounded(hand.presence, 3),
        "joints": joints,
    }
