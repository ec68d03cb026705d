"""What a surface looks like from one of its points: walk outwards along rays until the surface ends.

A hand seen from its palm ends within a hand's length in every direction but one, where the forearm goes on. The middle
of a forearm goes on in two directions, a chest in all. That tells hands from other things without any training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.perception.coarse import CoarseDepth

RAYS = 24
STEP_M = 0.0125
REACH_M = 0.13  # a surface that goes on this far from the middle of a palm is no finger
HAND_AREA_M2 = 0.0105  # star-shaped, of an open hand; a fist has half of it
FOREARM_PART = 0.15  # of the circle around a palm, a wide forearm
FINGER_STEP_M = 0.015  # between a ray along a finger and the next one beside it
# Fingers folded before a palm are still the hand: what lies so little behind or before the starting point counts as one surface.
FOLD_BEHIND_M, FOLD_BEFORE_M = 0.04, 0.06
_STEPS = np.arange(1, 14, dtype=np.float32) * np.float32(STEP_M)
_ANGLES = 2 * np.pi * np.arange(RAYS) / RAYS
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], -1).astype(np.float32)


def surface_jump(z: np.ndarray) -> np.ndarray:
    """The depth step between neighbours, metres, that is no longer one surface: slant of about 70 degrees and noise."""
    return np.float32(0.03) + np.float32(0.015) * z


@dataclass(frozen=True)
class LimbRays:
    """Rays from S points; R = steps a ray.

    :param start: (S,) the points' pixels, as indices into the flattened image
    :param pixels: (S, RAYS, R) the pixel of each step, likewise
    :param points: (S, RAYS, R, 3) metres, where each step meets the surface
    :param inside: (S, RAYS, R) bool, the steps on the point's own surface within REACH_M
    :param goes_on: (S, RAYS) weight of a ray whose surface goes on: 1 beyond REACH_M, 0.5 out of the image (a hand
        may be cut by the border, a forearm may come in there), else 0
    :param reach: (S, RAYS) metres to the last step inside
    :param area_m2: (S,) of the star-shaped surface seen
    :param center: (S, 3) the points themselves, metres
    """

    start: np.ndarray
    pixels: np.ndarray
    points: np.ndarray
    inside: np.ndarray
    goes_on: np.ndarray
    reach: np.ndarray
    area_m2: np.ndarray
    center: np.ndarray

    @classmethod
    def walk(cls, view: CoarseDepth, start: np.ndarray) -> LimbRays:
        """Walk from the pixels (S,) given as indices into the flattened image; each has a depth."""
        height, width = view.z.shape
        surface = view.points.reshape(-1, 3)
        center = surface[start]
        z0 = center[:, 2]
        row, column = np.divmod(start, width)
        step_px = (_STEPS / z0[:, None])[:, None, :]
        u = np.rint(column[:, None, None] + step_px * (_DIRECTIONS[:, 0, None] * view.focal[0])).astype(np.int32)
        v = np.rint(row[:, None, None] + step_px * (_DIRECTIONS[:, 1, None] * view.focal[1])).astype(np.int32)
        within = (u >= 0) & (v >= 0) & (u < width) & (v < height)
        pixels = np.where(within, v * width + u, start[:, None, None])
        points = surface.take(pixels, axis=0)
        z = points[..., 2]
        before = np.empty_like(z)
        before[..., 0], before[..., 1:] = z0[:, None], z[..., :-1]
        off = z - z0[:, None, None]
        folded = (off < np.float32(FOLD_BEHIND_M)) & (off > np.float32(-FOLD_BEFORE_M))
        smooth = np.abs(z - before) < surface_jump(z0)[:, None, None]
        on_surface = np.logical_and.accumulate(within & (smooth | folded), axis=2)
        away = np.sqrt(np.square(points - center[:, None, None]).sum(-1))
        near = away < np.float32(REACH_M)
        inside = on_surface & np.logical_and.accumulate(near, axis=2)
        alive = np.ones_like(on_surface)
        alive[..., 1:] = on_surface[..., :-1]
        leaves = (alive & ~within).any(2)
        beyond = (on_surface & ~near).any(2)
        reach = np.where(inside, away, 0).max(2)
        area = np.square(reach).sum(1) * np.float32(np.pi / RAYS)
        goes_on = np.where(beyond, np.float32(1), np.float32(0.5) * leaves)
        return cls(start, pixels, points, inside, goes_on, reach, area, center)

    def score(self) -> np.ndarray:
        """(S,) how much each point looks like the middle of a hand, 0 to 1; nearer ones before farther ones.

        The product of soft preferences: fingers, one forearm and no more, a hand's size, near the camera.
        """
        part = self.goes_on.mean(1)
        one_way = np.abs(self.goes_on @ np.exp(1j * _ANGLES)) / RAYS  # as `part` where all that goes on goes one way
        closed = self.goes_on == 0
        pairs = closed & np.roll(closed, 1, axis=1)
        uneven = (np.abs(self.reach - np.roll(self.reach, 1, axis=1)) > FINGER_STEP_M) & pairs
        fingers = uneven.sum(1) / np.maximum(pairs.sum(1), 1)
        size = np.log(np.maximum(self.area_m2, 1e-5) / HAND_AREA_M2)
        return (
            (0.5 + np.minimum(fingers, 0.4))
            * np.exp(-np.square((part - one_way) / 0.08))
            * np.exp(-np.square(np.maximum(part - FOREARM_PART, 0) / 0.12))
            * np.exp(-0.5 * np.square(size / np.where(size < 0, 0.8, 0.5)))
            * np.exp(-self.center[:, 2] / 0.5)
        )

    def hand_centers(self, length_m: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the hand's middle is, seen from each point.

        :param length_m: how much of the limb's end counts
        :return: (S, 3) metres, on the skin: the mean of the surface within `length_m` of its end, where the end lies
            opposite to where the limb goes on, so that it does not slide down the forearm; (S,) the pixel of the
            surface nearest to it, to walk again from there
        """
        weight = self.inside * _STEPS  # a step stands for an area that grows with its distance
        middle = _weighted_mean(self.points, weight)
        last = np.maximum(self.inside.sum(2) - 1, 0)[..., None, None]
        ends = np.take_along_axis(self.points, last, 2)[:, :, 0]
        limb = (ends * self.goes_on[..., None]).sum(1) - middle * self.goes_on.sum(1)[:, None]
        to_end = -limb / np.maximum(np.linalg.norm(limb, axis=1), 1e-6)[:, None]
        along = (self.points @ to_end[:, None, :, None])[..., 0]
        end = np.where(self.inside, along, -np.inf).max((1, 2))
        # Where the surface goes on nowhere all of it is the hand.
        part = (along > (end - np.float32(length_m))[:, None, None]) | ~self.goes_on.any(1)[:, None, None]
        center = _weighted_mean(self.points, weight * part)
        shift = (end - np.float32(length_m / 2) - (center * to_end).sum(1)) * self.goes_on.any(1)
        center = center + shift[:, None] * to_end
        off = np.where(self.inside, np.square(self.points - center[:, None, None]).sum(-1), np.inf).reshape(len(center), -1)
        nearest = self.pixels.reshape(len(center), -1)[np.arange(len(center)), off.argmin(1)]
        alone = ~self.inside.any((1, 2))  # a speck without a surface stays where it is
        center[alone] = self.center[alone]
        return center, np.where(alone, self.start, nearest)


def _weighted_mean(points: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = np.maximum(weight.sum((1, 2)), 1e-9)
    return np.einsum("skr,skrc->sc", weight, points) / total[:, None]
