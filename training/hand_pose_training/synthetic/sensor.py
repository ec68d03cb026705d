"""What a depth sensor makes of a perfect depth image.

Look-ups are laterally displaced by correlated noise (Barron & Malik 2013; Handa et al. 2014), axial noise grows with z^2
for triangulating sensors, whose disparity is quantised (Khoshelham & Elberink 2012), edges lose, grow or mix pixels, the
projector's shadow is empty, surfaces seen at a grazing angle drop out, and blobs are missing. Only the pixels asked for
are computed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hand_pose_training.synthetic.renderer import Window

_FIELDS, _FIELD_SIZE = 4, 32  # lateral x, lateral y, holes, depth bias; the size is a power of two
_FIELD_MASK = _FIELD_SIZE - 1
MAX_REACH_PX = 6  # look-ups go this far beyond a sampled pixel; the rendered window needs that margin


class Sensor(NamedTuple):
    """One sensor's faults; all zero is a perfect one.

    :param lateral_px, lateral_pitch_px: deviation of the look-ups and the distance over which it changes
    :param disparity_px: deviation of the disparity; with `disparity_step_px` its quantum (0 = not quantised)
    :param focal_baseline: focal length times baseline, px m (0 = no triangulation)
    :param axial_m: deviation of the depth at 1 m, growing linearly (time of flight)
    :param bias_m: deviation of a slowly varying depth error
    :param edge_px, edge_jump_m: reach and height of what counts as a depth edge
    :param drop_behind, drop_front: probability that a pixel behind or in front of an edge is empty
    :param fly: probability that a front edge pixel lies somewhere between front and back
    :param fatten_px: the front grows into the back by up to this
    :param shadow_px: the projector's shadow, looked for up to so many pixels to the side; its sign is the projector's
    :param grazing_tan: tangent of the angle of incidence beyond which pixels drop out (0 = never)
    :param holes: deviations above which the hole field drops a blob (0 = never)
    :param holes_pitch_px: size of the blobs
    :param step_m: quantum of the depth (0 = none)
    :param focal_px: the camera's focal length, which `grazing_tan` needs
    """

    lateral_px: float = 0.0
    lateral_pitch_px: float = 2.0
    disparity_px: float = 0.0
    disparity_step_px: float = 0.0
    focal_baseline: float = 0.0
    axial_m: float = 0.0
    bias_m: float = 0.0
    edge_px: float = 0.0
    edge_jump_m: float = 0.012
    drop_behind: float = 0.0
    drop_front: float = 0.0
    fly: float = 0.0
    fatten_px: float = 0.0
    shadow_px: float = 0.0
    grazing_tan: float = 0.0
    holes: float = 0.0
    holes_pitch_px: float = 8.0
    step_m: float = 0.0
    focal_px: float = 0.0


PERFECT = Sensor()


def sample_sensor(rng: np.random.Generator, fx: float) -> Sensor:
    """A sensor of a random kind (coded light, stereo, structured light, time of flight) for a camera of this focal length."""
    kind = rng.random()
    u = rng.random(12)
    holes, pitch = (2.2 + 1.2 * u[0] if u[1] < 0.4 else 0.0), 4 + 8 * u[2]
    if kind < 0.30:  # coded light (SR300, SR305)
        return Sensor(
            lateral_px=0.15 + 0.6 * u[3],
            lateral_pitch_px=1 + 2 * u[4],
            disparity_px=0.005 + 0.05 * u[5],
            focal_baseline=fx * 0.026,
            edge_px=1 + 1.6 * u[6],
            drop_behind=0.3 + 0.7 * u[7],
            drop_front=0.5 * u[8],
            shadow_px=(4 * u[9]) * (1 if u[10] < 0.5 else -1),
            grazing_tan=3 + 5 * u[11],
            holes=holes,
            holes_pitch_px=pitch,
            step_m=0.000125,
            focal_px=fx,
        )
    if kind < 0.60:  # stereo (D4xx)
        return Sensor(
            lateral_px=0.4 + 0.9 * u[3],
            lateral_pitch_px=1.5 + 2 * u[4],
            disparity_px=0.03 + 0.10 * u[5],
            disparity_step_px=1 / 32 if u[5] < 0.5 else 1 / 8,
            focal_baseline=fx * 0.05,
            edge_px=1 + 2 * u[6],
            drop_behind=0.4 * u[7],
            drop_front=0.3 * u[8],
            fatten_px=2.5 * u[9],
            bias_m=0.002 * u[10],
            grazing_tan=4 + 6 * u[11],
            holes=holes,
            holes_pitch_px=pitch,
            step_m=0.001,
            focal_px=fx,
        )
    if kind < 0.75:  # structured light (Kinect, PrimeSense)
        return Sensor(
            lateral_px=0.4 + 0.8 * u[3],
            lateral_pitch_px=1.5 + 1.5 * u[4],
            disparity_px=0.03 + 0.09 * u[5],
            disparity_step_px=1 / 8,
            focal_baseline=fx * 0.075,
            edge_px=1 + 1.5 * u[6],
            drop_behind=0.4 * u[7],
            drop_front=0.35 * u[8],
            shadow_px=3 + 3 * u[9],
            grazing_tan=3 + 4 * u[11],
            holes=holes,
            holes_pitch_px=pitch,
            step_m=0.001,
            focal_px=fx,
        )
    if kind < 0.95:  # time of flight (Azure Kinect, Kinect v2)
        return Sensor(
            lateral_px=0.1 + 0.3 * u[3],
            lateral_pitch_px=1 + 1 * u[4],
            axial_m=0.001 + 0.004 * u[5],
            bias_m=0.004 * u[6],
            edge_px=1 + 0.8 * u[7],
            edge_jump_m=0.02,
            drop_front=0.6 * u[8] ** 2,
            fly=0.1 + 0.5 * u[9],
            grazing_tan=6 + 8 * u[11],
            holes=holes,
            holes_pitch_px=pitch,
            step_m=0.001,
            focal_px=fx,
        )
    return Sensor(lateral_px=0.3 * u[3], axial_m=0.001 * u[4], step_m=0.001)


def sense(
    inverse_depth: np.ndarray,
    window: Window,
    columns: np.ndarray,
    rows: np.ndarray,
    sensor: Sensor,
    rng: np.random.Generator,
) -> np.ndarray:
    """What the sensor reports at some pixels of its image.

    :param inverse_depth: (h, w) rendered 1/m over `window`, 0 = nothing seen
    :param columns, rows: (C,), (R,) pixels of the image; those outside the window read 0
    :return: (R, C) float32 metres, 0 = no depth
    """
    size = (len(rows), len(columns))
    field = rng.standard_normal((_FIELDS, _FIELD_SIZE, _FIELD_SIZE), dtype=np.float32)
    uniform = rng.random((3, *size), dtype=np.float32)
    normal = rng.standard_normal(size, dtype=np.float32)
    return _sense(inverse_depth, window.x0, window.y0, columns, rows, np.array(sensor, np.float64), field, uniform, normal)


@njit(cache=True, nogil=True, fastmath=True)
def _value(field, x, y):
    """The periodic field between its nodes, bilinear; x and y are not negative."""
    fx, fy = np.floor(x), np.floor(y)
    a, b = x - fx, y - fy
    i, j = int(fx) & _FIELD_MASK, int(fy) & _FIELD_MASK
    i1, j1 = (i + 1) & _FIELD_MASK, (j + 1) & _FIELD_MASK
    return (1 - b) * ((1 - a) * field[j, i] + a * field[j, i1]) + b * ((1 - a) * field[j1, i] + a * field[j1, i1])


@njit(cache=True, nogil=True, fastmath=True)
def _at(image, x, y):
    """Inverse depth at the window's pixel nearest to (x, y)."""
    i, j = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    return image[min(max(j, 0), image.shape[0] - 1), min(max(i, 0), image.shape[1] - 1)]


