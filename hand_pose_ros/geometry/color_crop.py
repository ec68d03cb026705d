"""The square window of a colour image around a hand, turned and resampled for the network, and its exact inverse.

Normalised joints are (u, v, d): u and v in [-1, 1] over the window's outer edges, d the depth behind the root joint in half
cubes. The root's depth is no part of the picture: it is measured (a registered depth image) or given.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import CubeCrop, pack_symmetric, unpack_symmetric


@dataclass(frozen=True)
class ColorCrop:
    """One window of one image.

    :param camera: the image's camera
    :param center_px: (2,) the window's middle in pixels
    :param half_px: half the window's width in pixels
    :param size: S, pixels an edge of the crop
    :param cube_m: twice the depth of one normalised unit
    :param angle: the window is turned so far about its middle, radians, from the image's u axis towards its v axis
    """

    camera: Camera
    center_px: np.ndarray
    half_px: float
    size: int
    cube_m: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        center = np.asarray(self.center_px, dtype=float)
        if center.shape != (2,) or not np.isfinite(center).all() or not 0 < self.half_px < np.inf:
            raise ValueError(f"colour window at {center} of half width {self.half_px} px is empty")
        object.__setattr__(self, "center_px", center)

    @classmethod
    def around(cls, camera: Camera, box: tuple[float, float, float, float], size: int, cube_m: float) -> ColorCrop:
        """The square around a box (u_min, v_min, u_max, v_max: outer edges in pixels) as wide as its longer side."""
        u_min, v_min, u_max, v_max = box
        center = np.array([u_min + u_max, v_min + v_max]) / 2
        return cls(camera, center, max(u_max - u_min, v_max - v_min) / 2, size, cube_m)

    @classmethod
    def of_cube(cls, camera: Camera, center: np.ndarray, cube_m: float, size: int) -> ColorCrop:
        """The square around the projection of a `CubeCrop`'s window.

        :param center: (3,) the cube's centre in metres, camera frame
        :param cube_m: edge of the cube
        """
        cube = CubeCrop(camera, center, cube_m, size)
        low, high = cube.center_px - cube.half_px, cube.center_px + cube.half_px
        return cls.around(camera, (low[0], low[1], high[0], high[1]), size, cube_m)

    @property
    def to_image(self) -> np.ndarray:
        """(2, 3) normalised (u, v, 1) -> pixels of the image."""
        c, s = np.cos(self.angle) * self.half_px, np.sin(self.angle) * self.half_px
        return np.array([[c, -s, self.center_px[0]], [s, c, self.center_px[1]]])

    def extract(self, image: np.ndarray) -> np.ndarray:
        """Image (H, W, 3) uint8 RGB -> network input (3, S, S) float32 in [0, 1], bilinear; outside the image black."""
        # Crop pixel i has its centre at (2 i + 1) / S - 1, so cell (0, 0) is half a cell inside the corner.
        cell, first = 2 / self.size, 1 / self.size - 1
        turn = self.to_image[:, :2]
        matrix = np.column_stack([turn * cell, turn @ [first, first] + self.center_px])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(image, matrix, (self.size, self.size), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32) / np.float32(255)

    def normalize(self, points: np.ndarray, root_z: float) -> np.ndarray:
        """Points (..., 3) in metres, camera frame -> normalised (u, v, d), for a root joint at depth root_z."""
        points = np.asarray(points, dtype=float)
        turn = self.to_image[:, :2]
        uv = (self.camera.project(points) - self.center_px) @ np.linalg.inv(turn).T
        return np.concatenate([uv, (points[..., 2:] - root_z) / (self.cube_m / 2)], axis=-1)

    def denormalize(self, joints: np.ndarray, root_z: float) -> np.ndarray:
        """Normalised (..., 3) -> points in metres, camera frame; the exact inverse of `normalize`."""
        joints = np.asarray(joints, dtype=float)
        turn = self.to_image[:, :2]
        return self.camera.back_project(joints[..., :2] @ turn.T + self.center_px, root_z + joints[..., 2] * (self.cube_m / 2))


@dataclass(frozen=True)
class RootedCrop:
    """A colour window whose root joint's depth is known: normalised joints to metres and back, as `CubeCrop` has it.

    :param window: where the network looked
    :param center: (3,) metres, the point that the window was put around
    :param root_z: depth of the root joint in metres
    :param root_sigma_m: standard deviation of that depth
    """

    window: ColorCrop
    center: np.ndarray
    root_z: float
    root_sigma_m: float = 0.0

    def normalize(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in metres -> normalised (u, v, d)."""
        return self.window.normalize(points, self.root_z)

    def denormalize(self, joints: np.ndarray) -> np.ndarray:
        """Normalised (..., 3) -> points in metres."""
        return self.window.denormalize(joints, self.root_z)

    def covariance_to_metres(self, joints: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Normalised covariance (J, 6) at normalised joints (J, 3) -> m^2 (J, 6), xx xy xz yy yz zz: J S J^T with the inverse's
        Jacobian, and the root depth's variance along each joint's ray.

        The lens distortion's derivative is left out (its factor is near 1).
        """
        points, half = self.denormalize(joints), self.window.cube_m / 2
        z, rays = points[:, 2], points / points[:, 2:]
        jacobian = np.zeros((len(points), 3, 3))
        focal = np.array([[self.window.camera.fx], [self.window.camera.fy]])
        jacobian[:, :2, :2] = self.window.to_image[:, :2] / focal * z[:, None, None]
        jacobian[:, :, 2] = rays * half
        along = rays[:, :, None] * rays[:, None, :] * self.root_sigma_m**2
        return pack_symmetric(jacobian @ unpack_symmetric(covariance) @ jacobian.transpose(0, 2, 1) + along)
