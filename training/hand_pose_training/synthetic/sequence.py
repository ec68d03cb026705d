"""A person moving one hand before a depth camera: whole frames in time, with the joints known.

The person sits behind a table and faces the camera, a cupboard and a wall behind. The right hand goes through the anchors'
shapes while it moves, turns and shows its back; the arm follows. Everything is a function of time, so frame k can be made
alone. The same with two hands: `two_hands.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic.hand_mesh import posed_hand
from hand_pose_training.synthetic.poses import ANCHORS, WRIST, bone_angles
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.sensor import Sensor, sense
from hand_pose_training.synthetic.sensors.faults import Sensor as Faults
from hand_pose_training.synthetic.sequence_scene import PALM_TO_CAMERA, add_body, add_hand, add_room, add_sleeve, turn
from hand_pose_training.synthetic.shape import sample_shape
from hand_pose_training.synthetic.stage import Scene, SceneHand

CAMERA = Camera(640, 480, 476.0, 476.0, 319.5, 239.5)
RATE_HZ = 30
# A stereo camera that clips at RANGE_M; disparities in eighths of a pixel also keep the recording small.
RANGE_M = 1.4
SENSOR = Faults(
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
_CHEST = np.array([0.11, 0.32, 0.98])
_TABLE_Y_M, _WALL_Z_M = 0.36, 1.7


@dataclass(frozen=True)
class KnownHand:
    """A hand of a frame as it truly is.

    :param id: of the hand, the same in the whole sequence, from 1 on
    :param joints: (21, 3) hand21 joints in metres, camera optical frame
    :param visible: how much of it can be seen, 0 (hidden, or out of the image) to 1
    """

    id: int
    right: bool
    joints: np.ndarray
    visible: float = 1.0


@dataclass(frozen=True)
class SequenceFrame:
    """One frame.

    :param depth_mm: (H, W) uint16 millimetres, 0 = no depth
    :param hands: all of the person's hands that the sequence moves, also those that cannot be seen
    """

    stamp_s: float
    depth_mm: np.ndarray
    hands: tuple[KnownHand, ...]


def whole_image(scene: Scene, sensor: Sensor, rng: np.random.Generator, range_m: float | None) -> tuple[np.ndarray, ZBuffer]:
    """(H, W) uint16 millimetres that the scene's camera sees, 0 = no depth, and the perfect image behind it.

    :param range_m: the camera gives nothing beyond; None: no limit
    """
    window, camera = Window.of_image(scene.camera), scene.camera
    buffer = scene.render(window)
    depth = sense(buffer.inverse_depth, window, np.arange(camera.width), np.arange(camera.height), sensor, rng)
    if range_m is not None:
        depth[depth > range_m] = 0
    return np.round(depth * 1000).astype(np.uint16), buffer


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
        depth_mm, _ = whole_image(scene, SENSOR, np.random.default_rng((self.seed, k)), RANGE_M)
        hand = KnownHand(1, right=True, joints=scene.joints)
        return SequenceFrame(k / RATE_HZ, depth_mm, (hand,))

    def scene(self, time_s: float) -> Scene:
        """What is before the camera at that time."""
        hand = posed_hand(bone_angles(self.pose(time_s)), self._shape)
        rotation, middle = self.orientation(time_s), self.position(time_s)
        origin = middle - rotation @ hand.joints.mean(axis=0)
        scene = Scene(self.camera, [SceneHand(hand.joints @ rotation.T + origin)], middle)
        add_hand(scene, hand, rotation, origin)
        elbow = add_sleeve(scene, hand, self._shape, rotation, origin, self.seed)
        add_body(scene, _CHEST, [elbow])
        add_room(scene, _TABLE_Y_M, _WALL_Z_M)
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
        return turn(roll, 2) @ turn(pitch, 0) @ turn(yaw, 1) @ PALM_TO_CAMERA


def _smooth(share: float) -> float:
    """From 0 to 1 with no speed at either end."""
    return share * share * (3 - 2 * share)
