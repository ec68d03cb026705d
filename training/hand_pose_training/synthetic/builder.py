"""Puts a scene together, hands first: then what touches them, then what must keep clear of them."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic import surroundings, views
from hand_pose_training.synthetic.arm_placing import Placement, ahead_of, place
from hand_pose_training.synthetic.companions import place_second, sample_second
from hand_pose_training.synthetic.limbs import UPPER_ARM_M, Arm, count_hidden, reach_of_contact, sample_arm
from hand_pose_training.synthetic.people import Body, Person, add_person, add_upper_arm, body_with_shoulder, find_body
from hand_pose_training.synthetic.stage import HIDDEN_M, Companion, Scene, SceneHand, SceneSettings
from hand_pose_training.synthetic.surroundings import Keep
from hand_pose_training.synthetic.views import View, unit

OCCLUDER_SHARE, CLUTTER_SHARE = 0.04, 0.2
_SURFACE_SHARE = {View.FACING: 0.12, View.EGOCENTRIC: 0.3, View.OVERHEAD: 0.5, View.ANY: 0.25}
_BODY_SHARE = {View.FACING: 0.9, View.EGOCENTRIC: 0.85, View.OVERHEAD: 0.7, View.ANY: 0.65}
_REACHING_SHARE = 0.1
_TOUCHING_SHARE = 0.2  # of bodies, which the hand nearly touches
_SIGHT = np.array([0.35, 0.6, 0.85])  # where along the line of sight bodies keep out
_SIGHT_RADIUS_M = 0.05
_TRIES = 6
_MOST_HIDDEN = 6  # joints of a hand, by its own forearm or by the other arm
_CROP_HALF_M, _NEAR_JOINTS = 0.12, 5  # so many joints of a second hand lie so near the first one


class SceneBuilder:
    """Adds hands, people and rooms to one scene.

    :ivar up: (3,) upwards, camera frame
    """

    def __init__(self, scene: Scene, rng: np.random.Generator, settings: SceneSettings) -> None:
        self.scene, self.settings = scene, settings
        self._rng = rng
        self._any_roll = bool(rng.random() < settings.any_roll)
        self.up = views.sample_up(rng, scene.view, self._any_roll)
        self._keep = Keep()
        self._people: list[Person] = []
        self._limbs: list[tuple[np.ndarray, np.ndarray, bool]] = []
        self._table: float | None = None  # distance along -up of what the first hand rests on
        self._is_table = False

    def add_subject(self, middle: np.ndarray, companion: Companion) -> np.ndarray | None:
        """A hand at `middle` (3,) with its companion and its person; returns the shoulder (3,), None where there is no room."""
        rng, scene, settings = self._rng, self.scene, self.settings
        first = not scene.hands
        resting = first and rng.random() < _SURFACE_SHARE[scene.view]
        right = rng.random() < settings.right_hands
        reaching = companion is Companion.NONE and not resting and rng.random() < _REACHING_SHARE
        arm = sample_arm(rng, right, companion is Companion.OBJECT, settings.held_out, resting, reaching)
        for _ in range(_TRIES):
            placement = place(rng, arm, scene.view, middle, self._any_roll, resting, None if first else self.up)
            if self._shows(placement.points(arm.joints), placement, *arm.forearm_balls):
                break
        if not first and not self._has_room(arm, placement):
            return None
        if first:
            self.up = placement.up
        self._add_arm(arm, placement)
        if placement.rests:
            self._table, self._is_table = surroundings.add_support(scene, rng, self.up)
            scene.on_surface = True
        shoulder, body = self._find_person(arm, placement)
        self._add_limb(arm, shoulder, body)
        if companion is Companion.SECOND_HAND:
            self._add_second(arm, placement, body)
        return shoulder

    def finish(self, background: float | None = None) -> None:
        """Tables with things on them, clutter, people and the room; `background`: share of scenes that have a room."""
        rng, scene = self._rng, self.scene
        table = self._table if self._is_table else None
        if self._table is None:
            table = surroundings.add_table(scene, rng, self.up)
        for elbow, shoulder, sleeved in self._limbs:
            add_upper_arm(scene, rng, elbow, shoulder, sleeved)
        if table is not None:
            surroundings.add_on_table(scene, rng, self.up, table, self._keep, self.settings.held_out)
        elif rng.random() < CLUTTER_SHARE:
            surroundings.add_clutter(scene, rng, self._keep, self.settings.held_out)
        for person in self._people:
            add_person(scene, rng, person, self.settings.held_out, (self._keep.balls, self._keep.radii))
        surroundings.add_background(scene, rng, self.up, table, background)
        if scene.present and rng.random() < OCCLUDER_SHARE:
            surroundings.add_occluder(scene, rng)

    def _add_arm(self, arm: Arm, placement: Placement) -> None:
        scene, occupies = self.scene, len(self.scene.meshes)
        for part in arm.parts:
            scene.add(part.mesh, placement.rotation, placement.position, part.cull, part.material)
        elbow = placement.points(arm.elbow[None])[0]
        scene.hands.append(SceneHand(placement.points(arm.joints), arm.right, arm.holds_object, elbow, occupies))
        self._keep.add(placement.points(arm.balls), arm.radii)

    @staticmethod
    def _shows(joints: np.ndarray, placement: Placement, balls: np.ndarray, radii: np.ndarray) -> bool:
        """Whether an arm's balls leave most of a hand's joints (21, 3), camera frame, to be seen."""
        return count_hidden(joints, placement.points(balls), radii, HIDDEN_M) <= _MOST_HIDDEN

    def _has_room(self, arm: Arm, placement: Placement) -> bool:
        """Whether an arm goes through nothing that was added before, nor through the table."""
        balls = placement.points(arm.balls)
        gaps = np.sqrt(((balls[:, None] - self._keep.balls) ** 2).sum(axis=-1)) - arm.radii[:, None] - self._keep.radii
        return gaps.min() > 0.005 and (self._table is None or self._depth_below(arm, placement) < 0)

    def _depth_below(self, arm: Arm, placement: Placement) -> float:
        """How far an arm reaches below the table, negative above it."""
        return float((placement.points(arm.points) @ -self.up).max()) - self._table

    def _find_person(self, arm: Arm, placement: Placement) -> tuple[np.ndarray, Body | None]:
        """The shoulder (3,) and, in some scenes, the body that belongs to an arm."""
        rng, up = self._rng, placement.up
        elbow, forearm = placement.points(arm.elbow[None])[0], placement.direction(arm.forearm)
        if placement.shoulder is not None:
            body = body_with_shoulder(placement.shoulder, up, ahead_of(up), arm.right)
            if placement.at_camera and rng.random() < _BODY_SHARE[View.EGOCENTRIC]:
                self._people.append(Person(body, head=False))
            return placement.shoulder, body
        body = None
        if rng.random() < _BODY_SHARE[self.scene.view]:
            middle = placement.points(arm.joints).mean(axis=0)
            balls = np.concatenate([placement.points(arm.balls[:-1]), _SIGHT[:, None] * middle])
            clear = balls, np.concatenate([arm.radii[:-1], np.full(len(_SIGHT), _SIGHT_RADIUS_M)])
            body = find_body(rng, up, elbow, forearm, clear, len(_SIGHT), arm.right, _TOUCHING_SHARE)
        if body is not None:
            self._people.append(Person(body))
            return body.shoulder(arm.right), body
        direction = 0.5 * up + 0.4 * forearm + 0.5 * rng.normal(size=3) + np.array([0.0, 0.0, 0.5])
        return elbow + UPPER_ARM_M * unit(direction), None

    def _add_second(self, arm: Arm, placement: Placement, body: Body | None) -> None:
        """The second hand, where a crop around the first one shows some of it, and above the table if there is one."""
        second, meeting, same = sample_second(self._rng, arm, self.settings.held_out)
        middle, best = placement.points(arm.joints).mean(axis=0), -1
        for _ in range(_TRIES):
            tried = place_second(self._rng, arm, placement, second, meeting, body if same else None)
            near = int((np.abs(tried.points(second.joints) - middle).max(axis=1) < _CROP_HALF_M).sum())
            above = self._table is None or self._depth_below(second, tried) < 0
            shows = self._shows(placement.points(arm.joints), tried, second.balls, second.radii)
            worth = min(near, _NEAR_JOINTS) + _NEAR_JOINTS * shows + 3 * _NEAR_JOINTS * above
            if worth > best:
                beside, best = tried, worth
            if worth == 5 * _NEAR_JOINTS:
                break
        if best < 3 * _NEAR_JOINTS:
            lift = self._depth_below(second, beside) + 0.002
            raised = Placement(beside.rotation, beside.position + lift * self.up, self.up)
            reach = reach_of_contact(raised.points(second.balls), second.radii, placement.points(arm.balls), arm.radii, self.up)
            beside = Placement(beside.rotation, raised.position + max(reach, 0.0) * self.up, self.up)
        self._add_arm(second, beside)
        if same and body is not None:
            shoulder = body.shoulder(second.right)
        else:
            body = None
            direction = beside.direction(second.forearm) + 0.6 * self._rng.normal(size=3) + 0.4 * self.up
            shoulder = self.scene.hands[-1].elbow + UPPER_ARM_M * unit(direction)
        self._add_limb(second, shoulder, body)

    def _add_limb(self, arm: Arm, shoulder: np.ndarray, body: Body | None) -> None:
        """The upper arm of the last hand: the person's own where that is to be seen."""
        elbow = self.scene.hands[-1].elbow
        for person in self._people:
            if person.body is body and arm.right not in person.elbows:
                person.elbows[arm.right] = elbow
                return
        self._limbs.append((elbow, shoulder, arm.sleeved))
