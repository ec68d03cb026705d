"""Joints over time: the One-Euro filter, for output that is calm while the hand rests and quick while it moves.

Casiez, Roussel and Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems", CHI 2012,
algorithm 1: a first-order low-pass filter whose cutoff frequency grows with the speed, f_c = f_min + beta |speed|; the speed, of
the newest value against the last filtered one, is itself low-pass filtered, at 1 Hz. Here the time step is the difference of
the images' stamps, and the speed is the length of each joint's velocity vector, not one per axis, so that the result does not
depend on how the frame is turned.

One number from 0 to 1 sets both constants, see `cutoff`.

What is filtered has another covariance than what the network gave: the noise that is not shared by successive frames becomes
less, and a lag is added where the hand moves. The covariance that is published stays the network's, which is the larger of the
two for a hand at rest; it does not tell the lag.
"""

from __future__ import annotations

import numpy as np

SPEED_CUTOFF_HZ = 1.0
# At a strength near 0 and at 1: cutoff of a hand at rest, and how it grows with the speed (Hz per m/s).
LIGHT_HZ, HEAVY_HZ = 15.0, 0.5
LIGHT_BETA, HEAVY_BETA = 120.0, 7.0
MAX_GAP_S = 0.25  # after a longer gap, or where the stamps go back, the filter starts anew


def cutoff(strength: float) -> tuple[float, float]:
    """The filter's minimum cutoff frequency in Hz and its beta in Hz per m/s, for a strength above 0 up to 1.

    Both go from the light to the heavy setting in equal ratios.
    """
    return LIGHT_HZ * (HEAVY_HZ / LIGHT_HZ) ** strength, LIGHT_BETA * (HEAVY_BETA / LIGHT_BETA) ** strength


def smoothing_factor(elapsed_s: float, cutoff_hz: float | np.ndarray) -> float | np.ndarray:
    """Part of the newest value in the filtered one: alpha = 1 / (1 + tau / T_e), tau = 1 / (2 pi f_c)."""
    r = 2 * np.pi * cutoff_hz * elapsed_s
    return r / (r + 1)


class JointFilter:
    """The filter of one hand's joints."""

    def __init__(self) -> None:
        self._stamp_ns: int | None = None

    def add(self, joints: np.ndarray, stamp_ns: int, strength: float) -> np.ndarray:
        """The filtered joints (J, 3) of a frame in which they were found at `joints` (J, 3), metres.

        :param strength: 0 (as they are) to 1; may change from frame to frame
        """
        elapsed_s = 0.0 if self._stamp_ns is None else (stamp_ns - self._stamp_ns) * 1e-9
        self._stamp_ns = stamp_ns
        if not strength or not 0 < elapsed_s <= MAX_GAP_S:
            self._joints, self._velocity = joints, np.zeros_like(joints)
            return joints
        minimum_hz, beta = cutoff(strength)
        part = smoothing_factor(elapsed_s, SPEED_CUTOFF_HZ)
        self._velocity = self._velocity + part * ((joints - self._joints) / elapsed_s - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=1, keepdims=True)
        self._joints = self._joints + smoothing_factor(elapsed_s, minimum_hz + beta * speed) * (joints - self._joints)
        return self._joints
