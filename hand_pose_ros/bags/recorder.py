"""A live node's inputs and outputs into one recording, as they come off the wire."""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.live.run_info import RunInfo
from hand_pose_ros.live.topics import (
    CAMERA_INFO,
    COLOR_IMAGE,
    COLOR_INFO,
    DETECTIONS,
    DIAGNOSTICS,
    HAND_OUTPUTS,
    HANDS,
    MODEL,
    RUN_INFO,
    QosProfile,
    TopicSpec,
    depth_input,
)

if TYPE_CHECKING:
    from hand_pose_ros.live.dds.peer import DdsPeer

STATIC_TRANSFORMS = TopicSpec("/tf_static", "tf2_msgs/msg/TFMessage", QosProfile(depth=100, transient_local=True))
_KEPT = 1000  # messages that wait for the recorder, and stamps that it remembers


def recorded_inputs(run: RunInfo) -> list[TopicSpec]:
    """What a node with these parameters takes in; the names are those of `RunInfo.topics`."""
    parameters = run.parameters
    inputs = [CAMERA_INFO]
    if run.needs_color or parameters.overlay_color:
        inputs += [COLOR_INFO, COLOR_IMAGE]
    if parameters.use_detections:
        inputs.append(DETECTIONS)
    if parameters.target_frame:
        inputs.append(STATIC_TRANSFORMS)  # /tf itself is among the outputs
    return [*inputs, depth_input(parameters.depth_transport, lambda name: run.topics.get(name, name))]


class Recorder:
    """Records from now on; close it, or use it in a with statement.

    :param peer: where the node is heard
    :param folder: of the recording, which must not exist
    :param run: what the node says of itself
    :param run_cdr, received_ns: that message as it came, and when
    :ivar images, hands: depth images recorded, and frames that the node answered
    :raises BagError: the folder exists or cannot be made
    """

    def __init__(self, peer: DdsPeer, folder: Path, run: RunInfo, run_cdr: bytes, received_ns: int) -> None:
        self.images = self.hands = 0
        self._stamps: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._unseen: set[tuple[int, int]] = set()
        self._run, self._ended, self._lock = run, False, threading.Lock()
        self.writer = BagWriter(folder, peer.library)
        self._announce(RUN_INFO)
        self.on_run(run_cdr, received_ns)
        inputs = recorded_inputs(run)
        for spec in (*inputs, *HAND_OUTPUTS, MODEL, DIAGNOSTICS):
            topic = self._announce(spec)
            qos = QosProfile(_KEPT, spec.qos.reliable, spec.qos.transient_local)
            callback = partial(self._on_message, topic)
            if spec is inputs[-1]:
                callback = partial(self._on_image, topic)
            elif spec is HANDS:
                callback = partial(self._on_hands, topic)
            peer.subscribe(topic, spec.typename, callback, qos, raw=True)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the recording. May be called again.

        :raises BagError: something could not be written
        """
        with self._lock:
            self._ended = True
        self.writer.close()

    @property
    def failed(self) -> bool:
        """Nothing more can be written; `close` says why."""
        return self._ended

    @property
    def unseen(self) -> int:
        """Answered frames whose depth image did not get here: on the wire images are not repeated."""
        return len(self._unseen)

    def on_run(self, cdr: bytes, received_ns: int) -> None:
        """The node describes its run, at its start and when a parameter changes."""
        self._write(self._topic(RUN_INFO), cdr, received_ns)

    def _announce(self, spec: TopicSpec) -> str:
        topic = self._topic(spec)
        self.writer.add_topic(topic, spec.typename, transient_local=spec.qos.transient_local)
        return topic

    def _topic(self, spec: TopicSpec) -> str:
        return self._run.topics.get(spec.name, spec.name)

    def _write(self, topic: str, cdr: bytes, received_ns: int) -> None:
        with self._lock:
            if self._ended:
                return
            try:
                self.writer.write(topic, received_ns, cdr)
            except BagError:  # told by `close`
                self._ended = True

    def _on_message(self, topic: str, cdr: bytes, received_ns: int) -> None:
        self._write(topic, cdr, received_ns)

    def _on_image(self, topic: str, cdr: bytes, received_ns: int) -> None:
        self._write(topic, cdr, received_ns)
        self.images += 1
        stamp = header_stamp(cdr)
        if stamp in self._unseen:
            self._unseen.remove(stamp)
            return
        self._stamps[stamp] = None
        if len(self._stamps) > _KEPT:
            self._stamps.popitem(last=False)

    def _on_hands(self, topic: str, cdr: bytes, received_ns: int) -> None:
        self._write(topic, cdr, received_ns)
        self.hands += 1
        if (stamp := header_stamp(cdr)) not in self._stamps:
            self._unseen.add(stamp)


def header_stamp(cdr: bytes) -> tuple[int, int]:
    """Seconds and nanoseconds of a serialised message that begins with a std_msgs/Header."""
    return struct.unpack_from("<iI" if cdr[1] & 1 else ">iI", cdr, 4)
