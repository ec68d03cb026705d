"""A picture of what each kind of sensor makes of the same hands, beside crops of real frames where there are some."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from hand_pose_ros.bags.camera_file import read_camera_file
from hand_pose_ros.bags.folder import CAMERA_FILE, image_files, read_depth_png
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.viz.draw import draw_text
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import SceneSettings, sample_scene
from hand_pose_training.synthetic.sensor import sample_sensor, sense
from hand_pose_training.synthetic.sensors.optics import SensorKind

TILES, TILE_PX, SIZE, CUBE_M = 12, 192, 96, 0.25
DISTANCES_M = (0.35, 1.1)


def sensor_page(seed: int, real: Path | None = None) -> np.ndarray:
    """A BGR picture: a row of real crops, then for every kind a row of a sensor that networks are trained with and one of a
    held-out sensor; the same hands in every row, nearer ones first.

    :param real: a folder of 16-bit depth PNGs with a camera.yaml, as `hand-pose replay` takes it; crops of the hand that the
        finder is surest of
    :raises BagError: that folder cannot be read
    """
    rows = [] if real is None else [_real_tiles(real)]
    for kind in SensorKind:
        for held_out in (False, True):
            name = f"{kind.name.lower().replace('_', ' ')}{', held out' if held_out else ''}"
            rows.append([_synthetic_tile(seed, i, kind, held_out, name if i == 0 else "") for i in range(TILES)])
    return np.vstack([np.hstack(row) for row in rows])


def _synthetic_tile(seed: int, i: int, kind: SensorKind, held_out: bool, name: str) -> np.ndarray:
    distance = DISTANCES_M[0] + (DISTANCES_M[1] - DISTANCES_M[0]) * i / (TILES - 1)
    scene = sample_scene(
        np.random.default_rng((seed, i)), SceneSettings(negatives=0.0, distance_m=(distance, distance), uniform_distance=True)
    )
    rng = np.random.default_rng((seed, i, kind, held_out))
    sensor = sample_sensor(rng, scene.camera.fx, kind, held_out)
    crop = CubeCrop(scene.camera, scene.focus, CUBE_M, SIZE)
    buffer = scene.render(Window.around(*crop.sample_pixels(), sensor.reach_px, scene.camera))
    depth = sense(buffer.inverse_depth, buffer.window, *crop.sample_pixels(), sensor, rng)
    return _tile(crop.normalize_depth(depth), [name, f"{distance:.2f} m"])


def _real_tiles(folder: Path) -> list[np.ndarray]:
    described = read_camera_file(folder / CAMERA_FILE)
    camera = Camera(described.width, described.height, *(described.p[k] for k in (0, 5, 2, 6)))
    files = image_files(folder)
    tiles = []
    for file in [files[k * len(files) // TILES] for k in range(min(TILES, len(files)))]:
        depth = (read_depth_png(file) * (described.depth_scale or 0.001)).astype(np.float32)
        found = localize(depth, camera, max_candidates=1)
        image = np.full((SIZE, SIZE), BACKGROUND)
        if found:
            image = CubeCrop(camera, found[0].center, CUBE_M, SIZE).extract(depth)
        tiles.append(_tile(image, ["" if tiles else "real", f"{found[0].center[2]:.2f} m" if found else "not found"]))
    return tiles + [np.zeros_like(tiles[0])] * (TILES - len(tiles))


def _tile(image: np.ndarray, texts: list[str]) -> np.ndarray:
    """A crop (S, S), near red, far blue, empty black."""
    known = image < BACKGROUND
    colours = cv2.applyColorMap(np.clip(140 - 115 * image, 15, 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    picture = cv2.resize(np.where(known[..., None], colours, 0).astype(np.uint8), (TILE_PX,) * 2, interpolation=cv2.INTER_NEAREST)
    draw_text(picture, [texts[0]], corner=(3, 15))
    draw_text(picture, [texts[1]], corner=(3, TILE_PX - 6))
    return picture
