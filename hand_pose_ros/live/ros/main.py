"""The process of `hand_pose_node`."""

from __future__ import annotations

import logging
import signal
import traceback

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from hand_pose_ros.live.ros.log import RosLogHandler
from hand_pose_ros.live.ros.node import HandPoseNode


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM, then return 0."""
    # rclpy's own handler shuts the context down, which ends the executor. Without an exception that could come at any place:
    # Ctrl-C in a terminal comes twice, from the terminal and from the launch.
    signal.signal(signal.SIGINT, lambda *_: None)
    rclpy.init(args=arguments)
    node = HandPoseNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    package = logging.getLogger("hand_pose_ros")
    handler = RosLogHandler(node.get_logger())
    package.addHandler(handler)
    package.setLevel(logging.DEBUG)
    try:
        while rclpy.ok():
            try:
                executor.spin()
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
    return 0
