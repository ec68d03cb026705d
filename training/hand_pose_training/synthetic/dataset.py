"""Synthetic training samples: what the network sees, and the truth.

Shapes of a batch of N: depth_crop (N, 1, S, S); joints (N, 21, 3) normalised (u, v, d) of `CubeCrop`; present,
right_side, cube_m, distance_m, object, view, companion, on_surface, sensor (N,), NO_SENSOR for a perfect one;
half_uvd, center (N, 3); camera (N, 4) as fx, fy, cx, cy. Colour samples have the keys of `datasets.rgb_crops` instead, their
window that of the cube, and object, view, companion and on_surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.color_crop import ColorCrop
from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.perception.estimate import MIN_FOREGROUND
from hand_pose_ros.perception.rivals import rivals_of
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.processing import processed
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.scene import Scene, SceneSettings, sample_scene
from hand_pose_training.synthetic.sensor import PERFECT, Sensor, sample_sensor, sense
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.shading import color_crop

NO_SENSOR = -1
TAIL_FACTOR = 3
PROCESSING_REACH_PX = 2.5  # of a crop: about 6 mm
MAX_HIDDEN_JOINTS = 7  # hidden or cut off, of a hand that a model is measured on
HAND_OFF_M, JOINT_OFF_M = 0.006, 0.005  # deviation of what is known of hands that are taken out: of all joints alike, and of each


@dataclass(frozen=True)
class SyntheticSettings:
    """What samples are drawn from.

    :param size: S, pixels an edge of the crop
    :param cube_m: range of the cube's edge in metres
    :param center_error_m: the crop's centre is off by up to so much along every axis
    :param center_tail: share of samples that are off by up to three times as much, as places that a detector names; never so far
        that another hand is nearer
    :param rivals_hidden: share of samples without the pixels of other hands, as the runtime takes them out beside a known hand
    :param processed: share of samples whose depths go through `processing`
    :param negatives: share of crops without a hand
    :param any_roll: share of views with any roll of the image; the others roll by less than about 40 degrees
    :param right_hands: share of right hands
    :param distance_m: range of the hand's distance
    :param held_out: people, families of objects and sensor models that training never draws
    :param max_hidden_joints: scenes that hide or cut off more joints of the hand (`Scene.hidden_joints`) are drawn again
    :param noise: False gives a perfect sensor
    :param color: colour pictures in place of depth images
    """

    size: int = 96
    cube_m: tuple[float, float] = (0.23, 0.30)
    center_error_m: float = 0.015
    center_tail: float = 0.15
    rivals_hidden: float = 0.0
    processed: float = 0.0
    negatives: float = 0.05
    any_roll: float = 0.5
    right_hands: float = 0.5
    distance_m: tuple[float, float] = (0.25, 1.5)
    held_out: bool = False
    max_hidden_joints: int = MAX_HIDDEN_JOINTS
    noise: bool = True
    color: bool = False

    def __post_init__(self) -> None:
        if self.max_hidden_joints < 0:
            raise ValueError(f"max_hidden_joints {self.max_hidden_joints}: 0 or more")

    @property
    def center_source(self) -> str:
        """What the crops are centred on, in words."""
        off = 1000 * self.center_error_m
        tail = f", {self.center_tail:.0%} by up to {TAIL_FACTOR * off:.0f} mm" if self.center_tail else ""
        return f"mean of the true joints, displaced at random by up to {off:.0f} mm along each axis{tail}"

    @property
    def scene(self) -> SceneSettings:
        """What the scenes are drawn from."""
        return SceneSettings(self.negatives, self.any_roll, self.right_hands, self.distance_m, self.held_out)


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
        return self.taken(*self.scene(i))

    def taken(
        self, crop: CubeCrop, scene: Scene, buffer: ZBuffer, sensor: Sensor, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """The sample of what `scene` gives."""
        if self.settings.color:
            window = ColorCrop.of_cube(crop.camera, crop.center, crop.cube_m, crop.size)
            return color_sample(color_crop(scene, window, rng), window, scene)
        far_m = crop.center[2] + crop.half_m
        depth = sense(buffer.inverse_depth, buffer.window, *crop.sample_pixels(), sensor, rng, far_m)
        if self.settings.processed and rng.random() < self.settings.processed:
            depth = processed(depth, PROCESSING_REACH_PX, rng)
        image = crop.normalize_depth(depth)
        if self.settings.rivals_hidden and rng.random() < self.settings.rivals_hidden:
            hide_rivals(image, crop, scene, rng)
        return sample(image, crop, scene, sensor)

    def drawn(self, i: int) -> tuple[SceneSettings, SensorKind | None]:
        """What the scene of sample i is drawn from, and the kind of its sensor (None: any)."""
        return self.settings.scene, None

    def scene(self, i: int) -> tuple[CubeCrop, Scene, ZBuffer, Sensor, np.random.Generator]:
        """The crop and the scene of sample i, the rendered part of its image, its sensor, and what draws the sensor's noise."""
        s = self.settings
        rng = np.random.Generator(np.random.SFC64((self.seed, i)))
        settings, kind = self.drawn(i)
        while True:
            scene = sample_scene(rng, settings)
            sensor = sample_sensor(rng, scene.camera.fx, kind, s.held_out) if s.noise else PERFECT
            reach = s.center_error_m * (TAIL_FACTOR if rng.random() < s.center_tail else 1)
            center = nearest_to_focus(scene, scene.focus + rng.uniform(-reach, reach, size=3))
            center[2] = max(center[2], 0.15)
            crop = CubeCrop(scene.camera, center, rng.uniform(*s.cube_m), s.size)
            buffer = scene.render(Window.around(*crop.sample_pixels(), sensor.reach_px, scene.camera))
            if scene.hidden_joints(buffer) <= s.max_hidden_joints if scene.present else _shows_something(crop, buffer):
                return crop, scene, buffer, sensor, rng


