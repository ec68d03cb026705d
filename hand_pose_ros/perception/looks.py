"""Looks of the network at places in a frame: once more where it was badly centred, and at the mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hand_pose_ros.perception.estimate import Estimate, HandEstimator, StageClock
from hand_pose_ros.perception.rivals import Rivals
from hand_pose_ros.perception.types import DepthFrame

# First looks are badly centred, so a hand's presence may still be low there, but not as low as an empty table's.
WORTH_A_SECOND_LOOK = 0.1


def look_again(
    estimator: HandEstimator,
    frame: DepthFrame,
    estimates: list[Estimate | None],
    recenter_m: float,
    clock: StageClock,
    rivals: Sequence[Rivals | None] = (),
) -> list[Estimate | None]:
    """Repeat what was more than `recenter_m` off its crop's centre on its own joints; of both answers the surer one counts.

    :param rivals: as for `HandEstimator.run`
    """
    again = [i for i, e in enumerate(estimates) if e is not None and e.off_center_m > recenter_m]
    if not again:
        return estimates
    mirrored = [estimates[i].mirrored for i in again]
    second = estimator.run(
        frame, [estimates[i].center for i in again], mirrored, clock, [rivals[i] for i in again] if rivals else ()
    )
    better = {i: e for i, e in zip(again, second) if e is not None and e.sureness >= estimates[i].sureness}
    return [better.get(i, e) for i, e in enumerate(estimates)]


def choose_sides(
    estimator: HandEstimator, frame: DepthFrame, estimates: list[Estimate | None], clock: StageClock
) -> list[Estimate | None]:
    """For a model of one side: look at the other image, mirrored or not, too, and keep the look that fits the side both speak
    for."""
    asked = [i for i, e in enumerate(estimates) if e is not None]
    if not estimator.one_sided or not asked:
        return estimates
    looks = [estimates[i] for i in asked]
    others = estimator.run(frame, [e.center for e in looks], [not e.mirrored for e in looks], clock)
    chosen = list(estimates)
    for i, look, other in zip(asked, looks, others):
        if other is not None:
            right_side = (look.right_side + other.right_side) / 2
            chosen[i] = replace(other if estimator.mirrors(right_side) != look.mirrored else look, right_side=right_side)
    return chosen


def promising(estimates: Sequence[Estimate | None]) -> list[Estimate | None]:
    """Those that may be hands, None in place of the others."""
    return [e if e is not None and e.presence >= WORTH_A_SECOND_LOOK else None for e in estimates]
