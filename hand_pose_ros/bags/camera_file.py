"""Camera files in the YAML format of ROS 2's camera_info_manager (what camera_calibration writes), plus `depth_scale`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.messages.library import MessageLibrary

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class CameraFile:
    """A camera as a file describes it.

    :param k, d, r, p: row by row, as in sensor_msgs/CameraInfo
    :param depth_scale: metres a count of the depth images that go with it, None where the file does not say
    """

    path: Path
    width: int
    height: int
    distortion_model: str
    k: tuple[float, ...]
    d: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    depth_scale: float | None

    def camera_info(self, library: MessageLibrary, header: Any) -> Any:
        """The sensor_msgs/CameraInfo, with that header."""
        return library.make(
            "sensor_msgs/msg/CameraInfo",
            header=header,
            width=self.width,
            height=self.height,
            distortion_model=self.distortion_model,
            k=list(self.k),
            d=list(self.d),
            r=list(self.r),
            p=list(self.p),
        )


def read_camera_file(path: Path) -> CameraFile:
    """Read a camera file.

    :raises BagError: it is missing, no YAML, or lacks a field; the text says which
    """
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BagError(f"camera file {path} cannot be read: {error}") from error
    try:
        scale = described.get("depth_scale")
        k = _matrix(described, "camera_matrix", 9)
        default_p = (*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0)
        camera = CameraFile(
            path=path,
            width=int(described["image_width"]),
            height=int(described["image_height"]),
            distortion_model=str(described.get("distortion_model", "plumb_bob")),
            k=k,
            d=_matrix(described, "distortion_coefficients", None) if "distortion_coefficients" in described else (),
            r=_matrix(described, "rectification_matrix", 9) if "rectification_matrix" in described else IDENTITY,
            p=_matrix(described, "projection_matrix", 12) if "projection_matrix" in described else default_p,
            depth_scale=None if scale is None else float(scale),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BagError(
            f"camera file {path} is not in the camera_info_manager format ({type(error).__name__}: {error}): it needs "
            "image_width, image_height and camera_matrix {rows: 3, cols: 3, data: [...]}, as camera_calibration writes them"
        ) from error
    if camera.depth_scale is not None and not camera.depth_scale > 0:
        raise BagError(
            f"camera file {path}: depth_scale {camera.depth_scale} is not positive: give metres a count (millimetres: 0.001)"
        )
    return camera


def _matrix(described: dict[str, Any], name: str, length: int | None) -> tuple[float, ...]:
    data = tuple(float(v) for v in described[name]["data"])
    if length is not None and len(data) != length:
        raise ValueError(f"{name} has {len(data)} numbers, not {length}")
    return data