def nearest_to_focus(scene: Scene, center: np.ndarray) -> np.ndarray:
    """The centre (3,), moved to the scene's focus until no other hand is nearer to it."""
    others = [hand.joints.mean(axis=0) for hand in scene.hands[scene.present :]]
    while any(np.linalg.norm(center - other) < np.linalg.norm(center - scene.focus) for other in others):
        center = (center + scene.focus) / 2
    return center


def hide_rivals(image: np.ndarray, crop: CubeCrop, scene: Scene, rng: np.random.Generator) -> None:
    """Takes other hands' pixels out of the crop (S, S) of a hand as the runtime does, in place; their joints are somewhat off."""
    if not scene.present:
        return
    known = [h.joints + HAND_OFF_M * rng.normal(size=3) + JOINT_OFF_M * rng.normal(size=h.joints.shape) for h in scene.hands]
    rivals = rivals_of(known, HAND21)[0]
    if rivals is not None:
        rivals.hide(crop, image)


def _shows_something(crop: CubeCrop, buffer: ZBuffer) -> bool:
    """Whether there is enough in the crop for the node to ask the network."""
    far_m = crop.center[2] + crop.half_m
    depth = sense(buffer.inverse_depth, buffer.window, *crop.sample_pixels(), PERFECT, np.random.default_rng(0), far_m)
    return bool((crop.normalize_depth(depth) < BACKGROUND).mean() >= MIN_FOREGROUND)


def sample(image: np.ndarray, crop: CubeCrop, scene: Scene, sensor: Sensor = PERFECT) -> dict[str, np.ndarray]:
    """The sample of one crop, image (S, S) as `CubeCrop.extract` gives it and the sensor saw it."""
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
        "companion": scene.companion,
        "on_surface": scene.on_surface,
        "sensor": NO_SENSOR if sensor.kind is None else sensor.kind,
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
        "companion": scene.companion,
        "on_surface": scene.on_surface,
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
