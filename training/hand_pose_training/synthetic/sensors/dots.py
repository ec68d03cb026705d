"""A held-out structured-light camera: it knows depth only where a projected dot lands, and fills in between from the dots.

Dots lie on an irregular grid; a dot in the projector's shadow or too weak to be seen is lost. A pixel takes the median of the
dots around it and averages those near the median. What comes of it and is not put in: outlines of the width of the grid, whole
dots of them too near or too far; narrow things lost between dots; steps; shadows narrowed by filling in from both sides
(the pattern look-up of Freedman et al. 2010 as Gschwandtner et al., "BlenSor", 2011, and Landau et al. 2015 simulate it).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hand_pose_training.synthetic.sensors.optics import FIELD_SIZE, SensorKind, mark_hidden

_MASK = FIELD_SIZE - 1
_REACH = 1.3  # pitches


class DotPattern(NamedTuple):
    """:param focal_baseline: px m
    :param pitch_px: of the dots
    :param noise_px: deviation of a dot's disparity
    :param reflect: brightness of a dot at 1 m, seen at right angles, over the least that is found
    :param lost: share of dots that are lost anywhere
    :param dots: least number of the seven or so dots around a pixel that must be there
    :param agree_px: dots whose disparity is so near to the median's are averaged
    :param side: of the projector, 1 or -1
    :param step_px, step_m: quanta of disparity and depth
    :param focal_px: the camera's focal length
    """

    focal_baseline: float
    pitch_px: float
    noise_px: float
    reflect: float
    lost: float
    dots: float
    agree_px: float
    side: float
    step_px: float
    step_m: float
    focal_px: float

    @property
    def kind(self) -> SensorKind:
        """Of the camera."""
        return SensorKind.STRUCTURED_LIGHT

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
        normal = rng.standard_normal((3, FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
        uniform = rng.random((FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
        values = np.array(self, np.float64)
        dots = _dots(inverse_depth, *origin, values, normal, uniform)
        return _fill(dots, *origin, inverse_depth.shape, columns, rows, values)


def sample_dot_pattern(rng: np.random.Generator, fx: float) -> DotPattern:
    """A random one for a camera of this focal length."""
    return DotPattern(
        focal_baseline=fx * rng.uniform(0.03, 0.075),
        pitch_px=rng.uniform(1.4, 3.2),
        noise_px=rng.uniform(0.02, 0.12),
        reflect=rng.uniform(2.5, 8),
        lost=rng.uniform(0, 0.15),
        dots=rng.integers(2, 4),
        agree_px=rng.uniform(0.4, 1.2),
        side=rng.choice((-1, 1)),
        step_px=1 / 8 if rng.random() < 0.6 else 1 / 32,
        step_m=0.001,
        focal_px=fx,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _dots(image, x0, y0, pattern, normal, uniform):
    """(rows, columns, 3) disparity, column and row in the window of the dots of the cells that it meets; disparity 0 = lost."""
    fb, pitch, noise, reflect, lost, side, focal = (
        pattern[0],
        pattern[1],
        pattern[2],
        pattern[3],
        pattern[4],
        pattern[7],
        pattern[10],
    )
    step = pattern[8]
    height, width = image.shape
    first_i, first_j = int(np.floor(x0 / pitch)), int(np.floor(y0 / pitch))
    found = np.zeros((int(height / pitch) + 2, int(width / pitch) + 2, 3))
    hidden = np.zeros((height, width), np.bool_)
    for y in range(height):
        mark_hidden(image[y], fb, side, hidden[y])
    for j in range(found.shape[0]):
        for i in range(found.shape[1]):
            a, b = (first_i + i) & _MASK, (first_j + j) & _MASK
            # Within its cell a dot lies anywhere but at the border.
            x = int((first_i + i + 0.5 + min(max(0.2 * normal[0, b, a], -0.3), 0.3)) * pitch) - x0
            y = int((first_j + j + 0.5 + min(max(0.2 * normal[1, b, a], -0.3), 0.3)) * pitch) - y0
            if x < 0 or y < 0 or x >= width or y >= height or image[y, x] == 0 or hidden[y, x] or uniform[b, a] < lost:
                continue
            inverse = image[y, x]
            # 1/z is linear over a plane's image: its slopes give the angle of incidence.
            slope_x = (image[y, min(x + 1, width - 1)] - image[y, max(x - 1, 0)]) / 2
            slope_y = (image[min(y + 1, height - 1), x] - image[max(y - 1, 0), x]) / 2
            squared_tan = (slope_x * slope_x + slope_y * slope_y) * (focal / inverse) ** 2
            if reflect * inverse * inverse < np.sqrt(1 + squared_tan):
                continue
            disparity = fb * inverse + noise * normal[2, b, a]
            found[j, i, 0] = max(np.floor(disparity / step + 0.5) * step, 0.0)
            found[j, i, 1], found[j, i, 2] = x, y
    return found


@njit(cache=True, nogil=True, fastmath=True)
def _fill(found, x0, y0, shape, columns, rows, pattern):
    fb, pitch, _, _, _, least, agree, _, _, step_m, _ = pattern
    first_i, first_j = int(np.floor(x0 / pitch)), int(np.floor(y0 / pitch))
    out = np.zeros((len(rows), len(columns)), np.float32)
    around = np.empty(9)
    for r in range(len(rows)):
        if rows[r] < y0 or rows[r] >= y0 + shape[0]:
            continue
        cj = int(np.floor(rows[r] / pitch)) - first_j
        for c in range(len(columns)):
            if columns[c] < x0 or columns[c] >= x0 + shape[1]:
                continue
            ci = int(np.floor(columns[c] / pitch)) - first_i
            count = 0
            for j in range(max(cj - 1, 0), min(cj + 2, found.shape[0])):
                for i in range(max(ci - 1, 0), min(ci + 2, found.shape[1])):
                    value = found[j, i, 0]
                    apart = max(abs(found[j, i, 1] + x0 - columns[c]), abs(found[j, i, 2] + y0 - rows[r]))
                    if value > 0 and apart <= _REACH * pitch:
                        k = count
                        while k > 0 and around[k - 1] > value:
                            around[k] = around[k - 1]
                            k -= 1
                        around[k] = value
                        count += 1
            if count < least:
                continue
            median = around[count // 2]
            total, members = 0.0, 0
            for k in range(count):
                if abs(around[k] - median) <= agree:
                    total += around[k]
                    members += 1
            out[r, c] = np.floor(fb * members / total / step_m + 0.5) * step_m
    return out
