"""Which detections belong to a depth image: the newest at or before it, if not too old; and what to say without any."""

from __future__ import annotations

from typing import Any, NamedTuple

from hand_pose_ros.live.recent import Recent
from hand_pose_ros.messages.detections import pixel_regions
from hand_pose_ros.perception.types import PixelRegion

_KEPT = 64  # more than any tolerance needs: a detector's rate is a camera's at most


class Regions(NamedTuple):
    """Where new hands are to be looked for in an image.

    :param regions: none where there are no detections for the image
    :param state: one line for diagnostics
    :param problem: why there are no detections, or ""
    """

    regions: tuple[PixelRegion, ...]
    state: str
    problem: str = ""


class Detections:
    """Remembers vision_msgs/Detection2DArray messages.

    :param topic: what the topic is called after remapping
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._recent = Recent(_KEPT)

    def add(self, message: Any, _: int) -> None:
        """A message came; from any thread."""
        self._recent.add(message)

    def clear(self) -> None:
        """Forget them: what comes next may be of another time."""
        self._recent.clear()

    def at(self, stamp_ns: int, frame_id: str, max_age_s: float) -> Regions:
        """The regions of an image.

        :param stamp_ns, frame_id: of the image
        :param max_age_s: detections that are older than the image by more are not used
        """
        messages = self._recent.all()
        if not messages:
            return self._none("missing", "none has come: is it published?")
        earlier = [stamped for stamped in messages if stamped.stamp_ns <= stamp_ns]
        if not earlier:
            ahead = (min(stamped.stamp_ns for stamped in messages) - stamp_ns) / 1e9
            return self._none(
                "missing", f"all are newer than the image, by {ahead:.2f} s at least: does the detector keep its stamp?"
            )
        newest = max(reversed(earlier), key=lambda stamped: stamped.stamp_ns)
        age_s = (stamp_ns - newest.stamp_ns) / 1e9
        if age_s > max_age_s:
            text = f"the newest is {age_s:.2f} s older than the image, more than detections_max_age_s ({max_age_s}): "
            return self._none(f"stale, {age_s:.2f} s", text + "is the detector running, does it keep the image's stamp?")
        frame = newest.message.header.frame_id
        if frame and frame != frame_id:
            text = f"it is in frame {frame!r} and the depth image in {frame_id!r}, so their pixels are not the same: "
            return self._none("of another camera", text + "let the detector look at one that is registered to the depth image")
        regions = pixel_regions(newest.message)
        return Regions(regions, f"{len(regions)}, {age_s:.2f} s old")

    def _none(self, state: str, why: str) -> Regions:
        return Regions((), state, f"{self._topic}: {why} No new hand is taken up (use_detections is on)")
