"""A named node on the ROS 2 wire: publishers and subscriptions by topic and type name.

For the node itself, and for everyone who talks to it:

    with DdsPeer("camera", domain_id=42) as camera:
        images = camera.publisher("/depth/image_rect", "sensor_msgs/msg/Image", SENSOR_DATA)
        hands = camera.subscribe("/hands", "hand_pose_ros/msg/HandPoseArray")       # no callback: into a queue
        camera.wait_for(lambda: images.subscribers > 0, timeout_s=10)
        images.publish(camera.library.make("sensor_msgs/msg/Image", ...))
        message, received_ns = hands.queue.get(timeout=1)

Callbacks run on one thread of the peer, in the order of arrival on each topic; an exception in one is logged and does not
end it. Messages are those of `peer.library` (RosbagsLibrary); `raw=True` gives CDR bytes instead (for recording).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from cyclonedds.core import DDSException, GuardCondition, InstanceState, Listener, ReadCondition, SampleState, ViewState, WaitSet
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from hand_pose_ros.live.dds.discovery import PARTICIPANT_QOS, NodeAnnouncement
from hand_pose_ros.live.dds.domain import acquire_domain, delete, release_domain
from hand_pose_ros.live.dds.network import Discovery, domain_id_from_environment
from hand_pose_ros.live.dds.qos import policy_name, to_dds
from hand_pose_ros.live.dds.types import CdrTypes
from hand_pose_ros.live.names import NodeName
from hand_pose_ros.live.topics import RELIABLE, QosProfile
from hand_pose_ros.messages.library import MessageError
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

log = logging.getLogger(__name__)

_TAKE_AT_ONCE = 32
_POLL_S = 0.01


class Publisher:
    """One topic going out; may be used from any thread."""

    def __init__(self, peer: DdsPeer, topic: str, typename: str, qos: QosProfile) -> None:
        self.topic, self.typename = topic, typename
        self._peer = peer
        entity, dds_qos = peer._topic(topic, typename, qos)

        def incompatible(_: Any, status: Any) -> None:
            log.warning(
                "%s: a subscriber asks for a %s that this publisher does not offer (%s): it gets nothing",
                topic,
                policy_name(status.last_policy_id),
                qos,
            )

        self._writer = DataWriter(peer._participant, entity, dds_qos, Listener(on_offered_incompatible_qos=incompatible))

    def publish(self, message: Any) -> None:
        """Send a message of the library."""
        self.publish_cdr(self._peer.library.serialize(message, self.typename))

    def publish_cdr(self, data: bytes | memoryview) -> None:
        """Send CDR bytes, four-byte header included."""
        self._writer.write(self._peer._types.sample(self.typename, bytes(data)))

    @property
    def subscribers(self) -> int:
        """How many subscriptions are matched now."""
        return int(self._writer.get_publication_matched_status().current_count)

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait until every reliable subscriber has everything; False when the time was not enough."""
        # The public wait_for_acks of a writer raises AttributeError where the time was not enough (cyclonedds 11.0.1).
        return self._writer._wait_for_acks(self._writer._ref, duration(seconds=timeout_s)) == 0


class Subscription:
    """One topic coming in. `queue` holds (message, received_ns) where no callback was given; `count` what has arrived."""

    def __init__(
        self, peer: DdsPeer, topic: str, typename: str, callback: Callable[[Any, int], None] | None, qos: QosProfile, raw: bool
    ) -> None:
        self.topic, self.typename, self.count = topic, typename, 0
        self.queue: queue.SimpleQueue[tuple[Any, int]] = queue.SimpleQueue()
        self._callback = callback or (lambda message, received_ns: self.queue.put((message, received_ns)))
        self._peer, self._raw = peer, raw
        entity, dds_qos = peer._topic(topic, typename, qos)
        self._type = entity.data_type

        def incompatible(_: Any, status: Any) -> None:
            log.warning(
                "%s: a publisher does not offer the %s that is asked for here (%s): nothing arrives",
                topic,
                policy_name(status.last_policy_id),
                qos,
            )

        self._reader = DataReader(peer._participant, entity, dds_qos, Listener(on_requested_incompatible_qos=incompatible))
        self._condition = ReadCondition(self._reader, SampleState.Any | ViewState.Any | InstanceState.Any)

    @property
    def publishers(self) -> int:
        """How many publishers are matched now."""
        return int(self._reader.get_subscription_matched_status().current_count)

    def _drain(self) -> None:
        try:
            samples = self._reader.take(_TAKE_AT_ONCE, self._condition)
        except DDSException as error:
            log.warning("%s: cannot be read: %s", self.topic, error)
            return
        for sample in samples:
            received_ns = time.time_ns()
            if not isinstance(sample, self._type) or not sample.sample_info.valid_data:
                continue  # a publisher has gone
            self.count += 1
            try:
                self._callback(
                    sample.cdr if self._raw else self._peer.library.deserialize(sample.cdr, self.typename), received_ns
                )
            except MessageError as error:
                log.warning("%s: %s", self.topic, error)
            except Exception:
                log.exception("%s: a message could not be handled", self.topic)


