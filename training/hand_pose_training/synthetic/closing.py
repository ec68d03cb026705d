"""Closing a hand on a body: the fingers turn about hinges until their flesh, as capsules, touches.

The hinges are measured on the hand model itself, so nothing here knows how it turns its bones. A finger is closed as a hand
with under-driven fingers closes: its joints turn at set rates, and where a phalanx touches, the joints before it stop and the
rest goes on (conservative advancement: no step is longer than the smallest gap allows).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from hand_pose_training.synthetic.hand_mesh import HandShape, bone_positions
from hand_pose_training.synthetic.poses import bone_angles, clip_to_ranges
from hand_pose_training.synthetic.solids import Packed, distance

FINGERS = 5
# Bones of each finger from the thumb on, and the flexions of a pose that turn their first three.
CHAINS = np.array([[1, 2, 3, 4], [6, 7, 8, 9], [11, 12, 13, 14], [16, 17, 18, 19], [21, 22, 23, 24]])
FLEXIONS = np.array([[16, 19, 20], [1, 2, 3], [5, 6, 7], [9, 10, 11], [13, 14, 15]])
# Radii of the phalanges by the finger's own; the thumb's first one lies in the ball of the thumb.
_TAPER = np.array([[1.4, 1.0, 0.85], *[[1.05, 0.93, 0.82]] * 4])
_TIP_TO_SKIN_M = 0.003
# The palm from wrist to knuckles and along the knuckles; the
# ball and web of the thumb, which end between its knuckle and the index's.
_PALM = np.array([(0, 6), (0, 11), (0, 16), (0, 21), (6, 11), (11, 16), (16, 21), (1, 6), (1, 6)])
_PALM_THICKNESS = np.array([1.1, 1.0, 1.0, 1.2, 0.8, 0.8, 0.8, 1.2, 0.9])
_METACARPALS = 4  # the first rows
STILL = slice(15, 22)  # capsules that no finger moves
_SOFT_PALM = np.array([1, 1, 1, 1, 1, 1, 0.65])  # fingertips press into it
_WEB_END = np.array([0.3, 0.6])  # share of the way from the index's knuckle to the thumb's

TOUCH_M = 0.0004
_LOW, _HIGH = clip_to_ranges(np.full(25, -9.0)), clip_to_ranges(np.full(25, 9.0))


def hand_capsules(bones: np.ndarray, shape: HandShape) -> np.ndarray:
    """(24, 7) both ends and the radius of the 15 phalanges, finger by finger from the thumb, and of the palm; bones (26, 3)."""
    return _hand_capsules(bones, shape.finger_radius_m, shape.palm_half_thickness_m)


@njit(cache=True, nogil=True)
def _hand_capsules(bones, finger_radii, palm_half_thickness):
    capsules = np.empty((3 * FINGERS + len(_PALM), 7))
    for finger in range(FINGERS):
        for link in range(3):
            row = capsules[3 * finger + link]
            start, end = bones[CHAINS[finger, link]], bones[CHAINS[finger, link + 1]]
            radius, kept = _TAPER[finger, link] * finger_radii[finger], 1.0
            if link == 2:
                length = np.sqrt(((end - start) ** 2).sum())
                kept = (length - radius + _TIP_TO_SKIN_M) / length
            row[:3], row[3:6], row[6] = start, start + kept * (end - start), radius
    for i in range(len(_PALM)):
        row = capsules[3 * FINGERS + i]
        row[:3], row[3:6], row[6] = bones[_PALM[i, 0]], bones[_PALM[i, 1]], _PALM_THICKNESS[i] * palm_half_thickness
    for i in range(2):
        capsules[i - 2, 3:6] += _WEB_END[i] * (bones[2] - bones[6])
    return capsules


def gaps(capsules: np.ndarray, body: Packed) -> np.ndarray:
    """(C,) from each capsule's skin to the body, negative inside, metres."""
    return _gaps(capsules, body)


def advance(capsules: np.ndarray, body: Packed, direction: np.ndarray, limit_m: float) -> float:
    """How far the body goes along a unit vector (3,) until a capsule touches it, at most the limit; moves it in place."""
    return _advance(capsules, body, direction, limit_m)


