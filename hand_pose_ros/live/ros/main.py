"""The process of `hand_pose_node`."""

from __future__ import annotations

import logging
import signal
import traceback

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from hand_pose_ros.live.ros.log import RosLogHandler
from hand_pose_ros.live.ros.node import HandPoseNode

# rclpy wakes the executor a moment before it ends the context: one that begins to wait in between is not woken again.
LONGEST_WAIT_S = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM, then return 0."""
    # rclpy's own handler shuts the context down, which ends the executor. Without an exception that could come at any place:
    # Ctrl-C in a terminal comes twice, from the terminal and from the launch.
    signal.signal(signal.SIGINT, lambda *_: None)
    rclpy.init(args=arguments)
    try:
        executor = SingleThreadedExecutor()
        node = HandPoseNode()
        executor.add_node(node)
    except Exception:
        if rclpy.ok():
            raise
        return 0  # the signal to end came while it started
    package = logging.getLogger("hand_pose_ros")
    handler = RosLogHandler(node.get_logger())
    package.addHandler(handler)
    package.setLevel(logging.DEBUG)
    try:
        while rclpy.ok():
            try:
                executor.spin_once(timeout_sec=LONGEST_WAIT_S)
            except ExternalShutdownException:
                break
            except Exception:  # of one callback; the next may be fine
                if not rclpy.ok():  # it was at something when the signal came
                    break
                node.get_logger().error(f"a request or message could not be handled:\n{traceback.format_exc()}")
    finally:
        node.close()
        package.removeHandler(handler)
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
        ignore_further_interrupts()
    return 0


def ignore_further_interrupts() -> None:
    """For the end of a process: the second SIGINT of one Ctrl-C would end the interpreter, which is about to end, as killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
