"""Where hands may be in a whole depth image, for the first detection: no training, about a millisecond.

Hands are ends of limbs of a hand's size. The image is made small, a table or wall is taken out, every ridge of a limb's
width becomes a seed, and rays over the surface tell ends of limbs from their middles and from bodies. Elbows and heads
look alike to it; the pose network has to tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.coarse import FAR, CoarseDepth
from hand_pose_ros.perception.limb_rays import LimbRays, surface_jump
from hand_pose_ros.perception.workspace import Workspace

# Half the width of what may be a palm, a fist or a hand seen edge-on, metres.
MIN_HALF_WIDTH_M, MAX_HALF_WIDTH_M = 0.012, 0.075
MAX_SEEDS = 48
SEED_CELL_M = 0.02
REFINED = 6
SEED_SPACING_M = 0.06
HAND_SPACING_M = 0.10
# Of an open hand (19 cm) its fingers and most of its palm, of a fist the fist and some wrist: in both about centred.
HAND_LENGTH_M = 0.13
SKIN_TO_JOINTS_M = 0.01
SEED_REACH_M = 0.15  # from a seed on the wrist or the forearm to the middle of its hand
MIN_SCORE = 0.005
_CELL_KEY = np.array([1, 1 << 20, 1 << 40])
_RIDGE = np.ones((5, 5), np.uint8)


UNTOLD = 0.5  # prior of a finder that does not tell: a hand's presence has to be 0.85 there, with `search.SCEPTICISM`


@dataclass(frozen=True)
class Candidate:
    """A place where a hand may be.

    :param center: (3,) metres, camera optical frame, about the mean of the hand's joints
    :param score: 0 to 1, for ordering only
    :param prior: probability that a hand is there, as far as the finder can tell
    """

    center: np.ndarray
    score: float
    prior: float = UNTOLD


def localize(
    depth: np.ndarray,
    camera: Camera,
    *,
    min_depth_m: float = 0.1,
    max_depth_m: float = 1.5,
    max_candidates: int = 4,
    workspace: Workspace | None = None,
) -> list[Candidate]:
    """The likeliest places of hands, likeliest first, at least HAND_SPACING_M apart.

    :param depth: (H, W) float32 metres, invalid 0
    :param workspace: where their centres must lie
    """
    view = CoarseDepth.of(depth, camera, min_depth_m, max_depth_m).without_plane()
    if workspace is None:
        return limb_ends(view, max_candidates)
    near = workspace.contains(view.points, SEED_REACH_M)
    return [c for c in limb_ends(view, REFINED, near) if workspace.contains(c.center)][:max_candidates]


def limb_ends(view: CoarseDepth, max_candidates: int, where: np.ndarray | None = None) -> list[Candidate]:
    """The ends of limbs of a hand's size, likeliest first, at least HAND_SPACING_M apart.

    :param where: (h, w) bool, the pixels of the view from which to look; a hand may be SEED_REACH_M away
    """
    seeds = _seeds(view, where)
    if not len(seeds):
        return []
    rays = LimbRays.walk(view, seeds)
    score = rays.score()
    chosen = _spaced(view.points.reshape(-1, 3)[seeds], score, SEED_SPACING_M, REFINED)
    if not len(chosen):
        return []
    # From a seed on the wrist the fingertips are out of reach: walk once more from the middle found.
    pixels = seeds[chosen]
    for _ in range(4):
        rays = LimbRays.walk(view, pixels)
        centers, pixels = rays.hand_centers(HAND_LENGTH_M)
    score = rays.score()
    centers[:, 2] += SKIN_TO_JOINTS_M
    best = _spaced(centers, score, HAND_SPACING_M, max_candidates)
    return [Candidate(centers[i].astype(float), float(score[i])) for i in best]


def _seeds(view: CoarseDepth, where: np.ndarray | None) -> np.ndarray:
    """Pixels (flat indices) on the ridges of surfaces of a limb's width, at most MAX_SEEDS."""
    z = view.z
    jump = np.float32(0.67) * surface_jump(z)  # tighter than for rays: fingers held before a palm part the ridges
    edge = np.zeros(z.shape, bool)  # the farther pixel of a depth step: a hand keeps its own outline
    step = z[:, 1:] - z[:, :-1]
    edge[:, 1:] |= step > jump[:, :-1]
    edge[:, :-1] |= -step > jump[:, 1:]
    step = z[1:] - z[:-1]
    edge[1:] |= step > jump[:-1]
    edge[:-1] |= -step > jump[1:]
    surface = ((z < FAR) & ~edge).view(np.uint8)
    distance = cv2.distanceTransform(surface, cv2.DIST_L2, 3)
    half_width = distance * z / view.focal[0]
    ridge = (distance >= cv2.dilate(distance, _RIDGE)) & (half_width > MIN_HALF_WIDTH_M) & (half_width < MAX_HALF_WIDTH_M)
    ridge &= surface > 0
    seeds = np.flatnonzero(ridge if where is None else ridge & where)
    # Broad and near ones first, but only one from each cell of space: a long arm must not take all the places.
    seeds = seeds[np.argsort(-np.minimum(half_width.ravel()[seeds], 0.025) / z.ravel()[seeds], kind="stable")]
    cells = np.floor(view.points.reshape(-1, 3)[seeds] / np.float32(SEED_CELL_M)).astype(np.int64) @ _CELL_KEY
    _, first = np.unique(cells, return_index=True)
    return seeds[np.sort(first)[:MAX_SEEDS]]


def _spaced(points: np.ndarray, score: np.ndarray, spacing_m: float, most: int) -> list[int]:
    """Indices of the best scores, best first, whose points (N, 3) are at least `spacing_m` apart."""
    score = np.where(score >= MIN_SCORE, score, 0.0)
    chosen: list[int] = []
    while len(chosen) < most and score.any():
        best = int(score.argmax())
        chosen.append(best)
        score[np.linalg.norm(points - points[best], axis=1) < spacing_m] = 0.0
    return chosen
