"""A person moving a hand before a depth camera: whole frames in time, with the joints known.

The person sits behind a table and faces the camera, a cupboard and a wall behind. The right hand goes through the anchors'
shapes while it moves, turns and shows its back; the arm follows. Everything is a function of time, so frame k can be made
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.arm import elbow, forearm_mesh, sleeve_mesh
from hand_pose_training.synthetic.hand_mesh import FOREARM, hand_model, posed_hand
from hand_pose_training.synthetic.poses import ANCHORS, WRIST, bone_angles
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import Scene
from hand_pose_training.synthetic.sensor import Sensor, sense
from hand_pose_training.synthetic.shape import sample_shape
from hand_pose_training.synthetic.views import cross

CAMERA = Camera(640, 480, 476.0, 476.0, 319.5, 239.5)
RATE_HZ = 30
# A stereo camera that clips at RANGE_M; disparities in eighths of a pixel also keep the recording small.
RANGE_M = 1.4
SENSOR = Sensor(
    lateral_px=0.35,
    lateral_pitch_px=2.0,
    disparity_px=0.015,
    disparity_step_px=1 / 8,
    focal_baseline=476.0 * 0.055,
    edge_px=1.5,
    drop_behind=0.3,
    drop_front=0.1,
    fatten_px=1.0,
    edge_jump_m=0.02,
    grazing_tan=6.0,
    step_m=0.001,
    focal_px=476.0,
)
_SHAPES = (
    "open fist point two three four spread relaxed pinch pinch_middle open thumbs_up gun flat claw open power fist two open"
).split()
_SHAPE_S, _MOVE_SHARE = 0.75, 0.6  # each shape's time, and the share of it in which the fingers move
_SHOULDER = np.array([-0.07, 0.08, 0.94])
_TORSO, _HEAD = np.array([0.11, 0.32, 0.98]), np.array([0.11, -0.16, 0.95])
_TABLE_Y_M, _WALL_Z_M = 0.36, 1.7
_CUPBOARD, _CUPBOARD_M = np.array([-0.62, 0.0, 1.35]), np.array([0.3, 0.9, 0.3])


@dataclass(frozen=True)
class SequenceFrame:
    """One frame.

    :param depth_mm: (H, W) uint16 millimetres, 0 = no depth
    :param joints: (21, 3) hand21 joints in metres, camera optical frame
    """

    stamp_s: float
    depth_mm: np.ndarray
    joints: np.ndarray


class HandSequence:
    """Frames of a person's right hand; frame k depends on (seed, k) alone.

    :param seed: of the hand's shape, the motion's phases and the noise
    :param seconds: length
    """

    camera = CAMERA

    def __init__(self, seed: int = 1, seconds: float = 11.0) -> None:
        self.seed, self.length = seed, round(seconds * RATE_HZ)
        rng = np.random.default_rng(seed)
        self._shape = sample_shape(rng)
        self._phases = rng.uniform(0, 2 * np.pi, size=8)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, k: int) -> SequenceFrame:
        if not 0 <= k < self.length:
            raise IndexError(f"frame {k} of {self.length}")
        scene = self.scene(k / RATE_HZ)
        window = Window.of_image(self.camera)
        buffer = scene.render(window)
        rng = np.random.default_rng((self.seed, k))
        columns, rows = np.arange(self.camera.width), np.arange(self.camera.height)
        depth = sense(buffer.inverse_depth, window, columns, rows, SENSOR, rng)
        depth[depth > RANGE_M] = 0
        return SequenceFrame(k / RATE_HZ, np.round(depth * 1000).astype(np.uint16), scene.joints)

    def scene(self, time_s: float) -> Scene:
        """What is before the camera at that time."""
        hand = posed_hand(bone_angles(self.pose(time_s)), self._shape)
        rotation, middle = self.orientation(time_s), self.position(time_s)
        origin = middle - rotation @ hand.joints.mean(axis=0)
        scene = Scene(self.camera, hand.joints @ rotation.T + origin, middle)
        scene.add((hand.vertices, hand_model().faces), rotation, origin)
        # The same arm in every frame.
        arm_rng = np.random.default_rng(self.seed)
        scene.add(forearm_mesh(hand, self._shape[FOREARM], arm_rng), rotation, origin)
        scene.add(sleeve_mesh(hand, self._shape[FOREARM], arm_rng), rotation, origin)
        _add_limb(scene, rotation @ elbow(hand, self._shape[FOREARM]) + origin, _SHOULDER, 0.048, 0.065)
        _add_person(scene)
        scene.add(primitives.box(_CUPBOARD_M), _turn(0.35, 1), _CUPBOARD)
        scene.planes += [(np.array([0.0, 1.0, 0.0]), _TABLE_Y_M), (np.array([0.08, 0.0, 1.0]), _WALL_Z_M)]
        return scene

    def pose(self, time_s: float) -> np.ndarray:
        """(25,) pose: from shape to shape, at rest in each for a moment."""
        number, share = divmod(time_s / _SHAPE_S, 1.0)
        before, after = (ANCHORS[_SHAPES[(int(number) + k) % len(_SHAPES)]] for k in range(2))
        done = np.clip(share / _MOVE_SHARE, 0, 1)
        pose = before + _smooth(done) * (after - before)
        pose[WRIST] = 0.15 * np.sin(2 * np.pi * 0.23 * time_s + self._phases[0]), 0.1 * np.sin(2 * np.pi * 0.31 * time_s)
        return pose

    def position(self, time_s: float) -> np.ndarray:
        """(3,) middle of the hand: 0.42 to 0.62 m before the camera."""
        wave = np.sin(2 * np.pi * np.array([0.13, 0.21, 0.11]) * time_s + self._phases[1:4])
        return np.array([-0.06, -0.04, 0.52]) + wave * (0.10, 0.05, 0.09)

    def orientation(self, time_s: float) -> np.ndarray:
        """(3, 3) hand to camera: the palm to the camera, swaying; for some seconds in the middle its back."""
        yaw, pitch, roll = np.sin(2 * np.pi * np.array([0.17, 0.12, 0.15]) * time_s + self._phases[4:7]) * (0.6, 0.3, 0.35)
        back = self.length / RATE_HZ * np.array([0.5, 0.75])  # from and to, seconds
        yaw += np.pi * (_smooth(np.clip(time_s - back[0], 0, 1)) - _smooth(np.clip(time_s - back[1], 0, 1)))
        palm_to_camera = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
        return _turn(roll, 2) @ _turn(pitch, 0) @ _turn(yaw, 1) @ palm_to_camera


def _smooth(share: float) -> float:
    """From 0 to 1 with no speed at either end."""
    return share * share * (3 - 2 * share)


def _turn(angle: float, axis: int) -> np.ndarray:
    """Rotation about the camera's x (0), y (1) or z (2) axis."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i], out[i, j], out[j, i], out[j, j] = c, -s, s, c
    return out


