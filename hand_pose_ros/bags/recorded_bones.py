"""The sizes of a hand from the hands in a recording."""

from __future__ import annotations

from pathlib import Path

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.hand.bone_lengths import BoneEstimate
from hand_pose_ros.hand.bones import HandBones, HandGeometryError, palm_coordinates
from hand_pose_ros.hand.hand_state import joint_variance
from hand_pose_ros.live.topics import HANDS
from hand_pose_ros.messages.read_hands import frame_result
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import Side
from hand_pose_ros.skeleton import HAND21


def recorded_bones(path: Path, side: str, topic: str = "") -> HandBones:
    """The sizes of the hand of that side that is seen longest.

    :param side: "left" or "right"
    :param topic: of HandPoseArray; "": the only one of the recording, or `hands`
    :raises BagError: it is no recording, has no such topic, or no hand of that side with all 21 joints
    """
    library, wanted = RosbagsLibrary(), Side[side.upper()]
    estimates: dict[int, BoneEstimate] = {}
    with BagReader(path) as bag:
        topic = topic or _topic(bag)
        for _, message in bag.read({topic}, library):
            for hand in frame_result(message).hands:
                if hand.side is not wanted or hand.skeleton is not HAND21:
                    continue
                try:
                    local = palm_coordinates(hand.joints, right=side == "right")
                except HandGeometryError:
                    continue
                estimates.setdefault(hand.id, BoneEstimate()).add(local, joint_variance(hand.covariance))
    if not estimates:
        raise BagError(
            f"{topic} of {path} has no {side} hand with the joints of hand21: name the other --side, or another recording"
        )
    return max(estimates.values(), key=lambda estimate: estimate.frames).bones


def _topic(bag: BagReader) -> str:
    topics = bag.topics_of(HANDS.typename)
    if len(topics) == 1:
        return topics[0]
    if f"/{HANDS.name}" in topics:
        return f"/{HANDS.name}"
    there = ", ".join(topics) or "none of them"
    raise BagError(f"recording {bag.path} has hands on {there}: name one with --topic, or make them with `hand-pose replay`")
