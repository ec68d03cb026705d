"""A hand of a robot follows the joint angles of a human's: hand_joint_states in, trajectory_msgs/JointTrajectory out.

A sketch: every joint of the robot is a weighted sum of angles, as a YAML file says. That is enough for a hand that is built like
one; a hand with other proportions wants its fingertips placed, which starts from the same angles.

In ROS 2, beside the hand pose node:

    python3 retarget_hand.py --map four_finger_hand.yaml --ros-args -r joint_trajectory:=/hand_controller/joint_trajectory

On a recording, without ROS 2 (prints a line every tenth of a second, moves nothing):

    python3 retarget_hand.py --map four_finger_hand.yaml --recording recordings/demo
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

MAP = Path(__file__).with_name("four_finger_hand.yaml")
SIDES = ("left", "right")


@dataclass(frozen=True)
class RobotJoint:
    """A joint of the robot.

    :param weights: of the angles of the hand, by their names without the side
    :param offset: its value, radians, where these are zero
    :param low, high: its range
    """

    name: str
    weights: dict[str, float]
    offset: float
    low: float
    high: float


@dataclass(frozen=True)
class RobotHand:
    """What of which hand the robot follows, and how fast."""

    side: str
    time_from_start_s: float
    joints: tuple[RobotJoint, ...]


def read_map(path: Path) -> RobotHand:
    """The YAML file of a robot's hand; ValueError names what is wrong in it."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        joints = tuple(
            RobotJoint(j["name"], dict(j["from"]), float(j.get("offset", 0.0)), *(float(v) for v in j["limits"]))
            for j in data["joints"]
        )
        if data["side"] not in SIDES:
            raise ValueError(f"side {data['side']}")
        return RobotHand(data["side"], float(data["time_from_start_s"]), joints)
    except (KeyError, TypeError, ValueError) as error:
        text = "it needs side (left or right), time_from_start_s and joints, each with name, from and limits"
        raise ValueError(f"{path} is no map of a hand ({error!r}): {text}") from error


def angles_of(joint_states, side: str) -> dict[str, float]:
    """The angles of one side's hand in a JointState, by their names without the side; none when it is not seen."""
    prefix = f"{side}_"
    return {n.removeprefix(prefix): float(p) for n, p in zip(joint_states.name, joint_states.position) if n.startswith(prefix)}


def retarget(robot: RobotHand, angles: Mapping[str, float]) -> list[float]:
    """The positions of the robot's joints, radians, in their order.

    :raises ValueError: the map wants an angle that the hand does not have
    """
    positions = []
    for joint in robot.joints:
        if missing := sorted(joint.weights.keys() - angles.keys()):
            raise ValueError(f"{joint.name} wants {', '.join(missing)}; the hand has {', '.join(sorted(angles))}")
        value = joint.offset + sum(weight * angles[name] for name, weight in joint.weights.items())
        positions.append(min(max(value, joint.low), joint.high))
    return positions


def retarget_recording(robot: RobotHand, recording: Path) -> list[tuple[float, list[float]]]:
    """(seconds, positions) of every frame of a recording that shows the hand; without its side, the first that is seen."""
    from hand_in_recording import recorded_outputs

    rows, start = [], None
    for stamp_s, messages in recorded_outputs(recording):
        start = stamp_s if start is None else start
        states = messages["hand_joint_states"]
        if angles := angles_of(states, robot.side) or angles_of(states, "hand_0"):
            rows.append((stamp_s - start, retarget(robot, angles)))
    return rows


def print_recording(robot: RobotHand, recording: Path) -> None:
    """What the robot's hand would do, on the terminal, in degrees."""
    print("seconds  " + " ".join(f"{joint.name:>9}" for joint in robot.joints))
    due = 0.0
    for seconds, positions in retarget_recording(robot, recording):
        if seconds >= due:
            print(f"{seconds:7.2f}  " + " ".join(f"{p * 57.29578:9.1f}" for p in positions))
            due += 0.1


def run_node(robot: RobotHand, arguments: list[str]) -> None:
    """The ROS 2 node. Without a hand it says nothing, and the controller holds its last goal."""
    import rclpy
    from rclpy.duration import Duration
    from rclpy.executors import ExternalShutdownException
    from rclpy.node import Node
    from sensor_msgs.msg import JointState
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    class RetargetHand(Node):
        """Listens to `hand_joint_states`, answers each with one point of a trajectory."""

        def __init__(self) -> None:
            super().__init__("retarget_hand")
            self._publisher = self.create_publisher(JointTrajectory, "joint_trajectory", 10)
            self._soon = Duration(seconds=robot.time_from_start_s).to_msg()
            self.create_subscription(JointState, "hand_joint_states", self._on_angles, 10)

        def _on_angles(self, states: JointState) -> None:
            if angles := angles_of(states, robot.side):
                point = JointTrajectoryPoint(positions=retarget(robot, angles), time_from_start=self._soon)
                names = [joint.name for joint in robot.joints]
                # A stamp of zero: the controller starts when it comes.
                self._publisher.publish(JointTrajectory(joint_names=names, points=[point]))

    rclpy.init(args=arguments)
    node = RetargetHand()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A robot's hand follows the joint angles of a human's.")
    parser.add_argument("--map", type=Path, default=MAP, help="YAML file of the robot's hand (%(default)s)")
    parser.add_argument("--recording", type=Path, help="run on this recording, without ROS 2")
    known, for_ros = parser.parse_known_args()
    robot_hand = read_map(known.map)
    if known.recording:
        print_recording(robot_hand, known.recording)
    else:
        run_node(robot_hand, for_ros)
