"""Where replay gets its frames: a rosbag2 recording or a folder of depth images, both as messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.live.topics import TopicSpec
from hand_pose_ros.messages.library import MessageLibrary

log = logging.getLogger(__name__)


class SourceFrame(NamedTuple):
    """One depth image with its camera.

    :param sequence: frames of one sequence follow each other in time; tracking starts anew with another one
    :param name: what pictures and JSON lines call the frame
    :param image: what `depth_frame` reads: sensor_msgs/Image or CompressedDepthImage
    :param info: sensor_msgs/CameraInfo
    :param compressed: the sensor_msgs/CompressedImage that `image` was read from, if it was
    :param error: why it could not be read; `image` is then that message, or where it is damaged an empty one with the time at
        which it was recorded, and `info` is None
    :param color: sensor_msgs/Image of the same moment, where colour is read; None where there is none
    """

    sequence: str
    name: str
    image: Any
    info: Any
    compressed: Any = None
    error: str = ""
    color: Any = None

    @property
    def recorded(self) -> Any:
        """The image's message as it was recorded."""
        return self.image if self.compressed is None else self.compressed


class Source(Protocol):
    """A recording to replay.

    :ivar path: where it lies
    :ivar count: number of depth images
    :ivar rate_hz: images a second
    :ivar depth_scale: metres a count that the recording asks for, or None for the encoding's own unit
    :ivar depth_input: what depth images were recorded as, `DEPTH_IMAGE` or `COMPRESSED_DEPTH`
    :ivar truth_topic: with known joints; "" where there is none
    :ivar truth: stamp (ns) -> HandPoseArray with the known joints, filled as the frames are read; who scores them takes them out
    """

    path: Path
    count: int
    rate_hz: float
    depth_scale: float | None
    depth_input: TopicSpec
    truth_topic: str
    truth: dict[int, Any]

    def frames(self) -> Iterator[SourceFrame]:
        """The frames in order."""

    def close(self) -> None:
        """Close its files."""


def playable(source: Source) -> Iterator[SourceFrame]:
    """The frames of a source that can be sent as a camera sends them; others are left out, with a warning."""
    for frame in source.frames():
        if frame.error:
            log.warning("%s: frame %s is left out: %s", source.path, frame.name, frame.error)
        else:
            yield frame


def open_source(
    path: Path,
    library: MessageLibrary,
    *,
    image_topic: str = "",
    camera_info_topic: str = "",
    truth_topic: str = "",
    camera_file: Path | None = None,
    rate_hz: float = 30.0,
    frame_id: str = "camera",
    transports: Sequence[str] = ("raw",),
    color_topic: str | None = None,
) -> Source:
    """Open a recording of any kind.

    :param image_topic, camera_info_topic: of a bag; "" finds them
    :param truth_topic: of a bag, a HandPoseArray with known joints; left out where the bag lacks it
    :param camera_file: takes the place of the bag's camera info, or of the folder's camera.yaml
    :param rate_hz, frame_id: of a folder's frames, which carry neither
    :param transports: of a bag's depth images, what the caller reads (of `TRANSPORTS`), the preferred one first
    :param color_topic: of a bag, colour images for a model that sees them; "" finds it, None reads none
    :raises BagError: it is missing or neither kind, or has no colour images
    """
    from hand_pose_ros.bags.bag_source import BagSource
    from hand_pose_ros.bags.folder import FolderSource, has_images
    from hand_pose_ros.bags.reader import is_bag

    if path.is_dir() and not is_bag(path):
        if not has_images(path):
            raise BagError(
                f"{path} is no recording: give a rosbag2 folder (metadata.yaml), a .mcap or .db3 file, or a folder of "
                "16-bit .png depth images (or of folders of them) with a camera.yaml"
            )
        if color_topic is not None:
            raise BagError(f"{path} is a folder of depth images, and the model sees colour: replay a recording that has both")
        return FolderSource(path, library, camera_file=camera_file, rate_hz=rate_hz, frame_id=frame_id)
    return BagSource(
        path,
        library,
        image_topic=image_topic,
        camera_info_topic=camera_info_topic,
        truth_topic=truth_topic,
        camera_file=camera_file,
        transports=transports,
        color_topic=color_topic,
    )
