"""The offset between the clock of the hands and that of the ground truth, from how fast the hands move by both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HandFrame, NamedHand
from hand_pose_ros.scoring.clock_offset import WEAK, ClockOffset, clock_offset
from hand_pose_ros.scoring.matching import KnownHand

log = logging.getLogger(__name__)
# The beginning of the recording that is looked at: more would not make the offset surer, and would take memory.
LOOKED_AT_S = 120.0
# A hand that was not seen for longer did not move at one speed in between.
LONGEST_STEP_S = 0.2


def speeds(frames: Iterator[HandFrame], joints_of: Callable[[NamedHand], KnownHand]) -> tuple[int, np.ndarray, np.ndarray]:
    """How fast the hands of a sequence move: mean of the hands that are in a frame and the one before.

    :return: stamp of the first frame in ns, (N,) seconds since then, (N,) metres a second (0 where there is no hand)
    """
    first, before, before_s = None, {}, 0.0
    times: list[float] = []
    values: list[float] = []
    for frame in frames:
        first = frame.stamp_ns if first is None else first
        now_s = (frame.stamp_ns - first) * 1e-9
        if now_s > LOOKED_AT_S:
            break
        centers = {hand.id: joints_of(hand).joints.mean(axis=0) for hand in frame.hands}
        step = now_s - before_s
        moved = [float(np.linalg.norm(center - before[i])) for i, center in centers.items() if i in before]
        moved = [distance for distance in moved if np.isfinite(distance)]
        if times:
            # The speed of a step belongs to its middle.
            times.append(now_s - step / 2)
            values.append(float(np.mean(moved)) / step if moved and 0 < step <= LONGEST_STEP_S else 0.0)
        else:
            times.append(now_s)
            values.append(0.0)
        before, before_s = centers, now_s
    return first or 0, np.array(times), np.array(values)


def estimate_offset(
    found: tuple[int, np.ndarray, np.ndarray], true: tuple[int, np.ndarray, np.ndarray], limit_s: float, bag: Path, truth: str
) -> ClockOffset:
    """What the ground truth's clock is ahead of that of the hands.

    :param found, true: what `speeds` gave
    :param limit_s: the greatest that is looked at, about 0; where the two do not overlap, about what their beginnings differ
    :raises EvaluationError: the hands do not move, or are not seen together for long enough
    """
    apart_s = (true[0] - found[0]) * 1e-9
    found_end, true_end = found[1][-1:].sum(), apart_s + true[1][-1:].sum()
    about_s = 0.0 if apart_s < found_end and true_end > 0 else apart_s
    offset = clock_offset(found[1], found[2], true[1] + apart_s, true[2], limit_s, about_s)
    if offset is None:
        raise EvaluationError(
            f"{bag}: the clock offset to the ground truth on {truth} cannot be estimated: the hands must be seen by both, and "
            "move, for some seconds. Give it with --offset SECONDS"
        )
    text = f"{bag}: the ground truth's clock is {offset.seconds:.3f} s ahead (correlation of the motion {offset.correlation:.2f})"
    if offset.correlation < WEAK:
        log.warning("%s: weak, check it or give --offset SECONDS", text)
    else:
        log.info("%s", text)
    return offset
