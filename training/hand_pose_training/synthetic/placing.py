"""Where a grip has its thing: the open hand's pose and the thing in the hand's frame, before the fingers close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_training.synthetic import closing
from hand_pose_training.synthetic.grips import Grip, Place
from hand_pose_training.synthetic.hand_mesh import HandShape, bone_positions
from hand_pose_training.synthetic.objects import Family, Form
from hand_pose_training.synthetic.poses import bone_angles, clip_to_ranges, jitter
from hand_pose_training.synthetic.solids import Body
from hand_pose_training.synthetic.views import cross, random_rotation

Placed = tuple[np.ndarray, Body]

_KNUCKLES = [6, 11, 16, 21]
_TIP_LINK, _INDEX, _INDEX_MIDDLE, _MIDDLE_MIDDLE = 2, slice(3, 6), 4, 7  # capsules
_ACROSS_KNUCKLES = slice(19, 22)
_START_M = 0.15
_KNUCKLE_RADIUS_M = 0.02
# The open hand opens so much further before it closes on what lies between the tips, radians of the fastest joint.
_BACK_OFF = 0.3


@dataclass(frozen=True)
class HandFrame:
    """Directions of a palm, unit vectors (3,).

    :param lateral, forward, palmar: to the little finger's side, to the fingers, out of the palm
    :param knuckles: (3,) their middle
    """

    lateral: np.ndarray
    forward: np.ndarray
    palmar: np.ndarray
    knuckles: np.ndarray

    @classmethod
    def of(cls, bones: np.ndarray) -> HandFrame:
        """From bone positions (26, 3) of a right hand."""
        knuckles = bones[_KNUCKLES].mean(axis=0)
        forward = _unit(knuckles - bones[0])
        lateral = _unit(_across(bones[_KNUCKLES[-1]] - bones[_KNUCKLES[0]], forward))
        return cls(lateral, forward, cross(forward, lateral), knuckles)


def place(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    """The open pose (25,) and the body in the hand's frame; None where the thing does not fit there."""
    return _PLACES[grip.place](rng, shape, grip, family, width)


