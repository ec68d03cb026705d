"""What one frame's hands are published as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hand_pose_ros.hand.hand_state import HandState
from hand_pose_ros.hand.kinematics import not_representable
from hand_pose_ros.live.hand_states import HandStates
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.surest import Surest
from hand_pose_ros.live.topics import (
    GRASP_POSE,
    HAND_BONES,
    HAND_GRASPS,
    HAND_JOINT_STATES,
    HAND_MARKERS,
    HANDS,
    PALM_POSES,
    TRANSFORMS,
    TopicSpec,
)
from hand_pose_ros.messages.builders import hand_pose_array, hand_transforms, palm_poses
from hand_pose_ros.messages.hand_outputs import grasp_pose, hand_bones, hand_grasps, hand_joint_states
from hand_pose_ros.messages.library import MessageLibrary
from hand_pose_ros.messages.markers import hand_markers
from hand_pose_ros.perception.types import FrameResult, Side

_BONES_CHANGED_M = 0.001


class OutputBuilder:
    """Builds the messages of each frame; remembers of the hands what that takes: which have markers, so that those of a hand that
    goes are deleted, whether fingers pinch, the bones, and whose turn it is where an output is of one hand.

    :param model_id: name of the model, as in its card
    """

    def __init__(self, library: MessageLibrary, parameters: Parameters, model_id: str) -> None:
        self._library, self.parameters, self._model_id = library, parameters, model_id
        self._marked_slots: frozenset[int] = frozenset()
        self._states = HandStates()
        self._grasping, self._of_side = Surest(), {side: Surest() for side in (Side.LEFT, Side.RIGHT)}
        self._bones_told: dict[tuple, np.ndarray] = {}
        self.angle_error_m = float("nan")

    def reset(self) -> None:
        """Forget the hands, but for their markers, which are still shown."""
        self._states.reset()
        for chosen in (self._grasping, *self._of_side.values()):
            chosen.reset()

    def stabilized(self, result: FrameResult) -> FrameResult:
        """Learns from a new frame's hands, in any frame of reference; answers it with joints as `bone_stabilization` asks."""
        return self._states.stabilized(result, self.parameters)

    def build(self, result: FrameResult) -> list[tuple[TopicSpec, Any]]:
        """(topic, message) of every output that is on; hands first, also when there are none.

        Without the image's frame there are no transforms, since they would have no parent. Afterwards `angle_error_m` says how
        far, on average, the joints are from those that the joint angles stand for; NaN without angles.
        """
        library, parameters = self._library, self.parameters
        states = self._states.observe(result, parameters)
        messages = [(HANDS, hand_pose_array(library, result, self._model_id, states))]
        if parameters.publish_tf and result.hands and result.frame_id:
            messages.append((TRANSFORMS, hand_transforms(library, result, parameters.frame_prefix)))
        if parameters.publish_markers:
            messages.append((HAND_MARKERS, hand_markers(library, result, self._marked_slots)))
            self._marked_slots = frozenset(hand.slot for hand in result.hands)
        if parameters.publish_palm_poses:
            messages.append((PALM_POSES, palm_poses(library, result)))
        if parameters.publish_grasps:
            messages.append((HAND_GRASPS, hand_grasps(library, result, states)))
            grasping = [hand for hand in result.hands if hand.id in states and states[hand.id].grasp is not None]
            if (hand := self._grasping.of(grasping)) is not None:
                messages.append((GRASP_POSE, grasp_pose(library, result, states[hand.id].grasp)))
        self.angle_error_m = float("nan")
        if parameters.publish_joint_states:
            messages += self._angles(result, states)
        return messages

    def _angles(self, result: FrameResult, states: Mapping[int, HandState]) -> list[tuple[TopicSpec, Any]]:
        """The joint states, and the bones that they belong to where these have changed."""
        if states:
            self.angle_error_m = float(np.mean([not_representable(s.local, s.angles).mean() for s in states.values()]))
        messages = [(HAND_JOINT_STATES, hand_joint_states(self._library, result, states, self._owners(result, states)))]
        known = [(hand, bones) for hand in result.hands if (bones := self._states.bones(hand)) is not None]
        now = {(h.id, h.slot, h.side): np.concatenate([e.bones.bases, e.bones.lengths]) for h, e in known}
        if known and self._bones_differ(now):
            self._bones_told = now
            messages.append((HAND_BONES, hand_bones(self._library, known)))
        return messages

    def _owners(self, result: FrameResult, states: Mapping[int, HandState]) -> dict[int, str]:
        """What each hand's angles are called by: its side; its slot where the side is not known or another hand's."""
        known = [hand for hand in result.hands if hand.id in states]
        chosen = {side: surest.of([hand for hand in known if hand.side is side]) for side, surest in self._of_side.items()}
        return {hand.id: hand.side.name.lower() if chosen.get(hand.side) is hand else f"hand_{hand.slot}" for hand in known}

    def _bones_differ(self, now: dict[tuple, np.ndarray]) -> bool:
        told = self._bones_told
        return now.keys() != told.keys() or any(np.abs(now[hand] - told[hand]).max() > _BONES_CHANGED_M for hand in now)
