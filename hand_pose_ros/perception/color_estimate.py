"""From a centre to a hand by a network that sees colour: it tells depths behind the root, the depth image tells the root's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hand_pose_ros.geometry.color_crop import ColorCrop, RootedCrop
from hand_pose_ros.inference.engine import Engine, require_answer
from hand_pose_ros.inference.model_kinds import HAND_POSE
from hand_pose_ros.perception.estimate import HandEstimator
from hand_pose_ros.perception.inputs import crop_kind, crop_size
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_ros.skeleton import skeleton

# How far joints lie behind the skin that the camera sees: medians over the synthetic hands, by the last part of the name.
INSIDE_M = {"wrist": 0.020, "cmc": 0.022, "mcp": 0.015, "pip": 0.009, "ip": 0.009, "dip": 0.007, "tip": 0.005, "palm": 0.020}
PATCH_M = 0.008  # half the width of the square that a joint's surface is read from
MIN_READABLE = 5  # joints
# Whatever hides a joint lies in front of it, so its reading errs towards the camera: of all readings not the middle one is
# taken but a farther one. On synthetic hands with sensor noise and true depths behind the root, 95 % of the roots come within
# 8 mm; within 37 mm by the median, and within 48 mm by the wrist's own reading.
QUANTILE = 0.7
ROOT_SIGMA_M = 0.004


class ColorHandEstimator(HandEstimator):
    """Windows of the colour image, whose joints come to metres by the registered depth image.

    The window is the projection of a cube around the centre, as for depth crops; the depths behind the root come in units of the
    card's cube whatever the window. A hand is not seen where the surface of fewer than MIN_READABLE joints can be read.
    """

    def _crop(self, frame: DepthFrame, center: np.ndarray) -> tuple[Any, np.ndarray | None]:
        if not self.in_range(center):
            return None, None
        if frame.color is None:
            raise ValueError(f"model {self._engine.card.name} sees colour: the frame needs a colour image beside its depth image")
        window = ColorCrop.of_cube(frame.camera, center, self._cube_m, crop_size(self._engine.card))
        window = replace(window, cube_m=self._engine.card.cube_m)
        return (window, center), window.extract(frame.color)

    def _place(self, frame: DepthFrame, crop: Any, joints: np.ndarray) -> RootedCrop | None:
        window, center = crop
        pixels = joints[:, :2] @ window.to_image[:, :2].T + window.center_px
        inside_m = joints_inside_m(self._engine.card.skeleton)
        root_z = root_depth(frame, pixels, joints[:, 2] * window.cube_m / 2, inside_m, float(center[2]), window.cube_m)
        return None if root_z is None else RootedCrop(window, center, root_z, ROOT_SIGMA_M)


def joints_inside_m(skeleton_name: str) -> np.ndarray:
    """(J,) metres that each joint lies behind the visible skin."""
    return np.array([INSIDE_M.get(name.rpartition("_")[2], INSIDE_M["pip"]) for name in skeleton(skeleton_name).joint_names])


def root_depth(
    frame: DepthFrame, pixels: np.ndarray, behind_root_m: np.ndarray, inside_m: np.ndarray, center_z: float, cube_m: float
) -> float | None:
    """The root joint's depth in metres, from what the depth image shows at all joints; None with fewer than MIN_READABLE.

    Each joint says: the surface there, plus what it lies behind it, minus what the network says that it lies behind the root.

    :param pixels: (J, 2) of the joints
    :param behind_root_m: (J,) depths behind the root's
    :param inside_m: (J,) depths behind the skin
    :param center_z: depth of the cube's middle; surfaces outside the cube belong to something else
    """
    radius = max(round(PATCH_M * frame.camera.fx / center_z), 1)
    surfaces = np.array([surface_depth(frame.depth, pixel, radius, center_z, cube_m / 2) for pixel in pixels])
    roots = (surfaces + inside_m - behind_root_m)[np.isfinite(surfaces)]
    return float(np.quantile(roots, QUANTILE)) if len(roots) >= MIN_READABLE else None


def surface_depth(depth: np.ndarray, pixel: np.ndarray, radius: int, center_z: float, reach_m: float) -> float:
    """Median depth of the valid pixels around a pixel that lie within `reach_m` of center_z; NaN where there are none."""
    if not np.isfinite(pixel).all() or (np.abs(pixel) > 1e6).any():
        return float("nan")
    u, v = np.floor(pixel + 0.5).astype(int)
    patch = depth[max(v - radius, 0) : max(v + radius + 1, 0), max(u - radius, 0) : max(u + radius + 1, 0)]
    near = patch[(patch > 0) & (np.abs(patch - center_z) < reach_m)]
    return float(np.median(near)) if near.size else float("nan")


def hand_estimator(engine: Engine, cube_m: float, min_depth_m: float, max_depth_m: float) -> HandEstimator:
    """The estimator for what the engine's model sees; arguments as `HandEstimator`.

    :param cube_m: edge of the cube whose projection is the window
    :raises ModelError: the engine's model does not tell joints
    """
    require_answer(engine, HAND_POSE)
    estimator = ColorHandEstimator if crop_kind(engine.card) == "rgb_crop" else HandEstimator
    return estimator(engine, cube_m, min_depth_m, max_depth_m)
