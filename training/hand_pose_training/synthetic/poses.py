"""Hand poses: anchors of common shapes, joint ranges, and the rejection of poses that go through themselves.

A pose is a (25,) vector in radians: four a finger (spread to the thumb's side, mcp, pip and dip flexion; index to little),
six for the thumb (cmc flexion across the palm, cmc abduction out of it, both from lying at ease beside the palm; how much
more the cmc pronates than opposition makes it; mcp flexion, ip flexion, mcp abduction), palm arch, and wrist flexion and
deviation as seen from the forearm.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from hand_pose_training.synthetic.hand_mesh import BONES, CAPSULES, FOREARM, HandShape, bone_positions
from hand_pose_training.synthetic.shape import mean_shape

POSE_SIZE = 25
THUMB, ARCH, WRIST = slice(16, 22), 22, slice(23, 25)
_MCP_BONES = np.array([6, 11, 16, 21])

# Clinical ranges (degrees), one row a parameter: spread per finger is added to the finger's own middle.
_LOW = np.radians([-34, -35, 0, -10] * 4 + [-25, -20, -20, -15, -20, -12] + [0] + [-65, -30])
_HIGH = np.radians([30, 92, 110, 80] * 4 + [50, 50, 20, 60, 80, 12] + [14] + [65, 25])

# Opposition turns the thumb's pad to the fingers: by so much for every radian of cmc flexion and abduction, on top of the
# 17 degrees that the joint's own axes make of the whole range (`hand_mesh`). Found by letting the pads of pinches meet.
_PRONATION = 0.5

# Fingers side by side and spread wide: degrees to the thumb's side, index to little.
_TOGETHER = np.radians([-6.0, -4.0, -3.0, -2.0])
_WIDE = np.radians([12.0, -3.0, -17.0, -32.0])
_DIP_OF_PIP = 0.6


def _spreading(mcp: np.ndarray) -> np.ndarray:
    """How much of its spread a finger keeps: a bent knuckle hardly spreads."""
    return 1 - 0.7 * np.clip(mcp / 1.57, 0, 1)


def _anchor(spread, fingers, thumb, arch=0.0):
    """Degrees to a pose; fingers: four (mcp, pip) or one for all; the spread is 0 (together) to 1 (wide)."""
    fingers = np.radians(np.broadcast_to(np.asarray(fingers, float), (4, 2)))
    pose = np.zeros(POSE_SIZE)
    per_finger = pose[:16].reshape(4, 4)
    per_finger[:, 0] = _TOGETHER + spread * (_WIDE - _TOGETHER) * _spreading(fingers[:, 0])
    per_finger[:, 1:3] = fingers
    per_finger[:, 3] = _DIP_OF_PIP * fingers[:, 1]
    pose[16 : 16 + len(thumb)] = np.radians(thumb)
    pose[ARCH] = np.radians(arch)
    return pose


_UP, _DOWN, _HALF = (0, 5), (83, 98), (40, 50)
_THUMB_OUT, _THUMB_SIDE = (-14, -6, 0, -5, -5), (12, -16, -6, 8, 8)
ANCHORS = {
    "open": _anchor(0.45, _UP, (0, 5, -3, 0, 0)),
    "spread": _anchor(1.0, (-5, 3), _THUMB_OUT),
    "flat": _anchor(0.0, (2, 4), _THUMB_SIDE),
    "relaxed": _anchor(0.25, [(20, 25), (28, 32), (32, 36), (32, 36)], (6, 15, 0, 12, 15), 4),
    "fist": _anchor(0.05, _DOWN, (11, 37, 10, 30, 50), 8),
    "fist_thumb_side": _anchor(0.05, _DOWN, (-10, 3, 4, 31, 39, -2), 6),
    "thumbs_up": _anchor(0.05, _DOWN, (-20, 0, -2, -10, -10), 6),
    "point": _anchor(0.1, [_UP, _DOWN, _DOWN, _DOWN], (17, 40, 4, 32, 47), 6),
    "gun": _anchor(0.1, [_UP, _DOWN, _DOWN, _DOWN], _THUMB_OUT, 6),
    "two": _anchor(0.7, [_UP, _UP, _DOWN, _DOWN], (28, 45, -1, 34, 46), 8),
    "two_together": _anchor(0.0, [_UP, _UP, _DOWN, _DOWN], (28, 45, -1, 34, 46, 1), 8),
    "three": _anchor(0.6, [_UP, _UP, _UP, (75, 85)], (38, 43, -3, 32, 40), 10),
    "three_thumb": _anchor(0.5, [_UP, _UP, _DOWN, _DOWN], _THUMB_OUT, 6),
    "four": _anchor(0.5, _UP, (36, 36, -3, 35, 50), 2),
    "four_together": _anchor(0.0, _UP, (36, 34, -2, 35, 50), 2),
    "little": _anchor(0.1, [_DOWN, _DOWN, _DOWN, _UP], (11, 37, 9, 30, 50, -1), 4),
    "horns": _anchor(0.1, [_UP, _DOWN, _DOWN, _UP], (17, 40, 4, 32, 47), 4),
    "call": _anchor(0.1, [_DOWN, _DOWN, _DOWN, _UP], _THUMB_OUT, 4),
    "love": _anchor(0.3, [_UP, _DOWN, _DOWN, _UP], _THUMB_OUT, 4),
    "pinch": _anchor(0.3, [(61, 29), (30, 35), (22, 28), (15, 22)], (22, 28, 12, 0, -7, -3), 4),
    "pinch_closed": _anchor(0.1, [(72, 20), (75, 80), (80, 90), (80, 90)], (23, 29, 7, -6, 4, -4), 6),
    "pinch_wide": _anchor(0.3, [(59, 28), (40, 45), (42, 48), (40, 45)], (17, 39, 10, 2, -4, -3), 4),
    "pinch_middle": _anchor(0.3, [(10, 12), (75, 25), (30, 30), (20, 25)], (34, 34, 12, -2, -12, -3), 6),
    "tripod": _anchor(0.0, [(61, 29), (60, 39), (66, 65), (68, 70)], (29, 28, 9, -1, -4, -3), 6),
    "tripod_wide": _anchor(0.0, [(57, 36), (64, 35), (66, 62), (66, 66)], (26, 31, 9, -8, 5, -2), 6),
    "all_tips": _anchor(0.0, [(57, 38), (48, 48), (38, 65), (41, 23)], (32, 31, 9, 7, 6, -3), 12),
    "key": _anchor(0.05, [(55, 70), (65, 85), (70, 90), (70, 90)], (5, 6, 2, 12, 19, -3), 4),
    "claw": _anchor(0.5, [(-5, 70), (-5, 72), (-5, 72), (-5, 70)], (5, 20, -4, 10, 45), 0),
    "hook": _anchor(0.1, [(0, 95), (0, 98), (0, 98), (0, 95)], (15, 15, -12, 10, 20), 0),
    "cup": _anchor(0.1, [(45, 30), (45, 32), (45, 32), (45, 30)], (12, 36, 3, 12, 15), 10),
    "power": _anchor(0.15, [(55, 65), (60, 68), (62, 70), (62, 68)], (14, 40, 7, 15, 25), 8),
    "large_grasp": _anchor(0.5, [(28, 40), (30, 42), (30, 42), (30, 42)], (0, 42, 6, 8, 12), 4),
    "bent": _anchor(0.1, [(70, 5), (72, 5), (72, 5), (70, 5)], (10, 20, -2, 5, 5), 2),
}
_ANCHOR_POSES = np.stack(list(ANCHORS.values()))
_ANCHOR_POSES[:, THUMB] = np.clip(_ANCHOR_POSES[:, THUMB], _LOW[THUMB], _HIGH[THUMB])
# What people show a camera most counts three times.
_COMMON = ("open", "spread", "flat", "relaxed", "fist", "point", "two", "three", "three_thumb", "four", "pinch")
_SHARES = np.cumsum([3.0 if name in _COMMON else 1.0 for name in ANCHORS])
_NOISE = np.radians([4, 9, 11, 6] * 4 + [7, 7, 8, 9, 11, 4] + [3] + [0, 0])

POSE_TRIES = 20


def sample_pose(rng: np.random.Generator, shape: HandShape | None = None, near: np.ndarray | None = None) -> np.ndarray:
    """(25,) a pose within the joint ranges in which a hand of this shape (the mean one) does not go through itself.

    :param near: a pose that it is to be like; where flesh is in the way, it is more open
    """
    for i in range(POSE_TRIES):
        pose = _draw(rng) if near is None else jitter(near + i / POSE_TRIES * (ANCHORS["open"] - near), rng, 0.5)
        if penetration(pose, shape) < MAX_PENETRATION_M:
            return pose
    pose = ANCHORS["open"].copy()
    pose[WRIST] = sample_wrist(rng)
    return pose


def _draw(rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    noise = rng.normal(size=POSE_SIZE)
    first, second = np.searchsorted(_SHARES, rng.random(2) * _SHARES[-1])
    if kind < 0.22:
        pose = _ANCHOR_POSES[first] + 0.6 * _NOISE * noise
    elif kind < 0.55:
        share = rng.beta(0.7, 0.7)
        pose = (1 - share) * _ANCHOR_POSES[first] + share * _ANCHOR_POSES[second] + _NOISE * noise
    elif kind < 0.75:
        # Every finger from an anchor of its own choice between two: counting, signs.
        chosen = np.where(rng.random(4) < 0.5, first, second)
        pose = _ANCHOR_POSES[first] + _NOISE * noise
        pose[:16].reshape(4, 4)[:, 1:] = _ANCHOR_POSES[chosen, :16].reshape(4, 4, 4)[range(4), range(4), 1:]
        pose[:16] += _NOISE[:16] * noise[:16]
    else:
        pose = _independent(rng, noise)
    fingers = pose[:16].reshape(4, 4)
    fingers[:, 3] = _DIP_OF_PIP * fingers[:, 2] + _NOISE[3] * noise[3:16:4]
    fingers[:, 0] = _TOGETHER + (fingers[:, 0] - _TOGETHER) * _spreading(fingers[:, 1])
    pose[WRIST] = sample_wrist(rng)
    return clip_to_ranges(pose)


def _independent(rng: np.random.Generator, noise: np.ndarray) -> np.ndarray:
    """Curls finger by finger, neighbours pulled together; the thumb anywhere in its range."""
    pose = np.zeros(POSE_SIZE)
    curl = rng.beta(0.6, 0.6, size=4)
    pull = rng.uniform(0, 0.5)
    curl = (1 - pull) * curl + pull * (np.roll(curl, 1) + np.roll(curl, -1)) / 2
    fingers = pose[:16].reshape(4, 4)
    fingers[:, 0] = _TOGETHER + rng.uniform(-0.1, 1.1) * (_WIDE - _TOGETHER) + _NOISE[0] * noise[0:16:4]
    fingers[:, 1] = np.radians(-10 + 95 * np.clip(curl + 0.25 * noise[1:16:4], 0, 1))
    fingers[:, 2] = np.radians(105 * np.clip(curl + 0.22 * noise[2:16:4], 0, 1))
    pose[THUMB] = _LOW[THUMB] + (_HIGH[THUMB] - _LOW[THUMB]) * rng.beta(1.3, 1.3, size=6)
    pose[18] = _NOISE[18] * noise[18]
    pose[ARCH] = abs(_NOISE[ARCH] * noise[ARCH])
    return pose


def clip_to_ranges(pose: np.ndarray) -> np.ndarray:
    """The pose with every parameter within its joint's range."""
    return np.minimum(np.maximum(pose, _LOW), _HIGH)


