"""Depth images as pictures."""

from __future__ import annotations

import cv2
import numpy as np

INVALID_COLOUR = (46, 38, 34)  # BGR of pixels without depth
LIT_COLOUR = (255, 248, 240)
RANGE_BEHIND_M = 0.9  # what lies further behind the nearest surface than this is equally dark
DARKEST, FARTHEST = 0.05, 0.25  # brightness of what faces away from the lamp, and of what is far
AMBIENT, LAMP = 0.15, 0.6
TILT = 0.35  # of the lamp, to the left and to the top
RELIEF = 0.9  # slopes are drawn a little flatter than they are


def depth_picture(depth: np.ndarray, focal_px: float) -> np.ndarray:
    """A grey picture, near is bright, lit from the top left (Lambert's cosine) so that fingers stand out from the palm.

    :param depth: (H, W) metres, invalid 0
    :param focal_px: focal length in pixels, to turn differences between pixels into slopes
    :return: (H, W, 3) uint8 BGR
    """
    depth = np.ascontiguousarray(depth, np.float32)
    sample = depth[::4, ::4]  # a sixteenth tells as well where the nearest surface is
    sample = sample[sample > 0]
    near = float(np.percentile(sample, 1)) if len(sample) else 0.0
    # Everything below works in place: at video rate fresh memory costs more than the arithmetic.
    smooth = cv2.bilateralFilter(depth, 5, 0.02, 2.0)
    slope_x, slope_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    # A pixel at depth z is z / f wide, and Sobel's sums stand for eight of them.
    np.maximum(smooth, np.float32(1e-3), out=smooth)
    for slope in (slope_x, slope_y):
        cv2.divide(slope, smooth, dst=slope, scale=RELIEF * focal_px / 8)
    # The surface's normal towards the camera is (slope_x, slope_y, -1); the lamp is at (-TILT, -TILT, -1).
    light = cv2.add(slope_x, slope_y, dst=smooth)
    light *= np.float32(-TILT)
    light += np.float32(1)
    length = cv2.magnitude(slope_x, slope_y, magnitude=slope_x)
    length *= length
    length += np.float32(1)
    cv2.divide(light, cv2.sqrt(length, dst=length), dst=light, scale=LAMP)
    light += np.float32(AMBIENT)
    brightness = np.subtract(depth, np.float32(near), out=slope_y)
    np.clip(brightness, 0, np.float32(RANGE_BEHIND_M), out=brightness)
    brightness *= np.float32((FARTHEST - 1) / RANGE_BEHIND_M)
    brightness += np.float32(1)
    light *= brightness
    np.clip(light, np.float32(DARKEST), np.float32(1), out=light)
    channels = [cv2.convertScaleAbs(light, alpha=lit) for lit in LIT_COLOUR]
    invalid = depth <= 0
    for channel, colour in zip(channels, INVALID_COLOUR):
        np.copyto(channel, colour, where=invalid)
    return cv2.merge(channels)
