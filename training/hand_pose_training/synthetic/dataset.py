"""Synthetic training samples: what the network sees, and the truth.

Shapes of a batch of N: depth_crop (N, 1, S, S); joints (N, 21, 3) normalised (u, v, d) of `CubeCrop`; present,
right_side, cube_m, distance_m, object, view (N,); half_uvd, center (N, 3); camera (N, 4) as fx, fy, cx, cy. Colour samples have
the keys of `datasets.rgb_crops` instead, their window that of the cube, and object and view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.color_crop import ColorCrop
from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.scene import Scene, sample_scene
from hand_pose_training.synthetic.sensor import MAX_REACH_PX, PERFECT, sample_sensor, sense
from hand_pose_training.synthetic.shading import color_crop

MAX_HIDDEN_JOINTS = 7  # scenes that hide more of the hand are drawn again


@dataclass(frozen=True)
class SyntheticSettings:
    """What samples are drawn from.

    :param size: S, pixels an edge of the crop
    :param cube_m: range of the cube's edge in metres
    :param center_error_m: the crop's centre is off by up to so much along every axis
    :param center_tail: share of samples that are off by up to twice as much
    :param negatives: share of crops without a hand
    :param any_roll: share of hands with any roll in the image; the others are upright within about 40 degrees
    :param right_hands: share of right hands
    :param noise: False gives a perfect sensor
    :param color: colour pictures in place of depth images
    """

    size: int = 96
    cube_m: tuple[float, float] = (0.23, 0.30)
    center_error_m: float = 0.015
    center_tail: float = 0.15
    negatives: float = 0.05
    any_roll: float = 0.5
    right_hands: float = 0.5
    noise: bool = True
    color: bool = False


HELD_OUT = SyntheticSettings(cube_m=(0.25, 0.25), center_tail=0.0, negatives=0.0)


class SyntheticCrops:
    """A map-style dataset of `length` crops; sample i depends on (seed, i) and the settings alone.

    The crop is centred on the mean of all 21 joints, then displaced by the centre error.
    """

    def __init__(self, seed: int, length: int, settings: SyntheticSettings | None = None) -> None:
        self.seed, self.length, self.settings = seed, length, settings or SyntheticSettings()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        if not 0 <= i < self.length:
            raise IndexError(f"sample {i} of {self.length}")
        crop, scene, buffer, rng = self.scene(i)
        if self.settings.color:
            window = ColorCrop.of_cube(crop.camera, crop.center, crop.cube_m, crop.size)
            return color_sample(color_crop(scene, window, rng), window, scene)
        columns, rows = crop.sample_pixels()
        sensor = sample_sensor(rng, scene.camera.fx) if self.settings.noise else PERFECT
        depth = sense(buffer.inverse_depth, buffer.window, columns, rows, sensor, rng)
        return sample(crop.normalize_depth(depth), crop, scene)

    def scene(self, i: int) -> tuple[CubeCrop, Scene, ZBuffer, np.random.Generator]:
        """The crop and the scene of sample i, the rendered part of its image, and the generator that its sensor draws from."""
        s = self.settings
        rng = np.random.Generator(np.random.SFC64((self.seed, i)))
        while True:
            scene = sample_scene(rng, s.negatives, s.any_roll, s.right_hands)
            reach = s.center_error_m * (2 if rng.random() < s.center_tail else 1)
            center = scene.focus + rng.uniform(-reach, reach, size=3)
            center[2] = max(center[2], 0.15)
            crop = CubeCrop(scene.camera, center, rng.uniform(*s.cube_m), s.size)
            buffer = scene.render(Window.around(*crop.sample_pixels(), MAX_REACH_PX, scene.camera))
            if not scene.present or scene.hidden_joints(buffer) <= MAX_HIDDEN_JOINTS:
                return crop, scene, buffer, rng


def sample(image: np.ndarray, crop: CubeCrop, scene: Scene) -> dict[str, np.ndarray]:
    """The sample of one crop, image (S, S) as `CubeCrop.extract` gives it."""
    c = crop.camera
    joints = crop.normalize(scene.joints) if scene.present else np.zeros((21, 3))
    values = {
        "depth_crop": image[None],
        "joints": joints,
        "present": scene.present,
        "right_side": scene.right,
        "cube_m": crop.cube_m,
        "half_uvd": np.full(3, crop.half_m),
        "center": crop.center,
        "camera": (c.fx, c.fy, c.cx, c.cy),
        "distance_m": crop.center[2],
        "object": scene.holds_object,
        "view": scene.view,
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def color_sample(picture: np.ndarray, crop: ColorCrop, scene: Scene) -> dict[str, np.ndarray]:
    """The sample of one colour window, picture (3, S, S) as `ColorCrop.extract` gives it; depths are relative to the wrist.

    Without a hand the scene's focus stands for the wrist.
    """
    c = crop.camera
    root = scene.joints[HAND21.index("wrist")] if scene.present else scene.focus
    values = {
        "rgb_crop": picture,
        "joints": crop.normalize(scene.joints, root[2]) if scene.present else np.zeros((21, 3)),
        "joint_weight": np.full(21, scene.present),
        "to_image": crop.to_image,
        "root_z": root[2],
        "cube_m": crop.cube_m,
        "half_uvd": (*(crop.half_px * root[2] / np.array([c.fx, c.fy])), crop.cube_m / 2),
        "center": root,
        "camera": (c.fx, c.fy, c.cx, c.cy),
        "present": scene.present,
        "right_side": scene.right,
        "distance_m": root[2],
        "object": scene.holds_object,
        "view": scene.view,
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def joints_m(batch: dict[str, np.ndarray], joints: np.ndarray) -> np.ndarray:
    """Normalised joints (N, 21, 3) of a batch of samples -> metres (N, 21, 3), camera frame: `CubeCrop.denormalize` for arrays.

    Works on NumPy arrays and on torch tensors.
    """
    x0, y0, z0 = batch["center"][:, :1], batch["center"][:, 1:2], batch["center"][:, 2:]
    half = batch["cube_m"][:, None] / 2
    z = z0 + joints[..., 2] * half
    # A pixel is fx (x0 + u half) / z0 + cx, so its ray is (x0 + u half) / z0.
    out = joints * 0
    out[..., 0] = (x0 + joints[..., 0] * half) / z0 * z
    out[..., 1] = (y0 + joints[..., 1] * half) / z0 * z
    out[..., 2] = z
    return out
