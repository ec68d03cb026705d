"""`hand-pose node`: the node on the ROS 2 wire where ROS 2 is not installed."""

from __future__ import annotations

import argparse
import logging
import platform
import signal
import sys
import threading
from typing import TYPE_CHECKING

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.tensorrt_build import BuildCancelled
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.dds.network import RANGES, Discovery, DiscoveryError, domain_id_from_environment
from hand_pose_ros.live.names import parse_remaps
from hand_pose_ros.live.parameter_arguments import add_parameter_arguments, read_parameters
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.live.topics import ALL_OUTPUTS
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

if TYPE_CHECKING:
    from hand_pose_ros.live.dds.peer import DdsPeer

log = logging.getLogger(__name__)

DEFAULT_NAME = "hand_pose"
_LONGEST_WAIT_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hand-pose node`; they are spelt as those of `ros2 run` where it has them."""
    add_parameter_arguments(parser)
    parser.add_argument(
        "--remap",
        "-r",
        dest="remaps",
        action="append",
        default=[],
        metavar="FROM:=TO",
        help="another name for a topic (depth/image_rect:=/camera/depth/image_raw), __ns:=/robot1, or __node:=left_hand",
    )
    parser.add_argument("--domain-id", type=int, metavar="ID", help="DDS domain (default: ROS_DOMAIN_ID, or 0)")
    parser.add_argument(
        "--discovery-range",
        choices=RANGES,
        help="whom the node finds: this machine (default), the subnet, or as cyclonedds is configured; "
        "without it CYCLONEDDS_URI, ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_STATIC_PEERS are honoured",
    )
    parser.add_argument(
        "--ros-distro", choices=("humble", "jazzy"), help="the release of the ROS 2 machines (default: ROS_DISTRO, or jazzy)"
    )
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help="least severity that is logged"
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM, then return 0.

    :raises ParameterError, RosNameError, DiscoveryError, ModelError, ShareError: all tell the user what to change
    """
    name = parse_remaps(DEFAULT_NAME, args.remaps)
    logging.basicConfig(
        level=args.log_level.upper(), stream=sys.stderr, format=f"[%(levelname)s] [%(created).3f] [{name.name}]: %(message)s"
    )
    parameters = read_parameters(args, name.full_name)
    if parameters.target_frame:
        raise ParameterError(
            f"target_frame is {parameters.target_frame!r}, but the node without ROS 2 does not follow TF: leave it empty, or run "
            "the node of ROS 2 (ros2 launch hand_pose_ros hand_pose.launch.py, executable hand_pose_node)"
        )
    domain_id = domain_id_from_environment() if args.domain_id is None else args.domain_id
    discovery = Discovery.from_environment(args.discovery_range)
    try:
        from hand_pose_ros.live.dds.peer import DdsPeer
    except ImportError as error:
        raise DiscoveryError(_no_dds(error)) from error
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with DdsPeer(name, domain_id, library=RosbagsLibrary(args.ros_distro), discovery=discovery) as peer:
        _serve(peer, parameters, f"domain {domain_id}, {discovery}", stop)
    log.info("ended")
    return 0


def _serve(peer: DdsPeer, parameters: Parameters, where: str, stop: threading.Event) -> None:
    """Connect the app with the wire until `stop` is set."""
    publishers = {spec.name: peer.publisher(spec.name, spec.typename, spec.qos) for spec in ALL_OUTPUTS}
    app = HandPoseApp(
        parameters,
        peer.library,
        lambda spec, message: publishers[spec.name].publish(message),
        lambda: load_engine(
            parameters.model_path(), parameters.backend, parameters.threads, parameters.engine_settings(), stop.is_set
        ),
        topic_name=peer.name.topic,
        node_name=peer.name.full_name.lstrip("/"),
        where=where,
        listened=lambda spec: publishers[spec.name].subscribers > 0,
    )
    try:
        app.start()
    except BuildCancelled:  # the signal to end came while a TensorRT plan was waited for
        return
    try:
        topics = [peer.subscribe(spec.name, spec.typename, callback, spec.qos).topic for spec, callback in app.inputs()]
        listens = " and ".join(reversed(topics))
        log.info("%s on %s (ROS 2 %s) listens to %s", peer.name.full_name, where, peer.library.distro, listens)
        log.info("publishes %s", ", ".join(publisher.topic for publisher in publishers.values()))
        # A signal that comes just before a wait begins does not end it, so no single wait may last for ever.
        while not stop.wait(_LONGEST_WAIT_S):
            pass
    finally:
        app.stop()


def _no_dds(error: ImportError) -> str:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        machine = f"{platform.system()} {platform.machine()}"
        remedy = "use `ros2 launch hand_pose_ros hand_pose.launch.py` in a ROS 2 workspace"
        return f"the node without ROS 2 runs on x86-64 Linux only, and this is {machine}: {remedy}"
    return f"cyclonedds cannot be imported ({error}): pip install 'cyclonedds==11.0.1' with Python 3.10 to 3.13"