def jitter(pose: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """A pose near this one and within the ranges; 1 is the usual noise."""
    noisy = pose + amount * _NOISE * rng.normal(size=POSE_SIZE)
    noisy[WRIST] = sample_wrist(rng)
    return clip_to_ranges(noisy)


def sample_wrist(rng: np.random.Generator) -> np.ndarray:
    """(2,) wrist flexion and deviation, radians."""
    return rng.normal(size=2) * np.radians([20, 9])


def bone_angles(pose: np.ndarray) -> np.ndarray:
    """Pose (25,) of a hand -> (26, 3) angles away from rest, as `hand_mesh.posed_hand` takes them."""
    return _bone_angles(pose, _MCP_BONES)


@njit(cache=True, nogil=True)
def _bone_angles(pose, mcp_bones):
    angles = np.zeros((BONES, 3))
    for finger in range(4):
        mcp, first = mcp_bones[finger], 4 * finger
        angles[mcp, 1] = pose[first]
        for joint in range(3):
            angles[mcp + joint, 0] = pose[first + 1 + joint]
    flexion, abduction = pose[16], pose[17]
    angles[1, 0], angles[1, 1] = flexion, abduction
    angles[1, 2] = pose[18] + _PRONATION * max(flexion + abduction, 0.0)
    angles[2, 0], angles[2, 1], angles[3, 0] = pose[19], pose[21], pose[20]
    angles[15, 0], angles[20, 0] = 0.5 * pose[22], pose[22]
    angles[FOREARM, 0], angles[FOREARM, 1] = -pose[23], pose[24]
    return angles


MAX_PENETRATION_M = 0.004


def penetration(pose: np.ndarray, shape: HandShape | None = None) -> float:
    """How deep, in metres, the phalanges of a hand (the mean one) in this pose go into one another or into the palm."""
    shape = shape or mean_shape()
    return _deepest(bone_positions(bone_angles(pose), shape), CAPSULES, shape.radii_m)


@njit(cache=True, nogil=True)
def _deepest(positions, capsules, radii):
    deepest = 0.0
    for i in range(15):
        for j in range(i + 1, len(capsules)):
            if i // 3 == j // 3 and j < 15:
                continue  # one finger
            if j >= 15 and (i % 3 == 0 or (i < 3 and j == 15)):
                continue  # a first phalanx at its own palm, the thumb's root at the index finger's
            if i % 3 == 0 and j == i + 3 and i > 0:
                continue  # first phalanges of neighbours, between which the web is
            a, b, c, d = capsules[i, 0], capsules[i, 1], capsules[j, 0], capsules[j, 1]
            gap = _segment_distance(positions[a], positions[b], positions[c], positions[d])
            deepest = max(deepest, radii[i] + radii[j] - gap)
    return deepest


@njit(cache=True, nogil=True)
def _segment_distance(p0, p1, q0, q1):
    """Distance of two segments (Ericson, Real-Time Collision Detection, 5.1.9)."""
    d1, d2, r = p1 - p0, q1 - q0, p0 - q0
    a, e, f = np.dot(d1, d1), np.dot(d2, d2), np.dot(d2, r)
    c, b = np.dot(d1, r), np.dot(d1, d2)
    denominator = a * e - b * b
    s = min(max((b * f - c * e) / denominator, 0.0), 1.0) if denominator > 1e-12 else 0.0
    t = (b * s + f) / e
    if t < 0:
        t, s = 0.0, min(max(-c / a, 0.0), 1.0)
    elif t > 1:
        t, s = 1.0, min(max((b - c) / a, 0.0), 1.0)
    difference = r + s * d1 - t * d2
    return np.sqrt(np.dot(difference, difference))