def _in_palm(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    pose = jitter(grip.open_pose, rng, 0.3)
    bones = bone_positions(bone_angles(pose), shape)
    hand = HandFrame.of(bones)
    body = family.build(rng, width)
    if family.form is Form.BAR:
        turn, roll = rng.uniform(*grip.turn), np.pi / 2 * rng.integers(4) + 0.15 * rng.normal()
        y = (np.sin(turn) * hand.forward - np.cos(turn) * hand.lateral) * (1 if rng.random() < 0.5 else -1)
        rotation = _frame(np.cos(roll) * hand.palmar + np.sin(roll) * cross(y, hand.palmar), y + 0.08 * rng.normal(size=3))
    elif rng.random() < 0.5:
        rotation = _frame(rng.normal(size=3), hand.palmar + 0.2 * rng.normal(size=3))
    else:
        rotation = random_rotation(rng)
    # Thin bars lie in the crease below the fingers, thick things further down the palm.
    back = rng.uniform(-0.004, 0.008) + 0.35 * (width - 0.02)
    start = hand.knuckles - back * hand.forward + 0.008 * rng.normal() * hand.lateral + _START_M * hand.palmar
    packed = body.moved(rotation, start).packed()
    capsules = closing.hand_capsules(bones, shape)
    gone = closing.advance(capsules[[0, 3, 6, 9, 12, *range(15, len(capsules))]], packed, -hand.palmar, _START_M)
    if gone >= _START_M:
        return None
    if family.form is Form.COMPACT:
        gone -= rng.uniform(0.0, 0.012)
    return pose, body.moved(rotation, start - gone * hand.palmar)


def _opposed(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    wide = jitter(grip.open_pose, rng, 0.3)
    narrow = wide + grip.closed_pose - grip.open_pose
    fingers = [0, *(1 + f for f in grip.opposing)]
    apart = [_tips(pose, shape, fingers)[1] for pose in (wide, narrow)]
    share = (apart[0] - width) / max(apart[0] - apart[1], 1e-3)
    if not -0.8 < share < 1.15:
        return None
    pose = clip_to_ranges(wide + share * (narrow - wide))
    bones, _, thumb, others = _tips(pose, shape, fingers)
    x = _unit(others - thumb)
    outward = _unit(_across((thumb + others) / 2 - bones[[0, *_KNUCKLES]].mean(axis=0), x))
    angle = rng.uniform(*grip.turn)
    y = np.cos(angle) * outward + np.sin(angle) * cross(x, outward)
    if family.form is Form.BAR:
        if len(grip.opposing) == 2 and rng.random() < 0.6:
            # As a pen is held: its other end rests beside the index finger's knuckle.
            knuckle = bones[_KNUCKLES[0]] - _KNUCKLE_RADIUS_M * HandFrame.of(bones).lateral
            y = _across(knuckle - (thumb + others) / 2, x) + 0.015 * rng.normal() * cross(x, outward)
        else:
            y = (y if rng.random() < 0.4 else cross(x, y)) * (1 if rng.random() < 0.5 else -1)
    rotation = _frame(x if rng.random() < 0.5 else -x, y)
    center = (thumb + others) / 2 - _depth(rng, family) * rotation[:, 1]
    return _backed_off(pose, grip), family.build(rng, width).moved(rotation, center)


def _at_side(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    pose = jitter(grip.open_pose, rng, 0.3)
    capsules = closing.hand_capsules(bone_positions(bone_angles(pose), shape), shape)
    thumb = capsules[_TIP_LINK]
    share = np.linspace(0, 1, 5)[:, None, None]
    side = (capsules[_INDEX, :3] + share * (capsules[_INDEX, 3:6] - capsules[_INDEX, :3])).reshape(-1, 3)
    target = side[((side - thumb[3:6]) ** 2).sum(axis=1).argmin()] + 0.004 * rng.normal(size=3)
    x = _unit(target - thumb[3:6])
    y = _unit(_across(thumb[3:6] - thumb[:3], x) + 0.6 * cross(x, _unit(thumb[3:6] - thumb[:3])) * rng.normal())
    if family.form is Form.BAR and rng.random() < 0.5:
        y = -y
    rotation = _frame(x, y)
    body = family.build(rng, width)
    start = target - 0.04 * x - _depth(rng, family) * y
    packed = body.moved(rotation, start).packed()
    gone = closing.advance(capsules[3:15], packed, x, 0.05)
    return (_backed_off(pose, grip), body.moved(rotation, start + gone * x)) if gone < 0.05 else None


def _in_crook(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    pose = jitter(grip.open_pose, rng, 0.3)
    bones = bone_positions(bone_angles(pose), shape)
    hand = HandFrame.of(bones)
    turn = rng.uniform(*grip.turn)
    y = np.sin(turn) * hand.forward - np.cos(turn) * hand.lateral
    # A handle's body hangs beyond the fingers.
    rotation = _frame(-hand.forward + 0.2 * rng.normal() * hand.palmar, y)
    capsules = closing.hand_capsules(bones, shape)
    below = capsules[_ACROSS_KNUCKLES, 6].max() + width / 2 + 0.001
    start = hand.knuckles + below * hand.palmar + 0.012 * hand.forward
    body = family.build(rng, width)
    packed = body.moved(rotation, start).packed()
    gone = closing.advance(capsules[[4, 5, 7, 8, 10, 11, 13, 14]], packed, hand.forward, 0.06)
    return (pose, body.moved(rotation, start + gone * hand.forward)) if gone < 0.06 else None


def _between(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Placed | None:
    """Index and middle finger part until their middle phalanges, `width` apart, hold a bar."""
    pose = jitter(grip.open_pose, rng, 0.3)
    gaps, spreads = [], (pose[0] - 0.15, pose[0] + 0.15)
    for spread in spreads:
        pose[0] = spread
        capsules = closing.hand_capsules(bone_positions(bone_angles(pose), shape), shape)
        a, b = (capsules[i, :3] + capsules[i, 3:6] for i in (_INDEX_MIDDLE, _MIDDLE_MIDDLE))
        gaps.append(np.sqrt((((a - b) / 2) ** 2).sum()) - capsules[_INDEX_MIDDLE, 6] - capsules[_MIDDLE_MIDDLE, 6])
    pose[0] = spreads[0] + (width - gaps[0]) / (gaps[1] - gaps[0]) * (spreads[1] - spreads[0])
    pose = clip_to_ranges(pose)
    bones = bone_positions(bone_angles(pose), shape)
    capsules = closing.hand_capsules(bones, shape)
    middles = (capsules[[_INDEX_MIDDLE, _MIDDLE_MIDDLE], :3] + capsules[[_INDEX_MIDDLE, _MIDDLE_MIDDLE], 3:6]) / 2
    x = _unit(middles[1] - middles[0])
    along = _across(capsules[_INDEX_MIDDLE, 3:6] - capsules[_INDEX_MIDDLE, :3], x)
    y = cross(x, _unit(along)) + 0.3 * rng.normal() * _unit(along)
    middle = (middles[0] + x * capsules[_INDEX_MIDDLE, 6] + middles[1] - x * capsules[_MIDDLE_MIDDLE, 6]) / 2
    return pose, family.build(rng, width).moved(_frame(x, y), middle)


_PLACES = {
    Place.PALM: _in_palm,
    Place.OPPOSED: _opposed,
    Place.SIDE: _at_side,
    Place.CROOK: _in_crook,
    Place.BETWEEN: _between,
}


def _tips(pose: np.ndarray, shape: HandShape, fingers: list[int]) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Bones (26, 3), room between the thumb's skin and the other tips', and the middles (3,) of the pads of both sides."""
    bones = bone_positions(bone_angles(pose), shape)
    tips = closing.hand_capsules(bones, shape)[[3 * finger + 2 for finger in fingers]]
    pads = 0.3 * tips[:, :3] + 0.7 * tips[:, 3:6]
    others = pads[1:].mean(axis=0)
    away = others - pads[0]
    return bones, float(np.sqrt(away @ away) - tips[0, 6] - tips[1:, 6].mean()), pads[0], others


def _backed_off(pose: np.ndarray, grip: Grip) -> np.ndarray:
    pose = pose.copy()
    pose[closing.FLEXIONS] -= _BACK_OFF * grip.rates
    return clip_to_ranges(pose)


def _depth(rng: np.random.Generator, family: Family) -> float:
    """How far from its edge a thing is taken."""
    return rng.uniform(*family.depth_m) if family.form is Form.FLAT else 0.0


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt(vector @ vector)


def _across(vector: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The part of a vector across a unit vector."""
    return vector - (vector @ unit) * unit


def _frame(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3, 3) rotation whose second column is along y and whose first is near x."""
    y = _unit(y)
    x = _unit(_across(x, y))
    return np.stack([x, y, cross(x, y)], axis=1)
