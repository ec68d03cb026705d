"""A node that stands in for a depth camera: publishes images and camera infos that were recorded."""

from __future__ import annotations

import time

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from hand_pose_ros.live.ros.library import message_class
from hand_pose_ros.live.ros.qos import to_rclpy
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, RELIABLE
from hand_pose_ros.messages.library import stamp_fields

_POLL_S = 0.1


class CameraNode(Node):
    """Publishes on depth/image_rect and depth/camera_info, reliably, so that every subscriber hears it.

    :param clock: publish the recording's time on /clock, for nodes with use_sim_time
    :param listener: node of the same namespace that it plays for, "" for anyone
    """

    def __init__(self, *, clock: bool, listener: str = "") -> None:
        super().__init__("depth_player")
        self._listener = listener
        self._images, self._infos = (
            self.create_publisher(message_class(spec.typename), spec.name, to_rclpy(RELIABLE))
            for spec in (DEPTH_IMAGE, CAMERA_INFO)
        )
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10) if clock else None

    def wait_for_listener(self, stamp_ns: int) -> None:
        """Until images and camera infos are listened to; time stands still at `stamp_ns` meanwhile."""
        topics = (self._images.topic_name, self._infos.topic_name)
        self.get_logger().info(f"waits for {self._listener or 'anyone'} to listen to {' and '.join(topics)}")
        while not all(self._heard(topic) for topic in topics):
            self._tick(stamp_ns)
            time.sleep(_POLL_S)
            if not self.context.ok():
                return
        time.sleep(_POLL_S)  # the subscriber has to find this side, too

    def _heard(self, topic: str) -> bool:
        """Whether the listener listens; RViz or a recorder may long before it."""
        listening = self.get_subscriptions_info_by_topic(topic)
        here = self.get_namespace()
        return any(not self._listener or (s.node_name, s.node_namespace) == (self._listener, here) for s in listening)

    def send(self, image: bytes, info: bytes, stamp_ns: int) -> None:
        """One frame as CDR bytes."""
        self._tick(stamp_ns)
        self._infos.publish(info)
        self._images.publish(image)

    def _tick(self, stamp_ns: int) -> None:
        if self._clock_publisher is not None:
            message = Clock()
            fields = stamp_fields(stamp_ns)
            message.clock.sec, message.clock.nanosec = fields["sec"], fields["nanosec"]
            self._clock_publisher.publish(message)
