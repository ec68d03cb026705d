"""Starts `hand-pose node` as a process of its own, on a DDS domain that no other test uses."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from free_domain import free_domain
from live_process import START_S, LiveProcess
from small_bags import IMAGE, INFO

from hand_pose_ros.live.dds.network import Discovery
from hand_pose_ros.live.dds.peer import DdsPeer, Publisher, Subscription
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, OUTPUTS, SENSOR_DATA, QosProfile
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

ROOT = Path(__file__).resolve().parents[2]
_ROS_VARIABLES = ("CYCLONEDDS_URI", "ROS_")


class LiveNode(LiveProcess):
    """The process and what it says; `warnings` gives their texts."""

    warning = re.compile(r"^\[(?:WARNING|ERROR)\] \[[^\]]*\] \[[^\]]*\]: (.*)$", re.MULTILINE)

    def __init__(self, *arguments: str, **environment: str) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(_ROS_VARIABLES)}
        super().__init__([sys.executable, "-m", "hand_pose_ros", "node", *arguments], {**clean, **environment}, ROOT)


class Client:
    """A camera and a listener to all that the node publishes, in the test's process."""

    def __init__(self, domain: int, *, distro: str = "jazzy", namespace: str = "", image_qos: QosProfile = SENSOR_DATA) -> None:
        self.library = RosbagsLibrary(distro)
        self.peer = DdsPeer("test_client", domain, library=self.library, discovery=Discovery())
        self.images: Publisher = self.peer.publisher(f"{namespace}/{DEPTH_IMAGE.name}", IMAGE, image_qos)
        self.infos: Publisher = self.peer.publisher(f"{namespace}/{CAMERA_INFO.name}", INFO, image_qos)
        self.outputs: dict[str, Subscription] = {
            spec.name: self.peer.subscribe(
                spec.name if spec.name.startswith("/") else f"{namespace}/{spec.name}", spec.typename, qos=spec.qos
            )
            for spec in OUTPUTS
        }

    def connect(self) -> None:
        """Until every topic is matched."""
        matched = self.peer.wait_for(
            lambda: self.images.subscribers and self.infos.subscribers and all(s.publishers for s in self.outputs.values()),
            START_S,
        )
        assert matched, "the node was not discovered"

    def send(self, image: Any, info: Any | None) -> None:
        """One frame; the camera info first."""
        if info is not None:
            self.infos.publish(info)
        self.images.publish(image)

    def next(self, topic: str, timeout_s: float = 10) -> Any:
        """The next message of a topic."""
        return self.outputs[topic].queue.get(timeout=timeout_s)[0]


@contextlib.contextmanager
def node_and_client(
    *arguments: str, client: dict[str, Any] | None = None, **environment: str
) -> Iterator[tuple[LiveNode, Client]]:
    """A node that has started and a client that is connected with it."""
    with free_domain() as domain:
        node = LiveNode("--domain-id", str(domain), *arguments, **environment)
        try:
            node.wait_for_log("listens to")
            wire = Client(domain, **(client or {}))
            with wire.peer:
                wire.connect()
                yield node, wire
        finally:
            node.kill()
