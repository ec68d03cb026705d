"""What is remembered of each hand while it is followed: its bones, and whether its fingers pinch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hand_pose_ros.hand.bone_lengths import BoneEstimate
from hand_pose_ros.hand.bones import HandGeometryError, palm_coordinates
from hand_pose_ros.hand.hand_state import HandState, hand_state, in_hand21, joint_variance
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21, remap

_FORGET_FRAMES = 300  # a hand that comes back after that is learned anew


class HandStates:
    """Hands by their id. Not thread safe."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all hands."""
        self._frame = 0
        self._seen: dict[int, int] = {}
        self._bones: dict[int, tuple[bool, BoneEstimate]] = {}  # and whether they are those of a left hand
        self._pinched: dict[int, np.ndarray] = {}

    def stabilized(self, result: FrameResult, parameters: Parameters) -> FrameResult:
        """Learns the bones of a new frame's hands; answers the frame with joints that keep to them as far as is asked for."""
        self._frame += 1
        hands = tuple(self._learned(hand, parameters.bone_stabilization) for hand in result.hands)
        for hand_id in [i for i, frame in self._seen.items() if self._frame - frame > _FORGET_FRAMES]:
            for known in (self._seen, self._bones, self._pinched):
                known.pop(hand_id, None)
        return replace(result, hands=hands)

    def observe(self, result: FrameResult, parameters: Parameters) -> dict[int, HandState]:
        """The state of each hand of a frame, by id; of those alone whose joints are a whole hand."""
        states = {}
        for hand in result.hands:
            state = hand_state(
                hand.joints,
                hand.covariance,
                hand.skeleton,
                None if hand.side is Side.UNKNOWN else hand.side is Side.RIGHT,
                pinched=self._pinched.get(hand.id),
                pinch_enter_m=parameters.pinch_enter_m,
                pinch_leave_m=parameters.pinch_leave_m,
            )
            if state is not None:
                states[hand.id] = state
                self._pinched[hand.id] = state.pinching
        return states

    def bones(self, hand: Hand) -> BoneEstimate | None:
        """What is known of the bones of a hand."""
        return self._bones.get(hand.id, (False, None))[1]

    def _learned(self, hand: Hand, share: float) -> Hand:
        self._seen[hand.id] = self._frame
        left = hand.side is Side.LEFT
        joints, covariance = in_hand21(hand.joints, hand.covariance, hand.skeleton)
        try:
            local = palm_coordinates(joints, right=not left)
        except HandGeometryError:
            return hand
        was_left, estimate = self._bones.get(hand.id, (left, BoneEstimate()))
        if was_left != left:  # z was reversed
            estimate = BoneEstimate()
        self._bones[hand.id] = left, estimate
        estimate.add(local, joint_variance(covariance))
        if share == 0:
            return hand
        moved = remap(estimate.stabilized(joints, share), HAND21, hand.skeleton)
        return replace(hand, joints=np.where(np.isfinite(moved), moved, hand.joints))  # its own points stay where they are
