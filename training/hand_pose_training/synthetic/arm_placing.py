"""How a hand with its arm is turned before the camera, for each view; and what it may rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_training.synthetic import views
from hand_pose_training.synthetic.limbs import UPPER_ARM_M, Arm, bent_elbow, support
from hand_pose_training.synthetic.person import SHOULDER_M
from hand_pose_training.synthetic.views import View, across, cross, turning, unit

MIDDLE_TO_ELBOW_M = 0.33  # of the hand's joints
_LEAST_HEIGHT_M = 0.08  # of the camera above a surface
_NEAREST_ELBOW_M = 0.12
_WRIST_CAMERA_SHARE = 0.15  # of egocentric cameras
_MOST_ALONG_ARM = 0.9  # cosine between a worn camera's line of sight and the forearm, which would hide the hand
_TRIES = 12
_BACK = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Placement:
    """An arm before the camera: hand to camera, and the world around it.

    :param up: (3,) upwards, camera frame
    :param rests: on a surface whose normal is `up`
    :param shoulder: (3,) where it is known, as with cameras on the person
    :param at_camera: the person stands where the camera is
    """

    rotation: np.ndarray
    position: np.ndarray
    up: np.ndarray
    rests: bool = False
    shoulder: np.ndarray | None = None
    at_camera: bool = False

    def points(self, points: np.ndarray) -> np.ndarray:
        """Points of the hand's frame (N, 3) in the camera's."""
        return points @ self.rotation.T + self.position

    def direction(self, direction: np.ndarray) -> np.ndarray:
        """A direction of the hand's frame (3,) in the camera's."""
        return self.rotation @ direction


def place(
    rng: np.random.Generator,
    arm: Arm,
    view: View,
    middle: np.ndarray,
    any_roll: bool,
    resting: bool = False,
    up: np.ndarray | None = None,
) -> Placement:
    """Turn an arm for a view so that the mean of its joints lies at `middle` (3,).

    :param any_roll: the camera may be turned about its optical axis
    :param resting: on a surface, where that is possible
    :param up: (3,) where it is known already
    """
    if resting and view is not View.ANY:
        placement = _resting(rng, arm, view, middle, any_roll)
        if placement is not None:
            return placement
    if up is None:
        up = views.sample_up(rng, view, any_roll)
    if view is View.ANY:
        return _anywhere(rng, arm, middle, up, resting)
    if view is View.EGOCENTRIC:
        return _egocentric(rng, arm, middle, up)
    rotation = _over_table(rng, arm, middle, up) if view is View.OVERHEAD else views.shown_rotation(rng, arm.forearm, any_roll)
    return Placement(rotation, middle - rotation @ arm.joints.mean(axis=0), up)


def resting_up(rng: np.random.Generator, arm: Arm) -> np.ndarray:
    """(3,) a direction of the hand's frame that may point up from a table: palm down most often, on its side, or palm up."""
    kind = rng.random()
    thumbward = unit(arm.joints[5] - arm.joints[17])
    base = _BACK
    if kind < 0.22:
        base = thumbward
    elif kind < 0.36:
        base = -base
    elif kind < 0.42:
        base = -thumbward
    return unit(base + 0.25 * rng.normal(size=3))


def ahead_of(up: np.ndarray) -> np.ndarray:
    """(3,) level direction in which the camera looks; upwards in the image where it looks straight down."""
    return across(np.array([0.0, 0.0, 1.0]) if abs(up[2]) < 0.98 else np.array([0.0, -1.0, 0.0]), up)


def _anywhere(rng: np.random.Generator, arm: Arm, middle: np.ndarray, up: np.ndarray, resting: bool) -> Placement:
    """Any orientation whatever that does not put the camera into the arm; a surface then has the camera on its upper side."""
    for _ in range(_TRIES):
        rotation = views.random_rotation(rng)
        position = middle - rotation @ arm.joints.mean(axis=0)
        if (rotation @ arm.elbow + position)[2] > _NEAREST_ELBOW_M:
            break
    to_camera = -unit(middle)
    for _ in range(4 if resting else 0):
        upward = resting_up(rng, arm)
        if (rotation @ upward) @ to_camera > 0.3:
            normal = rotation @ support(arm.points, upward)
            if normal @ to_camera > 0.2 and _height(arm, rotation, position, normal) > _LEAST_HEIGHT_M:
                return Placement(rotation, position, normal, rests=True)
    return Placement(rotation, position, up)


