"""Whole synthetic frames for the detector, and where the hands in them are.

A scene is drawn at the image's size, but the sensor makes those pixels alone that the detector's frame sees.

Shapes of a batch of N: depth_frame (N, 1, H, W), focal_px (N, 1), and the maps of `targets.encode`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from hand_pose_ros.geometry.letterbox import WIDTH, Letterbox
from hand_pose_training.detector.augment import AugmentSettings, augmented
from hand_pose_training.detector.targets import encode
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import Scene, SceneSettings, sample_frame_scene
from hand_pose_training.synthetic.sensor import PERFECT, sample_sensor, sense

SEEN_JOINTS = 10  # a hand of which fewer joints are seen may be found or not
BEFORE_M, BEHIND_M = 0.08, 0.03  # a joint is seen where the surface is so near: it lies in the flesh, or in a fist


@dataclass(frozen=True)
class FrameSettings:
    """What frames are drawn from.

    :param width: W of the frame
    :param scene: the scenes
    :param noise: False gives a perfect sensor
    :param held_out_sensors: sensors of the models that training never draws
    :param augment: None: frames as the sensor gives them
    """

    width: int = WIDTH
    scene: SceneSettings = field(default_factory=SceneSettings)
    noise: bool = True
    held_out_sensors: bool = False
    augment: AugmentSettings | None = field(default_factory=AugmentSettings)


# Distances as the held-out crops have them.
HELD_OUT = FrameSettings(
    scene=SceneSettings(held_out=True, uniform_distance=True, distance_m=(0.25, 1.2)), held_out_sensors=True, augment=None
)


@dataclass(frozen=True)
class Frame:
    """One frame and the truth.

    :param depth: (H, W) metres, 0 where there is no depth
    :param box: where the camera's image lies in it
    :param scene: what the camera sees
    :param centers: (M, 3) means of all hands' joints, metres
    :param seen: (M,) bool, enough of the hand is seen
    :param sensor_kind: a `SensorKind`, -1 for none
    :param image: the camera's whole image (height, width), where it was asked for
    """

    depth: np.ndarray
    box: Letterbox
    scene: Scene
    centers: np.ndarray
    seen: np.ndarray
    sensor_kind: int
    image: np.ndarray | None = None

    @property
    def focal_px(self) -> np.ndarray:
        """(1,) as the network takes it."""
        return np.array([self.box.focal_px], np.float32)

    def without_image(self) -> Frame:
        """The same, smaller."""
        return replace(self, image=None, scene=replace(self.scene, meshes=[], materials=[]))

    def in_frame(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3), metres -> pixels of the frame (..., 2)."""
        height, width = self.depth.shape
        uv = self.box.normalize(self.scene.camera.project(points))
        return ((uv + 1) * (width, height) - 1) / 2


class SyntheticFrames:
    """A map-style dataset of `length` frames; frame i depends on (seed, i) and the settings alone."""

    def __init__(self, seed: int, length: int, settings: FrameSettings | None = None) -> None:
        self.seed, self.length, self.settings = seed, length, settings or FrameSettings()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        frame = self.frame(i)
        uvz = np.concatenate([frame.in_frame(frame.centers), frame.centers[:, 2:]], axis=1)
        maps = encode(uvz, ~frame.seen, frame.box.focal_px, frame.depth.shape)
        return {"depth_frame": frame.depth[None], "focal_px": frame.focal_px, **maps}

    def frame(self, i: int, whole: bool = False) -> Frame:
        """Frame i.

        :param whole: make the whole image (other pixels' noise than without), not augmented
        """
        if not 0 <= i < self.length:
            raise IndexError(f"frame {i} of {self.length}")
        s = self.settings
        rng = np.random.Generator(np.random.SFC64((self.seed, i)))
        scene = sample_frame_scene(rng, s.scene)
        if s.augment and not whole:
            scene = replace(scene, camera=s.augment.moved_camera(scene.camera, rng))
        sensor = sample_sensor(rng, scene.camera.fx, held_out=s.held_out_sensors) if s.noise else PERFECT
        box, window = Letterbox(scene.camera, s.width), Window.of_image(scene.camera)
        inverse_depth, image = scene.render(window).inverse_depth, None
        if whole:
            image = sense(inverse_depth, window, np.arange(window.width), np.arange(window.height), sensor, rng)
            depth = box.extract(image)
        else:
            depth = box.framed(sense(inverse_depth, window, box.columns, box.rows, sensor, rng))
        joints = np.array([hand.joints for hand in scene.hands]).reshape(-1, 21, 3)
        kind = -1 if sensor.kind is None else int(sensor.kind)
        frame = Frame(depth, box, scene, joints.mean(axis=1), np.zeros(len(joints), bool), kind, image)
        if s.augment and not whole:
            frame = replace(frame, depth=augmented(depth, rng, s.augment))
        return replace(frame, seen=joints_seen(frame, joints) >= SEEN_JOINTS)


def joints_seen(frame: Frame, joints: np.ndarray) -> np.ndarray:
    """(M,) how many joints of hands (M, 21, 3) have the surface about where they are; 0 for a hand whose centre is outside the
    frame."""
    height, width = frame.depth.shape
    pixels = np.floor(frame.in_frame(np.concatenate([joints, joints.mean(axis=1, keepdims=True)], axis=1)) + 0.5)
    inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=-1)
    x, y = np.where(inside[..., None], pixels, 0).astype(int).transpose(2, 0, 1)[:, :, :-1]
    surface = frame.depth[y, x]
    before = joints[..., 2] - surface
    near = (surface > 0) & (before < BEFORE_M) & (before > -BEHIND_M)
    return (near & inside[:, :-1]).sum(axis=1) * inside[:, -1]
