"""A depth image made small: enough to see where limbs are, at a sixteenth of the work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.plane import dominant_plane, tolerance
from hand_pose_ros.perception.types import PixelRegion

TARGET_WIDTH = 160
FAR = np.float32(100.0)  # stands for no depth and for out of range: farther than everything


@dataclass(frozen=True)
class CoarseDepth:
    """Every n-th pixel of a depth image.

    :param z: (h, w) float32 metres, FAR where there is nothing
    :param focal: (2,) float32 fx, fy in its own pixels
    :param principal: (2,) float32 cx, cy in its own pixels
    :param step: n; its pixel i is the image's pixel step // 2 + i * step
    """

    z: np.ndarray
    focal: np.ndarray
    principal: np.ndarray
    step: int

    @classmethod
    def of(cls, depth: np.ndarray, camera: Camera, min_depth_m: float, max_depth_m: float) -> CoarseDepth:
        """Shrink a depth image (H, W), metres, invalid 0; single wrong pixels and small holes are closed.

        Lens distortion is left out: a wide lens bends a limb by less than its own width.
        """
        step = max(1, round(camera.width / TARGET_WIDTH))
        offset = step // 2
        z = depth[offset::step, offset::step]
        z = np.where((z >= np.float32(min_depth_m)) & (z <= np.float32(max_depth_m)), z, FAR)
        focal = np.array([camera.fx, camera.fy], np.float32) / step
        principal = (np.array([camera.cx, camera.cy], np.float32) - offset) / step
        return cls(cv2.medianBlur(np.ascontiguousarray(z, np.float32), 3), focal, principal, step)

    @cached_property
    def points(self) -> np.ndarray:
        """(h, w, 3) float32 metres, camera optical frame."""
        height, width = self.z.shape
        x = (np.arange(width, dtype=np.float32) - self.principal[0]) / self.focal[0]
        y = (np.arange(height, dtype=np.float32) - self.principal[1]) / self.focal[1]
        points = np.empty((height, width, 3), np.float32)
        np.multiply(x[None, :], self.z, out=points[..., 0])
        np.multiply(y[:, None], self.z, out=points[..., 1])
        points[..., 2] = self.z
        return points

    def without_plane(self) -> CoarseDepth:
        """The same without the table or wall behind, if there is one."""
        plane = dominant_plane(self.points, self.z < FAR, float(self.focal.prod()))
        if plane is None:
            return self
        a, b, c, d = plane.astype(np.float32)
        off = a * self.points[..., 0] + b * self.points[..., 1] + c * self.z - d
        return self.with_z(np.where(np.abs(off) < tolerance(self.z), FAR, self.z))

    def with_z(self, z: np.ndarray) -> CoarseDepth:
        """The same view of other depths (h, w)."""
        return CoarseDepth(z, self.focal, self.principal, self.step)

    def window(self, region: PixelRegion) -> tuple[slice, slice]:
        """The rows and columns of this whose pixels lie in a region of the image; empty slices where it is beside the image."""
        return tuple(
            slice(*(int(np.clip(np.ceil((edge - self.step // 2) / self.step), 0, size)) for edge in edges))
            for edges, size in zip(((region.v_min, region.v_max), (region.u_min, region.u_max)), self.z.shape)
        )
