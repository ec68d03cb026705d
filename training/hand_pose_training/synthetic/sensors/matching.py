"""A held-out stereo camera: it matches windows of texture and finds the disparity of the layer that most of a window shows.

What comes of it and is not put in: outlines grow by half a window where the front has the stronger texture and shrink where
the back has; fingers closer than a window merge; surfaces are smoothed and their noise is shared by neighbours; narrow things
vanish. Sub-pixel estimates lean towards whole pixels (Shimizu & Okutomi, ICCV 2001), windows without a clear winner and pixels
that the second camera does not see are empty (left-right check).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hand_pose_training.synthetic.sensors.optics import FIELD_SIZE, SensorKind, field_value, mark_hidden

_MASK = FIELD_SIZE - 1
_SAME_LAYER = 0.5  # px of disparity a pixel of half the window, at least 1: so steep a surface is one layer
_WINDOW = np.array([(i, j) for j in range(-2, 3) for i in range(-2, 3) if (i + j) % 2 == 0]) / 2  # of half its edge, every second


class WindowMatcher(NamedTuple):
    """:param focal_baseline: px m
    :param half_px: half an edge of the matching window
    :param texture: deviation of the logarithm of a pixel's say in its window
    :param front: how much stronger the texture of nearer surfaces is
    :param noise_px: deviation of the disparity of one pixel of the window; that of the window is a quarter or so
    :param locking_px: how far estimates half-way lean to whole pixels
    :param winner: least share of the window that must agree
    :param side: of the second camera, 1 or -1; 0: what it does not see is filled in
    :param blind, blind_pitch_px: deviations above which blobs have no texture; their size
    :param step_px, step_m: quanta of disparity and depth
    """

    focal_baseline: float
    half_px: float
    texture: float
    front: float
    noise_px: float
    locking_px: float
    winner: float
    side: float
    blind: float
    blind_pitch_px: float
    step_px: float
    step_m: float

    @property
    def kind(self) -> SensorKind:
        """Of the camera."""
        return SensorKind.STEREO

    @property
    def reach_px(self) -> int:
        """How far beyond a pixel it looks."""
        return 12

    def sense(
        self,
        inverse_depth: np.ndarray,
        origin: tuple[int, int],
        columns: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        far_m: float,
    ) -> np.ndarray:
        """As `sensor.sense`; origin is the window's first column and row."""
        noise = rng.standard_normal((3, FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
        return _match(inverse_depth, *origin, columns, rows, np.array(self, np.float64), noise, 1 / far_m)


def sample_window_matcher(rng: np.random.Generator, fx: float) -> WindowMatcher:
    """A random one for a camera of this focal length."""
    return WindowMatcher(
        focal_baseline=fx * rng.uniform(0.045, 0.07),
        half_px=rng.uniform(1.6, 4.0),
        texture=rng.uniform(0.2, 0.8),
        front=rng.uniform(0.7, 1.6),
        noise_px=rng.uniform(0.1, 0.5),
        locking_px=rng.uniform(0, 0.08),
        winner=rng.uniform(0.4, 0.6),
        side=rng.choice((-1, 0, 1)),
        blind=rng.uniform(1.7, 3.0),
        blind_pitch_px=rng.uniform(5, 12),
        step_px=1 / 32,
        step_m=0.001,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _match(image, x0, y0, columns, rows, matcher, noise, least):
    fb, half, texture, front, noise_px, locking, winner, side, blind, blind_pitch, step_px, step_m = matcher
    out = np.zeros((len(rows), len(columns)), np.float32)
    hidden = np.zeros(image.shape[1], np.bool_)
    say = np.exp(texture * noise[1])
    count, same = len(_WINDOW), max(_SAME_LAYER * half, 1.0)
    disparity, weight, deviation = np.empty(count), np.empty(count), np.empty(count)
    offset = np.empty((count, 2), np.int64)
    for k in range(count):
        offset[k, 0], offset[k, 1] = int(np.floor(half * _WINDOW[k, 0] + 0.5)), int(np.floor(half * _WINDOW[k, 1] + 0.5))
    for r in range(len(rows)):
        row = rows[r]
        if row < y0 or row >= y0 + image.shape[0]:
            continue
        if side != 0:
            mark_hidden(image[row - y0], fb, side, hidden)
        for c in range(len(columns)):
            column = columns[c]
            x, y = column - x0, row - y0
            if x < 0 or x >= image.shape[1] or (side != 0 and hidden[x]):
                continue
            if field_value(noise[2], column / blind_pitch, row / blind_pitch) > 0.6 * blind:
                continue
            low, high, total, near, near_noise = 1e9, 0.0, 0.0, 0.0, 0.0
            for k in range(count):
                dx, dy = offset[k]
                here = fb * image[min(max(y + dy, 0), image.shape[0] - 1), min(max(x + dx, 0), image.shape[1] - 1)]
                # The texture is the scene's: pixels that share a part of their windows share its noise.
                i, j = (column + dx) & _MASK, (row + dy) & _MASK
                disparity[k], weight[k], deviation[k] = here, say[j, i], noise[0, j, i]
                low, high = min(low, here), max(high, here)
                total += weight[k]
                near += weight[k] * here
                near_noise += weight[k] * deviation[k]
            if high <= fb * least:
                continue
            if high - low <= same:
                found = (near + noise_px * near_noise) / total
            else:
                # The layers: around the nearest, around the farthest, and between.
                near, near_weight, near_noise = 0.0, 0.0, 0.0
                far, far_weight, far_noise = 0.0, 0.0, 0.0
                mid, mid_weight, mid_noise = 0.0, 0.0, 0.0
                for k in range(count):
                    if disparity[k] >= high - same:
                        near += front * weight[k] * disparity[k]
                        near_weight += front * weight[k]
                        near_noise += front * weight[k] * deviation[k]
                    elif disparity[k] <= low + same:
                        far += weight[k] * disparity[k]
                        far_weight += weight[k]
                        far_noise += weight[k] * deviation[k]
                    else:
                        mid += weight[k] * disparity[k]
                        mid_weight += weight[k]
                        mid_noise += weight[k] * deviation[k]
                best = max(near_weight, max(far_weight, mid_weight))
                if best < winner * (near_weight + far_weight + mid_weight):
                    continue
                if best == near_weight:
                    found = (near + noise_px * near_noise) / best
                elif best == far_weight:
                    found = (far + noise_px * far_noise) / best
                else:
                    found = (mid + noise_px * mid_noise) / best
            found -= locking * np.sin(2 * np.pi * found)
            found = np.floor(found / step_px + 0.5) * step_px
            if found <= 0.5:
                continue
            out[r, c] = np.floor(fb / found / step_m + 0.5) * step_m
    return out
