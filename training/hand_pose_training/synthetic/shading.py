"""A simple colour picture of a scene: skin, cloth and things with their albedo, one light, texture, blur and noise."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.color_crop import ColorCrop
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.scene import Scene

PALE, DARK = np.array([0.93, 0.76, 0.65]), np.array([0.30, 0.19, 0.14])  # skin, RGB
_MARGIN_PX = 2


def color_crop(scene: Scene, crop: ColorCrop, rng: np.random.Generator) -> np.ndarray:
    """The scene in a window of its image: (3, S, S) float32 RGB in [0, 1], as `ColorCrop.extract` gives it.

    Near hands are rendered at two picture pixels a crop pixel, which saves time and shows in no crop.
    """
    factor = min(1.0, crop.size / crop.half_px)
    camera, center = scaled(crop.camera, factor), (crop.center_px + 0.5) * factor - 0.5
    reach = crop.half_px * factor
    columns, rows = (np.array([np.floor(c - reach), np.ceil(c + reach)]) for c in center)
    window = Window.around(columns, rows, _MARGIN_PX, camera)
    picture = color_picture(replace(scene, camera=camera), window, rng)
    return replace(crop, center_px=center - (window.x0, window.y0), half_px=reach).extract(picture)


def scaled(camera: Camera, factor: float) -> Camera:
    """The camera of the same picture with `factor` times as many pixels an edge, without lens distortion."""
    cx, cy = ((c + 0.5) * factor - 0.5 for c in (camera.cx, camera.cy))
    width, height = (max(int(np.ceil(edge * factor)), 1) for edge in (camera.width, camera.height))
    return Camera(width, height, camera.fx * factor, camera.fy * factor, cx, cy)


def color_picture(scene: Scene, window: Window, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) uint8 RGB of a window; skin tone, colours, light and camera are drawn from `rng`."""
    inverse_depth, owner = surfaces(scene, window)
    albedo, rough = _materials(scene, rng)
    colors = albedo[owner] * (1 + rough[owner][..., None] * _texture(window, rng))
    ambient = rng.uniform(0.3, 0.65)
    light = rng.normal(size=3)
    light[2] = -abs(light[2]) - 0.4  # from the camera's side
    facing = normals(inverse_depth, scene.camera, window) @ (light / np.linalg.norm(light))
    shade = np.where(inverse_depth > 0, ambient + (1 - ambient) * np.maximum(facing, 0), 1.0)
    warmth = 1 + 0.08 * rng.normal(size=3)
    picture = (colors * shade[..., None] * warmth * rng.uniform(0.75, 1.3)).astype(np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9))
    picture += rng.uniform(0, 0.025) * rng.standard_normal(picture.shape, dtype=np.float32)
    return (255 * np.clip(picture, 0, 1) + 0.5).astype(np.uint8)


def surfaces(scene: Scene, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Inverse depth (h, w), and whose surface it is (h, w): meshes 0, 1, ..., then planes; one more where there is none."""
    buffer = ZBuffer(scene.camera, window)
    owner = np.full(buffer.inverse_depth.shape, len(scene.meshes) + len(scene.planes))
    draws = [(buffer.draw_mesh, mesh) for mesh in scene.meshes] + [(buffer.draw_plane, plane) for plane in scene.planes]
    for number, (draw, thing) in enumerate(draws):
        before = buffer.inverse_depth.copy()
        draw(*thing)
        owner[buffer.inverse_depth > before] = number
    return buffer.inverse_depth, owner


def normals(inverse_depth: np.ndarray, camera: Camera, window: Window) -> np.ndarray:
    """(h, w, 3) unit normals towards the camera, from the neighbour on the nearer side in depth, so that edges keep theirs.

    A plane's inverse depth is linear in the image: with gradient g of 1/z, its normal is along (g_u fx, g_v fy, the rest).
    """
    du, dv = _gradient(inverse_depth, 1), _gradient(inverse_depth, 0)
    u = np.arange(window.width) + window.x0 - camera.cx
    v = np.arange(window.height)[:, None] + window.y0 - camera.cy
    normal = -np.stack([du * camera.fx, dv * camera.fy, inverse_depth - du * u - dv * v], axis=-1)
    normal = cv2.blur(normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9), (3, 3))  # over mesh facets
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _gradient(image: np.ndarray, axis: int) -> np.ndarray:
    """Of each pixel to its neighbour before or behind, whichever is the smaller change."""
    steps = np.diff(image, axis=axis)
    ahead = np.concatenate([steps, np.take(steps, [-1], axis)], axis) if steps.size else np.zeros_like(image)
    behind = np.concatenate([np.take(steps, [0], axis), steps], axis) if steps.size else ahead
    return np.where(np.abs(ahead) < np.abs(behind), ahead, behind)


def _materials(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (K + 1, 3) and roughness of the texture (K + 1,) of every surface and of what is behind them all."""
    count = len(scene.meshes) + len(scene.planes) + 1
    albedo, rough = rng.uniform(0.05, 0.95, (count, 3)), rng.uniform(0.0, 0.6, count)
    grey = rng.random((count, 1)) < 0.4
    albedo = np.where(grey, albedo.mean(axis=1, keepdims=True), albedo)
    skin = PALE * (DARK / PALE) ** rng.uniform(0, 1) * (1 + 0.05 * rng.normal(size=3))
    cloth = rng.uniform(0.05, 0.9, 3)
    for number, material in enumerate(scene.materials):
        if material == "skin":
            albedo[number], rough[number] = skin, 0.1
        elif material == "cloth":
            albedo[number] = cloth
    return albedo, rough


def _texture(window: Window, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) smooth random colours of several sizes, about -1 to 1."""
    texture = np.zeros((window.height, window.width, 3), np.float32)
    for cells in (3, 9, 27):
        noise = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        texture += cv2.resize(noise, (window.width, window.height), interpolation=cv2.INTER_LINEAR) / 2
    return texture
