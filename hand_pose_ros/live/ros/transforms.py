"""Transforms between frames from tf2, at the stamp of an image."""

from __future__ import annotations

import time

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.time import Time
from tf2_msgs.msg import TFMessage
from tf2_ros import TransformException
from tf2_ros.buffer import Buffer
from tf2_ros.transform_listener import TransformListener

from hand_pose_ros.geometry.transform import RigidTransform, TransformError
from hand_pose_ros.live.transforms import TransformMissing
from hand_pose_ros.messages.library import stamp_ns

try:
    from tf_transformations import quaternion_matrix
except Exception:  # not installed, or its transforms3d is too old for this NumPy
    quaternion_matrix = None

_POLL_S = 0.002
_MEMORY_NS = 10_000_000_000  # tf2's default


class Listener(TransformListener):
    """Begins anew, but for static transforms, when TF goes back by more than tf2 remembers (a bag without /clock in a loop, or
    with one whose last message comes after the clock's jump): tf2 would leave out all that comes until it has caught up.

    :param own: beginnings of the names of this node's own frames, which nobody looks up here
    """

    def __init__(self, buffer: Buffer, node: Node, own: tuple[str, ...]) -> None:
        self._own, self._newest_ns = own, {}
        super().__init__(buffer, node)

    def callback(self, data: TFMessage) -> None:
        """A message on /tf."""
        data.transforms = [t for t in data.transforms if not t.child_frame_id.startswith(self._own)]
        for transform in data.transforms:
            stamp, child = stamp_ns(transform.header), transform.child_frame_id
            if stamp < self._newest_ns.get(child, stamp) - _MEMORY_NS:
                self.buffer.clear()
                self._newest_ns.clear()
            self._newest_ns[child] = max(stamp, self._newest_ns.get(child, stamp))
        super().callback(data)


class Transforms:
    """What /tf and /tf_static say, heard through the node's executor; `lookup` is for another thread.

    :param own: see `Listener`
    """

    def __init__(self, node: Node, own: tuple[str, ...]) -> None:
        self._node = node
        self._buffer = Buffer(node=node)  # with the node's clock: emptied when simulated time is set back
        self._listener = Listener(self._buffer, node, own)

    def close(self) -> None:
        """No longer listen."""
        self._listener.unregister()
        self._node.destroy_service(self._buffer.srv)
        self._buffer.jump_handle.unregister()

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> RigidTransform:
        """See `TransformLookup`.

        Waits on the wall clock: tf2's own waiting sleeps 20 ms at a time.
        """
        stamp = Time(nanoseconds=stamp_ns)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return rigid(self._buffer.lookup_transform_core(target, source, stamp))
            except TransformException as error:
                reason = str(error)
            except TransformError as error:  # it will not get better by waiting
                raise TransformMissing(f"the transform from {source!r} to {target!r} cannot be used: {error}") from error
            if time.monotonic() >= deadline:
                text = f"no transform from {source!r} to {target!r} within transform_timeout_s ({timeout_s}): {reason}"
                raise TransformMissing(text)
            time.sleep(_POLL_S)


def rigid(message: TransformStamped) -> RigidTransform:
    """The numbers of a transform; the matrix by tf_transformations where it is installed.

    :raises TransformError: they are no rigid transform
    """
    t, q = message.transform.translation, message.transform.rotation
    translation, quaternion = np.array([t.x, t.y, t.z]), (q.x, q.y, q.z, q.w)
    if quaternion_matrix is None:
        return RigidTransform.from_quaternion(quaternion, translation)
    return RigidTransform(quaternion_matrix(quaternion)[:3, :3], translation)
