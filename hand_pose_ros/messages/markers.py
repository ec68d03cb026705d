"""What RViz and Foxglove draw: joints as spheres and bones as lines, coloured by finger."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from hand_pose_ros.messages.builders import make_points
from hand_pose_ros.messages.library import MessageLibrary, make_header
from hand_pose_ros.perception.types import FrameResult, Hand
from hand_pose_ros.skeleton import finger_of

# RGB, from the thumb to the little finger: easy to tell apart, also with weak colour vision (after Okabe and Ito).
FINGER_COLOURS = {
    "thumb": (230, 94, 0),
    "index": (240, 228, 66),
    "middle": (0, 190, 115),
    "ring": (60, 170, 235),
    "little": (215, 110, 190),
    "wrist": (255, 255, 255),
}
JOINT_DIAMETER_M = 0.012
BONE_WIDTH_M = 0.005
LEAST_OPACITY = 0.25  # of a joint without any confidence
LIFETIME_NS = 1_000_000_000  # markers of a node that died go by themselves
_SPHERE_LIST, _LINE_LIST, _ADD, _DELETE = 7, 5, 0, 2
_JOINTS_ID, _BONES_ID = 0, 1


def hand_markers(library: MessageLibrary, result: FrameResult, previous_slots: Collection[int] = ()) -> Any:
    """visualization_msgs/msg/MarkerArray: two markers a hand, in the namespace `hand_<slot>`.

    :param previous_slots: the slots of the hands in the message before; those that are gone are deleted
    """
    header = make_header(library, result.stamp_ns, result.frame_id)
    now = {hand.slot for hand in result.hands}
    markers = [
        library.make("visualization_msgs/msg/Marker", header=header, ns=f"hand_{slot}", id=marker, action=_DELETE)
        for slot in sorted(set(previous_slots) - now)
        for marker in (_JOINTS_ID, _BONES_ID)
    ]
    for hand in result.hands:
        markers += _hand(library, header, hand)
    return library.make("visualization_msgs/msg/MarkerArray", markers=markers)


def _hand(library: MessageLibrary, header: Any, hand: Hand) -> list[Any]:
    points = make_points(library, hand.joints)
    opacity = np.clip(np.nan_to_num(np.asarray(hand.confidence, dtype=float), nan=1.0), LEAST_OPACITY, 1.0).tolist()
    colours = [_colour(library, name, alpha) for name, alpha in zip(hand.skeleton.joint_names, opacity)]
    ends = [joint for bone in hand.skeleton.bone_indices for joint in bone]
    bone_colours = [colours[child] for _, child in hand.skeleton.bone_indices for _ in range(2)]

    def marker(number: int, kind: int, scale: tuple[float, float, float], at: list[Any], colour: list[Any]) -> Any:
        x, y, z = scale
        return library.make(
            "visualization_msgs/msg/Marker",
            header=header,
            ns=f"hand_{hand.slot}",
            id=number,
            type=kind,
            action=_ADD,
            scale=library.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
            color=_colour(library, "wrist", 1.0),
            lifetime=library.make("builtin_interfaces/msg/Duration", sec=LIFETIME_NS // 10**9, nanosec=LIFETIME_NS % 10**9),
            points=at,
            colors=colour,
        )

    return [
        marker(_JOINTS_ID, _SPHERE_LIST, (JOINT_DIAMETER_M,) * 3, points, colours),
        marker(_BONES_ID, _LINE_LIST, (BONE_WIDTH_M, 0.0, 0.0), [points[i] for i in ends], bone_colours),
    ]


def _colour(library: MessageLibrary, joint_name: str, alpha: float) -> Any:
    r, g, b = FINGER_COLOURS.get(finger_of(joint_name), FINGER_COLOURS["wrist"])
    return library.make("std_msgs/msg/ColorRGBA", r=r / 255, g=g / 255, b=b / 255, a=alpha)