def _add_limb(scene: Scene, start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> None:
    """A tapered round limb between two points."""
    along = end - start
    length = np.linalg.norm(along)
    y = along / length
    x = cross(y, np.array([0.0, 0.0, 1.0]))
    x /= np.linalg.norm(x)
    radii = np.linspace(start_radius, end_radius, 5)[:, None].repeat(2, axis=1)
    mesh = primitives.tube(np.linspace(0, length, 5), radii)
    scene.add(mesh, np.stack([x, y, cross(x, y)], axis=1), start)
    for at, radius in ((start, start_radius), (end, end_radius)):
        scene.add(primitives.ellipsoid(np.full(3, radius)), np.eye(3), at)


def _add_person(scene: Scene) -> None:
    """Torso, shoulders, neck, head with a nose, and the other arm down."""
    level = np.eye(3)
    scene.add(primitives.ellipsoid(np.array([0.20, 0.37, 0.12])), level, _TORSO)
    other_shoulder = _SHOULDER + (2 * (_TORSO - _SHOULDER)) * (1, 0, 0)
    for shoulder in (_SHOULDER, other_shoulder):
        _add_limb(scene, _TORSO - (0, 0.32, 0), shoulder, 0.075, 0.06)
    _add_limb(scene, other_shoulder, other_shoulder + np.array([0.06, 0.28, -0.02]), 0.062, 0.048)
    _add_limb(scene, _HEAD, _TORSO - (0, 0.3, 0), 0.048, 0.06)
    scene.add(primitives.ellipsoid(np.array([0.075, 0.115, 0.095])), level, _HEAD)
    scene.add(primitives.ellipsoid(np.array([0.015, 0.028, 0.022])), level, _HEAD + np.array([0, 0.015, -0.088]))