class DdsPeer:
    """A participant that ROS 2 machines see as a node. Close it, or use it in a with statement.

    :param name: the node's name, or a `NodeName` with namespace and remaps
    :param domain_id: default ROS_DOMAIN_ID, or 0
    :param library: default as ROS_DISTRO says, or Jazzy
    :param discovery: default `Discovery.from_environment()`: this machine only
    """

    def __init__(
        self,
        name: str | NodeName,
        domain_id: int | None = None,
        *,
        library: RosbagsLibrary | None = None,
        discovery: Discovery | None = None,
    ) -> None:
        self.name = name if isinstance(name, NodeName) else NodeName(name)
        self.domain_id = domain_id_from_environment() if domain_id is None else domain_id
        self.library = library or RosbagsLibrary()
        self._types = CdrTypes(self.library.typestore)
        acquire_domain(self.domain_id, discovery or Discovery.from_environment())
        self._participant = DomainParticipant(self.domain_id, PARTICIPANT_QOS)
        self._announcement = NodeAnnouncement(self._participant, self.name, self.library, self._types)
        self._topics: dict[str, Topic] = {}
        self._subscriptions: list[Subscription] = []
        self._waitset = WaitSet(self._participant)
        self._wake = GuardCondition(self._participant)
        self._waitset.attach(self._wake)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._receive, name=f"dds-{self.name.name}", daemon=True)
        self._thread.start()

    def publisher(self, topic: str, typename: str, qos: QosProfile = RELIABLE) -> Publisher:
        """A publisher; relative names are below the namespace, remaps apply."""
        publisher = Publisher(self, self.name.topic(topic), typename, qos)
        self._announcement.add_writer(publisher._writer)
        return publisher

    def subscribe(
        self,
        topic: str,
        typename: str,
        callback: Callable[[Any, int], None] | None = None,
        qos: QosProfile = RELIABLE,
        *,
        raw: bool = False,
    ) -> Subscription:
        """A subscription; `callback(message, received_ns)` on the peer's thread, or none to use `Subscription.queue`.

        :param raw: hand out CDR bytes instead of messages
        """
        subscription = Subscription(self, self.name.topic(topic), typename, callback, qos, raw)
        self._subscriptions.append(subscription)
        self._waitset.attach(subscription._condition)
        self._wake.set(True)
        self._announcement.add_reader(subscription._reader)
        return subscription

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until a condition holds (discovery, a count); False when the time was not enough."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def close(self) -> None:
        """End the thread and leave the domain; harmless when closed already."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set(True)
        self._thread.join()
        delete(self._participant)
        release_domain(self.domain_id)

    def __enter__(self) -> DdsPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _topic(self, topic: str, typename: str, qos: QosProfile) -> tuple[Topic, Any]:
        dds_qos = to_dds(qos, self.library.typestore.hash_rihs01(typename))
        if topic not in self._topics:
            self._topics[topic] = Topic(self._participant, f"rt{topic}", self._types.get(typename))
        return self._topics[topic], dds_qos

    def _receive(self) -> None:
        while not self._closing.is_set():
            self._waitset.wait(duration(seconds=10))
            self._wake.set(False)
            for subscription in list(self._subscriptions):
                subscription._drain()
