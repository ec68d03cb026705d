"""The colour image of a depth image: what the overlay is drawn on, and what models of colour see."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from hand_pose_ros.live.pairing import FrameKey, image_key, remember
from hand_pose_ros.live.recent import Recent

# Cameras whose images are not taken at one moment; a hand moves a few centimetres in that time.
MAX_APART_NS = 100_000_000
# For a model that sees colour the hand must be where the depth image has it: a fast hand moves a centimetre in that time.
SAME_MOMENT_NS = 20_000_000
_KEPT = 8


class ColorPair(NamedTuple):
    """A colour image, and its camera info where one has come."""

    image: Any
    info: Any | None


class ColorImages:
    """Remembers colour images and camera infos; from any thread.

    :param topic: what the topic is called after remapping
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._recent = Recent(_KEPT)
        self._infos: dict[FrameKey, Any] = {}
        self._lock = threading.Lock()
        self._came = threading.Condition()

    def add_image(self, message: Any, _: int) -> None:
        """A sensor_msgs/Image came."""
        with self._came:
            self._recent.add(message)
            self._came.notify_all()

    def clear(self) -> None:
        """Forget the images: what comes next may be of another time."""
        self._recent.clear()

    def add_info(self, message: Any, _: int) -> None:
        """A sensor_msgs/CameraInfo came."""
        with self._lock:
            remember(self._infos, message)

    def at(self, stamp_ns: int, wait_s: float) -> Any | None:
        """The image of that moment (within SAME_MOMENT_NS); waits up to `wait_s` for one that is as new, or a little newer: those
        that are much newer are of before time was set back."""
        with self._came:
            self._came.wait_for(lambda: any(0 <= i.stamp_ns - stamp_ns <= MAX_APART_NS for i in self._recent.all()), wait_s)
        pair = self.near(stamp_ns, SAME_MOMENT_NS)
        return None if pair is None else pair.image

    def near(self, stamp_ns: int, max_apart_ns: int = MAX_APART_NS) -> ColorPair | None:
        """The image nearest in time, if it is within `max_apart_ns`."""
        images = self._recent.all()
        if not images:
            return None
        nearest = min(images, key=lambda stamped: abs(stamped.stamp_ns - stamp_ns))
        if abs(nearest.stamp_ns - stamp_ns) > max_apart_ns:
            return None
        with self._lock:
            return ColorPair(nearest.message, self._infos.get(image_key(nearest.message)))
