"""`depth_player`: plays a recording as a depth camera, for the demo and replay launch files.

It reads all that `hand-pose replay` reads, also where `ros2 bag` is not installed, and plays depth and camera info alone.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.source import Source, SourceFrame, open_source, playable
from hand_pose_ros.demo.ahead import read_ahead
from hand_pose_ros.demo.errors import DemoError
from hand_pose_ros.geometry.depth import MILLIMETRE
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE
from hand_pose_ros.messages.library import make_header, stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.share import DEMO_RECORDING, ShareError, find

if TYPE_CHECKING:
    from hand_pose_ros.live.ros.camera import CameraNode

READ_AHEAD_FRAMES = 30


def main(arguments: list[str] | None = None) -> int:
    """Play until the end, or until SIGINT or SIGTERM; 1 where the recording cannot be played."""
    import rclpy
    from rclpy.utilities import remove_ros_args

    from hand_pose_ros.live.ros.camera import CameraNode
    from hand_pose_ros.live.ros.main import ignore_further_interrupts

    options = _parser().parse_args(remove_ros_args(arguments or sys.argv)[1:])
    signal.signal(signal.SIGINT, lambda *_: None)  # rclpy's own handler ends the context; see live/ros/main.py
    rclpy.init(args=arguments)
    node = CameraNode(clock=options.clock, listener=options.listener)
    try:
        play(node, options.recording, rate=options.rate, loop=options.loop, recorded_time=options.clock)
    except (BagError, DemoError, ShareError, OSError) as error:
        node.get_logger().error(str(error))
        return 1
    except RuntimeError:  # rclpy's RCLError
        if rclpy.ok():  # else a frame was on its way when the signal came
            raise
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
        ignore_further_interrupts()
    return 0


def play(node: CameraNode, recording: Path | None, *, rate: float, loop: bool, recorded_time: bool) -> None:
    """Send every frame at its time.

    :param recording: default: the package's own
    :param rate: 2.0 plays twice as fast
    :param recorded_time: keep the stamps; else they are of the time of sending
    :raises BagError, DemoError, ShareError: it cannot be played
    """
    library = RosbagsLibrary()
    with closing(open_source(recording or find(DEMO_RECORDING), library)) as source:
        first = next(playable(source), None)
        if first is None:
            raise DemoError(f"{source.path} has no frames")
        if source.depth_scale and source.depth_scale != MILLIMETRE:
            node.get_logger().warning(f"{source.path} has counts of {source.depth_scale} m: set the node's depth_scale to that")
        node.wait_for_listener(stamp_ns(first.image.header))
        node.get_logger().info(f"plays {source.path}: {source.count} frames at {source.rate_hz * rate:.1f} Hz")
        while node.context.ok():
            _once(node, source, library, 1 / (source.rate_hz * rate), recorded_time)
            if not loop:
                break


def _once(node: CameraNode, source: Source, library: RosbagsLibrary, period_s: float, recorded_time: bool) -> None:
    started = time.monotonic()
    for index, frame in enumerate(read_ahead(playable(source), READ_AHEAD_FRAMES)):
        time.sleep(max(0.0, started + index * period_s - time.monotonic()))
        if not node.context.ok():
            return
        stamp = stamp_ns(frame.image.header) if recorded_time else node.get_clock().now().nanoseconds
        node.send(*_messages(frame, library, stamp), stamp)


def _messages(frame: SourceFrame, library: RosbagsLibrary, stamp: int) -> tuple[bytes, bytes]:
    """CDR of image and camera info."""
    image, info = frame.image, frame.info
    image.header = info.header = make_header(library, stamp, image.header.frame_id)
    return bytes(library.serialize(image, DEPTH_IMAGE.typename)), bytes(library.serialize(info, CAMERA_INFO.typename))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="depth_player", description="Plays a recording as a depth camera.")
    parser.add_argument("--recording", type=_path, help="as for `hand-pose replay`; default: the one of the package")
    parser.add_argument("--rate", type=_positive, default=1.0, help="2.0 plays twice as fast")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--clock", action="store_true", help="keep the recorded stamps, and publish them on /clock")
    parser.add_argument("--listener", default="", help="wait until this node, of the same namespace, listens; default: anyone")
    return parser


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value
