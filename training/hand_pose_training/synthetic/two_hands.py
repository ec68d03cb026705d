"""A person moving both hands before a depth camera: whole frames in time, with the joints of both known.

The hands move apart, cross one in front of the other, touch or clasp and part, one leaves the image and comes back, and an
object goes from one to the other. Everything is a function of time, so frame k can be made alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives, views
from hand_pose_training.synthetic.choreography import (
    GRIP_OFFSET_M,
    LEFT,
    RIGHT,
    Script,
    Stage,
    clasp,
    cross,
    hand_over,
    leave,
    touch,
)
from hand_pose_training.synthetic.hand_mesh import PosedHand, posed_hand
from hand_pose_training.synthetic.limbs import hand_balls, reach_of_contact
from hand_pose_training.synthetic.poses import WRIST, bone_angles
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.sensor import Sensor, sample_sensor
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.sequence import CAMERA, RATE_HZ, SENSOR, KnownHand, SequenceFrame, whole_image
from hand_pose_training.synthetic.sequence_scene import (
    PALM_TO_CAMERA,
    add_body,
    add_hand,
    add_room,
    add_sleeve,
    add_upper_arms,
    turn,
)
from hand_pose_training.synthetic.shape import sample_shape
from hand_pose_training.synthetic.stage import Scene, SceneHand

SECONDS = 10.0
EGOCENTRIC_SHARE, OBJECT_SHARE = 0.3, 0.4
DISTANCE_M = (0.35, 0.9)
DEMO_DISTANCE_M, DEMO_RANGE_M = (0.48, 0.55), 1.2  # beyond is nothing but walls, which would make the recording larger
REACH_M = 0.6  # how far the hands of the person who wears the camera are away
_WOBBLE_M, _WOBBLE_RAD = np.array([0.012, 0.012, 0.015]), np.array([0.2, 0.12, 0.15])
_OBJECT_Y_M, _PALM_SKIN_X_M = -0.072, -0.020  # where a fist holds: in the right hand's frame
_HANDS_TO_CHEST = np.array([0.0, 0.28, 0.42])  # of the person who faces the camera
_CAMERA_TO_CHEST = np.array([0.0, 0.5, 0.0])  # of the person who wears it
_MARGIN_M = 0.025  # of flesh around the joints
_GIVING_WAY_M = 0.002  # hands that would overlap by more give way to each other altogether


class TwoHandSequence:
    """Frames of a person's two hands; frame k depends on the arguments and k alone.

    :param seed: of the person, the motion, the camera, the sensor and the noise
    :param seconds: length
    :param held_out: a hand shape and a sensor that training never draws; poses and objects are like those of training
    :param kind: of the sensor; None draws it
    :param camera, sensor: None draws them
    :param egocentric: the hands are seen by the person who moves them; None draws it
    :param distance_m: from and to, of the hands' distance
    :param range_m: nothing is seen beyond; None: everything is
    """

    def __init__(
        self,
        seed: int = 1,
        seconds: float = SECONDS,
        *,
        held_out: bool = False,
        kind: SensorKind | None = None,
        camera: Camera | None = None,
        sensor: Sensor | None = None,
        distance_m: tuple[float, float] = DISTANCE_M,
        egocentric: bool | None = None,
        range_m: float | None = None,
    ) -> None:
        self.seed, self.length, self._range_m = seed, round(seconds * RATE_HZ), range_m
        rng = np.random.default_rng((seed, 2, held_out))
        self.camera = views.sample_camera(rng) if camera is None else camera
        self._sensor = sample_sensor(rng, self.camera.fx, kind, held_out) if sensor is None else sensor
        self._shape = sample_shape(rng, held_out)
        self.egocentric = bool(rng.random() < EGOCENTRIC_SHARE) if egocentric is None else egocentric
        distance = rng.uniform(distance_m[0], min(distance_m[1], REACH_M) if self.egocentric else distance_m[1])
        self._stage = self._make_stage(rng, distance)
        self._script = Script(rng, self._stage, seconds, _acts(rng))
        self._wobble = rng.uniform(0, 2 * np.pi, (2, 6)), rng.uniform(0.15, 0.5, (2, 6))
        self._object = _stick(rng)
        self._table_y_m = self._stage.edge_m[1] * rng.uniform(0.9, 1.3) + 0.12

    def _make_stage(self, rng: np.random.Generator, distance: float) -> Stage:
        camera = self.camera
        edge = np.array([camera.width / camera.fx, camera.height / camera.fy]) / 2 * distance
        middle = np.array([*rng.uniform(-0.15, 0.15, 2) * edge, distance])
        apart = min(rng.uniform(0.115, 0.16), 0.58 * edge[0])
        if self.egocentric:  # the backs of one's own hands, fingers away
            return Stage(middle, 1, apart, edge, np.array([np.pi, -rng.uniform(0.3, 0.9), 0.0]))
        return Stage(middle, -1, apart, edge, np.array([rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3), 0.0]))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, k: int) -> SequenceFrame:
        if not 0 <= k < self.length:
            raise IndexError(f"frame {k} of {self.length}")
        scene = self.scene(k / RATE_HZ)
        depth_mm, buffer = whole_image(scene, self._sensor, np.random.default_rng((self.seed, k)), self._range_m)
        hands = tuple(
            KnownHand(number + 1, hand.right, hand.joints, visible_share(scene, number, buffer))
            for number, hand in enumerate(scene.hands)
        )
        return SequenceFrame(k / RATE_HZ, depth_mm, hands)

    def scene(self, time_s: float) -> Scene:
        """What is before the camera at that time; the right hand is the first."""
        posed, rotations, origins = zip(*(self._placed(hand, time_s) for hand in (RIGHT, LEFT)))
        origins = self._apart(posed, rotations, origins)
        scene = Scene(self.camera, [], self._stage.middle)
        for hand in (RIGHT, LEFT):
            scene.hands.append(
                SceneHand(
                    posed[hand].joints @ rotations[hand].T + origins[hand],
                    right=hand == RIGHT,
                    holds_object=self._holds(hand, time_s),
                    occupies=len(scene.meshes),
                )
            )
            add_hand(scene, posed[hand], rotations[hand], origins[hand], right=hand == RIGHT)
        elbows = [add_sleeve(scene, posed[h], self._shape, rotations[h], origins[h], self.seed) for h in (RIGHT, LEFT)]
        if self._script.passed_s is not None:
            self._add_object(scene, time_s, rotations, origins)
        if self.egocentric:
            add_upper_arms(scene, _CAMERA_TO_CHEST, elbows)
        else:
            add_body(scene, self._stage.middle + _HANDS_TO_CHEST, elbows)
        add_room(scene, self._table_y_m, self._stage.middle[2] + 0.85)
        return scene

    def _placed(self, hand: int, time_s: float) -> tuple[PosedHand, np.ndarray, np.ndarray]:
        """The hand, its rotation (3, 3) to the camera's frame and its origin (3,)."""
        phases, rates = self._wobble
        wave = np.sin(2 * np.pi * rates[hand] * time_s + phases[hand])
        pose = self._script.shapes[hand].at(time_s).copy()
        pose[WRIST] = 0.15 * wave[0], 0.1 * wave[3]
        posed = posed_hand(bone_angles(pose), self._shape, right=hand == RIGHT)
        yaw, pitch, roll = self._script.angles[hand].at(time_s) + _WOBBLE_RAD * wave[3:]
        mirror = -self._stage.right_x * (1 if hand == RIGHT else -1)  # the angles are those of a hand on the image's left
        rotation = turn(mirror * roll, 2) @ turn(pitch, 0) @ turn(-mirror * yaw, 1) @ PALM_TO_CAMERA
        middle = self._script.positions[hand].at(time_s) + _WOBBLE_M * wave[:3]
        return posed, rotation, middle - rotation @ posed.joints.mean(axis=0)

    def _apart(
        self, posed: Sequence[PosedHand], rotations: Sequence[np.ndarray], origins: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The origins of both hands; where these would go through each other, both give way until they touch."""
        balls, radii = zip(*(hand_balls(hand, self._shape) for hand in posed))
        right, left = (b @ r.T + o for b, r, o in zip(balls, rotations, origins))
        overlap = (radii[RIGHT][:, None] + radii[LEFT] - np.linalg.norm(right[:, None] - left, axis=2)).max()
        if overlap <= 0:
            return list(origins)
        way = right.mean(axis=0) - left.mean(axis=0)
        way /= np.linalg.norm(way)
        share = min(overlap / _GIVING_WAY_M, 1.0)  # without a jump where they would pass far through each other
        reach = share * reach_of_contact(right, radii[RIGHT], left, radii[LEFT], way)
        return [origins[RIGHT] + 0.5 * reach * way, origins[LEFT] - 0.5 * reach * way]

    def _holds(self, hand: int, time_s: float) -> bool:
        passed = self._script.passed_s
        return passed is not None and (time_s < passed) == (hand == self._script.giver)

    def _add_object(self, scene: Scene, time_s: float, rotations: list[np.ndarray], origins: list[np.ndarray]) -> None:
        """The stick in the fist that holds it; while it is passed, between both."""
        mesh, radius = self._object
        taken = float(np.clip((time_s - self._script.passed_s) / 0.3 + 0.5, 0, 1))
        shares = np.array([1 - taken, taken]) if self._script.giver == RIGHT else np.array([taken, 1 - taken])
        center, along = np.zeros(3), np.zeros(3)
        for hand in (RIGHT, LEFT):
            mirror = 1 if hand == RIGHT else -1
            grip = np.array([_PALM_SKIN_X_M - radius, _OBJECT_Y_M, -mirror * GRIP_OFFSET_M])
            center += shares[hand] * (rotations[hand] @ grip + origins[hand])
            along += shares[hand] * rotations[hand][:, 2]
        y = along / np.linalg.norm(along)
        x = views.cross(y, np.array([0.0, 0.0, 1.0]))
        x /= np.linalg.norm(x)
        scene.add(mesh, np.stack([x, y, views.cross(x, y)], axis=1), center)


def demo_sequence(seed: int, seconds: float) -> TwoHandSequence:
    """A person who faces the camera of the demo's recording."""
    return TwoHandSequence(
        seed, seconds, camera=CAMERA, sensor=SENSOR, distance_m=DEMO_DISTANCE_M, egocentric=False, range_m=DEMO_RANGE_M
    )


def visible_share(scene: Scene, hand: int, buffer: ZBuffer) -> float:
    """How much of a hand can be seen, 0 to 1: the share of its joints in the image times the share of its pixels that nothing
    else hides.

    :param buffer: the whole scene, rendered
    """
    joints, camera = scene.hands[hand].joints, scene.camera
    pixels = camera.project(joints)
    inside = ((pixels >= -0.5) & (pixels <= (camera.width - 0.5, camera.height - 0.5))).all(axis=1)
    margin = _MARGIN_M * camera.fx / joints[:, 2].min()
    low = np.clip(np.floor(pixels.min(axis=0) - margin), 0, (camera.width, camera.height)).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0) + margin), 0, (camera.width, camera.height)).astype(int)
    if not inside.any() or (high <= low).any():
        return 0.0
    alone = ZBuffer(camera, Window(*low, *(high - low)))
    alone.draw_mesh(*scene.meshes[scene.hands[hand].occupies])
    its = alone.inverse_depth > 0
    all_of_it = buffer.inverse_depth[low[1] : high[1], low[0] : high[0]]
    seen = its & (all_of_it <= alone.inverse_depth * (1 + 1e-5))
    return float(inside.mean() * seen.sum() / max(its.sum(), 1))


def _acts(rng: np.random.Generator) -> list:
    """In any order. An object goes from hand to hand, or free hands meet."""
    meeting = hand_over if rng.random() < OBJECT_SHARE else touch if rng.random() < 0.5 else clasp
    acts = [cross, leave, meeting, cross]
    return [acts[i] for i in rng.permutation(len(acts))]


def _stick(rng: np.random.Generator) -> tuple[primitives.Mesh, float]:
    """An object to hold, along y, and its radius."""
    radius, length = rng.uniform(0.010, 0.02), rng.uniform(0.17, 0.24)
    if rng.random() < 0.5:
        return primitives.cylinder(radius, length), radius
    return primitives.box(np.array([2 * radius, length, 2 * radius])), radius
