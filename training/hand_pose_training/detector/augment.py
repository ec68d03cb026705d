"""What frames of cameras may have beyond a sensor's faults: hands cut by the border, missing pixels, and ranges cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic.processing import processed


@dataclass(frozen=True)
class AugmentSettings:
    """Shares of the frames that are changed, and by how much.

    :param moved, moved_by: the camera looks past its scene, by up to this share of the image along each axis
    :param sparse, missing: up to this share of the pixels are missing
    :param cut, cut_m: what is farther than a distance of this range has no depth, or a far value, as the driver says
    :param speckled, wrong: up to this share of the pixels have any depth
    :param processed: this share goes through `synthetic.processing`
    """

    moved: float = 0.5
    moved_by: float = 0.2
    sparse: float = 0.2
    missing: float = 0.25
    cut: float = 0.3
    cut_m: tuple[float, float] = (0.8, 3.0)
    speckled: float = 0.15
    wrong: float = 0.01
    processed: float = 0.5

    def moved_camera(self, camera: Camera, rng: np.random.Generator) -> Camera:
        """The camera with its scene elsewhere in the image."""
        if rng.random() >= self.moved:
            return camera
        right, down = rng.uniform(-self.moved_by, self.moved_by, size=2)
        return replace(camera, cx=camera.cx + right * camera.width, cy=camera.cy + down * camera.height)


PROCESSING_REACH_PX = 1.2  # of a frame
FAR_VALUES_M = (2.001, 4.0, 10.0, 65.535)


def augmented(depth: np.ndarray, rng: np.random.Generator, settings: AugmentSettings) -> np.ndarray:
    """A frame (H, W), metres, 0 where there is no depth, with such faults."""
    sparse, cut, speckled, filtered = rng.random(4) < (settings.sparse, settings.cut, settings.speckled, settings.processed)
    depth = processed(depth, PROCESSING_REACH_PX, rng) if filtered else depth.copy()
    if cut:
        limit = rng.uniform(*settings.cut_m)
        value = 0.0 if rng.random() < 0.5 else rng.choice(FAR_VALUES_M)
        depth[depth > limit] = value
        if rng.random() < 0.5:
            depth[depth == 0] = value  # some drivers have one value for all that was not measured
    if sparse:
        depth[rng.random(depth.shape, dtype=np.float32) < rng.uniform(0, settings.missing)] = 0
    if speckled:
        wrong = rng.random(depth.shape, dtype=np.float32) < rng.uniform(0, settings.wrong)
        depth[wrong] = rng.uniform(0.2, 3.0, size=int(wrong.sum()))
    return depth
