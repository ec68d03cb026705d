"""The camera's and the listener's side of a soak test, over DDS without ROS or with rclpy: CDR bytes in, CDR bytes out."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, DIAGNOSTICS, HANDS, QosProfile

WAIT_S = 30.0
LISTEN = QosProfile(depth=1000)


class Rig(NamedTuple):
    """A running node and what talks to it.

    :param pid: of the node
    :param send: (image, camera info) as CDR
    """

    pid: int
    send: Callable[[bytes, bytes], None]


Heard = Callable[[bytes], None]


@contextlib.contextmanager
def dds_rig(model: str, domain_id: int, log: Path, on_hands: Heard, on_diagnostics: Heard) -> Iterator[Rig]:
    """`hand-pose node`, which needs no ROS."""
    from hand_pose_ros.demo.node_process import NodeProcess
    from hand_pose_ros.live.dds.network import Discovery
    from hand_pose_ros.live.dds.peer import DdsPeer

    arguments = ["--domain-id", str(domain_id), "--discovery-range", "localhost", "--set", f"model:={model}"]
    with (
        NodeProcess(arguments, log) as node,
        DdsPeer("soak", domain_id, discovery=Discovery("localhost")) as peer,
    ):
        infos, images = (peer.publisher(spec.name, spec.typename, spec.qos) for spec in (CAMERA_INFO, DEPTH_IMAGE))
        for spec, heard in ((HANDS, on_hands), (DIAGNOSTICS, on_diagnostics)):
            peer.subscribe(spec.name, spec.typename, lambda cdr, _, heard=heard: heard(cdr), LISTEN, raw=True)
        if not peer.wait_for(lambda: images.subscribers and infos.subscribers, WAIT_S):
            raise SystemExit(f"the node does not listen:\n{node.last_lines()}")

        def send(image: bytes, info: bytes) -> None:
            infos.publish_cdr(info)
            images.publish_cdr(image)

        yield Rig(node.process.pid, send)


@contextlib.contextmanager
def ros_rig(model: str, domain_id: int, log: Path, on_hands: Heard, on_diagnostics: Heard) -> Iterator[Rig]:
    """`hand_pose_node` of a workspace that is built and sourced."""
    import rclpy
    from ament_index_python.packages import get_package_prefix
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState
    from rclpy.executors import SingleThreadedExecutor

    from hand_pose_ros.live.ros.library import message_class
    from hand_pose_ros.live.ros.qos import to_rclpy

    command = [f"{get_package_prefix('hand_pose_ros')}/lib/hand_pose_ros/hand_pose_node", "--ros-args", "-p", f"model:={model}"]
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            command, env={**os.environ, "ROS_DOMAIN_ID": str(domain_id)}, stdout=stream, stderr=subprocess.STDOUT
        )
        stack.callback(process.wait, WAIT_S)
        stack.callback(process.terminate)
        rclpy.init(domain_id=domain_id)
        stack.callback(rclpy.try_shutdown)
        node = rclpy.create_node("soak")
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        thread = threading.Thread(target=_spin, args=(executor,), daemon=True)
        thread.start()
        client = node.create_client(ChangeState, "/hand_pose/change_state")
        client.wait_for_service(WAIT_S)
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            if not _answer(client, ChangeState.Request(transition=Transition(id=transition))).success:
                raise SystemExit(f"the node cannot be started, see {log}")
        infos, images = (
            node.create_publisher(message_class(spec.typename), spec.name, to_rclpy(spec.qos))
            for spec in (CAMERA_INFO, DEPTH_IMAGE)
        )
        for spec, heard in ((HANDS, on_hands), (DIAGNOSTICS, on_diagnostics)):
            node.create_subscription(message_class(spec.typename), spec.name, heard, to_rclpy(LISTEN), raw=True)

        def send(image: bytes, info: bytes) -> None:
            infos.publish(info)
            images.publish(image)

        yield Rig(process.pid, send)


def _spin(executor: Any) -> None:
    from rclpy.executors import ExternalShutdownException

    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


def _answer(client: Any, request: Any) -> Any:
    done, future = threading.Event(), client.call_async(request)
    future.add_done_callback(lambda _: done.set())
    if not done.wait(WAIT_S):
        raise SystemExit(f"no answer from {client.srv_name}")
    return future.result()
