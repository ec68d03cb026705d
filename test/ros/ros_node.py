"""Starts `hand_pose_node` as a process of its own and talks to it as other ROS 2 nodes do.

Importing it needs ROS 2 and this package built and sourced: `ros = pytest.importorskip("ros_node", reason=ros_node_missing)`.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from ament_index_python.packages import get_package_prefix
from free_domain import free_domain
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from live_process import LiveProcess
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from small_bags import IMAGE, INFO, image_message, info_message
from std_srvs.srv import SetBool, Trigger

import hand_pose_ros.msg  # noqa: F401
from hand_pose_ros.live.ros.library import RclpyLibrary, message_class
from hand_pose_ros.live.ros.qos import to_rclpy
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, OUTPUTS, SENSOR_DATA, QosProfile

WAIT_S = 20
LIBRARY = RclpyLibrary()
NODE = Path(get_package_prefix("hand_pose_ros")) / "lib/hand_pose_ros/hand_pose_node"


class Process(LiveProcess):
    """A process on a ROS domain, and what it says."""

    def __init__(self, command: list[str], domain: int) -> None:
        flush = {"PYTHONUNBUFFERED": "1", "RCUTILS_LOGGING_BUFFERED_STREAM": "0"}
        super().__init__(command, {**os.environ, "ROS_DOMAIN_ID": str(domain), **flush})


class Client:
    """A camera, a listener to all that the node publishes, and a caller of its services."""

    def __init__(
        self, domain: int, *, name: str = "/hand_pose", namespace: str = "", image_qos: QosProfile = SENSOR_DATA
    ) -> None:
        self._name = name
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = Node("test_client", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._namespace, self._image_qos = namespace, image_qos
        self.plug_in()
        self.outputs: dict[str, queue.SimpleQueue] = {}
        for spec in OUTPUTS:
            topic = spec.name if spec.name.startswith("/") else f"{namespace}/{spec.name}"
            self.outputs[spec.name] = self.subscribe(topic, spec.typename, spec.qos)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the domain."""
        self._closing.set()
        self._thread.join(WAIT_S)
        self._executor.shutdown()
        rclpy.shutdown(context=self._context)

    def _spin(self) -> None:
        while not self._closing.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def plug_in(self) -> None:
        """The camera's publishers."""
        self.images = self.publisher(f"{self._namespace}/{DEPTH_IMAGE.name}", IMAGE, self._image_qos)
        self.infos = self.publisher(f"{self._namespace}/{CAMERA_INFO.name}", INFO, self._image_qos)

    def unplug(self) -> None:
        """No camera any more."""
        for publisher in (self.images, self.infos):
            self.node.destroy_publisher(publisher)

    def publisher(self, topic: str, typename: str, qos: QosProfile) -> Any:
        """A further publisher."""
        return self.node.create_publisher(message_class(typename), topic, to_rclpy(qos))

    def subscribe(self, topic: str, typename: str, qos: QosProfile) -> queue.SimpleQueue:
        """A further subscription, into a queue."""
        received: queue.SimpleQueue = queue.SimpleQueue()
        self.node.create_subscription(message_class(typename), topic, received.put, to_rclpy(qos))
        return received

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Until the condition holds."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"not {what} within {WAIT_S} s"
            time.sleep(0.02)

    def wait_for_subscriptions(self) -> None:
        """Until the node listens to the camera, and this client hears all that it publishes."""
        self.wait_until(
            lambda: self.images.get_subscription_count() and self.infos.get_subscription_count(), "listening to the camera"
        )
        topics = [subscription.topic_name for subscription in self.node.subscriptions]
        self.wait_until(lambda: all(self.node.count_publishers(topic) for topic in topics), "publishing everything")
        time.sleep(0.3)  # the other side has to match, too, and rclpy cannot tell

    def send(self, index: int, encoding: str = "16UC1", *, image: Any = None, info: Any = None) -> None:
        """Frame `index` of the small recording, or the messages given; the camera info first."""
        self.infos.publish(info or info_message(LIBRARY, index))
        self.images.publish(image or image_message(LIBRARY, index, encoding))

    def next(self, topic: str, timeout_s: float = WAIT_S) -> Any:
        """The next message of an output."""
        return self.outputs[topic].get(timeout=timeout_s)

    def call(self, kind: type, service: str, request: Any) -> Any:
        """The response of one of the node's services."""
        client = self.node.create_client(kind, f"{self._name}/{service}")
        assert client.wait_for_service(WAIT_S), f"no service {client.srv_name}"
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        assert done.wait(WAIT_S), f"no answer from {client.srv_name}"
        self.node.destroy_client(client)
        return future.result()

    def transition(self, name: str) -> bool:
        """Ask for "configure", "activate", ...; whether it succeeded."""
        ids = {n: getattr(Transition, f"TRANSITION_{n.upper()}") for n in ("configure", "activate", "deactivate", "cleanup")}
        request = ChangeState.Request(transition=Transition(id=ids[name]))
        return self.call(ChangeState, "change_state", request).success

    def state(self) -> str:
        """The node's lifecycle state."""
        return self.call(GetState, "get_state", GetState.Request()).current_state.label

    def activate(self) -> None:
        """Configure and activate, and wait until everything is connected."""
        assert self.transition("configure") and self.transition("activate")
        self.wait_for_subscriptions()

    def set(self, **values: Any) -> list[str]:
        """Set parameters one by one: the reason of each refusal, "" where there is none."""
        messages: list[ParameterMessage] = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        results = self.call(SetParameters, "set_parameters", SetParameters.Request(parameters=messages)).results
        return [result.reason if not result.successful else "" for result in results]

    def parameters(self) -> dict[str, tuple[Any, Any]]:
        """Name -> (value, descriptor) of all."""
        request = ListParameters.Request(depth=ListParameters.Request.DEPTH_RECURSIVE)
        names = self.call(ListParameters, "list_parameters", request).result.names
        values = self.call(GetParameters, "get_parameters", GetParameters.Request(names=names)).values
        descriptors = self.call(DescribeParameters, "describe_parameters", DescribeParameters.Request(names=names)).descriptors
        return {n: (parameter_value_to_python(v), d) for n, v, d in zip(names, values, descriptors)}

    def trigger(self, service: str) -> Any:
        """Call a std_srvs/Trigger."""
        return self.call(Trigger, service, Trigger.Request())

    def set_bool(self, service: str, data: bool) -> Any:
        """Call a std_srvs/SetBool."""
        return self.call(SetBool, service, SetBool.Request(data=data))


@contextlib.contextmanager
def node_and_client(*arguments: str, client: dict[str, Any] | None = None) -> Iterator[tuple[Process, Client]]:
    """An unconfigured node with ROS arguments, and a client."""
    with free_domain() as domain:
        node = Process([str(NODE), "--ros-args", *arguments], domain)
        other = Client(domain, **(client or {}))
        try:
            node.wait_for_log("unconfigured; ")
            yield node, other
        finally:
            other.close()
            node.kill()


def positions(hand: Any) -> np.ndarray:
    """(J, 3) of a HandPose."""
    return np.array([[p.x, p.y, p.z] for p in hand.positions])


def diagnostic_values(message: Any) -> dict[str, str]:
    """Keys and values of the first status."""
    return {pair.key: pair.value for pair in message.status[0].values}