@njit(cache=True, nogil=True, fastmath=True)
def _rise(before, after, jump):
    """Difference in depth between two neighbours, 0 across an edge."""
    if before == 0 or after == 0:
        return 0.0
    rise = 1 / after - 1 / before
    return rise if abs(rise) < 2 * jump else 0.0


@njit(cache=True, nogil=True, fastmath=True)
def _sense(image, x0, y0, columns, rows, sensor, field, uniform, normal):
    lateral, pitch, disparity, disparity_step, fb = sensor[0], sensor[1], sensor[2], sensor[3], sensor[4]
    axial, bias, edge, jump, drop_behind, drop_front = sensor[5], sensor[6], sensor[7], sensor[8], sensor[9], sensor[10]
    fly, fatten, shadow, grazing, holes, holes_pitch = sensor[11], sensor[12], sensor[13], sensor[14], sensor[15], sensor[16]
    step, focal = sensor[17], sensor[18]
    out = np.zeros((len(rows), len(columns)), np.float32)
    for r in range(len(rows)):
        for c in range(len(columns)):
            column, row = columns[c], rows[r]
            x, y = float(column - x0), float(row - y0)
            if x < 0 or y < 0 or x >= image.shape[1] or y >= image.shape[0]:
                continue
            if lateral > 0:
                x += lateral * _value(field[0], column / pitch, row / pitch)
                y += lateral * _value(field[1], column / pitch, row / pitch)
            seen = _at(image, x, y)
            if fatten > 0:
                reach = fatten * uniform[2, r, c]
                best = max(_at(image, x - reach, y), _at(image, x + reach, y))
                best = max(best, max(_at(image, x, y - reach), _at(image, x, y + reach)))
                if best > 0 and (seen == 0 or 1 / seen - 1 / best > jump):
                    seen = best
            if seen == 0:
                continue
            if holes > 0 and _value(field[2], column / holes_pitch, row / holes_pitch) > 0.6 * holes:
                continue
            z = 1 / seen
            if edge > 0:
                left, right = _at(image, x - edge, y), _at(image, x + edge, y)
                up, down = _at(image, x, y - edge), _at(image, x, y + edge)
                nearest, farthest = max(max(left, right), max(up, down)), min(min(left, right), min(up, down))
                behind = z - 1 / nearest > jump if nearest > 0 else False
                front = farthest == 0 or 1 / farthest - z > jump
                if behind and uniform[0, r, c] < drop_behind:
                    continue
                if front:
                    if uniform[0, r, c] < drop_front:
                        continue
                    if uniform[1, r, c] < fly:
                        back = 1 / farthest if farthest > 0 else z + 0.5
                        z += uniform[2, r, c] * min(back - z, 0.5)
                if grazing > 0:
                    run = 2 * edge / (focal * seen)  # metres between the neighbours
                    rise_x, rise_y = _rise(left, right, jump), _rise(up, down, jump)
                    if rise_x * rise_x + rise_y * rise_y > (grazing * (0.75 + 0.5 * uniform[1, r, c]) * run) ** 2:
                        continue
            if shadow != 0 and fb > 0:
                hidden = False
                reach = 1.0
                while reach <= abs(shadow):
                    neighbour = _at(image, x + (reach if shadow > 0 else -reach), y)
                    if fb * (neighbour - seen) >= reach:
                        hidden = True
                        break
                    reach += 1.0
                if hidden:
                    continue
            if bias > 0:
                z += bias * _value(field[3], column / 16.0, row / 16.0)
            if axial > 0:
                z += axial * z * normal[r, c]
            if fb > 0:
                pixels = fb / z + disparity * normal[r, c]
                if disparity_step > 0:
                    pixels = np.floor(pixels / disparity_step + 0.5) * disparity_step
                if pixels <= 0:
                    continue  # too far to measure
                z = fb / pixels
            if step > 0:
                z = np.floor(z / step + 0.5) * step
            out[r, c] = z
    return out
