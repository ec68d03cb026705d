"""`hand-pose view`: what a live node sees and finds, in the Rerun viewer, where there is no RViz."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from typing import Any

from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.live.dds.connect import Wire, add_wire_arguments, stop_on_signal
from hand_pose_ros.live.names import NodeName
from hand_pose_ros.live.pairing import Pair, Pairing
from hand_pose_ros.live.run_info import RunInfo
from hand_pose_ros.live.throttle import Throttle
from hand_pose_ros.live.topics import CAMERA_INFO, COMPRESSED_DEPTH, HAND_JOINT_STATES, HANDS, RUN_INFO, TopicSpec, depth_input
from hand_pose_ros.messages.depth_input import compressed_depth_image, depth_frame
from hand_pose_ros.viz.rerun_view import SPAWN, RerunView

log = logging.getLogger(__name__)

DEFAULT_NAME = "hand_pose_viewer"
_LONGEST_WAIT_S, _ASK_S = 0.5, 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--rerun",
        default=SPAWN,
        metavar="spawn|FILE.rrd|URL",
        help="start a viewer (default), write a file for it, or send to one that runs (rerun+http://127.0.0.1:9876/proxy)",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long; default: with Ctrl-C")
    add_wire_arguments(parser, "__ns:=/robot1 for the node of a namespace, run_info:=/left/run_info for a renamed one")


def run(arguments: argparse.Namespace) -> int:
    """Show until SIGINT, SIGTERM or the end of the time.

    :raises ModuleNotFoundError, RosNameError, DiscoveryError, RunInfoError, ParameterError: all tell the user what to change
    """
    wire = Wire.from_arguments(arguments, DEFAULT_NAME)
    topic = wire.name.topic(RUN_INFO.name)
    stop = stop_on_signal()
    began = asked = time.monotonic()
    # The node's topics come by their full names: the rules on the command line are for run_info alone.
    with RerunView(arguments.rerun) as view, wire.join(NodeName(wire.name.name, wire.name.namespace)) as peer:
        runs = peer.subscribe(topic, RUN_INFO.typename, qos=RUN_INFO.qos)
        viewer: LiveView | None = None
        while not stop.wait(_LONGEST_WAIT_S) and (arguments.seconds is None or time.monotonic() - began < arguments.seconds):
            if viewer is None and not runs.queue.empty():
                told = RunInfo.from_json(runs.queue.get()[0].data, topic)
                viewer = LiveView(view, told)
                for spec, callback in viewer.inputs():
                    peer.subscribe(told.topics.get(spec.name, spec.name), spec.typename, callback, spec.qos)
                log.info("showing %s, model %s", told.node, told.model)
            elif viewer is None and time.monotonic() - asked > _ASK_S:
                asked = time.monotonic()
                log.info("waiting for a node on %s (%s): is it running, in this domain and namespace?", topic, wire)
    if viewer is None:
        log.error("no node was heard on %s (%s): nothing was shown", topic, wire)
        return 1
    print(f"{viewer.frames} depth images and the hands of {viewer.answered} shown")
    return 0


class LiveView:
    """Messages of a node into a view, on one thread.

    :ivar frames, answered: depth images and messages of hands that were shown
    """

    def __init__(self, view: RerunView, run: RunInfo) -> None:
        self.frames = self.answered = 0
        self._view, self._parameters = view, run.parameters
        self._image = depth_input(run.parameters.depth_transport, lambda name: run.topics.get(name, name))
        self._image_topic = run.topics.get(self._image.name, self._image.name)
        self._pairing = Pairing(self._image_topic, run.topics[CAMERA_INFO.name])
        self._throttle = Throttle(_ASK_S)

    def inputs(self) -> list[tuple[TopicSpec, Callable[[Any, int], None]]]:
        """What to subscribe to, and who takes the messages."""
        return [
            (CAMERA_INFO, lambda info, _: self._show(self._pairing.add_info(info))),
            (self._image, self._on_image),
            (HANDS, self._on_hands),
            (HAND_JOINT_STATES, lambda message, _: self._view.joint_states(message)),
        ]

    def _on_image(self, image: Any, received_ns: int) -> None:
        try:
            image = compressed_depth_image(image) if self._image.typename == COMPRESSED_DEPTH.typename else image
            self._show(self._pairing.add_image(image, received_ns))
        except DepthError as error:
            self._complain(str(error))

    def _on_hands(self, message: Any, _: int) -> None:
        self._view.hands(message)
        self.answered += 1

    def _show(self, pair: Pair | None) -> None:
        if pair is None:
            return
        scale = self._parameters.depth_scale or None
        try:
            frame = depth_frame(pair.image, pair.info, rectified=self._parameters.rectified, depth_scale=scale)
        except (DepthError, CameraError) as error:
            self._complain(str(error))
            return
        self._view.depth(frame)
        self.frames += 1

    def _complain(self, text: str) -> None:
        if self._throttle.allow(text):
            log.warning("%s: %s", self._image_topic, text)
