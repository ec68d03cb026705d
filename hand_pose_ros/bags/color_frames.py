"""The colour image of each recorded depth image, for models that see colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from hand_pose_ros.bags.source import SourceFrame
from hand_pose_ros.live.color import SAME_MOMENT_NS
from hand_pose_ros.live.recent import Stamped
from hand_pose_ros.messages.library import stamp_ns

# Depth images that wait for a colour image as new as they are, and colour images kept for them.
WAITING_FRAMES = 30
KEPT_IMAGES = 60


class ColorFrames:
    """Colour images in the order of recording, which need not be that of the stamps."""

    def __init__(self) -> None:
        self._images: deque[Stamped] = deque(maxlen=KEPT_IMAGES)
        self._newest_ns = -1

    def add(self, message: Any) -> None:
        """The recording's next colour image (sensor_msgs/Image)."""
        self._images.append(Stamped(stamp_ns(message.header), message))
        self._newest_ns = max(self._newest_ns, self._images[-1].stamp_ns)

    def joined(self, frames: Iterator[SourceFrame]) -> Iterator[SourceFrame]:
        """The frames, each with the colour image of its moment where there is one.

        :param frames: reading them calls `add`; each is held back until a colour image as new as it has been read
        """
        waiting: deque[SourceFrame] = deque()
        for frame in frames:
            waiting.append(frame)
            while waiting and (self._newest_ns >= _stamp_ns(waiting[0]) or len(waiting) > WAITING_FRAMES):
                yield self._with_color(waiting.popleft())
        yield from map(self._with_color, waiting)

    def _with_color(self, frame: SourceFrame) -> SourceFrame:
        at = _stamp_ns(frame)
        nearest = min(self._images, key=lambda image: abs(image.stamp_ns - at), default=None)
        found = nearest is not None and abs(nearest.stamp_ns - at) <= SAME_MOMENT_NS
        return frame._replace(color=nearest.message if found else None)


def _stamp_ns(frame: SourceFrame) -> int:
    return stamp_ns(frame.image.header)
