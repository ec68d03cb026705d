"""What makes a DDS participant a ROS 2 node: `ros_discovery_info`, which `ros2 node list` and `ros2 node info` read."""

from __future__ import annotations

import threading

import numpy as np
from cyclonedds.core import Entity
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.topic import Topic

from hand_pose_ros.live.dds.qos import to_dds
from hand_pose_ros.live.dds.types import CdrTypes
from hand_pose_ros.live.names import NodeName
from hand_pose_ros.live.topics import LATCHED
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

_INFO = "rmw_dds_common/msg/ParticipantEntitiesInfo"
# An endpoint without it is taken for one of plain DDS and not shown with a node.
PARTICIPANT_QOS = Qos(Policy.Userdata(b"enclave=/;"))


class NodeAnnouncement:
    """Tells ROS 2 machines which endpoints belong to the node; told again with every new endpoint."""

    def __init__(self, participant: DomainParticipant, node: NodeName, library: RosbagsLibrary, types: CdrTypes) -> None:
        self._library, self._types, self._node, self._participant = library, types, node, participant
        qos = to_dds(LATCHED, library.typestore.hash_rihs01(_INFO))
        topic = Topic(participant, "ros_discovery_info", types.get(_INFO), qos)
        self._writer = DataWriter(participant, topic, qos)
        self._lock = threading.Lock()
        self._gids: dict[str, list[object]] = {"reader_gid_seq": [], "writer_gid_seq": []}
        self._publish()

    def add_reader(self, entity: Entity) -> None:
        """Announce a subscription."""
        self._add("reader_gid_seq", entity)

    def add_writer(self, entity: Entity) -> None:
        """Announce a publisher."""
        self._add("writer_gid_seq", entity)

    def _add(self, kind: str, entity: Entity) -> None:
        with self._lock:
            self._gids[kind].append(self._gid(entity))
            self._publish()

    def _publish(self) -> None:
        make = self._library.make
        namespace = self._node.namespace
        node = make("rmw_dds_common/msg/NodeEntitiesInfo", node_namespace=namespace, node_name=self._node.name, **self._gids)
        info = make(_INFO, gid=self._gid(self._participant), node_entities_info_seq=[node])
        self._writer.write(self._types.sample(_INFO, bytes(self._library.serialize(info, _INFO))))

    def _gid(self, entity: Entity) -> object:
        gid = self._library.make("rmw_dds_common/msg/Gid")  # 24 bytes up to Humble, 16 later
        raw = np.frombuffer(entity.guid.bytes, np.uint8)
        gid.data[: raw.size] = raw
        return gid
