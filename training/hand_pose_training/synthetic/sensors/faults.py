"""The sensors that networks are trained with: faults of an image, each with a strength, laid over the true depth.

Look-ups are laterally displaced by correlated noise (Barron & Malik 2013; Handa et al. 2014); the disparity of triangulating
sensors is noisy and quantised, so axial noise grows with z^2 (Khoshelham & Elberink 2012; Nguyen et al. 2012); edges lose,
grow or mix pixels in a ragged line; what the projector or the second camera cannot see is empty; weak returns, of surfaces
that are far, dark or seen at a grazing angle, drop out; blobs are missing; light that goes round inner corners arrives late
(time of flight). Only the pixels asked for are computed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hand_pose_training.synthetic.sensors.optics import FIELD_SIZE, SensorKind, field_value, look, mark_hidden, rise

_FIELDS = 4  # each serves twice, the second time with rows and columns exchanged
_LATERAL, _BLOBS, _SMOOTH, _EDGES = range(_FIELDS)
_APART = 13.5  # nodes, so that both uses differ on the diagonal, too
_BIAS_PITCH_PX, _ALBEDO_PITCH_PX = 16.0, 24.0
_CORNER_PX = 5.0  # how far light goes round an inner corner
_SHADOW_REACH_PX, _REACH_PX = 12, 6


class Sensor(NamedTuple):
    """One sensor's faults; all zero is a perfect one. Deviations of what changes over some distance are those at the nodes of a
    smooth field; between them it deviates by two thirds of that.

    :param lateral_px, lateral_pitch_px: deviation of the look-ups and the distance over which it changes
    :param disparity_px: deviation of the disparity from pixel to pixel; `disparity_step_px` its quantum (0 = not quantised)
    :param smooth_px, smooth_pitch_px: deviation of the disparity that neighbours share, and the distance over which it changes
    :param focal_baseline: focal length times baseline, px m (0 = no triangulation)
    :param axial_m: deviation of the depth at 1 m, growing linearly, and as the return weakens (time of flight)
    :param bias_m: deviation of a slowly varying depth error
    :param edge_px, edge_jump_m: reach and height of what counts as a depth edge
    :param ragged, ragged_pitch_px: 0 to 1, how much that reach and the fattening vary along an edge; the length of stretches
        that are alike, and drop out together
    :param drop_behind, drop_front: probability that a pixel behind or in front of an edge is empty
    :param fly: probability that a front edge pixel lies somewhere between front and back
    :param stray, stray_m: probability that an edge pixel has a wrong depth, and its deviation
    :param fatten_px: the front grows into the back by up to this
    :param shadow: 1 or -1: what a projector or second camera on the right or left cannot see is empty; 0: all is seen
    :param range_m: distance up to which a surface of usual albedo seen at right angles returns enough light (0 = any)
    :param albedo: deviation of the albedo over its usual value, in blobs
    :param grazing_tan: tangent of the angle of incidence beyond which pixels drop out at any distance (0 = never)
    :param multipath: share of an inner corner's depth by which it is seen too far
    :param holes: deviations above which the hole field drops a blob (0 = never)
    :param holes_pitch_px: size of the blobs
    :param step_m: quantum of the depth (0 = none)
    :param focal_px: the camera's focal length, which angles of incidence need
    :param kind: of the camera; None for no real one
    """

    lateral_px: float = 0.0
    lateral_pitch_px: float = 2.0
    disparity_px: float = 0.0
    disparity_step_px: float = 0.0
    smooth_px: float = 0.0
    smooth_pitch_px: float = 6.0
    focal_baseline: float = 0.0
    axial_m: float = 0.0
    bias_m: float = 0.0
    edge_px: float = 0.0
    edge_jump_m: float = 0.012
    ragged: float = 0.0
    ragged_pitch_px: float = 1.0
    drop_behind: float = 0.0
    drop_front: float = 0.0
    fly: float = 0.0
    stray: float = 0.0
    stray_m: float = 0.03
    fatten_px: float = 0.0
    shadow: float = 0.0
    range_m: float = 0.0
    albedo: float = 0.0
    grazing_tan: float = 0.0
    multipath: float = 0.0
    holes: float = 0.0
    holes_pitch_px: float = 8.0
    step_m: float = 0.0
    focal_px: float = 0.0
    kind: SensorKind | None = None

    @property
    def reach_px(self) -> int:
        """How far beyond a pixel it looks; the rendered window needs that margin."""
        return _SHADOW_REACH_PX if self.shadow else _REACH_PX

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
        field = rng.standard_normal((_FIELDS, FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
        key = rng.integers(1 << 63, dtype=np.uint64)
        return _sense(inverse_depth, *origin, columns, rows, np.array(self[:-1], np.float64), field, key, 1 / far_m)


@njit(cache=True, nogil=True, fastmath=True)
def _even(deviation):
    """A value of a field -> 0 to 1, about evenly."""
    return min(max(0.5 + 0.45 * deviation, 0.0), 1.0)


@njit(cache=True, nogil=True, fastmath=True)
def _noise(key, column, row):
    """(0 to 1, about normal) of a pixel: hashing what is asked for is quicker than drawing for all pixels."""
    # The finaliser of SplitMix64 (Steele et al. 2014), over the pixel's number.
    state = key + np.uint64(row * 65536 + column) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    uniform = np.float64(state >> np.uint64(40)) / 16777216.0
    # Four numbers of 16 bits, whose sum has a third of their range squared as its variance.
    state = (state ^ (state >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)
    state ^= state >> np.uint64(32)
    low = np.uint64(0xFFFF)
    total = (state & low) + ((state >> np.uint64(16)) & low) + ((state >> np.uint64(32)) & low) + (state >> np.uint64(48))
    return uniform, (np.float64(total) / 65536.0 - 2.0) * 1.7320508075688772


@njit(cache=True, nogil=True, fastmath=True)
def _sense(image, x0, y0, columns, rows, sensor, field, key, least):
    lateral, pitch, disparity, disparity_step, smooth, smooth_pitch, fb = sensor[:7]
    axial, bias, edge, jump, ragged, ragged_pitch, drop_behind, drop_front = sensor[7:15]
    fly, stray, stray_m, fatten, shadow, reach_m, albedo = sensor[15:22]
    grazing, multipath, holes, holes_pitch, step, focal = sensor[22:28]
    out = np.zeros((len(rows), len(columns)), np.float32)
    hidden = np.zeros(image.shape[1], np.bool_)
    for r in range(len(rows)):
        row = rows[r]
        if row < y0 or row >= y0 + image.shape[0]:
            continue
        if shadow != 0 and fb > 0:
            mark_hidden(image[row - y0], fb, shadow, hidden)
        for c in range(len(columns)):
            column = columns[c]
            x, y = float(column - x0), float(row - y0)
            if x < 0 or x >= image.shape[1]:
                continue
            if shadow != 0 and hidden[column - x0]:
                continue
            if lateral > 0:
                x += lateral * field_value(field[_LATERAL], column / pitch, row / pitch)
                y += lateral * field_value(field[_LATERAL], row / pitch + _APART, column / pitch)
            seen = look(image, x, y)
            # Along an edge some stretches lose or grow more than others.
            stretch = 1.0
            if ragged > 0 and (fatten > 0 or seen > least):
                rough = field_value(field[_EDGES], row / ragged_pitch + _APART, column / ragged_pitch)
                stretch += ragged * (_even(rough) - 1)
            if fatten > 0:
                reach = fatten * stretch
                best = max(look(image, x - reach, y), look(image, x + reach, y))
                best = max(best, max(look(image, x, y - reach), look(image, x, y + reach)))
                if best > 0 and (seen == 0 or 1 / seen - 1 / best > jump):
                    seen = best
            if seen <= least:
                continue
            if holes > 0 and field_value(field[_BLOBS], column / holes_pitch, row / holes_pitch) > 0.6 * holes:
                continue
            uniform, normal = _noise(key, column, row)
            chance = _even(field_value(field[_EDGES], column / ragged_pitch, row / ragged_pitch))
            z = 1 / seen
            strength = 1.0
            if edge > 0:
                near = edge * stretch
                left, right = look(image, x - near, y), look(image, x + near, y)
                up, down = look(image, x, y - near), look(image, x, y + near)
                nearest, farthest = max(max(left, right), max(up, down)), min(min(left, right), min(up, down))
                behind = z - 1 / nearest > jump if nearest > 0 else False
                front = farthest == 0 or 1 / farthest - z > jump
                if behind and chance < drop_behind:
                    continue
                if front:
                    if chance < drop_front:
                        continue
                    if uniform < fly:
                        back = 1 / farthest if farthest > 0 else z + 0.5
                        z += uniform / fly * min(back - z, 0.5)
                if (front or behind) and uniform < stray:
                    z += stray_m * normal
                if focal > 0:
                    run = 2 * max(near, 0.5) / (focal * seen)  # metres between the neighbours
                    rise_x, rise_y = rise(left, right, jump) / run, rise(up, down, jump) / run
                    squared_tan = rise_x * rise_x + rise_y * rise_y
                    if grazing > 0 and squared_tan > (grazing * (0.75 + 0.5 * chance)) ** 2:
                        continue
                    strength = 1 / np.sqrt(1 + squared_tan)
            if albedo > 0:
                strength *= max(1 + albedo * field_value(field[_BLOBS], row / _ALBEDO_PITCH_PX, column / _ALBEDO_PITCH_PX), 0.1)
            if reach_m > 0 and strength * (reach_m * seen) ** 2 < 0.75 + 0.5 * chance:
                continue
            if multipath > 0:
                nearer = 0.0
                for k in range(4):
                    other = look(image, x + _CORNER_PX * ((k == 0) - (k == 1)), y + _CORNER_PX * ((k == 2) - (k == 3)))
                    if other > seen:
                        nearer += min(1 / seen - 1 / other, 0.04)
                z += multipath * nearer / 4
            if bias > 0:
                z += bias * field_value(field[_SMOOTH], row / _BIAS_PITCH_PX, column / _BIAS_PITCH_PX)
            if axial > 0:
                z += axial * z / np.sqrt(max(strength, 0.05)) * normal
            if fb > 0:
                pixels = fb / z + disparity * normal
                if smooth > 0:
                    pixels += smooth * field_value(field[_SMOOTH], column / smooth_pitch, row / smooth_pitch)
                if disparity_step > 0:
                    pixels = np.floor(pixels / disparity_step + 0.5) * disparity_step
                if pixels <= 0:
                    continue  # too far to measure
                z = fb / pixels
            if step > 0:
                z = np.floor(z / step + 0.5) * step
            out[r, c] = z
    return out
