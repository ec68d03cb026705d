"""Where hands may be in the boxes that a detector found in the image.

A box says where in the image a hand is, not how far away: it holds background, forearm and body too, may be much larger than
the hand, and may reach beyond the image. Two guesses at each: the nearest surface in it that is large enough to be a hand and not
a few wrong pixels, and the likeliest end of a limb in it. The network's presence decides between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.coarse import FAR, CoarseDepth
from hand_pose_ros.perception.localize import HAND_SPACING_M, SKIN_TO_JOINTS_M, Candidate, limb_ends
from hand_pose_ros.perception.types import PixelRegion
from hand_pose_ros.perception.workspace import Workspace

SUPPORT_M2 = 0.0015  # of surface at about one depth: half a fist, or two fingers
SUPPORT_DEPTH_M = 0.06
HAND_DEPTH_M = 0.10  # what lies farther behind the nearest surface is no part of the same hand
BOXED = 0.9  # prior: somebody says that there is a hand; its presence has to be 0.65, with `search.SCEPTICISM`
# A detector's box may cut the fingertips off, hence a hand may be centred so much of the box's size outside it.
BOX_MARGIN = 0.1


def localize_in_regions(
    depth: np.ndarray,
    camera: Camera,
    regions: Sequence[PixelRegion],
    *,
    min_depth_m: float = 0.1,
    max_depth_m: float = 1.5,
    known: Sequence[np.ndarray] = (),
    workspace: Workspace | None = None,
) -> list[Candidate]:
    """Up to two places of a hand in each box, by region in the order given; several boxes on one place give it once.

    :param depth: (H, W) float32 metres, invalid 0
    :param known: centres (3,) of hands that are known already, metres: others are looked for
    :param workspace: where the centres must lie
    """
    whole = CoarseDepth.of(depth, camera, min_depth_m, max_depth_m)
    if workspace is not None:
        whole = whole.with_z(np.where(workspace.contains(whole.points, HAND_SPACING_M), whole.z, FAR))
    view = whole.without_plane()
    others = _without_hands(view, known)
    candidates: list[Candidate] = []
    for region in regions:
        window = view.window(region)
        where = np.zeros(view.z.shape, bool)
        where[window] = True
        # A hand that lies flat on a table goes with it when the table is taken out; then what is in the box's middle counts.
        center = _nearest_surface(others, region)
        center = _middle(_without_hands(whole, known), window) if center is None else center
        guesses = [] if center is None else [Candidate(center, region.score, BOXED)]
        ends = limb_ends(view, 1 + len(known), where)
        ends = [c for c in ends if in_region(c.center, camera, region) and _apart(c.center, known, HAND_SPACING_M)]
        guesses += [replace(end, prior=BOXED) for end in ends[:1]]
        for guess in guesses:
            alone = _apart(guess.center, [other.center for other in candidates], HAND_SPACING_M / 2)
            if alone and (workspace is None or workspace.contains(guess.center)):
                candidates.append(guess)
    return candidates


def in_region(center: np.ndarray, camera: Camera, region: PixelRegion) -> bool:
    """Whether a hand's centre (3,), metres, lies in a box of the image or BOX_MARGIN of its size beside it."""
    u, v = camera.project(center)
    margin_u, margin_v = BOX_MARGIN * (region.u_max - region.u_min), BOX_MARGIN * (region.v_max - region.v_min)
    return bool(
        region.u_min - margin_u <= u <= region.u_max + margin_u and region.v_min - margin_v <= v <= region.v_max + margin_v
    )


def _nearest_surface(view: CoarseDepth, region: PixelRegion) -> np.ndarray | None:
    """(3,) metres: the middle of the nearest connected surface in a box with SUPPORT_M2 within SUPPORT_DEPTH_M.

    What is near the box's middle weighs more, since detectors centre their boxes on the hand, not on its forearm.
    """
    rows, columns = view.window(region)
    z = view.z[rows, columns]
    sorted_z = np.sort(z[z < FAR]).astype(float)
    if not len(sorted_z):
        return None
    area = np.concatenate([[0.0], np.cumsum(np.square(sorted_z))]) / float(view.focal.prod())  # a pixel stands for z^2 / (fx fy)
    end = np.searchsorted(sorted_z, sorted_z + SUPPORT_DEPTH_M, side="right")
    supported = np.flatnonzero(area[end] - area[:-1] >= SUPPORT_M2)
    if not len(supported):
        return None
    nearest = sorted_z[supported[0]]
    surface = ((z >= nearest) & (z <= nearest + HAND_DEPTH_M)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(surface, connectivity=8)
    largest = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    down = _closeness(rows, view.step, region.v_min, region.v_max)
    across = _closeness(columns, view.step, region.u_min, region.u_max)
    weight = (down[:, None] * across)[largest]
    return _skin_to_joints(np.average(view.points[rows, columns][largest].astype(float), axis=0, weights=weight))


def _closeness(pixels: slice, step: int, low: float, high: float) -> np.ndarray:
    """Of coarse pixels to the middle of a box from `low` to `high` in the image: 1 there, falling to nearly 0 at its edges."""
    image_pixels = np.arange(pixels.start, pixels.stop) * step + step // 2
    return 1.01 - np.abs(2 * image_pixels - (low + high)) / (high - low)


def _middle(view: CoarseDepth, window: tuple[slice, slice]) -> np.ndarray | None:
    """(3,) metres: the surface in the middle third of a window."""
    thirds = tuple(slice(s.start + (s.stop - s.start) // 3, s.stop - (s.stop - s.start) // 3) for s in window)
    valid = view.z[thirds] < FAR
    return _skin_to_joints(np.median(view.points[thirds][valid].astype(float), axis=0)) if valid.any() else None


def _skin_to_joints(point: np.ndarray) -> np.ndarray:
    return point + np.array([0.0, 0.0, SKIN_TO_JOINTS_M])


def _apart(center: np.ndarray, others: Sequence[np.ndarray], distance_m: float) -> bool:
    return all(np.linalg.norm(center - other) > distance_m for other in others)


def _without_hands(view: CoarseDepth, known: Sequence[np.ndarray]) -> CoarseDepth:
    """The view without what is within HAND_SPACING_M of known hands' centres (3,)."""
    z = view.z
    for center in known:
        near = np.square(view.points - center.astype(np.float32)).sum(-1) < np.float32(HAND_SPACING_M**2)
        z = np.where(near, FAR, z)
    return view.with_z(z)
