"""A held-out time-of-flight camera: a pixel adds up the modulated light that reaches it, and its phase is the depth.

Light comes from a blurred neighbourhood and, a little, from all of the window (stray light in the lens), each part as strong as
its surface is bright: (brightness / z^2) exp(4 pi i f z / c). What comes of it and is not put in: mixed pixels between or
beyond two surfaces, outlines pulled to what is brighter, near things that pull far ones nearer, noise that grows as the return
weakens. Besides, depth wiggles with the phase, since the modulation is no pure sine (Lindner & Kolb 2006; Kahlmann et al.
2006), and pixels of little or contradictory light are empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hand_pose_training.synthetic.sensors.optics import FIELD_SIZE, SensorKind, field_value, look

_LIGHT_M_S = 299_792_458.0
_FIELD_PITCH_PX = 20.0
_RING = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [0.8, 0.8], [-0.8, 0.8], [0.8, -0.8], [-0.8, -0.8]])
_ALIKE_M = 0.006  # a neighbourhood of so little depth shows the depth of its middle


class PhasorCamera(NamedTuple):
    """:param modulation_hz: of the light
    :param blur_px: distance of the neighbours that a pixel's light comes from, too
    :param blur: their share together, to that of the pixel's own direction
    :param glare: share of the light that comes from all of the window
    :param noise_m: deviation of the depth at 1 m of a surface seen at right angles
    :param wiggle_m: half the depth's swing with the phase
    :param albedo: deviation of the brightness over its usual value, in blobs
    :param contrast: least length of the summed phasor over the summed light
    :param light: least brightness, as of 1 m and right angles
    :param step_m: quantum of the depth
    :param focal_px: the camera's focal length
    """

    modulation_hz: float
    blur_px: float
    blur: float
    glare: float
    noise_m: float
    wiggle_m: float
    albedo: float
    contrast: float
    light: float
    step_m: float
    focal_px: float

    @property
    def kind(self) -> SensorKind:
        """Of the camera."""
        return SensorKind.TIME_OF_FLIGHT

    @property
    def reach_px(self) -> int:
        """How far beyond a pixel it looks."""
        return 4

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
        field = rng.standard_normal((FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
        normal = rng.standard_normal((len(rows), len(columns)), dtype=np.float32)
        wave_number = 4 * np.pi * self.modulation_hz / _LIGHT_M_S
        values = np.array((wave_number, *self[1:]), np.float64)
        return _receive(inverse_depth, *origin, columns, rows, values, rng.uniform(0, 2 * np.pi), field, normal, far_m)


def sample_phasor_camera(rng: np.random.Generator, fx: float) -> PhasorCamera:
    """A random one for a camera of this focal length."""
    return PhasorCamera(
        modulation_hz=rng.uniform(60e6, 200e6),
        blur_px=rng.uniform(0.7, 1.4),
        blur=rng.uniform(0.1, 0.5),
        glare=rng.uniform(0, 0.03),
        noise_m=rng.uniform(0.0008, 0.003),
        wiggle_m=rng.uniform(0, 0.003),
        albedo=rng.uniform(0, 0.4),
        contrast=rng.uniform(0.6, 0.97),
        light=rng.uniform(0.05, 0.3),
        step_m=0.001,
        focal_px=fx,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _brightness(image, x, y, focal):
    """cos(angle of incidence) / z^2 at a pixel of the window."""
    i, j = int(max(x + 0.5, 0.0)), int(max(y + 0.5, 0.0))
    inverse = look(image, i, j)
    if inverse == 0:
        return 0.0
    slope_x, slope_y = (look(image, i + 1, j) - look(image, i - 1, j)) / 2, (look(image, i, j + 1) - look(image, i, j - 1)) / 2
    squared_tan = (slope_x * slope_x + slope_y * slope_y) * (focal / inverse) ** 2
    # Across an outline the slope tells nothing of the surface, so it is not let beyond a steep one's.
    return inverse * inverse / np.sqrt(1 + min(squared_tan, 25.0))


@njit(cache=True, nogil=True, fastmath=True)
def _receive(image, x0, y0, columns, rows, camera, start, field, normal, far):
    wave, blur_px, blur, glare, noise, wiggle, albedo, contrast, least, step, focal = camera
    out = np.zeros((len(rows), len(columns)), np.float32)
    height, width = image.shape
    stray_cos, stray_sin, stray, places = 0.0, 0.0, 0.0, 0
    if glare > 0:
        for j in range(0, height, 8):
            for i in range(0, width, 8):
                places += 1
                if image[j, i] > 0:
                    light = image[j, i] * image[j, i]
                    stray_cos += light * np.cos(wave / image[j, i])
                    stray_sin += light * np.sin(wave / image[j, i])
                    stray += light
        stray_cos, stray_sin, stray = glare * stray_cos / places, glare * stray_sin / places, glare * stray / places
    for r in range(len(rows)):
        y = rows[r] - y0
        if y < 0 or y >= height:
            continue
        for c in range(len(columns)):
            x = columns[c] - x0
            if x < 0 or x >= width:
                continue
            least_seen, most_seen = 1e9, 0.0
            for k in range(9):
                inverse = look(image, x + blur_px * _RING[k, 0], y + blur_px * _RING[k, 1])
                most_seen = max(most_seen, inverse)
                if inverse > 0:
                    least_seen = min(least_seen, inverse)
            if most_seen * far <= 1:  # all is farther, or nothing is there
                continue
            low, high = 1 / most_seen, 1 / least_seen
            dark = max(1 + albedo * field_value(field, columns[c] / _FIELD_PITCH_PX, rows[r] / _FIELD_PITCH_PX), 0.1)
            real, imaginary, light, reference = 0.0, 0.0, 0.0, low
            if high - low < _ALIKE_M:
                seen = image[y, x] if image[y, x] > 0 else 1 / low
                real = light = (1 + blur) * dark * _brightness(image, x, y, focal)
                imaginary = light * wave * (1 / seen - reference)
            else:
                for k in range(9):
                    i, j = x + blur_px * _RING[k, 0], y + blur_px * _RING[k, 1]
                    inverse = look(image, i, j)
                    if inverse == 0:
                        continue
                    part = dark * _brightness(image, i, j, focal) * (1 if k == 0 else blur / 8)
                    phase = wave * (1 / inverse - reference)
                    real += part * np.cos(phase)
                    imaginary += part * np.sin(phase)
                    light += part
            own = light
            if glare > 0:
                turn_cos, turn_sin = np.cos(wave * reference), np.sin(wave * reference)
                real += stray_cos * turn_cos + stray_sin * turn_sin
                imaginary += stray_sin * turn_cos - stray_cos * turn_sin
                light += stray
            length = np.sqrt(real * real + imaginary * imaginary)
            if own < least or length < contrast * light:
                continue
            z = reference + np.arctan2(imaginary, real) / wave
            z += wiggle * np.sin(4 * wave * z + start) + noise * normal[r, c] / np.sqrt(length)
            if z > 0:
                out[r, c] = np.floor(z / step + 0.5) * step
    return out
