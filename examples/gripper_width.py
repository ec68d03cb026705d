"""A parallel gripper follows the opening of the hand: its width on one topic, for a gripper's controller.

In ROS 2, beside the hand pose node:

    python3 gripper_width.py --ros-args -p open_m:=0.08 -p start_m:=0.08 -p side:=right -r gripper_width:=/gripper/width

Nothing is told before a hand is seen that is to be trusted. start_m is where the gripper stands then, from where it goes at its
speed to the hand's width; without start_m the first width is the hand's at once.

On a recording, without ROS 2 (prints a line every tenth of a second, draws nothing, moves nothing):

    python3 gripper_width.py --recording recordings/demo
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

CONFIDENT = 0.5  # of the thumb's and the index finger's tip
SIDES = {"left": 1, "right": 2}  # as HandPose says them


@dataclass(frozen=True)
class Gripper:
    """How a hand's opening becomes a gripper's width.

    :param closed_m, open_m: width of the gripper when it is closed and when it is open
    :param touching_m, spread_m: opening of the hand (grasp_width) that these stand for; tips that touch are not at zero, since
        their points lie inside the fingers
    :param fastest_m_s: the gripper's width changes no faster
    """

    closed_m: float = 0.0
    open_m: float = 0.085
    touching_m: float = 0.02
    spread_m: float = 0.10
    fastest_m_s: float = 0.15


def next_width(gripper: Gripper, width_m: float | None, opening_m: float | None, seconds: float) -> float | None:
    """The gripper's next width.

    :param width_m: where it is, None where that is not known: then it goes to the hand's width at once
    :param opening_m: the hand's, None where no hand is seen or it is not sure: then the gripper holds what it has
    :param seconds: since the width before
    """
    if opening_m is None:
        return width_m
    share = (opening_m - gripper.touching_m) / (gripper.spread_m - gripper.touching_m)
    wanted = gripper.closed_m + min(max(share, 0.0), 1.0) * (gripper.open_m - gripper.closed_m)
    if width_m is None:
        return wanted
    step = gripper.fastest_m_s * max(seconds, 0.0)
    return min(max(wanted, width_m - step), width_m + step)


def opening_of(hands, side: str = "") -> float | None:
    """The opening of the first hand of a HandPoseArray that is to be trusted, metres.

    :param side: "left" or "right": of that hand alone
    :raises ValueError: it is another side
    """
    if side and side not in SIDES:
        raise ValueError(f"side is {side!r}: it is left or right, or empty for either hand")
    for hand in hands.hands:
        confidence = dict(zip(hand.joint_names, hand.confidence))
        wanted = not side or hand.side == SIDES[side]
        if wanted and hand.grasp_valid and min(confidence["thumb_tip"], confidence["index_tip"]) >= CONFIDENT:
            return float(hand.grasp_width)
    return None


def follow_recording(recording: Path, side: str = "") -> list[tuple[float, float | None, float | None]]:
    """(seconds, opening of the hand, width of the gripper) of every frame of a recording; no width before the first opening."""
    from hand_in_recording import recorded_outputs

    gripper, rows, start = Gripper(), [], None
    width, before = None, 0.0
    for stamp_s, messages in recorded_outputs(recording):
        start = stamp_s if start is None else start
        opening = opening_of(messages["hands"], side)
        width = next_width(gripper, width, opening, stamp_s - start - before)
        before = stamp_s - start
        rows.append((before, opening, width))
    return rows


def print_recording(recording: Path, side: str) -> None:
    """What the gripper would do, on the terminal."""
    due = 0.0
    for seconds, opening, width in follow_recording(recording, side):
        if seconds >= due:
            seen = "   no hand" if opening is None else f"{opening * 1e3:7.1f} mm"
            told = "is left alone" if width is None else f"{width * 1e3:5.1f} mm  {'#' * round(width * 500)}"
            print(f"{seconds:6.2f} s   hand {seen}   gripper {told}")
            due += 0.1


def run_node() -> None:
    """The ROS 2 node."""
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.node import Node
    from std_msgs.msg import Float64

    from hand_pose_ros.msg import HandPoseArray

    class GripperWidth(Node):
        """Listens to `hands`; tells `gripper_width` at a fixed rate, so that the controller never waits for a camera."""

        def __init__(self) -> None:
            super().__init__("gripper_width")
            names = Gripper.__dataclass_fields__
            self._gripper = Gripper(**{n: self.declare_parameter(n, getattr(Gripper, n)).value for n in names})
            rate_hz = self.declare_parameter("rate_hz", 50.0).value
            self._lost_s = self.declare_parameter("lost_s", 0.3).value
            self._side = self.declare_parameter("side", "").value
            start_m = self.declare_parameter("start_m", math.nan).value
            self._width = None if math.isnan(start_m) else start_m
            self._opening, self._heard, self._following = None, None, False
            self._period_s = 1.0 / rate_hz
            self._publisher = self.create_publisher(Float64, "gripper_width", 10)
            self.create_subscription(HandPoseArray, "hands", self._on_hands, 10)
            self.create_timer(self._period_s, self._tell)

        def _on_hands(self, hands: HandPoseArray) -> None:
            self._opening, self._heard = opening_of(hands, self._side), self.get_clock().now()

        def _tell(self) -> None:
            opening = self._opening if self._silent_s() <= self._lost_s else None
            self._following = self._following or opening is not None
            if self._following:  # else no hand was to be trusted yet: the gripper is left alone
                self._width = next_width(self._gripper, self._width, opening, self._period_s)
                self._publisher.publish(Float64(data=self._width))

        def _silent_s(self) -> float:
            return math.inf if self._heard is None else (self.get_clock().now() - self._heard).nanoseconds / 1e9

    rclpy.init()
    node = GripperWidth()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A parallel gripper follows the opening of the hand.")
    parser.add_argument("--recording", type=Path, help="run on this recording, without ROS 2")
    parser.add_argument("--side", choices=["", *SIDES], default="", help="of the recording: follow this hand alone")
    known = parser.parse_known_args()[0]  # what is left is for ROS 2
    if known.recording:
        print_recording(known.recording, known.side)
    else:
        run_node()
