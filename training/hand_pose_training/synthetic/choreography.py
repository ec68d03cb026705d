"""What two hands do in front of a camera: a script of acts, each a few key positions, angles and shapes of both.

Positions are the hands' middles in the camera's frame; angles (yaw, pitch, roll) turn a hand whose palm is to the camera and
whose fingers are up. Both are written for the right hand; the left one's yaw and roll are mirrored. Between two key times
everything moves with the least jerk (Flash & Hogan, J. Neuroscience 1985, eq. 3), so it is at rest at each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hand_pose_training.synthetic.poses import ANCHORS

RIGHT, LEFT = 0, 1
GRIP = "power"  # the shape of a hand that holds the object
GRIP_OFFSET_M = 0.055  # along the object, from its middle to each of the two hands that hold it when it is passed
_FREE_SHAPES = ("open", "fist", "point", "two", "three", "four", "spread", "relaxed", "pinch", "thumbs_up", "flat", "claw", "gun")
_SHAPE_S, _SHAPE_MOVE_S = (0.5, 1.1), 0.4
_NEUTRAL = np.zeros(3)


class Keyframes:
    """A path through key values (D,); times must grow."""

    def __init__(self, time_s: float, value: np.ndarray) -> None:
        self._times, self._values = [time_s], [np.asarray(value, float)]

    def add(self, time_s: float, value: np.ndarray) -> None:
        """Be at `value` at that time."""
        self._times.append(time_s)
        self._values.append(np.asarray(value, float))

    def hold(self, time_s: float) -> None:
        """Stay until that time."""
        self.add(time_s, self._values[-1])

    def at(self, time_s: float) -> np.ndarray:
        """(D,) the value; before the first and after the last time, theirs."""
        i = int(np.searchsorted(self._times, time_s, side="right"))
        if i == 0 or i == len(self._times):
            return self._values[min(i, len(self._times) - 1)]
        s = (time_s - self._times[i - 1]) / (self._times[i] - self._times[i - 1])
        return self._values[i - 1] + s**3 * (10 - 15 * s + 6 * s * s) * (self._values[i] - self._values[i - 1])


@dataclass(frozen=True)
class Stage:
    """Where the two hands act.

    :param middle: (3,) between them, metres
    :param right_x: -1 where the right hand is on the image's left (a person who faces the camera), 1 on its right
    :param apart_m: half the distance of the hands at home
    :param edge_m: (2,) metres from the optical axis to the image's side and lower edge at the middle's distance
    :param base: (3,) angles of a hand at home
    """

    middle: np.ndarray
    right_x: int
    apart_m: float
    edge_m: np.ndarray
    base: np.ndarray = field(default_factory=lambda: np.zeros(3))

    @property
    def inward(self) -> int:
        """Sign of the yaw that turns the palms to each other: one's own hands show the camera their backs."""
        return -self.right_x

    def outward(self, hand: int) -> np.ndarray:
        """(3,) from the middle to a hand's own side."""
        return np.array([self.right_x if hand == RIGHT else -self.right_x, 0.0, 0.0])

    def home(self, hand: int) -> np.ndarray:
        """(3,) where a hand is between two acts."""
        return self.middle + self.apart_m * self.outward(hand)


class Script:
    """Paths of both hands, and from when to when each holds the object.

    :ivar positions, angles, shapes: Keyframes of each hand, (3,), (3,) and (25,)
    :ivar passed_s: when the object changes hands, from `giver` to the other; None without an object
    """

    def __init__(self, rng: np.random.Generator, stage: Stage, seconds: float, acts: list[Act]) -> None:
        self.stage, self.rng = stage, rng
        self.positions = [Keyframes(0.0, stage.home(hand)) for hand in (RIGHT, LEFT)]
        self.angles = [Keyframes(0.0, stage.base) for _ in (RIGHT, LEFT)]
        self.passed_s: float | None = None
        self.giver = RIGHT
        self._fixed: list[tuple[float, float, int, str]] = []  # from, until, hand, shape
        end = rng.uniform(0.4, 0.8)
        for act in acts:
            self._rest(end)
            end = act(self, end)
        self.shapes = [self._shapes(hand, seconds) for hand in (RIGHT, LEFT)]

    def move(self, hand: int, time_s: float, position: np.ndarray, angles: np.ndarray = _NEUTRAL) -> None:
        """Be there at that time, turned by these angles from home's."""
        self.positions[hand].add(time_s, position)
        self.angles[hand].add(time_s, self.stage.base + angles)

    def go_home(self, time_s: float) -> None:
        """Both hands are home at that time, give or take some centimetres."""
        for hand in (RIGHT, LEFT):
            self.move(hand, time_s, self.stage.home(hand) + self.rng.uniform(-1, 1, 3) * (0.02, 0.03, 0.04))

    def shape(self, hand: int, start_s: float, end_s: float, name: str) -> None:
        """A hand has this shape from `start_s` to `end_s`."""
        self._fixed.append((start_s, end_s, hand, name))

    def _rest(self, time_s: float) -> None:
        for paths in (self.positions, self.angles):
            for path in paths:
                path.hold(time_s)

    def _shapes(self, hand: int, seconds: float) -> Keyframes:
        """Free shapes one after the other, with those that the acts ask for in their times."""
        fixed = sorted((start, end, name) for start, end, owner, name in self._fixed if owner == hand)
        path = Keyframes(-1.0, ANCHORS["open"] if not fixed or fixed[0][0] > 0 else ANCHORS[fixed[0][2]])
        now = 0.0
        for start, end, name in [*fixed, (seconds + 1, seconds + 2, "open")]:
            while now + _SHAPE_MOVE_S + _SHAPE_S[1] < start - _SHAPE_MOVE_S:
                path.add(now + _SHAPE_MOVE_S, ANCHORS[self.rng.choice(_FREE_SHAPES)])
                now += _SHAPE_MOVE_S + self.rng.uniform(*_SHAPE_S)
                path.hold(now)
            if start > 0:
                path.hold(max(start - _SHAPE_MOVE_S, now + 1e-3))
                path.add(max(start, now + 0.1), ANCHORS[name])
            now = max(end, now + 0.2)
            path.hold(now)
        return path


