"""Depth images as pictures."""

from __future__ import annotations

import cv2
import numpy as np

INVALID_COLOUR = (46, 38, 34)  # BGR of pixels without depth
RANGE_BEHIND_M = 0.9  # what lies further behind the nearest surface than this is equally dark
# Shading: a slope of this many metres a metre is drawn half dark.
SHADE_SLOPE = 1.5


def depth_picture(depth: np.ndarray, focal_px: float) -> np.ndarray:
    """A grey picture, near is bright, shaded by the surface's slope so that fingers stand out from the palm.

    :param depth: (H, W) metres, invalid 0
    :param focal_px: focal length in pixels, to turn differences between pixels into slopes
    :return: (H, W, 3) uint8 BGR
    """
    valid = depth > 0
    picture = np.empty((*depth.shape, 3), np.uint8)
    picture[:] = INVALID_COLOUR
    if not valid.any():
        return picture
    near = float(np.percentile(depth[valid], 1))
    brightness = 1 - 0.75 * np.clip((depth - near) / RANGE_BEHIND_M, 0, 1)
    smooth = cv2.bilateralFilter(np.asarray(depth, np.float32), 5, 0.02, 2.0)
    per_pixel = np.maximum(smooth, 1e-3) / focal_px  # metres a pixel at that depth
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) / (8 * per_pixel)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) / (8 * per_pixel)
    # A lamp at the top left: surfaces that face it are lighter. Jumps between surfaces have endless slopes, hence the arctangent.
    lamp = np.arctan((slope_x + slope_y) / (2 * SHADE_SLOPE)) / (np.pi / 2)
    steep = np.arctan(np.hypot(slope_x, slope_y) / SHADE_SLOPE) / (np.pi / 2)
    grey = np.clip(brightness * (0.78 + 0.25 * lamp - 0.45 * steep), 0.05, 1.0)
    picture[valid] = (grey[valid, None] * (255, 248, 240)).astype(np.uint8)
    return picture
