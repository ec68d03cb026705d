"""Depth frames from sensor_msgs/Image or CompressedImage (compressedDepth) and CameraInfo messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hand_pose_ros.geometry.camera import Camera, CameraError
from hand_pose_ros.geometry.compressed_depth import CompressedDepth
from hand_pose_ros.geometry.depth import decode_depth
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.perception.types import DepthFrame


@dataclass(frozen=True)
class CompressedDepthImage:
    """A sensor_msgs/CompressedImage whose size is known, to be paired with its camera info; decoded only when it is its turn."""

    header: Any
    depth: CompressedDepth

    @property
    def width(self) -> int:
        """Pixels."""
        return self.depth.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.depth.height


def compressed_depth_image(message: Any) -> CompressedDepthImage:
    """A sensor_msgs/CompressedImage of image_transport's compressedDepth.

    :raises DepthError: it is of another format, or cut short
    """
    return CompressedDepthImage(message.header, CompressedDepth.parse(message.data, message.format))


def depth_frame(image: Any, info: Any, *, rectified: bool = True, depth_scale: float | None = None) -> DepthFrame:
    """The frame that perception works on.

    :param image: sensor_msgs/Image, 16UC1 or 32FC1, or a `CompressedDepthImage`
    :param info: sensor_msgs/CameraInfo of the same image
    :param rectified: the image is rectified (projected with P); else K and D hold
    :param depth_scale: metres a count of 16UC1 images that are not in millimetres
    :raises DepthError: the image cannot be read
    :raises CameraError: the camera is not calibrated, or is not this image's
    """
    camera = Camera.from_camera_info(info, rectified=rectified)
    if (camera.width, camera.height) != (int(image.width), int(image.height)):
        raise CameraError(
            f"image of {image.width}x{image.height} pixels with a camera info of {camera.width}x{camera.height}: "
            "remap camera_info to the topic that belongs to the image, or mend its size, binning or region of interest"
        )
    if isinstance(image, CompressedDepthImage):
        return DepthFrame(image.depth.decode(depth_scale), camera, stamp_ns(image.header), image.header.frame_id)
    depth = decode_depth(
        image.data,
        encoding=image.encoding,
        width=int(image.width),
        height=int(image.height),
        step=int(image.step),
        is_bigendian=bool(image.is_bigendian),
        depth_scale=depth_scale,
    )
    return DepthFrame(depth, camera, stamp_ns(image.header), image.header.frame_id)
