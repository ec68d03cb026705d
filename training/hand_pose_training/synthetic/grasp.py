"""Hands that hold something, and hands that are about to.

A thing is drawn for a grip, put where that grip has it, and the fingers close on it; what does not come to rest on the thing, or
goes through it or through the hand, is drawn again. Everything is in the right hand's own frame (wrist at the origin, fingers
along -y, palm facing -x), metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hand_pose_training.synthetic import closing, placing
from hand_pose_training.synthetic.grips import GRIPS, Grip
from hand_pose_training.synthetic.hand_mesh import HandShape, bone_positions
from hand_pose_training.synthetic.objects import Family, families
from hand_pose_training.synthetic.poses import MAX_PENETRATION_M, WRIST, bone_angles, clip_to_ranges, jitter, penetration
from hand_pose_training.synthetic.primitives import Mesh
from hand_pose_training.synthetic.solids import Body

# Flesh gives way: so deep a hand may go into a thing, and so near a fingertip that touches has to be.
DEEPEST_M, CONTACT_M = 0.0035, 0.002
TRIES = 200
_PASSES, _REOPENING = 2, 0.12
_FURTHER = 0.35  # radians that a finger closes beyond an empty hand's pose
_FOREARM_M = 0.2
_NO_HAND = "no grasp in {} tries with a hand of size {:.2f}: is this shape one of a hand, in metres?"


@dataclass(frozen=True)
class HeldObject:
    """A thing in a hand.

    :param family: its name in `objects.FAMILIES`
    :param body: in the hand's frame
    """

    family: str
    body: Body

    def mesh(self) -> Mesh:
        """Its mesh in the hand's frame."""
        return self.body.mesh()


@dataclass(frozen=True)
class Grasp:
    """A hand that holds a thing.

    :param grip: its name in `grips.GRIPS`
    :param open_pose, pose: (25,) before and after the fingers close
    :param gaps: (24,) from the skin of the phalanges and the palm, as `closing.hand_capsules` has them, to the thing
    """

    grip: str
    held: HeldObject
    open_pose: np.ndarray
    pose: np.ndarray
    gaps: np.ndarray

    @property
    def finger_gaps(self) -> np.ndarray:
        """(5,) of each finger, thumb to little."""
        return self.gaps[: 3 * closing.FINGERS].reshape(closing.FINGERS, 3).min(axis=1)


def sample_grasp(rng: np.random.Generator, shape: HandShape, held_out: bool = False) -> tuple[np.ndarray, HeldObject]:
    """A pose (25,) and the thing it holds; `held_out`: of a family that training never draws."""
    grasp = draw(rng, shape, held_out)
    return grasp.pose, grasp.held


def sample_reach(rng: np.random.Generator, shape: HandShape, held_out: bool = False) -> tuple[np.ndarray, HeldObject]:
    """A pose (25,) about to take a thing, or that has just let go of it, and the thing before the hand.

    :raises RuntimeError: no try came to one
    """
    for _ in range(TRIES):
        grasp = draw(rng, shape, held_out)
        pose = jitter(grasp.pose + rng.uniform(0.5, 1.0) * (grasp.open_pose - grasp.pose), rng, 0.3)
        pose[WRIST] = grasp.pose[WRIST]
        bones = bone_positions(bone_angles(pose), shape)
        hand = placing.HandFrame.of(bones)
        step = hand.palmar * rng.uniform(0.01, 0.06) + hand.forward * rng.uniform(0.0, 0.05)
        body = grasp.held.body.moved(np.eye(3), step)
        clear = closing.gaps(closing.hand_capsules(bones, shape), body.packed()).min() > -DEEPEST_M
        if clear and penetration(pose, shape) < MAX_PENETRATION_M:
            return pose, replace(grasp.held, body=body)
    raise RuntimeError(_NO_HAND.format(TRIES, shape.size))


def draw(rng: np.random.Generator, shape: HandShape, held_out: bool = False) -> Grasp:
    """A grasp of any grip.

    :raises RuntimeError: no try came to a grasp
    """
    for _ in range(TRIES):
        grip, family, width = draw_kind(rng, held_out)
        grasp = attempt(rng, shape, grip, family, width)
        if grasp is not None:
            return grasp
    raise RuntimeError(_NO_HAND.format(TRIES, shape.size))


def draw_kind(rng: np.random.Generator, held_out: bool) -> tuple[Grip, Family, float]:
    """A grip, a family that suits it, and the width of the thing."""
    choice = _CHOICES[held_out]
    grip, suited = choice[int(np.searchsorted(_SHARES[held_out], rng.random()))]
    family = suited[rng.integers(len(suited))]
    low, high = (max(grip.width_m[0], family.width_m[0]), min(grip.width_m[1], family.width_m[1]))
    return grip, family, rng.uniform(low, high)


def attempt(rng: np.random.Generator, shape: HandShape, grip: Grip, family: Family, width: float) -> Grasp | None:
    """One try; None where it did not come to a grasp."""
    placed = placing.place(rng, shape, grip, family, width)
    if placed is None:
        return None
    open_pose, body = placed
    packed = body.packed()
    still = closing.hand_capsules(bone_positions(bone_angles(open_pose), shape), shape)[closing.STILL]
    if min(closing.gaps(still, packed).min(), closing.gaps(_forearm(open_pose, shape), packed).min()) < -DEEPEST_M:
        return None
    start, most = open_pose, grip.closed_pose + _FURTHER
    # The thumb's joint turns it about more than one axis: what the hinges foretell is put right from where it came to rest.
    for _ in range(_PASSES):
        pose, _ = closing.close(closing.hinges(start, shape), shape, packed, grip.rates, most)
        gaps = closing.gaps(closing.hand_capsules(bone_positions(bone_angles(pose), shape), shape), packed)
        thumb, others = gaps[:3].min(), gaps[3:].min()
        if others < -DEEPEST_M or not grip.rates[0].any() or abs(thumb) < CONTACT_M / 2:
            break
        start = pose.copy()
        start[closing.FLEXIONS[0]] -= _REOPENING * grip.rates[0]
        start = clip_to_ranges(start)
    if gaps.min() < -DEEPEST_M:
        return None
    grasp = Grasp(grip.name, HeldObject(family.name, body), open_pose, pose, gaps)
    touching = grasp.finger_gaps < CONTACT_M
    if (grip.thumb and not touching[0]) or touching[1:][list(grip.opposing)].sum() < grip.needs:
        return None
    return None if penetration(pose, shape) > MAX_PENETRATION_M else grasp


def _forearm(pose: np.ndarray, shape: HandShape) -> np.ndarray:
    """(1, 7) the forearm as a capsule."""
    flexion, deviation = pose[WRIST]
    along = np.array([-np.sin(flexion) * np.cos(deviation), np.cos(flexion) * np.cos(deviation), np.sin(deviation)])
    radius = shape.forearm_radii_m[0]
    return np.concatenate([along * radius, along * _FOREARM_M, [radius]])[None]


def _suits(family: Family, grip: Grip) -> bool:
    overlap = family.width_m[0] < grip.width_m[1] and grip.width_m[0] < family.width_m[1]
    return family.form in grip.forms and overlap and (not family.grips or grip.name in family.grips)


def _suited(grip: Grip, held_out: bool) -> list[Family]:
    return [family for family in families(held_out) if _suits(family, grip)]


_CHOICES = {held_out: [(g, _suited(g, held_out)) for g in GRIPS if _suited(g, held_out)] for held_out in (False, True)}
_SHARES = {held_out: np.cumsum([g.weight for g, _ in c]) / sum(g.weight for g, _ in c) for held_out, c in _CHOICES.items()}
