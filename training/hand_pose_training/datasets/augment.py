"""Augmentation of a depth crop in the world, with labels that stay exact.

Rotation: the scene turns about the ray through the crop's centre. That ray passes through the camera, so the turned scene shows
the camera the same surfaces: the image changes by a homography and every depth is turned with its point. Translation: the
cube moves. Scale: the cube grows. Stretch (DenseReg's aspect ratio): the crop is stretched along u and v, the camera is
not, so it shows a wider or narrower hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import CubeCrop


@dataclass(frozen=True)
class AugmentSettings:
    """What is drawn, uniformly. The defaults are AWR's and JGR-P2O's; DenseReg has rotation 180 and stretch 0.1 alone.

    :param rotation_deg: turned by up to so much, either way
    :param translation_m: moved by up to so much along every axis
    :param scale: the cube's edge changes by up to this share
    :param stretch: u and v each change by up to this share
    """

    rotation_deg: float = 180.0
    translation_m: float = 0.010
    scale: float = 0.1
    stretch: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """One draw.

    :param rotation: radians about the axis from the camera to the crop's centre, x towards y: clockwise as one sees the image
    :param translation: (3,) metres that the crop's centre moves by
    :param scale: factor of the cube's edge
    :param stretch: factors of u and v
    """

    rotation: float = 0.0
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    stretch: tuple[float, float] = (1.0, 1.0)


def draw(settings: AugmentSettings, rng: np.random.Generator) -> Augmentation:
    """A random augmentation."""
    turn, x, y, z, scale, u, v = rng.uniform(-1, 1, 7)
    t = settings.translation_m
    return Augmentation(
        float(np.deg2rad(settings.rotation_deg) * turn),
        (t * x, t * y, t * z),
        1 + settings.scale * scale,
        (1 + settings.stretch * u, 1 + settings.stretch * v),
    )


@dataclass(frozen=True)
class AugmentedCrop:
    """A cube crop of an augmented scene; `CubeCrop` with the same methods where there is no augmentation.

    :param camera: of the image; without distortion
    :param center: (3,) metres, of the crop before the augmentation
    :param cube_m: edge before the augmentation
    :param size: S, pixels an edge of the crop
    """

    camera: Camera
    center: np.ndarray
    cube_m: float
    size: int
    augmentation: Augmentation = Augmentation()

    @property
    def crop(self) -> CubeCrop:
        """The crop that the network's answers go back to metres with, in the augmented scene."""
        a = self.augmentation
        return CubeCrop(self.camera, np.asarray(self.center) + a.translation, self.cube_m * a.scale, self.size)

    @property
    def turn(self) -> np.ndarray:
        """(3, 3) rotation of the scene."""
        axis = self.crop.center / np.linalg.norm(self.crop.center)
        cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        angle = self.augmentation.rotation
        return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross

    def extract(self, depth: np.ndarray) -> np.ndarray:
        """Depth image (H, W) metres, 0 where nothing was seen -> (S, S) float32 in [-1, 1], nearest neighbour."""
        crop, a = self.crop, self.augmentation
        if not a.rotation and a.stretch == (1.0, 1.0):
            return crop.extract(depth)
        cells = (2 * np.arange(self.size) + 1) / self.size - 1
        uv = np.stack(np.meshgrid(cells, cells), axis=-1) / a.stretch
        rays = self.camera.back_project(crop.center_px + uv * crop.half_px, 1.0)
        back = rays @ self.turn  # the inverse of the scene's rotation
        columns, rows = np.moveaxis(np.floor(self.camera.project(back) + 0.5), -1, 0)
        height, width = depth.shape
        inside = (back[..., 2] > 0) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        columns, rows = np.where(inside, columns, 0).astype(np.intp), np.where(inside, rows, 0).astype(np.intp)
        z = np.where(inside, depth[rows, columns], 0)
        points = self.camera.back_project(np.stack([columns, rows], axis=-1), z)
        return crop.normalize_depth(np.where(z > 0, points @ self.turn[2], 0))

    def normalize(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the scene in metres, camera frame -> normalised (u, v, d) in the augmented crop."""
        return self.crop.normalize(np.asarray(points) @ self.turn.T) * (*self.augmentation.stretch, 1.0)