@dataclass(frozen=True)
class Hinges:
    """How the fingers turn around a pose.

    :param pose: (25,) there
    :param bones: (26, 3) there
    :param axes: (5, 3, 3) unit axes of each finger's three flexions
    """

    pose: np.ndarray
    bones: np.ndarray
    axes: np.ndarray


_TURN = 0.35


def hinges(pose: np.ndarray, shape: HandShape) -> Hinges:
    """Measure the hinges: a point behind a joint runs on a circle whose axis is the hinge."""
    bones = bone_positions(bone_angles(pose), shape)
    turned = np.empty((2, 3, *bones.shape))
    for joint in range(3):
        for i, turn in enumerate((-_TURN, _TURN)):
            other = pose.copy()
            other[FLEXIONS[:, joint]] += turn
            turned[i, joint] = bone_positions(bone_angles(other), shape)
    return Hinges(pose, bones, _axes(bones, turned, CHAINS))


@njit(cache=True, nogil=True)
def _axes(bones, turned, chains):
    """Axes of the circles through each joint's next bone before, at and after the pose."""
    axes = np.empty((len(chains), 3, 3))
    for finger in range(len(chains)):
        for joint in range(3):
            bone = chains[finger, joint + 1]
            a, b = bones[bone] - turned[0, joint, bone], turned[1, joint, bone] - bones[bone]
            axis = axes[finger, joint]
            axis[0], axis[1], axis[2] = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
            axis /= np.sqrt(np.dot(axis, axis))
    return axes


