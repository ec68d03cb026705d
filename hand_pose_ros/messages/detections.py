"""Regions of interest from an object detector: vision_msgs/Detection2DArray."""

from __future__ import annotations

import math
from typing import Any

from hand_pose_ros.perception.types import PixelRegion

# Detectors count from the image's corner, so that a box of the whole image goes from 0 to its width; pixels here from the
# middle of the corner's pixel.
_CORNER = -0.5


def pixel_regions(message: Any) -> tuple[PixelRegion, ...]:
    """The boxes of a vision_msgs/Detection2DArray (Humble and later), surest first.

    :param message: its boxes are in pixels of the depth image, so a detector that looks at a colour image must look at one that
        is registered to the depth image and has its size
    :return: a box that is turned (`theta`) gives the upright box around it; empty ones and those that are not finite are left out

    Of several hypotheses about one box the likeliest counts; a detector that gives none has score 1.
    """
    regions = [_region(detection) for detection in message.detections]
    return tuple(sorted((r for r in regions if r is not None), key=lambda region: -region.score))


def _region(detection: Any) -> PixelRegion | None:
    box = detection.bbox
    u, v, theta = float(box.center.position.x), float(box.center.position.y), float(box.center.theta)
    width, height = float(box.size_x), float(box.size_y)
    if not all(map(math.isfinite, (u, v, theta, width, height))) or width <= 0 or height <= 0:
        return None
    c, s = abs(math.cos(theta)), abs(math.sin(theta))
    half_u, half_v = (c * width + s * height) / 2, (s * width + c * height) / 2
    u, v = u + _CORNER, v + _CORNER
    scores = [float(result.hypothesis.score) for result in detection.results] or [1.0]
    score = max(score if math.isfinite(score) else 0.0 for score in scores)
    return PixelRegion(u - half_u, v - half_v, u + half_u, v + half_v, score)
