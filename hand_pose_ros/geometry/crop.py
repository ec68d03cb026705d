"""The cube crop around a hand and its exact inverse.

A cube of edge `cube_m` stands around a 3D centre. Its square window is the cube's projection at the centre's depth; the
network sees that window resampled to S x S, depth as (z - z_centre) / (cube_m / 2) in [-1, 1], with everything beyond
the cube and everything invalid at exactly +1. Normalised joints are (u, v, d): u and v in [-1, 1] over the window's outer
edges, d as depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.camera import Camera

BACKGROUND = np.float32(1.0)


@dataclass(frozen=True)
class CubeCrop:
    """One crop of one image.

    :param camera: the image's camera
    :param center: (3,) cube centre in metres, camera optical frame, z > 0
    :param cube_m: edge of the cube in metres
    :param size: S, pixels an edge of the crop
    """

    camera: Camera
    center: np.ndarray
    cube_m: float
    size: int

    def __post_init__(self) -> None:
        center = np.asarray(self.center, dtype=float)
        if center.shape != (3,) or not np.isfinite(center).all() or center[2] <= 0:
            raise ValueError(f"crop centre {center} is no point in front of the camera")
        object.__setattr__(self, "center", center)

    @property
    def half_m(self) -> float:
        """Half the cube's edge in metres: the length of one normalised unit at the centre's depth."""
        return self.cube_m / 2

    @property
    def center_px(self) -> np.ndarray:
        """(2,) the centre's pixel."""
        return self.camera.project(self.center)

    @property
    def half_px(self) -> np.ndarray:
        """(2,) half the window's width and height in pixels."""
        return np.array([self.camera.fx, self.camera.fy]) * self.half_m / self.center[2]

    def sample_pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The image column of every crop column and the image row of every crop row, (S,) int each; may lie outside the image."""
        cells = (2 * np.arange(self.size) + 1) / self.size - 1
        return tuple(np.floor(c + cells * h + 0.5).astype(np.intp) for c, h in zip(self.center_px, self.half_px))

    def extract(self, depth: np.ndarray) -> np.ndarray:
        """Depth image (H, W) in metres (invalid = 0) -> network input (S, S) float32 in [-1, 1], nearest neighbour."""
        columns, rows = self.sample_pixels()
        height, width = depth.shape
        inside_c, inside_r = (columns >= 0) & (columns < width), (rows >= 0) & (rows < height)
        out = np.full((self.size, self.size), BACKGROUND, np.float32)
        z = depth[np.ix_(rows[inside_r], columns[inside_c])]
        out[np.ix_(inside_r, inside_c)] = self.normalize_depth(z)
        return out

    def normalize_depth(self, z: np.ndarray) -> np.ndarray:
        """Metres -> [-1, 1] float32; invalid (0, NaN, inf) and beyond the cube -> +1."""
        d = (np.asarray(z, np.float32) - np.float32(self.center[2])) / np.float32(self.half_m)
        return np.where((z > 0) & (d >= -1) & (d < 1), d, BACKGROUND)

    def normalize(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in metres -> normalised (u, v, d)."""
        points = np.asarray(points, dtype=float)
        uv = (self.camera.project(points) - self.center_px) / self.half_px
        return np.concatenate([uv, (points[..., 2:] - self.center[2]) / self.half_m], axis=-1)

    def denormalize(self, joints: np.ndarray) -> np.ndarray:
        """Normalised (..., 3) -> points in metres; the exact inverse of `normalize`."""
        joints = np.asarray(joints, dtype=float)
        return self.camera.back_project(
            joints[..., :2] * self.half_px + self.center_px, self.center[2] + joints[..., 2] * self.half_m
        )

    def covariance_to_metres(self, joints: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Normalised covariance (J, 6) at normalised joints (J, 3) -> m^2 (J, 6), by J S J^T with the inverse's Jacobian.

        Six floats are xx xy xz yy yz zz. The lens distortion's derivative is left out (its factor is near 1).
        """
        points = self.denormalize(joints)
        z, rays = points[:, 2], points[:, :2] / points[:, 2:]
        jacobian = np.zeros((len(points), 3, 3))
        scale = self.half_px / (self.camera.fx, self.camera.fy)
        jacobian[:, 0, 0], jacobian[:, 1, 1] = scale[0] * z, scale[1] * z
        jacobian[:, :2, 2], jacobian[:, 2, 2] = rays * self.half_m, self.half_m
        return pack_symmetric(jacobian @ unpack_symmetric(covariance) @ jacobian.transpose(0, 2, 1))


_ROWS, _COLS = np.triu_indices(3)


def unpack_symmetric(six: np.ndarray) -> np.ndarray:
    """(..., 6) xx xy xz yy yz zz -> (..., 3, 3)."""
    six = np.asarray(six, dtype=float)
    full = np.empty((*six.shape[:-1], 3, 3))
    full[..., _ROWS, _COLS] = full[..., _COLS, _ROWS] = six
    return full


def pack_symmetric(matrix: np.ndarray) -> np.ndarray:
    """(..., 3, 3) -> (..., 6) xx xy xz yy yz zz."""
    return matrix[..., _ROWS, _COLS]
