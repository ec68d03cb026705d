"""What is in the scenes of sequences beside the hands' shapes: their arms, the person, the room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.arm import elbow, sleeve_mesh
from hand_pose_training.synthetic.hand_mesh import HandShape, PosedHand, hand_faces
from hand_pose_training.synthetic.stage import Scene
from hand_pose_training.synthetic.views import cross

# Hand to camera: fingers up, the palm of a hand on the image's left to the camera.
PALM_TO_CAMERA = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
_CUPBOARD_X_M, _CUPBOARD_M = -0.62, np.array([0.3, 0.9, 0.3])
_SHOULDER = np.array([0.18, -0.24, -0.04])  # from the chest, on the image's right

RINGS = 12  # of a limb: what comes nearer than the renderer draws is left out ring by ring


def turn(angle: float, axis: int) -> np.ndarray:
    """(3, 3) rotation about the camera's x (0), y (1) or z (2) axis."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i], out[i, j], out[j, i], out[j, j] = c, -s, s, c
    return out


def add_hand(scene: Scene, hand: PosedHand, rotation: np.ndarray, origin: np.ndarray, *, right: bool = True) -> None:
    """The hand with its forearm."""
    scene.add((hand.vertices, hand_faces()), rotation, origin, 1 if right else -1, "skin")


def add_sleeve(
    scene: Scene, hand: PosedHand, shape: HandShape, rotation: np.ndarray, origin: np.ndarray, seed: int
) -> np.ndarray:
    """A sleeve around the forearm, the same for the same seed; returns the elbow (3,)."""
    sleeve = sleeve_mesh(hand, shape, np.random.default_rng(seed))
    scene.add(sleeve, rotation, origin, material="cloth")
    return rotation @ elbow(hand, shape) + origin


def add_body(scene: Scene, chest: np.ndarray, elbows: Sequence[np.ndarray]) -> None:
    """Torso, shoulders, neck, head with a nose, and the upper arms; faces the camera.

    :param elbows: of the arm on the image's left and, where it is raised, of the one on the right, which else hangs down
    """
    level = np.eye(3)
    scene.add(primitives.ellipsoid(np.array([0.20, 0.37, 0.12])), level, chest, material="cloth")
    shoulders = chest + _SHOULDER * (-1, 1, 1), chest + _SHOULDER
    for shoulder in shoulders:
        _add_limb(scene, chest - (0, 0.32, 0), shoulder, 0.075, 0.06)
    hanging = shoulders[1] + (0.06, 0.28, -0.02)
    for shoulder, end in zip(shoulders, (*elbows, hanging)):
        _add_limb(scene, end, shoulder, 0.048, 0.065)
    head = chest - (0, 0.48, 0.03)
    _add_limb(scene, head, chest - (0, 0.3, 0), 0.048, 0.06)
    scene.add(primitives.ellipsoid(np.array([0.075, 0.115, 0.095])), level, head, material="skin")
    scene.add(primitives.ellipsoid(np.array([0.015, 0.028, 0.022])), level, head - (0, -0.015, 0.088), material="skin")


def add_upper_arms(scene: Scene, chest: np.ndarray, elbows: Sequence[np.ndarray]) -> None:
    """The upper arms of the person who wears the camera; elbows of the right and the left arm."""
    for end, side in zip(elbows, (1, -1)):
        _add_limb(scene, end, chest + _SHOULDER * (side, 1, 1), 0.045, 0.06)


def add_room(scene: Scene, table_y_m: float, wall_z_m: float) -> None:
    """A table, a cupboard and a wall."""
    scene.add(primitives.box(_CUPBOARD_M), turn(0.35, 1), np.array([_CUPBOARD_X_M, 0.0, wall_z_m - 0.35]))
    scene.planes += [(np.array([0.0, 1.0, 0.0]), table_y_m), (np.array([0.08, 0.0, 1.0]), wall_z_m)]


def _add_limb(scene: Scene, start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> None:
    """A tapered round limb between two points."""
    along = end - start
    length = np.linalg.norm(along)
    y = along / length
    x = cross(y, np.array([0.0, 0.0, 1.0]))
    x /= np.linalg.norm(x)
    radii = np.linspace(start_radius, end_radius, RINGS)[:, None].repeat(2, axis=1)
    mesh = primitives.tube(np.linspace(0, length, RINGS), radii)
    scene.add(mesh, np.stack([x, y, cross(x, y)], axis=1), start, material="cloth")
    for at, radius in ((start, start_radius), (end, end_radius)):
        scene.add(primitives.ellipsoid(np.full(3, radius)), np.eye(3), at, material="cloth")