def close(around: Hinges, shape: HandShape, body: Packed, rates: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Close the fingers on a body; they also stop at the palm, and the thumb, which comes last, at the fingers.

    :param rates: (5, 3) relative speeds of the flexions, 0 for those that stay
    :param most: (25,) a pose whose flexions no finger passes
    :returns: pose (25,), which phalanges touch (5, 3)
    """
    capsules = hand_capsules(around.bones, shape)
    links = capsules[: 3 * FINGERS].reshape(FINGERS, 3, 7)
    palm = capsules[3 * FINGERS : 3 * FINGERS + _METACARPALS] * _SOFT_PALM
    most = clip_to_ranges(most)
    pose, touching = around.pose.copy(), np.zeros((FINGERS, 3), bool)
    for finger in (1, 2, 3, 4, 0):
        flexions = FLEXIONS[finger]
        turned, end, touch = _close(
            np.concatenate([links[finger, :, :3], links[finger, 2:, 3:6]]),
            around.axes[finger],
            links[finger, :, 6],
            rates[finger],
            _LOW[flexions] - pose[flexions],
            np.maximum(most[flexions] - pose[flexions], 0),
            body,
            palm if finger else links[1:].reshape(-1, 7),
        )
        pose[flexions] += turned
        touching[finger] = touch
        links[finger, :, :3], links[finger, :, 3:6] = end[:3], end[1:]
    return pose, touching


_MOST_STEPS, _SHORTEST_TURN, _LONGEST_TURN = 60, 0.003, 0.12
_OPENING, _SUNK_M = 0.05, -0.001


@njit(cache=True, nogil=True)
def _close(points, axes, radii, rates, lowest, limits, body, obstacles):
    turned, touch = np.zeros(3), np.zeros(3, np.bool_)
    now = points.copy()
    gap = np.empty(3)
    # A finger that starts in the body opens until it is out of it.
    while turned[0] - _OPENING >= lowest[0]:
        free = True
        for link in range(3):
            free = free and _segment_gap(now[link], now[link + 1], radii[link], body) > _SUNK_M
        if free:
            break
        turned[0] -= _OPENING
        _turn(points, axes, turned, now)
    for _ in range(_MOST_STEPS):
        stopped = -1
        for link in range(3):
            gap[link] = _segment_gap(now[link], now[link + 1], radii[link], body)
            touch[link] = gap[link] < TOUCH_M
            if link > 0:  # a first phalanx is never clear of its neighbours
                gap[link] = min(gap[link], _obstacle_gap(now[link], now[link + 1], radii[link], obstacles))
            if gap[link] < TOUCH_M:
                stopped = link
        fastest, moves = 0.0, False
        share = 1e9
        for link in range(stopped + 1, 3):
            speed = 0.0
            for joint in range(stopped + 1, link + 1):
                if rates[joint] > 0 and turned[joint] < limits[joint]:
                    lever = now[link + 1] - now[joint]
                    speed += rates[joint] * (np.sqrt(np.dot(lever, lever)) + radii[link])
                    fastest = max(fastest, rates[joint])
                    moves = True
            if speed > 0:
                share = min(share, (gap[link] - 0.5 * TOUCH_M) / speed)
        if not moves:
            break
        share = min(max(share, _SHORTEST_TURN / fastest), _LONGEST_TURN / fastest)
        for joint in range(stopped + 1, 3):
            turned[joint] = min(turned[joint] + share * rates[joint], max(limits[joint], turned[joint]))
        _turn(points, axes, turned, now)
    return turned, now, touch


@njit(cache=True, nogil=True)
def _turn(points, axes, turned, out):
    """A chain's points (4, 3) after turning its joints (Murray, Li & Sastry 1994, eq. 3.3: a product of exponentials)."""
    out[:] = points
    for joint in (2, 1, 0):
        x, y, z = axes[joint]
        c, s = np.cos(turned[joint]), np.sin(turned[joint])
        q = points[joint]
        for p in range(joint + 1, 4):
            dx, dy, dz = out[p, 0] - q[0], out[p, 1] - q[1], out[p, 2] - q[2]
            along = (x * dx + y * dy + z * dz) * (1 - c)
            out[p, 0] = q[0] + c * dx + s * (y * dz - z * dy) + along * x
            out[p, 1] = q[1] + c * dy + s * (z * dx - x * dz) + along * y
            out[p, 2] = q[2] + c * dz + s * (x * dy - y * dx) + along * z


_SAMPLES, _NEAR_M = 5, 0.008


@njit(cache=True, nogil=True)
def _segment_gap(start, end, radius, body):
    """From the skin of a capsule to a body, looked at in some points of its axis; where it is far, a lower bound."""
    point = 0.5 * (start + end)
    along = end - start
    middle = distance(point, body)
    apart = middle - 0.5 * np.sqrt(np.dot(along, along)) - radius
    if apart > _NEAR_M:
        return apart
    nearest = middle
    for i in range(_SAMPLES):
        if 2 * i != _SAMPLES - 1:
            share = i / (_SAMPLES - 1)
            for k in range(3):
                point[k] = start[k] + share * along[k]
            nearest = min(nearest, distance(point, body))
    return nearest - radius


@njit(cache=True, nogil=True)
def _obstacle_gap(start, end, radius, obstacles):
    """From the skin of a capsule to other capsules."""
    nearest = 1e9
    point, along = np.empty(3), np.empty(3)
    for o in range(len(obstacles)):
        other = obstacles[o]
        length = 0.0
        for k in range(3):
            along[k] = other[3 + k] - other[k]
            length += along[k] * along[k]
        for i in range(_SAMPLES):
            share, dot, away = i / (_SAMPLES - 1), 0.0, 0.0
            for k in range(3):
                point[k] = start[k] + share * (end[k] - start[k])
                dot += (point[k] - other[k]) * along[k]
            at = min(max(dot / max(length, 1e-12), 0.0), 1.0)
            for k in range(3):
                away += (point[k] - other[k] - at * along[k]) ** 2
            nearest = min(nearest, np.sqrt(away) - other[6])
    return nearest - radius


@njit(cache=True, nogil=True)
def _gaps(capsules, body):
    out = np.empty(len(capsules))
    for i in range(len(capsules)):
        c = capsules[i]
        out[i] = _segment_gap(c[:3], c[3:6], c[6], body)
    return out


@njit(cache=True, nogil=True)
def _advance(capsules, body, direction, limit):
    gone = 0.0
    for _ in range(_MOST_STEPS):
        gap = _gaps(capsules, body).min()
        if gap < TOUCH_M or gone >= limit:
            break
        step = min(gap - 0.5 * TOUCH_M, limit - gone)
        gone += step
        body[5][:] += step * direction
    return gone
