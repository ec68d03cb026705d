"""`hand-pose record`: what a live node takes in and gives out, with all that is needed to repeat it, into one recording."""

from __future__ import annotations

import argparse
import logging
import threading
import time
from pathlib import Path

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.offline import not_repeated
from hand_pose_ros.bags.recorder import Recorder
from hand_pose_ros.live.dds.connect import Wire, add_wire_arguments, stop_on_signal
from hand_pose_ros.live.names import NodeName
from hand_pose_ros.live.run_info import RunInfo
from hand_pose_ros.live.topics import RUN_INFO

log = logging.getLogger(__name__)

DEFAULT_NAME = "hand_pose_recorder"
_LONGEST_WAIT_S, _ASK_S = 0.5, 5.0
_LAST_S = 0.5  # the answers to the last images are still to come


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the recording, a new one")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long; default: with Ctrl-C")
    add_wire_arguments(parser, "__ns:=/robot1 for the node of a namespace, run_info:=/left/run_info for a renamed one")


def run(arguments: argparse.Namespace) -> int:
    """Record until SIGINT, SIGTERM or the end of the time; 0, or 1 where the node never came.

    :raises BagError, RosNameError, DiscoveryError, RunInfoError, ParameterError: all tell the user what to change
    """
    if arguments.out.exists():
        raise BagError(f"{arguments.out} exists: name a new folder for the recording")
    wire = Wire.from_arguments(arguments, DEFAULT_NAME)
    topic = wire.name.topic(RUN_INFO.name)
    stop = stop_on_signal()
    # The node's topics come by their full names: the rules on the command line are for run_info alone.
    with wire.join(NodeName(wire.name.name, wire.name.namespace)) as peer:
        runs = peer.subscribe(topic, RUN_INFO.typename, qos=RUN_INFO.qos, raw=True)
        began = asked = time.monotonic()
        while runs.queue.empty():
            if _ended(stop, began, arguments.seconds):
                log.error("no node was heard on %s (%s): nothing is recorded", topic, wire)
                return 1
            if time.monotonic() - asked > _ASK_S:
                asked = time.monotonic()
                log.info(
                    "waiting for a node on %s (%s): is it running, in this domain and namespace (-r __ns:=/NAME)?", topic, wire
                )
        cdr, received_ns = runs.queue.get()
        text = peer.library.deserialize(cdr, RUN_INFO.typename).data
        told = RunInfo.from_json(text, topic)
        with Recorder(peer, arguments.out, told, cdr, received_ns) as recorder:
            log.info("recording %s, model %s, into %s", told.node, told.model, arguments.out)
            if unrepeated := not_repeated(vars(told.parameters)):
                log.warning("%s", unrepeated)
            began = time.monotonic()
            while not recorder.failed and not _ended(stop, began, arguments.seconds):
                while not runs.queue.empty():
                    cdr, received_ns = runs.queue.get()
                    recorder.on_run(cdr, received_ns)
                    if peer.library.deserialize(cdr, RUN_INFO.typename).data != text:
                        log.warning(
                            "%s changed its parameters or began anew: only a recording of one run can be repeated", told.node
                        )
            time.sleep(_LAST_S)
    print(summary(recorder, arguments.out, repeated=not unrepeated))
    return 0


def summary(recorder: Recorder, folder: Path, *, repeated: bool = True) -> str:
    """What was recorded, for the terminal.

    :param repeated: replay can repeat it
    """
    lines = [f"{recorder.images} depth images, {recorder.hands} of them answered: {folder}"]
    if recorder.unseen:
        lines.append(
            f"{recorder.unseen} answered frames without their image, which did not get here (the machine or the network is too "
            "slow): the hands after them cannot be repeated exactly"
        )
    if repeated:
        lines.append(f"repeat it: hand-pose replay {folder} --as-recorded --out FOLDER")
    return "\n".join(lines)


def _ended(stop: threading.Event, began: float, seconds: float | None) -> bool:
    """Waits a little; whether it is time to end."""
    # A signal that comes just before a wait begins does not end it, so no single wait may last for ever.
    left = _LONGEST_WAIT_S if seconds is None else min(_LONGEST_WAIT_S, max(began + seconds - time.monotonic(), 0))
    return stop.wait(left) or (seconds is not None and time.monotonic() - began >= seconds)
