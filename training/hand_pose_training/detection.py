"""What the whole pipeline makes of whole frames: which hands it finds, what it takes for hands, and where it centres crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.perception.detector import HandDetector
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.settings import PipelineSettings
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_training.data import Batch, FixedSet, complete
from hand_pose_training.synthetic.dataset import MAX_HIDDEN_JOINTS, SyntheticCrops, sample
from hand_pose_training.synthetic.heldout import DISTANCE_M, covered_joints
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import Scene, SceneSettings, sample_frame_scene
from hand_pose_training.synthetic.sensor import Sensor, sample_sensor, sense
from hand_pose_training.synthetic.sensors.optics import SensorKind

# An answer whose joints' mean is this near to that of a true hand's joints has found it; a candidate this near is of it.
FOUND_M, CANDIDATE_M = 0.08, 0.15
SETTINGS = PipelineSettings(max_hands=4)
FRAMES = FixedSet(2_000_005, 400)


class Finder:
    """The runtime's pipeline, fresh for every frame, with its own detector of hands.

    :param engine: of the hand pose model
    :param detector: a detector's model file; None: the finder of limbs' ends
    """

    def __init__(self, engine: Engine, detector: Path | None) -> None:
        self._detector = None if detector is None else HandDetector(load_engine(detector, "onnxruntime"))
        self._pipeline = Pipeline(engine, SETTINGS, self._detector)
        self.name = "the finder of limbs' ends" if detector is None else f"detector {detector.name}"

    def hands(self, frame: DepthFrame) -> np.ndarray:
        """(H, 3) means of the joints of the hands that the pipeline answers with, metres."""
        self._pipeline.reset()
        found = self._pipeline.process(frame).hands
        return np.array([hand.joints.mean(axis=0) for hand in found]).reshape(-1, 3)

    def candidates(self, frame: DepthFrame) -> np.ndarray:
        """(C, 3) places where the detector alone sees hands, metres."""
        find = localize if self._detector is None else self._detector.find
        limits = {"min_depth_m": SETTINGS.min_depth_m, "max_depth_m": SETTINGS.max_depth_m}
        found = find(frame.depth, frame.camera, max_candidates=SETTINGS.max_candidates, **limits)
        return np.array([c.center for c in found]).reshape(-1, 3)


@dataclass(frozen=True)
class Centers:
    """Where hands were found, one row a frame.

    :param centers: (N, 3) metres, camera frame: of the found hand, else of the nearest candidate, else NaN
    :param found: (N,) bool, whether the pipeline answered with that hand
    :param false_hands: (N,) answers of the pipeline that are none of the frame's hands
    """

    centers: np.ndarray
    found: np.ndarray
    false_hands: np.ndarray


def detected_centers(crops: SyntheticCrops, finder: Finder) -> tuple[Batch, Centers]:
    """The crops cut from whole frames where the pipeline found their hands, stacked, and what it found.

    Crops without a centre are cut around the true one, and are for leaving out: `Centers.centers` tells.
    """
    samples, rows = [], []
    for i in tqdm(range(len(crops)), desc="frames", disable=None):
        crop, scene, _, sensor, rng = crops.scene(i)
        frame = whole_frame(scene, sensor, rng)
        answers = finder.hands(frame)
        matched = match(answers, np.array([hand.joints.mean(axis=0) for hand in scene.hands]))
        found = 0 in matched.values()
        center = np.full(3, np.nan)
        if found:
            center = next(answers[answer] for answer, hand in matched.items() if hand == 0)
        else:
            candidates = finder.candidates(frame)
            apart = np.linalg.norm(candidates - scene.joints.mean(axis=0), axis=1)
            if len(apart) and apart.min() <= CANDIDATE_M:
                center = candidates[apart.argmin()]
        cut = CubeCrop(crop.camera, center if np.isfinite(center).all() else crop.center, crop.cube_m, crop.size)
        samples.append(sample(cut.extract(frame.depth), cut, scene, sensor) | {"covered": np.float32(covered_joints(scene))})
        rows.append((center, found, len(answers) - len(matched)))
    centers, found, false_hands = (np.array(column) for column in zip(*rows))
    batch = complete({key: np.stack([s[key] for s in samples]) for key in samples[0]})
    return batch, Centers(centers, found, false_hands)


def frame_figures(finder: Finder, frames: int | None = None) -> dict[str, float | int | None]:
    """Hands found and false hands in whole frames with none to four hands anywhere, seen by held-out sensors.

    Hands of which more than MAX_HIDDEN_JOINTS joints are hidden or outside count neither as missed nor as false.
    """
    frames = min(frames or FRAMES.count, FRAMES.count)
    hands, recalled, false_hands = 0, 0, 0
    settings = SceneSettings(held_out=True, distance_m=DISTANCE_M, uniform_distance=True)
    for i in tqdm(range(frames), desc="frames", disable=None):
        rng = np.random.Generator(np.random.SFC64((FRAMES.seed, i)))
        scene = sample_frame_scene(rng, settings)
        sensor = sample_sensor(rng, scene.camera.fx, SensorKind(i % len(SensorKind)), held_out=True)
        answers = finder.hands(whole_frame(scene, sensor, rng))
        matched = match(answers, np.array([hand.joints.mean(axis=0) for hand in scene.hands]).reshape(-1, 3))
        buffer = scene.render(Window.of_image(scene.camera))
        seen = [k for k in range(len(scene.hands)) if scene.hidden_joints(buffer, k) <= MAX_HIDDEN_JOINTS]
        hands += len(seen)
        recalled += len(set(seen) & set(matched.values()))
        false_hands += len(answers) - len(matched)
    return {
        "frames": frames,
        "hands": hands,
        "recall": round(recalled / hands, 4) if hands else None,
        "false_hands_per_100_frames": round(100 * false_hands / frames, 2),
    }


def whole_frame(scene: Scene, sensor: Sensor, rng: np.random.Generator) -> DepthFrame:
    """The whole image that a sensor makes of a scene."""
    window = Window.of_image(scene.camera)
    columns, rows = np.arange(window.width), np.arange(window.height)
    depth = sense(scene.render(window).inverse_depth, window, columns, rows, sensor, rng)
    return DepthFrame(depth, scene.camera, 0, "camera")


def match(answers: np.ndarray, hands: np.ndarray) -> dict[int, int]:
    """Which answer (A, 3) is which hand (H, 3): pairs at most FOUND_M apart, the nearest first, each at most once."""
    apart = np.linalg.norm(answers[:, None] - hands[None], axis=-1)
    matched: dict[int, int] = {}
    for flat in np.argsort(apart, axis=None, kind="stable"):
        answer, hand = (int(k) for k in np.unravel_index(flat, apart.shape))
        if apart[answer, hand] <= FOUND_M and answer not in matched and hand not in matched.values():
            matched[answer] = hand
    return matched


def found_slices(slices: Sequence[tuple[str, np.ndarray]], found: np.ndarray) -> dict[str, float]:
    """Share of the hands that were found, by slice that has any."""
    return {name: round(float(found[rows].mean()), 4) for name, rows in slices if rows.any()}
