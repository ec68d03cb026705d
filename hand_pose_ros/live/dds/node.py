"""`hand-pose node`: the node on the ROS 2 wire where ROS 2 is not installed."""

from __future__ import annotations

import argparse
import logging
import threading
from typing import TYPE_CHECKING

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.tensorrt_build import BuildCancelled
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.dds.connect import Wire, add_wire_arguments, stop_on_signal
from hand_pose_ros.live.parameter_arguments import add_parameter_arguments, read_parameters
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.live.topics import ALL_OUTPUTS

if TYPE_CHECKING:
    from hand_pose_ros.live.dds.peer import DdsPeer

log = logging.getLogger(__name__)

DEFAULT_NAME = "hand_pose"
_LONGEST_WAIT_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hand-pose node`; they are spelt as those of `ros2 run` where it has them."""
    add_parameter_arguments(parser)
    add_wire_arguments(
        parser,
        "another name for a topic (depth/image_rect:=/camera/depth/image_raw), __ns:=/robot1, or __node:=left_hand",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM, then return 0.

    :raises ParameterError, RosNameError, DiscoveryError, ModelError, ShareError: all tell the user what to change
    """
    wire = Wire.from_arguments(args, DEFAULT_NAME)
    parameters = read_parameters(args, wire.name.full_name)
    if parameters.target_frame:
        raise ParameterError(
            f"target_frame is {parameters.target_frame!r}, but the node without ROS 2 does not follow TF: leave it empty, or run "
            "the node of ROS 2 (ros2 launch hand_pose_ros hand_pose.launch.py, executable hand_pose_node)"
        )
    stop = stop_on_signal()
    with wire.join() as peer:
        _serve(peer, parameters, str(wire), stop)
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
        cancelled=stop.is_set,
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
