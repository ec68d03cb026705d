"""The overlay: the camera's picture with the hands in it, drawn and sent on a thread of its own.

A picture takes longer to draw and to send than the hands, and a slow reader of it holds its sender up. So the worker only
leaves a frame here when its hands are out; of several that wait the newest is drawn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from hand_pose_ros.geometry.camera import Camera, CameraError
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.live.color import ColorImages
from hand_pose_ros.live.pictures import Pictures
from hand_pose_ros.live.slot import NewestSlot
from hand_pose_ros.live.transforms import TransformLookup, TransformMissing
from hand_pose_ros.messages.color_input import ColorError
from hand_pose_ros.perception.types import DepthFrame, FrameResult
from hand_pose_ros.viz.overlay import overlay_picture

_WAKE_S = 1.0


class _Frame(NamedTuple):
    depth: DepthFrame
    result: FrameResult


class _Color(NamedTuple):
    """What `overlay_picture` takes of a colour image."""

    picture: Any
    camera: Camera | None
    depth_to_color: RigidTransform | None
    frame_id: str


class OverlayThread:
    """Draws what it is offered.

    :param pictures: converts images
    :param color: colour images to draw on, or None to draw on the depth image
    :param lookup: transforms between the depth and the colour camera
    :param publish: sends an overlay message; from this thread
    :param complain: takes what is wrong with a frame; from this thread
    """

    def __init__(
        self,
        pictures: Pictures,
        color: ColorImages | None,
        lookup: TransformLookup,
        publish: Callable[[Any], None],
        complain: Callable[[str], None],
    ) -> None:
        self._pictures, self._color, self._lookup = pictures, color, lookup
        self._publish, self._complain = publish, complain
        self._slot: NewestSlot[_Frame] = NewestSlot()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hand-pose-overlay", daemon=True)
        self._thread.start()

    def offer(self, depth: DepthFrame, result: FrameResult) -> None:
        """Draw this frame, in place of one that waits.

        :param result: in the depth image's frame
        """
        self._slot.put(_Frame(depth, result))

    def stop(self) -> None:
        """End after the picture it is at."""
        self._stopping.set()
        self._slot.wake()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            frame = self._slot.take(_WAKE_S)
            if frame is None:
                continue
            try:
                self._publish(self.message(frame.depth, frame.result))
            except Exception as error:  # the next picture may be fine
                self._complain(f"the overlay could not be drawn: {error!r}")

    def message(self, depth: DepthFrame, result: FrameResult) -> Any:
        """The overlay of one frame, stamped as its depth image."""
        color = self._color_for(depth) if self._color else None
        if color is None:
            picture, frame_id = overlay_picture(result, depth.camera, depth.depth), depth.frame_id
        else:
            picture = overlay_picture(
                result, depth.camera, None, color.picture, color_camera=color.camera, depth_to_color=color.depth_to_color
            )
            frame_id = color.frame_id
        return self._pictures.to_message(picture, depth.stamp_ns, frame_id)

    def _color_for(self, depth: DepthFrame) -> _Color | None:
        """The colour image of a frame; None, with a complaint, where there is none that can be drawn on."""
        instead = "the overlay is drawn on the depth image"
        pair = self._color.near(depth.stamp_ns)
        if pair is None:
            self._complain(f"{self._color.topic}: no image near the depth image's stamp (is it published?): {instead}")
            return None
        frame_id = pair.image.header.frame_id
        size = (int(pair.image.width), int(pair.image.height))
        if pair.info is None and (frame_id, *size) != (depth.frame_id, depth.camera.width, depth.camera.height):
            text = f"is {size[0]}x{size[1]} in frame {frame_id!r}, and its camera info has not come"
            self._complain(f"{self._color.topic}: the image {text}: {instead}")
            return None
        try:
            picture = self._pictures.from_message(pair.image)
            camera = None if pair.info is None else Camera.from_camera_info(pair.info)
            moved = None if frame_id == depth.frame_id else self._lookup(frame_id, depth.frame_id, depth.stamp_ns, 0.0)
        except (ColorError, CameraError, TransformMissing) as error:
            self._complain(f"{self._color.topic}: {error}: {instead}")
            return None
        return _Color(picture, camera, moved, frame_id)
