"""Where a hand is going: a constant-velocity Kalman filter of its centre, with time steps from the stamps.

The three axes share one 2x2 covariance of position and velocity, for they are measured alike. The acceleration is white noise
(Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001, section 6.2.2), and a
velocity that is not seen any more fades, for a hand that was lost does not go on for ever.
"""

from __future__ import annotations

import numpy as np

MEASURED_M = 0.01  # deviation of the network's centre from one frame to the next
ACCELERATION = 2.0  # density of the acceleration's white noise, m^2/s^3
START_SPEED_M_S = 0.5  # deviation of the speed of a hand that was just found
FADE_S = 0.25  # in which an unseen hand's velocity falls to 1/e
# After a longer gap in the stamps, or where they go back, the speed says nothing about where the hand is now.
MAX_GAP_S = 0.6
JUMP = 5.0  # deviations from where it was expected: it has not moved there, it was found at another place


class Motion:
    """Position (3,) and velocity (3,) in metres and seconds, camera optical frame, at the stamp of the last `see`."""

    def __init__(self, position: np.ndarray, stamp_ns: int) -> None:
        self._start(position, stamp_ns)

    def _start(self, position: np.ndarray, stamp_ns: int) -> None:
        self.position, self.velocity = np.asarray(position, float), np.zeros(3)
        self.stamp_ns = stamp_ns
        self._pp, self._pv, self._vv = MEASURED_M**2, 0.0, START_SPEED_M_S**2

    def _elapsed_s(self, stamp_ns: int) -> float:
        """Seconds since the hand was seen; 0 where that says nothing."""
        elapsed_s = (stamp_ns - self.stamp_ns) * 1e-9
        return elapsed_s if 0 < elapsed_s <= MAX_GAP_S else 0.0

    def predict(self, stamp_ns: int) -> np.ndarray:
        """(3,) where the hand will be."""
        return self.position + self.velocity * FADE_S * (1 - np.exp(-self._elapsed_s(stamp_ns) / FADE_S))

    def deviation(self, stamp_ns: int) -> float:
        """Standard deviation of `predict` along one axis, metres; over a longer gap, or back in time, that of MAX_GAP_S."""
        elapsed_s = (stamp_ns - self.stamp_ns) * 1e-9
        return float(np.sqrt(self._predicted(elapsed_s if 0 <= elapsed_s <= MAX_GAP_S else MAX_GAP_S)[0]))

    def _predicted(self, dt: float) -> tuple[float, float, float]:
        """The covariance's pp, pv and vv after dt seconds: F P F' + Q."""
        q = ACCELERATION
        pp = self._pp + dt * (2 * self._pv + dt * self._vv) + q * dt**3 / 3
        return pp, self._pv + dt * self._vv + q * dt**2 / 2, self._vv + q * dt

    def see(self, position: np.ndarray, stamp_ns: int) -> None:
        """The hand was found at a position (3,)."""
        dt = self._elapsed_s(stamp_ns)
        pp, pv, vv = self._predicted(dt)
        variance = pp + MEASURED_M**2
        missed_by = position - self.position - self.velocity * dt
        if not dt or missed_by @ missed_by > JUMP**2 * variance:
            self._start(position, stamp_ns)
            return
        gain, speed_gain = pp / variance, pv / variance
        self.position = position - (1 - gain) * missed_by
        self.velocity = self.velocity + speed_gain * missed_by
        self._pp, self._pv, self._vv = (1 - gain) * pp, (1 - gain) * pv, vv - speed_gain * pv
        self.stamp_ns = stamp_ns
