"""Places where no hand is, but where a network might see one: arms, bodies, things, tools, tables, nothing."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hand_pose_training.synthetic import furniture
from hand_pose_training.synthetic.limbs import limb
from hand_pose_training.synthetic.people import FACE_BEFORE_M, HEAD_ABOVE_M, Body, Person, add_legs, add_person
from hand_pose_training.synthetic.pools import draw_object
from hand_pose_training.synthetic.primitives import Mesh
from hand_pose_training.synthetic.stage import Scene, SceneHand
from hand_pose_training.synthetic.views import across, random_rotation, turning, unit

LEAST_OFFSET_M = 0.10  # of a focus from the mean of any hand's joints


class Negative(IntEnum):
    """What a focus without a hand lies on."""

    ARM = 0  # of a hand that is in view: forearm, elbow, upper arm
    OFF_CENTRE = 1  # beside a hand
    LIMB = 2  # an arm whose hand is nowhere, a knee, a foot
    PERSON = 3  # face, chin, shoulder, chest, thigh
    OBJECT = 4
    RODS = 5  # cables, branches, forks, grippers
    NOTHING = 6  # a table, its edge, a wall, an empty place


_SHARES = np.cumsum([0.2, 0.14, 0.12, 0.18, 0.16, 0.12, 0.08])
WITH_HAND = (Negative.ARM, Negative.OFF_CENTRE)
_PLACES = {  # to the right of, above and before the chest
    "face": (0.0, HEAD_ABOVE_M, FACE_BEFORE_M),
    "chin": (0.0, HEAD_ABOVE_M - 0.09, FACE_BEFORE_M),
    "side of the head": (0.08, HEAD_ABOVE_M, 0.03),
    "shoulder": (0.19, 0.18, 0.03),
    "upper arm": (0.22, 0.05, 0.03),
    "chest": (0.08, 0.0, 0.12),
    "belly": (0.0, -0.25, 0.12),
}


def sample_negative(rng: np.random.Generator) -> Negative:
    """A kind, by its share."""
    return Negative(min(int(np.searchsorted(_SHARES, rng.random())), 6))


def sample_thing(rng: np.random.Generator) -> Negative:
    """A kind that needs no hand, by its share."""
    while True:
        kind = sample_negative(rng)
        if kind not in WITH_HAND:
            return kind


def offset_focus(rng: np.random.Generator, hands: list[SceneHand], shoulder: np.ndarray, kind: Negative) -> np.ndarray:
    """(3,) a point on the arm of the first hand, or beside that hand, far enough from the mean of any hand's joints."""
    hand = hands[0]
    wrist, middles = hand.joints[0], np.stack([h.joints.mean(axis=0) for h in hands])
    for _ in range(20):
        if kind is Negative.ARM:
            share = rng.uniform(0.2, 1.6)
            start, end = (wrist, hand.elbow) if share < 1 else (hand.elbow, shoulder)
            focus = start + (share % 1.0) * (end - start)
        else:
            focus = middles[0] + rng.uniform(1.0, 1.7) * LEAST_OFFSET_M * unit(rng.normal(size=3))
        if np.linalg.norm(focus - middles, axis=1).min() >= LEAST_OFFSET_M:
            return focus
    return middles[0] + 3 * LEAST_OFFSET_M * unit(middles[0] - middles[-1] + hand.elbow - middles[0])


def add_negative(
    scene: Scene, rng: np.random.Generator, kind: Negative, focus: np.ndarray, up: np.ndarray, held_out: bool
) -> None:
    """Put something that is no hand at `focus` (3,)."""
    if kind is Negative.LIMB:
        _add_limb(scene, rng, focus)
    elif kind is Negative.PERSON:
        _add_person(scene, rng, focus, up, held_out)
    elif kind is Negative.OBJECT:
        _add_upright(scene, rng, draw_object(rng, held_out), focus, up)
    elif kind is Negative.RODS:
        mesh = furniture.gripper(rng) if rng.random() < 0.35 else furniture.fingers_of_rods(rng)
        scene.add(mesh, random_rotation(rng), focus - 0.03 * unit(rng.normal(size=3)))


def _add_upright(scene: Scene, rng: np.random.Generator, mesh: Mesh, focus: np.ndarray, up: np.ndarray) -> None:
    """A thing about its own middle at the focus, standing or any way round."""
    y = np.array([0.0, 1.0, 0.0])
    rotation = turning(y, np.array([1.0, 0, 0]), up, rng.normal(size=3)) if rng.random() < 0.5 else random_rotation(rng)
    middle = (mesh[0].min(axis=0) + mesh[0].max(axis=0)) / 2
    scene.add((mesh[0] - middle, mesh[1]), rotation, focus)


def _add_limb(scene: Scene, rng: np.random.Generator, focus: np.ndarray) -> None:
    kind = rng.random()
    if kind < 0.25:
        scene.add(furniture.foot(rng), random_rotation(rng), focus, material="skin")
        return
    if kind < 0.45:
        scene.add(furniture.knee(rng), random_rotation(rng), focus, material="cloth")
        return
    # Two bones that meet at the focus or somewhere near it; the one that would end in a hand goes out of sight or is cut.
    along, width = unit(rng.normal(size=3)), rng.uniform(0.8, 1.2)
    along[2] = abs(along[2])
    joint = focus + rng.uniform(-0.1, 0.02) * along
    scene.add(limb(joint, joint + 0.3 * along, 0.043 * width, 0.055 * width), np.eye(3), np.zeros(3), material="cloth")
    bend = unit(across(rng.normal(size=3), along) - rng.uniform(-0.4, 1.0) * along)
    length = 0.26 if rng.random() < 0.5 else rng.uniform(0.03, 0.12)  # a stump wrapped in a sleeve
    scene.add(limb(joint, joint + length * bend, 0.043 * width, 0.028 * width), np.eye(3), np.zeros(3), material="skin")


def _add_person(scene: Scene, rng: np.random.Generator, focus: np.ndarray, up: np.ndarray, held_out: bool) -> None:
    """A person of whom one place lies at the focus, turned towards the camera more or less."""
    ahead = across(-focus + 0.5 * focus[2] * rng.normal(size=3), up)
    names = list(_PLACES)
    side, above, before = _PLACES[names[rng.integers(len(names))]]
    body = Body(np.zeros(3), up, ahead)
    place = body.at(side if rng.random() < 0.5 else -side, above, before) + 0.015 * rng.normal(size=3)
    body = Body(focus - place, up, ahead)
    if rng.random() < 0.1:
        knee = body.at(0.15, -0.4, 0.4)
        body = Body(body.chest + focus - knee, up, ahead)
        add_legs(scene, rng, body)
        return
    add_person(scene, rng, Person(body), held_out)
