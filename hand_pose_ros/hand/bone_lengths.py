"""The sizes of a hand as they are known after many frames, and joints that keep to them.

The estimate is the mean of what the frames say, each with the weight that its covariance gives (a length's variance is that of
both its ends), forgetting slowly; a frame that disagrees by more than three standard deviations counts as if by three. The errors
of a frame and the next are much alike, so the mean of n frames is not sqrt(n) times better than one.
"""

from __future__ import annotations

import numpy as np

from hand_pose_ros.hand.bones import HandBones, finger_chains, measured_bones
from hand_pose_ros.skeleton import HAND21

MEMORY_FRAMES = 300  # what lies further back counts e times less, if the frames since were as sure
_SETTLED_FRAMES = 10
_FLOOR_M2 = 0.002**2  # no network places joints better, whatever it says
_WIDEST = 3.0
_SHORTEST_M = 1e-4
_WRIST = HAND21.index("wrist")


class BoneEstimate:
    """The sizes of one hand."""

    def __init__(self) -> None:
        self.frames = 0
        self._mean = np.zeros((5, 6))  # base x y z, then three lengths, of every finger
        self._weight = np.zeros((5, 6))

    @property
    def bones(self) -> HandBones:
        """What is known now; of no frame yet, zeros."""
        return HandBones(self._mean[:, :3].copy(), self._mean[:, 3:].copy())

    def add(self, local: np.ndarray, variance: np.ndarray) -> None:
        """A frame.

        :param local: joints (21, 3) in palm coordinates
        :param variance: (21,) m^2 of each joint in any direction
        """
        bones, joint = measured_bones(local), np.maximum(variance, _FLOOR_M2)
        ends = finger_chains(joint)
        seen = np.concatenate([bones.bases, bones.lengths], axis=1)
        spread = np.empty((5, 6))
        spread[:, :3] = ends[:, :1] + joint[_WRIST]
        spread[:, 3:] = ends[:, 1:] + ends[:, :-1]
        self._weight = self._weight * (1 - 1 / MEMORY_FRAMES) + 1 / spread
        limit = _WIDEST * np.sqrt(spread)
        change = seen - self._mean if self.frames == 0 else np.clip(seen - self._mean, -limit, limit)
        self._mean += change / (spread * self._weight)
        self.frames += 1

    def stabilized(self, joints: np.ndarray, share: float) -> np.ndarray:
        """Joints (21, 3) in metres in any frame, moved along the bones towards the lengths known.

        :param share: 0 leaves them, 1 gives every bone its length; a hand that is new is moved less
        """
        share *= self.frames / (self.frames + _SETTLED_FRAMES)
        chains = finger_chains(joints)
        bones = np.concatenate([chains[:, :1] - joints[_WRIST], chains[:, 1:] - chains[:, :-1]], axis=1)
        lengths = np.sqrt((bones * bones).sum(axis=2))
        known = np.concatenate([np.sqrt((self._mean[:, :3] ** 2).sum(axis=1))[:, None], self._mean[:, 3:]], axis=1)
        scale = 1 + share * (known / np.maximum(lengths, _SHORTEST_M) - 1)
        out = np.empty_like(joints, dtype=float)
        out[_WRIST] = joints[_WRIST]
        finger_chains(out)[:] = joints[_WRIST] + np.cumsum(bones * scale[..., None], axis=1)
        return out
