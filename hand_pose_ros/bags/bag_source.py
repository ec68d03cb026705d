"""The depth images of a rosbag2 recording, with the camera info that goes with them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hand_pose_ros.bags.camera_file import read_camera_file
from hand_pose_ros.bags.color_frames import ColorFrames
from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader, RawMessage, read_message
from hand_pose_ros.bags.source import SourceFrame
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.live.pairing import Pairing, image_key, info_key
from hand_pose_ros.live.topics import COMPRESSED_DEPTH, DEPTH_IMAGE
from hand_pose_ros.messages.color_input import COLOR_ENCODINGS
from hand_pose_ros.messages.depth_input import compressed_depth_image
from hand_pose_ros.messages.library import MessageError, MessageLibrary, make_header, stamp_ns

log = logging.getLogger(__name__)
IMAGE, COMPRESSED = DEPTH_IMAGE.typename, COMPRESSED_DEPTH.typename
COMPRESSED_SUFFIX = "/compressedDepth"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
HANDS = "hand_pose_ros/msg/HandPoseArray"
DEPTH_ENCODINGS = ("16UC1", "mono16", "32FC1")
# How many images are kept while no camera info for them has come; then it is looked for further on.
WAITING_IMAGES = 30
RATE_FROM_IMAGES = 20


class _Image(NamedTuple):
    """A depth image as `SourceFrame` has it, before its camera info."""

    image: Any
    compressed: Any = None
    error: str = ""


class BagSource:
    """A recording's depth images.

    :param image_topic, camera_info_topic: "" takes the only depth image topic, and the camera info beside it
    :param truth_topic: HandPoseArray with known joints; left out where the bag lacks it
    :param camera_file: takes the place of the recording's camera info
    :param transports: what the caller reads, "raw" and "compressedDepth", the preferred one first
    :param color_topic: colour images to read beside them, "" takes the only ones; None: none are read
    :raises BagError: it cannot be read, or which topics to take is not clear
    """

    def __init__(
        self,
        path: Path,
        library: MessageLibrary,
        *,
        image_topic: str,
        camera_info_topic: str,
        truth_topic: str,
        camera_file: Path | None,
        transports: Sequence[str] = ("raw",),
        color_topic: str | None = None,
    ) -> None:
        self.path = path
        self.truth: dict[int, Any] = {}
        self._library = library
        self._last_info: Any = None
        self._colors = ColorFrames()
        self._camera = read_camera_file(camera_file) if camera_file else None
        self.depth_scale = self._camera.depth_scale if self._camera else None
        self._bag = BagReader(path)
        try:
            self._choose_topics(image_topic, camera_info_topic, truth_topic, transports)
            self.color_topic = "" if color_topic is None else self._choose_color(color_topic)
        except BaseException:
            self.close()
            raise

    def _choose_topics(self, image_topic: str, camera_info_topic: str, truth_topic: str, transports: Sequence[str]) -> None:
        path = self.path
        types = [COMPRESSED if transport == "compressedDepth" else IMAGE for transport in transports]
        if image_topic and IMAGE not in types and not image_topic.endswith(COMPRESSED_SUFFIX):
            image_topic += COMPRESSED_SUFFIX  # below the one that is named, as for the node
        self.image_topic = image_topic or self._only_depth_topic(transports)
        if self.image_topic not in self._bag.types:
            raise BagError(
                f"{path} has no topic {self.image_topic}: give one of {_listed(self._topics_of(types))} as --image-topic"
            )
        typename = self._bag.types[self.image_topic]
        if typename not in types:
            wanted = " or ".join(types)
            raise BagError(f"topic {self.image_topic} of {path} is {typename}, not {wanted}: give another one as --image-topic")
        self.depth_input = COMPRESSED_DEPTH if typename == COMPRESSED else DEPTH_IMAGE
        self.camera_info_topic = "" if self._camera else camera_info_topic or self._camera_info_topic()
        if self.camera_info_topic and self._bag.types.get(self.camera_info_topic) != CAMERA_INFO:
            raise BagError(
                f"{path} has no camera info topic {self.camera_info_topic}; it has {_listed(self._bag.topics_of(CAMERA_INFO))}: "
                "--camera-info-topic, or --camera-file with a calibration"
            )
        self.truth_topic = truth_topic if self._bag.types.get(truth_topic) == HANDS else ""
        self.count = self._bag.counts[self.image_topic]
        if not self.count:
            raise BagError(f"topic {self.image_topic} of {path} has no messages: was the camera running?")
        self.rate_hz = self._rate_hz()

    def _choose_color(self, color_topic: str) -> str:
        if not color_topic:
            images = [topic for topic in self._bag.topics_of(IMAGE) if self._bag.counts[topic]]
            found = [topic for topic in images if self._first(topic).encoding in COLOR_ENCODINGS]
            if len(found) == 1:
                log.info("colour images of %s: %s", self.path, found[0])
                return found[0]
            which = (
                f"more than one topic of colour images ({_listed(found)}): say which"
                if found
                else "no colour images: record them"
            )
            raise BagError(f"the model sees colour, and {self.path} has {which} (--color-topic)")
        if self._bag.types.get(color_topic) != IMAGE:
            raise BagError(f"{self.path} has no colour images {color_topic}; its images: {_listed(self._bag.topics_of(IMAGE))}")
        return color_topic

    def frames(self) -> Iterator[SourceFrame]:
        """The depth images in the order of recording, each with the newest camera info of its frame and size before it.

        Images before the first such camera info have that one. Known joints are in `truth` when their frame comes.

        :raises BagError: no such camera info comes
        """
        paired = self._colors.joined(self._paired()) if self.color_topic else self._paired()
        if not self.truth_topic:
            yield from paired
            return
        held = None  # known joints are recorded after their image: a frame is given when the next one was read
        for frame in paired:
            if held is not None:
                yield held
            held = frame
        if held is not None:
            yield held

    def _paired(self) -> Iterator[SourceFrame]:
        pairing = Pairing(self.image_topic, self.camera_info_topic)
        waiting: list[_Image] = []
        index = 0
        topics = {self.image_topic, self.camera_info_topic, self.truth_topic, self.color_topic}
        for message in self._bag.messages(topics - {""}):
            if message.topic == self.image_topic:
                waiting.append(self._read(message))
            elif (read := read_message(message, self._library, self.path)) is None:
                continue
            elif message.topic == self.color_topic:
                self._colors.add(read)
            elif message.topic == self.truth_topic:
                self.truth[stamp_ns(read.header)] = read
            else:
                self._last_info = read
                pairing.add_info(read)
            if len(waiting) == WAITING_IMAGES and (info := self._first_info(waiting[0].image)) is not None:
                pairing.add_info(info)
            while waiting:
                info = None if waiting[0].error else self._info_of(waiting[0].image, pairing)
                if info is None and not waiting[0].error:
                    break
                image, compressed, error = waiting.pop(0)
                yield SourceFrame("", f"{index:06d}", image, info, compressed, error)
                index += 1
            if len(waiting) == WAITING_IMAGES:
                break
        if waiting:
            raise BagError(self._unpaired(waiting[0].image))

    def _read(self, raw: RawMessage) -> _Image:
        try:
            message = self._library.deserialize(raw.cdr, raw.typename)
        except MessageError as error:
            empty = self._library.make(raw.typename, header=make_header(self._library, raw.stamp_ns, ""))
            return _Image(empty, error=f"damaged in the recording: {error}")
        if self.depth_input is DEPTH_IMAGE:
            return _Image(message)
        try:
            return _Image(compressed_depth_image(message), message)
        except DepthError as error:
            return _Image(message, message, str(error))

    def _info_of(self, image: Any, pairing: Pairing) -> Any:
        """The camera info of an image, or None where it has not come yet."""
        if self._camera:
            return self._camera.camera_info(self._library, image.header)
        pair = pairing.add_image(image, 0)
        return pair and pair.info

    def _first_info(self, image: Any) -> Any:
        """The recording's first camera info of an image's frame and size, by a pass of its own; None where there is none."""
        with BagReader(self.path) as bag:
            for _, info in bag.read({self.camera_info_topic}, self._library):
                self._last_info = info
                if info_key(info) == image_key(image):
                    return info
        return None

    def _unpaired(self, image: Any) -> str:
        remedy = "give another --camera-info-topic, or the camera's calibration with --camera-file"
        if self._last_info is None:
            return f"{self.path}: no camera info comes on {self.camera_info_topic}: {remedy}"
        return (
            f"{self.path}: the images are {image_key(image)}, the camera info on {self.camera_info_topic} is "
            f"{info_key(self._last_info)}: {remedy}"
        )

    def close(self) -> None:
        """Close the recording."""
        self._bag.__exit__()

    def _rate_hz(self) -> float:
        """Of the first images; 30 where there are not two with different times."""
        stamps = [message.stamp_ns for message in islice(self._bag.messages({self.image_topic}), RATE_FROM_IMAGES)]
        period_ns = float(np.median(np.diff(stamps))) if len(stamps) > 1 else 0.0
        return 1e9 / period_ns if period_ns > 0 else 30.0

    def _only_depth_topic(self, transports: Sequence[str]) -> str:
        """The only depth image topic of the first of the transports that the recording has one of."""
        images, compressed = self._bag.topics_of(IMAGE), self._bag.topics_of(COMPRESSED)
        depth = {
            "raw": [t for t in images if self._first(t).encoding in DEPTH_ENCODINGS],
            "compressedDepth": [
                t for t in compressed if t.endswith(COMPRESSED_SUFFIX) or "compressedDepth" in self._first(t).format
            ],
        }
        for topics in (depth[transport] for transport in transports):
            if len(topics) == 1:
                log.info("depth images of %s: %s", self.path, topics[0])
                return topics[0]
            if topics:
                which = _listed(topics)
                raise BagError(f"{self.path} has more than one depth image topic ({which}): say which with --image-topic")
        if depth["compressedDepth"]:
            raise BagError(
                f"{self.path} has compressed depth alone ({_listed(depth['compressedDepth'])}): `hand-pose replay` reads it; for "
                "others record what `ros2 run image_transport republish compressedDepth raw` publishes"
            )
        if depth["raw"]:
            raise BagError(f"{self.path} has raw depth alone ({_listed(depth['raw'])}): set depth_transport to raw")
        topics = _listed(sorted(self._bag.types))
        image_topics = _listed([*images, *compressed])
        raise BagError(f"{self.path} has no depth image topic; its image topics: {image_topics}; all topics: {topics}")

    def _first(self, topic: str) -> Any:
        """The first message on a topic that can be read."""
        for _, message in self._bag.read({topic}, self._library):
            return message
        raise BagError(f"{self.path}: not one message on {topic} can be read: copy the recording again, or record it again")

    def _topics_of(self, typenames: list[str]) -> list[str]:
        return sorted(topic for typename in typenames for topic in self._bag.topics_of(typename))

    def _camera_info_topic(self) -> str:
        """The camera info beside the image ("/depth/image_rect" -> "/depth/camera_info"), or the only one."""
        beside = self.image_topic.removesuffix(COMPRESSED_SUFFIX).rpartition("/")[0] + "/camera_info"
        found = self._bag.topics_of(CAMERA_INFO)
        if beside in found:
            return beside
        if len(found) == 1:
            return found[0]
        if found:
            raise BagError(f"{self.path} has no {beside} but {_listed(found)}: say which with --camera-info-topic")
        raise BagError(
            f"{self.path} has no camera info: give the camera's calibration with --camera-file (camera_info_manager YAML), "
            f"or record {beside} with the images"
        )


def _listed(topics: list[str]) -> str:
    return ", ".join(topics) or "none"
