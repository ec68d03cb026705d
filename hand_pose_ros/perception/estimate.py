"""From a centre to a hand: cut the crop, run the network, bring its answer back to metres."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hand_pose_ros.geometry.color_crop import RootedCrop
from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.perception.inputs import crop_size, network_inputs
from hand_pose_ros.perception.rivals import Rivals
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_ros.skeleton import skeleton

MIN_FOREGROUND = 0.01  # of the crop's pixels: less than that is no hand that a network could see


class StageClock:
    """Milliseconds by stage; a stage that runs twice in a frame adds up."""

    def __init__(self, *stages: str) -> None:
        self.ms = dict.fromkeys(stages, 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.ms[stage] += 1e3 * (time.perf_counter() - start)


@dataclass(frozen=True)
class Estimate:
    """The network's answer for one crop.

    :param crop: where it looked
    :param mirrored: the network saw the crop's mirror image; everything here is mirrored back
    :param normalized: (J, 3), normalized_covariance: (J, 6), in the crop's coordinates
    :param confidence: (J,) probability that the joint is within 20 mm
    :param presence: probability that it is a hand: the model's own where it has one, else the mean confidence
    :param right_side: probability of a right hand, NaN where the model does not tell
    :param bones: (B, 2) positions of the joints at each bone's ends
    """

    crop: CubeCrop | RootedCrop
    mirrored: bool
    normalized: np.ndarray
    normalized_covariance: np.ndarray
    confidence: np.ndarray
    presence: float
    right_side: float
    bones: np.ndarray

    @cached_property
    def joints(self) -> np.ndarray:
        """(J, 3) metres, camera optical frame."""
        return self.crop.denormalize(self.normalized)

    @cached_property
    def center(self) -> np.ndarray:
        """(3,) the joints' mean, metres."""
        return self.joints.mean(0)

    @cached_property
    def size_m(self) -> float:
        """Length of all bones, 0 for a skeleton without any."""
        ends = self.joints[self.bones]
        return float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum())

    @cached_property
    def sureness(self) -> float:
        """The joints' mean confidence: of two looks at one hand the surer one counts."""
        return float(self.confidence.mean())

    @cached_property
    def off_center_m(self) -> float:
        """How far the crop's centre was from the joints' mean."""
        return float(np.linalg.norm(self.center - self.crop.center))

    def covariance(self) -> np.ndarray:
        """(J, 6) m^2, xx xy xz yy yz zz."""
        return self.crop.covariance_to_metres(self.normalized, self.normalized_covariance)


class HandEstimator:
    """Crops of one engine's size and cube.

    A model of one side (`ModelCard.side`) knows the joints of that side alone; it sees the other side's hands mirrored.

    :param cube_m: edge of the cube in metres
    :param min_depth_m, max_depth_m: everything outside is background, as for the localiser
    """

    def __init__(self, engine: Engine, cube_m: float, min_depth_m: float, max_depth_m: float) -> None:
        self._engine = engine
        self._cube_m = cube_m
        self._min_depth_m, self._max_depth_m = min_depth_m, max_depth_m
        self._bones = np.array(skeleton(engine.card.skeleton).bone_indices, int).reshape(-1, 2)

    @property
    def one_sided(self) -> bool:
        """The model knows one side's joints, and tells the sides apart."""
        return self._engine.card.side != "unknown" and "right_side" in self._engine.card.outputs

    @property
    def tells_presence(self) -> bool:
        """Presence is the model's own, and not the joints' mean confidence."""
        return "presence" in self._engine.card.outputs

    def mirrors(self, right_side: float) -> bool:
        """Whether a hand that is a right one with this probability (NaN: not known) is to be seen mirrored."""
        return self.one_sided and (right_side < 0.5 if self._engine.card.side == "right" else right_side > 0.5)

    def run(
        self,
        frame: DepthFrame,
        centers: Sequence[np.ndarray],
        mirrored: Sequence[bool],
        clock: StageClock,
        rivals: Sequence[Rivals | None] = (),
    ) -> list[Estimate | None]:
        """One answer a centre (3,), None where there is nothing in the cube or the network's answer is not finite.

        :param mirrored: for each centre, whether the network sees the mirror image
        :param rivals: for each centre, the hand that is meant and others whose pixels are taken out of its crop, or None;
            empty: none anywhere
        """
        with clock("crop"):
            crops = [self._crop(frame, center) for center in centers]
            for (crop, image), near in zip(crops, rivals):
                if near is not None and image is not None and isinstance(crop, CubeCrop):
                    near.hide(crop, image[0])
            batch = [image[..., ::-1] if flip else image for (_, image), flip in zip(crops, mirrored) if image is not None]
        if not batch:
            return [None] * len(crops)
        with clock("network"):
            outputs = self._engine.infer(network_inputs(self._engine.card, np.stack(batch)))
        answers = iter(range(len(batch)))
        return [
            None if image is None else self._estimate(frame, crop, flip, outputs, next(answers))
            for (crop, image), flip in zip(crops, mirrored)
        ]

    def in_range(self, center: np.ndarray) -> bool:
        """Whether a centre (3,) is where hands are looked for."""
        return bool(np.isfinite(center).all() and self._min_depth_m <= center[2] <= self._max_depth_m)

    def _crop(self, frame: DepthFrame, center: np.ndarray) -> tuple[Any, np.ndarray | None]:
        """The crop around a centre and its image (C, S, S); no image where there is nothing to see."""
        if not self.in_range(center):
            return None, None
        crop = CubeCrop(frame.camera, center, self._cube_m, crop_size(self._engine.card))
        image = crop.extract(frame.depth)
        for limit_m, outside in ((self._min_depth_m, np.less), (self._max_depth_m, np.greater)):
            if abs(limit_m - center[2]) < crop.half_m:
                image[outside(image, (limit_m - center[2]) / crop.half_m)] = BACKGROUND
        return crop, image[None] if np.count_nonzero(image < BACKGROUND) >= MIN_FOREGROUND * image.size else None

    def _place(self, frame: DepthFrame, crop: Any, joints: np.ndarray) -> CubeCrop | RootedCrop | None:
        """What takes normalised joints (J, 3) of that crop to metres; None where it cannot be told."""
        return crop

    def _estimate(self, frame: DepthFrame, crop: Any, mirrored: bool, outputs: dict[str, np.ndarray], i: int) -> Estimate | None:
        joints, covariance, confidence = (outputs[name][i].astype(float) for name in ("joints", "covariance", "confidence"))
        presence = float(outputs["presence"][i] if "presence" in outputs else confidence.mean())
        right_side = float(outputs["right_side"][i]) if "right_side" in outputs else float("nan")
        if not all(np.isfinite(value).all() for value in (joints, covariance, confidence, presence)):
            return None
        if mirrored:
            joints, covariance, right_side = joints * _MIRROR_JOINTS, covariance * _MIRROR_COVARIANCE, 1 - right_side
        placed = self._place(frame, crop, joints)
        if placed is None:
            return None
        estimate = Estimate(placed, mirrored, joints, covariance, confidence, presence, right_side, self._bones)
        return estimate if np.isfinite(estimate.joints).all() and (estimate.joints[:, 2] > 0).all() else None


_MIRROR_JOINTS = np.array([-1.0, 1.0, 1.0])
_MIRROR_COVARIANCE = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0])  # xx xy xz yy yz zz
