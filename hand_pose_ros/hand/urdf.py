"""The hand as a URDF, for robot_state_publisher, RViz and everything else that knows robots.

Its movable joints are the angles of `kinematics` with a side before the name (right_index_mcp_flexion), so that it moves by
`hand_joint_states`. The root link `<side>_hand` is the palm's frame, that of the TF frame hand_<slot>/wrist. The links are called
as the bones (right_index_proximal), with the axes of `kinematics`; those of a left hand are mirrored (z points out of the palm
and the pads), as its palm frame is. `urdf/hand.urdf.xacro` says the same in xacro.
"""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np

from hand_pose_ros.hand.bones import BONE_NAMES, HandBones

SIDES = ("left", "right")
# Ranges of healthy hands with a margin, degrees.
LIMITS_DEG = {
    "thumb_cmc_flexion": (-80, 65),
    "thumb_cmc_abduction": (-20, 90),
    "thumb_cmc_rotation": (-110, 150),
    "thumb_mcp_flexion": (-45, 90),
    "thumb_mcp_abduction": (-35, 35),
    "thumb_ip_flexion": (-45, 100),
    "mcp_flexion": (-45, 110),
    "mcp_abduction": (-45, 45),
    "mcp_rotation": (-45, 45),
    "pip_flexion": (-20, 130),
    "dip_flexion": (-30, 100),
}
RADII_M = {"thumb": 0.009, "index": 0.008, "middle": 0.008, "ring": 0.0075, "little": 0.0065}
_AXES = {"flexion": (0, 1, 0), "abduction": (0, 0, 1), "rotation": (-1, 0, 0)}
# The joints of a finger, each with its angles in the order in which they turn.
_FINGER = (("mcp", ("flexion", "abduction", "rotation")), ("pip", ("flexion",)), ("dip", ("flexion",)))
_THUMB = (("cmc", ("flexion", "abduction", "rotation")), ("mcp", ("abduction", "flexion")), ("ip", ("flexion",)))


def hand_urdf(bones: HandBones, side: str, frame_prefix: str = "") -> str:
    """The XML of a hand of these sizes.

    :param side: "left" or "right"
    :param frame_prefix: before the names of the links, which are TF frames; not of the joints, which are angles
    """
    link_prefix = f"{frame_prefix}{side}"
    robot = ElementTree.Element("robot", name=f"{side}_hand")
    material = ElementTree.SubElement(robot, "material", name="skin")
    ElementTree.SubElement(material, "color", rgba="0.85 0.65 0.52 1")
    palm = ElementTree.SubElement(robot, "link", name=f"{link_prefix}_hand")
    mirror = np.array([1.0, 1.0, 1.0 if side == "right" else -1.0])
    for finger, base in zip(BONE_NAMES, bones.bases * mirror):
        _cylinder(palm, base, RADII_M[finger])
    for row, (finger, names) in enumerate(BONE_NAMES.items()):
        parent, at, turn = f"{link_prefix}_hand", bones.bases[row] * mirror, _zero(finger, side)
        for (joint, angles), bone, length in zip(_THUMB if finger == "thumb" else _FINGER, names, bones.lengths[row].tolist()):
            for angle in angles:
                name = f"{finger}_{joint}_{angle}"
                child = f"{link_prefix}_{finger}_{bone}" if angle == angles[-1] else f"{link_prefix}_{name}_link"
                _revolute(robot, side, name, parent, child, at, turn)
                link = ElementTree.SubElement(robot, "link", name=child)
                parent, at, turn = child, np.zeros(3), 0.0
            at = np.array([length, 0.0, 0.0])
            _cylinder(link, at, RADII_M[finger])
        tip = ElementTree.SubElement(robot, "joint", name=f"{side}_{finger}_tip_fixed", type="fixed")
        _ends(tip, parent, f"{link_prefix}_{finger}_tip", at, 0.0)
        ElementTree.SubElement(robot, "link", name=f"{link_prefix}_{finger}_tip")
    ElementTree.indent(robot)
    return f'<?xml version="1.0"?>\n{ElementTree.tostring(robot, encoding="unicode")}\n'


def axis(angle_name: str, side: str) -> tuple[int, int, int]:
    """The axis that a joint turns about, in its own frame. A reflection in z turns a rotation's x and y round, and not its z."""
    x, y, z = _AXES[angle_name.rpartition("_")[2]]
    if angle_name in ("ring_mcp_abduction", "little_mcp_abduction"):
        z = -z
    return (x, y, z) if side == "right" else (-x, -y, z)


def limits(angle_name: str) -> tuple[float, float]:
    """Least and most of an angle of `kinematics.ANGLE_NAMES`, radians."""
    low, high = LIMITS_DEG.get(angle_name) or LIMITS_DEG[angle_name.partition("_")[2]]
    return math.radians(low), math.radians(high)


def _zero(finger: str, side: str) -> float:
    """Roll of the palm's frame to that of a finger's zero (`kinematics.THUMB_ZERO`)."""
    if finger != "thumb":
        return 0.0
    return -math.pi / 2 if side == "right" else math.pi / 2


def _revolute(robot: ElementTree.Element, side: str, name: str, parent: str, child: str, at: np.ndarray, roll: float) -> None:
    joint = ElementTree.SubElement(robot, "joint", name=f"{side}_{name}", type="revolute")
    _ends(joint, parent, child, at, roll)
    ElementTree.SubElement(joint, "axis", xyz=_text(axis(name, side)))
    low, high = limits(name)
    ElementTree.SubElement(joint, "limit", lower=f"{low:.4f}", upper=f"{high:.4f}", effort="10", velocity="30")


def _ends(joint: ElementTree.Element, parent: str, child: str, at: np.ndarray, roll: float) -> None:
    ElementTree.SubElement(joint, "origin", xyz=_text(at), rpy=f"{roll:.10g} 0 0")
    ElementTree.SubElement(joint, "parent", link=parent)
    ElementTree.SubElement(joint, "child", link=child)


def _cylinder(link: ElementTree.Element, end: np.ndarray, radius: float) -> None:
    """A bone from the link's origin to a point of it; a cylinder of URDF lies along z."""
    length = float(np.linalg.norm(end))
    yaw, pitch = math.atan2(end[1], end[0]), math.acos(float(end[2]) / length)
    visual = ElementTree.SubElement(link, "visual")
    ElementTree.SubElement(visual, "origin", xyz=_text(end / 2), rpy=f"0 {pitch:.6f} {yaw:.6f}")
    geometry = ElementTree.SubElement(visual, "geometry")
    ElementTree.SubElement(geometry, "cylinder", radius=f"{radius}", length=f"{length:.6f}")
    ElementTree.SubElement(visual, "material", name="skin")


def _text(values: np.ndarray | tuple[int, int, int]) -> str:
    return " ".join(f"{v + 0.0:.6g}" for v in values)  # never -0