Act = Callable[[Script, float], float]  # from a time on; returns when it ends


def cross(script: Script, start: float) -> float:
    """The hands change sides, one well in front of the other, and come back."""
    stage, rng = script.stage, script.rng
    front = int(rng.integers(2))
    gap, move, hold = rng.uniform(0.05, 0.09), rng.uniform(0.5, 1.0), rng.uniform(0.1, 0.5)
    reach = rng.uniform(0.5, 1.0)
    for hand in (RIGHT, LEFT):
        depth = np.array([0.0, 0.0, -gap if hand == front else gap])
        script.move(hand, start + 0.3, stage.home(hand) + depth)
        script.move(hand, start + 0.3 + move, stage.middle - reach * stage.apart_m * stage.outward(hand) + depth)
        script.positions[hand].hold(start + 0.3 + move + hold)
        script.angles[hand].hold(start + 0.3 + move + hold)
        script.move(hand, start + 0.3 + 2 * move + hold, stage.home(hand) + depth)
    script.go_home(end := start + 0.6 + 2 * move + hold)
    return end


def touch(script: Script, start: float) -> float:
    """The palms come together and part."""
    stage, rng = script.stage, script.rng
    move, hold, turn = rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.6), rng.uniform(0.9, 1.25)
    for hand in (RIGHT, LEFT):
        script.move(
            hand,
            start + move,
            stage.middle + rng.uniform(0.024, 0.034) * stage.outward(hand),
            np.array([stage.inward * turn, 0, 0]),
        )
        script.shape(hand, start + 0.6 * move, start + move + hold, "flat")
        script.positions[hand].hold(start + move + hold)
        script.angles[hand].hold(start + move + hold)
    script.go_home(end := start + 2 * move + hold)
    return end


def clasp(script: Script, start: float) -> float:
    """A fist goes into the other, cupped hand."""
    stage, rng = script.stage, script.rng
    cup = int(rng.integers(2))
    move, hold = rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.6)
    for hand in (RIGHT, LEFT):
        side = 0.036 * stage.outward(hand) + (0, 0, 0.012 if hand == cup else -0.012)
        turn = stage.inward * (0.8 if hand == cup else 0.3)
        script.move(hand, start + move, stage.middle + side, np.array([turn, 0, 0]))
        script.shape(hand, start + 0.6 * move, start + move + hold, "cup" if hand == cup else "fist")
        script.positions[hand].hold(start + move + hold)
        script.angles[hand].hold(start + move + hold)
    script.go_home(end := start + 2 * move + hold)
    return end


def leave(script: Script, start: float) -> float:
    """A hand goes out of the image, to its side or down, and comes back."""
    stage, rng = script.stage, script.rng
    hand, down = int(rng.integers(2)), bool(rng.integers(2))
    target = stage.home(hand)
    if down:
        target[1] = stage.edge_m[1] + 0.13
    else:
        target[0] = stage.outward(hand)[0] * (stage.edge_m[0] + 0.12)
    move, hold = rng.uniform(0.5, 0.9), rng.uniform(0.2, 1.0)
    script.move(hand, start + move, target)
    script.positions[hand].hold(start + move + hold)
    script.angles[hand].hold(start + move + hold)
    other = 1 - hand
    script.move(other, start + move + hold, stage.home(other) + rng.uniform(-1, 1, 3) * (0.04, 0.05, 0.06))
    script.go_home(end := start + 2 * move + hold)
    return end


def hand_over(script: Script, start: float) -> float:
    """The hand that has had the object since the beginning gives it to the other, which keeps it."""
    stage, rng = script.stage, script.rng
    move, hold = rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.5)
    script.giver = int(rng.integers(2))
    script.passed_s = start + move + hold / 2
    for hand in (RIGHT, LEFT):
        script.move(hand, start + move, stage.middle + GRIP_OFFSET_M * stage.outward(hand))
        script.positions[hand].hold(start + move + hold)
        script.angles[hand].hold(start + move + hold)
    script.shape(script.giver, -1.0, start + move + hold, GRIP)
    script.shape(1 - script.giver, start + move, 1e3, GRIP)
    script.go_home(end := start + 2 * move + hold)
    return end
