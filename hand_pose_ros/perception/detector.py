"""Where hands are in a whole depth image, by a small network: several at once, open or closed, before bodies and on tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.letterbox import Letterbox
from hand_pose_ros.inference.engine import Engine, require_answer
from hand_pose_ros.inference.model_kinds import HAND_CENTERS
from hand_pose_ros.perception.localize import Candidate, localize
from hand_pose_ros.perception.workspace import Workspace

MIN_SCORE = 0.2  # below it more than every second place is none, see the detector's page
# Where the network sees none a place of the finder beside it seldom is one: of 508 in 300 frames of training's sensors, 11.
BESIDES_PRIOR = 0.02
SPACING_M = 0.06  # two peaks nearer than this are one hand; hands that touch are farther apart


class HandDetector:
    """A detector's engine, with what lies between an image and its inputs.

    :param besides: asked in the same words where the network finds less than `max_candidates`, for the rest; None: the network
        alone. Each of the two finds hands that the other misses
    :raises ModelError: the engine's model is no detector
    """

    def __init__(self, engine: Engine, besides: Callable[..., list[Candidate]] | None = localize) -> None:
        require_answer(engine, HAND_CENTERS)
        self.engine, self._besides = engine, besides
        self._box: Letterbox | None = None

    def find(
        self,
        depth: np.ndarray,
        camera: Camera,
        *,
        min_depth_m: float = 0.1,
        max_depth_m: float = 1.5,
        max_candidates: int = 4,
        workspace: Workspace | None = None,
        min_score: float = MIN_SCORE,
    ) -> list[Candidate]:
        """The likeliest places of hands, likeliest first, at least SPACING_M apart; the network's come before others, and their
        scores are their priors.

        :param depth: (H, W) float32 metres, invalid 0
        :param min_depth_m, max_depth_m: of the hands' centres; what is nearer than the first is not seen at all
        :param workspace: where their centres must lie
        :raises ModelError: the back end refused the frame
        """
        if self._box is None or self._box.camera != camera:
            self._box = Letterbox(camera, self.engine.card.input_size)
        frame = self._box.extract(depth)
        frame[frame < np.float32(min_depth_m)] = 0
        focal = np.array([[self._box.focal_px]], np.float32)
        found = self.engine.infer({"depth_frame": frame[None, None], "focal_px": focal})
        centers, score = to_metres(self._box, found["centers"][0]), found["score"][0]
        counts = (score >= min_score) & (centers[:, 2] >= min_depth_m) & (centers[:, 2] <= max_depth_m)
        counts &= np.isfinite(centers).all(axis=1)
        if workspace is not None:
            counts &= workspace.contains(centers)
        places = spaced(centers[counts], score[counts], max_candidates)
        if self._besides is not None and len(places) < max_candidates:
            limits = {"min_depth_m": min_depth_m, "max_depth_m": max_depth_m, "max_candidates": max_candidates}
            for other in self._besides(depth, camera, workspace=workspace, **limits):
                if len(places) < max_candidates and _apart(other.center, places):
                    places.append(replace(other, prior=BESIDES_PRIOR))
        return places


def to_metres(box: Letterbox, centers: np.ndarray) -> np.ndarray:
    """Centres (..., 3) as u, v normalised and z in metres -> (..., 3) metres, camera optical frame."""
    centers = np.asarray(centers, float)
    return box.camera.back_project(box.denormalize(centers[..., :2]), centers[..., 2])


def spaced(centers: np.ndarray, score: np.ndarray, most: int) -> list[Candidate]:
    """The best scores, best first, whose centres (N, 3) are SPACING_M apart."""
    chosen: list[Candidate] = []
    for i in np.argsort(-score, kind="stable"):
        if len(chosen) < most and _apart(centers[i], chosen):
            chosen.append(Candidate(centers[i], float(score[i]), prior=float(score[i])))
    return chosen


def _apart(center: np.ndarray, others: list[Candidate]) -> bool:
    return all(np.linalg.norm(center - other.center) >= SPACING_M for other in others)
