"""Which camera info belongs to an image: the newest of the same frame and size; and what to say when there is none."""

from __future__ import annotations

from typing import Any, NamedTuple

REPORT_PERIOD_S = 5.0
_REMEMBERED = 8  # cameras on one topic


class Pair(NamedTuple):
    """An image with its camera info, and when the image came (nanoseconds, the transport's clock)."""

    image: Any
    info: Any
    received_ns: int


class FrameKey(NamedTuple):
    """What an image and its camera info have in common."""

    frame_id: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} in frame {self.frame_id!r}"


class Pairing:
    """Pairs sensor_msgs/Image with sensor_msgs/CameraInfo and counts, for one report line every five seconds. Not thread safe.

    :param image_topic, info_topic: what the topics are called after remapping
    :param where: what the transport listens on ("domain 0, this machine only"), for the report
    """

    def __init__(self, image_topic: str, info_topic: str, where: str = "") -> None:
        self._image_topic, self._info_topic, self._where = image_topic, info_topic, where
        self._infos: dict[FrameKey, Any] = {}  # the newest is last
        self._waiting: tuple[Any, int] | None = None  # the newest image, if its camera info has yet to come
        self._last_image: FrameKey | None = None
        self._images = self._infos_seen = self._pairs = 0
        self._period_began_s: float | None = None

    def add_image(self, image: Any, received_ns: int) -> Pair | None:
        """The image with its camera info, or None if that is not known; the newest such image waits for it."""
        self._images += 1
        key = image_key(image)
        self._last_image = key
        info = self._infos.get(key)
        if info is None:
            self._waiting = (image, received_ns)
            return None
        self._waiting = None  # older, and perhaps of another camera
        self._pairs += 1
        return Pair(image, info, received_ns)

    def add_info(self, info: Any) -> Pair | None:
        """Remember a camera info; returns the image that waited for it, if there is one."""
        self._infos_seen += 1
        key = remember(self._infos, info)
        if self._waiting is None or key != self._last_image:
            return None
        (image, received_ns), self._waiting = self._waiting, None
        self._pairs += 1
        return Pair(image, info, received_ns)

    def report(self, now_s: float) -> str | None:
        """Every five seconds, if something is missing, one line that says what; else None.

        :param now_s: monotonic clock
        """
        if self._period_began_s is None:
            self._period_began_s = now_s
        if now_s - self._period_began_s < REPORT_PERIOD_S:
            return None
        counts, problem = (self._images, self._infos_seen, self._pairs), self._problem()
        seconds = now_s - self._period_began_s
        self._images = self._infos_seen = self._pairs = 0
        self._period_began_s = now_s
        return f"{seconds:.0f} s: images {counts[0]}, camera infos {counts[1]}, pairs {counts[2]}: {problem}" if problem else None

    def _problem(self) -> str:
        where = f" ({self._where})" if self._where else ""
        if self._images == 0:
            if self._infos_seen == 0:
                return f"are {self._image_topic} and {self._info_topic} published{where}?"
            return f"is {self._image_topic} published{where}?"
        if self._pairs == 0 and not self._infos:
            return f"is {self._info_topic} published{where}?"
        if self._pairs == 0:
            newest = next(reversed(self._infos))
            return f"the image is {self._last_image}, the camera info {newest}: remap {self._info_topic} to the one of this image"
        if self._infos_seen == 0:
            return f"{self._info_topic} has stopped, its last message is used: is it still published?"
        return ""


def remember(infos: dict[FrameKey, Any], info: Any) -> FrameKey:
    """Put a camera info last among those of a topic, in place of the one before of its camera; returns what it belongs to."""
    key = info_key(info)
    infos.pop(key, None)
    infos[key] = info
    if len(infos) > _REMEMBERED:
        del infos[next(iter(infos))]
    return key


def image_key(image: Any) -> FrameKey:
    """Frame and size of an image."""
    return FrameKey(image.header.frame_id, int(image.width), int(image.height))


def info_key(info: Any) -> FrameKey:
    """Frame and image size of a camera info: its region of interest, binned."""
    width = (int(info.roi.width) or int(info.width)) // max(int(info.binning_x), 1)
    height = (int(info.roi.height) or int(info.height)) // max(int(info.binning_y), 1)
    return FrameKey(info.header.frame_id, width, height)
