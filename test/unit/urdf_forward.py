"""Forward kinematics over a URDF's XML, by the format's own rules and nothing of this package."""

from xml.etree import ElementTree

import numpy as np


def read_joints(xml: str) -> dict[str, ElementTree.Element]:
    """The joints by name."""
    return {joint.get("name"): joint for joint in ElementTree.fromstring(xml).findall("joint")}


def link_frames(xml: str, angles: dict[str, float]) -> dict[str, np.ndarray]:
    """(4, 4) of every link in the root's frame; joints that are not in `angles` are at zero.

    URDF: a child's frame is its parent's, moved by the origin (roll about x, then pitch about y, then yaw about z, all axes
    fixed), then turned by the joint's angle about the axis.
    """
    joints = read_joints(xml)
    children = {j.find("child").get("link") for j in joints.values()}
    (root,) = {link.get("name") for link in ElementTree.fromstring(xml).findall("link")} - children
    frames = {root: np.eye(4)}
    left = dict(joints)
    while left:
        ready = [name for name, joint in left.items() if joint.find("parent").get("link") in frames]
        assert ready, f"not one tree: {sorted(left)}"
        for name in ready:
            joint = left.pop(name)
            step = np.eye(4)
            origin = joint.find("origin")
            step[:3, 3] = numbers(origin.get("xyz"))
            roll, pitch, yaw = numbers(origin.get("rpy"))
            step[:3, :3] = turn((0, 0, 1), yaw) @ turn((0, 1, 0), pitch) @ turn((1, 0, 0), roll)
            if joint.get("type") == "revolute":
                step[:3, :3] = step[:3, :3] @ turn(numbers(joint.find("axis").get("xyz")), angles.get(name, 0.0))
            child = joint.find("child").get("link")
            assert child not in frames, f"two joints move {child}"
            frames[child] = frames[joint.find("parent").get("link")] @ step
    return frames


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def turn(axis, angle: float) -> np.ndarray:
    """Rodrigues' rotation."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
