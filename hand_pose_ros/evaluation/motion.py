"""The offset between the clock of the hands and that of the ground truth, from how fast the hands move by both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HandFrame, NamedHand
from hand_pose_ros.scoring.clock_offset import WEAK, ClockOffset, clock_offset
from hand_pose_ros.scoring.matching import KnownHand

log = logging.getLogger(__name__)
# What is looked at of a recording: more would not make the offset surer, and would take memory.
LOOKED_AT_S = 120.0
# A hand that was not seen for longer did not move at one speed in between.
LONGEST_STEP_S = 0.2


class Side(NamedTuple):
    """Hands over time, as a model or a motion capture system has them.

    :param frames: by ascending stamp, from the beginning each time it is called
    :param known: of a hand, the joints that both sides have
    """

    frames: Callable[[], Iterator[HandFrame]]
    known: Callable[[NamedHand], KnownHand]


def speeds(side: Side, from_ns: int, until_ns: int) -> tuple[int, np.ndarray, np.ndarray]:
    """How fast the hands move between two stamps: mean of the hands that are in a frame and the one before.

    :return: stamp of the first frame in ns, (N,) seconds since then, (N,) metres a second (0 where there is no hand)
    """
    first, before, before_s = None, {}, 0.0
    times: list[float] = []
    values: list[float] = []
    for frame in side.frames():
        if frame.stamp_ns < from_ns:
            continue
        if frame.stamp_ns > until_ns:
            break
        first = frame.stamp_ns if first is None else first
        now_s = (frame.stamp_ns - first) * 1e-9
        centers = {hand.id: side.known(hand).joints.mean(axis=0) for hand in frame.hands}
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


def estimate_offset(found: Side, true: Side, limit_s: float, bag: Path, truth: str) -> ClockOffset:
    """What the ground truth's clock is ahead of that of the hands, from the beginning of what the two have in common on.

    :param limit_s: the greatest that is looked at, about 0; where the two do not overlap, about what their beginnings differ
    :raises EvaluationError: the hands do not move, or are not seen together for long enough
    """
    begins = [next((frame.stamp_ns for frame in side.frames()), 0) for side in (found, true)]
    limit_ns, about_s = round(limit_s * 1e9), 0.0
    if all(any(frame.stamp_ns >= max(begins) for frame in side.frames()) for side in (found, true)):
        starts = [max(begins) - limit_ns] * 2  # what the one shows first, the other may have this much earlier
    else:
        starts, about_s = begins, (begins[1] - begins[0]) * 1e-9
        log.warning(
            "%s: the times of the hands and of the ground truth on %s do not overlap: taken for two clocks, and for begun within "
            "%g s of each other (--max-offset). Their beginnings are %.3f s apart", bag, truth, limit_s, about_s,
        )  # fmt: skip
    length_ns = round(LOOKED_AT_S * 1e9) + 2 * limit_ns
    found_ns, found_s, found_m_s = speeds(found, starts[0], starts[0] + length_ns)
    true_ns, true_s, true_m_s = speeds(true, starts[1], starts[1] + length_ns)
    offset = clock_offset(found_s, found_m_s, true_s + (true_ns - found_ns) * 1e-9, true_m_s, limit_s, about_s)
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
