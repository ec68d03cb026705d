"""The pinhole camera behind a depth image: intrinsics, projection, back-projection.

Camera optical frame: x right, y down, z forward, metres. Pixels are continuous, the centre of the top left pixel is
(0, 0) and its outer edge -0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

UNDISTORT_ITERATIONS = 20


class CameraError(ValueError):
    """A camera description that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one image.

    :param width, height: image size in pixels
    :param fx, fy, cx, cy: focal lengths and principal point in pixels
    :param distortion: k1 k2 p1 p2 [k3 [k4 k5 k6]] of plumb_bob / rational_polynomial, or empty for a rectified image
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise CameraError(f"camera size {self.width}x{self.height} is empty: fill width and height of the camera info")
        if not all(np.isfinite(v) for v in (self.fx, self.fy, self.cx, self.cy)) or self.fx <= 0 or self.fy <= 0:
            raise CameraError(
                f"camera is not calibrated (fx {self.fx}, fy {self.fy}): publish a camera info with its intrinsics, "
                "for example from camera_calibration or the camera driver's factory calibration"
            )
        if not np.isfinite(self.distortion).all():
            raise CameraError(f"distortion coefficients {self.distortion} are not numbers: mend D of the camera info")
        if len(self.distortion) not in (0, 4, 5, 8):
            raise CameraError(f"{len(self.distortion)} distortion coefficients: plumb_bob has 4 or 5, rational_polynomial 8")

    @classmethod
    def from_camera_info(cls, info: Any, *, rectified: bool = True) -> Camera:
        """From a sensor_msgs/CameraInfo of any message library.

        :param info: has width, height, k, d, p, distortion_model, binning_x, binning_y, roi
        :param rectified: the image is rectified, so P holds and there is no distortion; else K and D
        :raises CameraError: uncalibrated camera, or a distortion model that is not supported

        K and P describe the full resolution sensor image; the published image is its region of interest, then binned.
        """
        if rectified:
            p = np.asarray(info.p, dtype=float).reshape(3, 4)
            fx, fy, cx, cy = p[0, 0], p[1, 1], p[0, 2], p[1, 2]
            if fx == 0.0:  # many depth drivers fill K alone
                k = np.asarray(info.k, dtype=float).reshape(3, 3)
                fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
            distortion: tuple[float, ...] = ()
        else:
            k = np.asarray(info.k, dtype=float).reshape(3, 3)
            fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
            distortion = _distortion(info.distortion_model, info.d)
        roi = info.roi
        bin_x, bin_y = max(int(info.binning_x), 1), max(int(info.binning_y), 1)
        width = (int(roi.width) or int(info.width)) // bin_x
        height = (int(roi.height) or int(info.height)) // bin_y
        # Pixel centres are whole numbers, so a bin of n pixels has its centre (n - 1) / 2 right of its first one.
        return cls(
            width,
            height,
            fx / bin_x,
            fy / bin_y,
            (cx - int(roi.x_offset) - (bin_x - 1) / 2) / bin_x,
            (cy - int(roi.y_offset) - (bin_y - 1) / 2) / bin_y,
            distortion,
        )

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in metres -> pixels (..., 2). Points at z = 0 give inf or NaN."""
        points = np.asarray(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            xy = points[..., :2] / points[..., 2:3]
        if self.distortion:
            xy = _distort(xy, self.distortion)
        return xy * (self.fx, self.fy) + (self.cx, self.cy)

    def back_project(self, pixels: np.ndarray, z: np.ndarray | float) -> np.ndarray:
        """Pixels (..., 2) at depth z (...) in metres -> points (..., 3) in metres."""
        xy = (np.asarray(pixels) - (self.cx, self.cy)) / (self.fx, self.fy)
        if self.distortion:
            xy = _undistort(xy, self.distortion)
        z = np.broadcast_to(np.asarray(z), xy.shape[:-1])[..., None]
        return np.concatenate([xy * z, z], axis=-1)


def _distortion(model: str, coefficients: Any) -> tuple[float, ...]:
    d = tuple(float(v) for v in coefficients)
    if not any(d):
        return ()
    if model not in ("plumb_bob", "rational_polynomial", ""):
        raise CameraError(f"distortion model {model!r} is not supported: rectify the image (image_proc) and set rectified: true")
    return d


def _distort(xy: np.ndarray, d: tuple[float, ...]) -> np.ndarray:
    """Brown-Conrady model of plumb_bob and rational_polynomial on normalised coordinates (..., 2)."""
    k1, k2, p1, p2, k3, k4, k5, k6 = d + (0.0,) * (8 - len(d))
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return np.stack(
        [x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], axis=-1
    )


def _undistort(distorted: np.ndarray, d: tuple[float, ...]) -> np.ndarray:
    """Inverse of `_distort` by fixed-point iteration: what it misses by is added. Not finite where the polynomial folds."""
    xy = distorted
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(UNDISTORT_ITERATIONS):
            xy = xy + distorted - _distort(xy, d)
    return xy