def _height(arm: Arm, rotation: np.ndarray, position: np.ndarray, normal: np.ndarray) -> float:
    """Of the camera above the surface with this normal that the arm touches."""
    return -float((arm.points @ (rotation.T @ normal)).min() + position @ normal)


def _resting(rng: np.random.Generator, arm: Arm, view: View, middle: np.ndarray, any_roll: bool) -> Placement | None:
    normal = support(arm.points, resting_up(rng, arm))
    for _ in range(_TRIES):
        up = views.sample_up(rng, view, any_roll)
        ahead = ahead_of(up)
        turn = rng.uniform(-np.pi, np.pi) if view is View.OVERHEAD else 0.7 * rng.normal()
        outwards = ahead if view is View.FACING else -ahead
        forearm = np.cos(turn) * outwards + np.sin(turn) * cross(outwards, up)
        rotation = turning(normal, arm.forearm, up, forearm)
        position = middle - rotation @ arm.joints.mean(axis=0)
        in_camera = (rotation @ arm.elbow + position)[2] < _NEAREST_ELBOW_M and view is not View.EGOCENTRIC
        along = view is View.EGOCENTRIC and (rotation @ arm.forearm) @ unit(middle) < -_MOST_ALONG_ARM
        if _height(arm, rotation, position, up) > _LEAST_HEIGHT_M and not in_camera and not along:
            shoulder, at_camera = _shoulder(rng, middle, up, arm.right) if view is View.EGOCENTRIC else (None, False)
            return Placement(rotation, position, up, True, shoulder, at_camera)
    return None


def _shoulder(rng: np.random.Generator, middle: np.ndarray, up: np.ndarray, right: bool) -> tuple[np.ndarray, bool]:
    """(3,) a shoulder of the person who wears the camera on the head or the chest, and whether the body is there.

    Hands further away than an arm's length belong to somebody before the camera.
    """
    ahead = ahead_of(up)
    side, above = SHOULDER_M * rng.uniform(0.9, 1.1, size=2)
    height, back = (-0.23, 0.07) if rng.random() < 0.75 else (above - 0.05, 0.14)
    shoulder = height * up - back * ahead + (side if right else -side) * cross(ahead, up)
    way = shoulder - middle
    distance, reach = np.sqrt(way @ way), UPPER_ARM_M + MIDDLE_TO_ELBOW_M
    if distance > reach:
        aside = (0.5 * cross(ahead, up) if right else -0.5 * cross(ahead, up)) - 0.4 * up + 0.3 * rng.normal(size=3)
        return middle + unit(way / distance + aside) * rng.uniform(0.6, 0.97) * reach, False
    return shoulder, True


def _egocentric(rng: np.random.Generator, arm: Arm, middle: np.ndarray, up: np.ndarray) -> Placement:
    """The forearm comes from the elbow of the person who wears the camera; some cameras sit on the wrist."""
    back = up + 0.6 * rng.normal(size=3) if rng.random() < 0.45 else rng.normal(size=3)
    if rng.random() < _WRIST_CAMERA_SHARE:
        to_camera = -unit(middle)
        lean = rng.uniform(0.5, 1.1)
        forearm = np.cos(lean) * to_camera + np.sin(lean) * across(rng.normal(size=3) - 1.5 * up, to_camera)
        shoulder, at_camera = None, False
    else:
        shoulder, at_camera = _shoulder(rng, middle, up, arm.right)
        outwards = cross(across(middle - shoulder, up), up) * (1 if arm.right else -1)
        for _ in range(_TRIES):
            pole = -up + 0.7 * outwards + 0.5 * rng.normal(size=3)
            forearm = unit(bent_elbow(middle, shoulder, MIDDLE_TO_ELBOW_M, pole) - middle)
            if forearm @ unit(middle) > -_MOST_ALONG_ARM:
                break
            shoulder = shoulder + 0.08 * rng.normal(size=3)
    rotation = turning(arm.forearm, _BACK, forearm, back)
    return Placement(rotation, middle - rotation @ arm.joints.mean(axis=0), up, False, shoulder, at_camera)


def _over_table(rng: np.random.Generator, arm: Arm, middle: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3, 3) of a hand above a table, the elbow not far below it and not at the camera."""
    for _ in range(_TRIES):
        upward = resting_up(rng, arm) if rng.random() < 0.8 else unit(rng.normal(size=3))
        rotation = turning(upward, arm.forearm, up, rng.normal(size=3))
        elbow = middle + rotation @ (arm.elbow - arm.joints.mean(axis=0))
        if (rotation @ arm.forearm) @ up > -0.45 and elbow[2] > _NEAREST_ELBOW_M:
            break
    return rotation
