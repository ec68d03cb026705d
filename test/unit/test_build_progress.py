"""One growing figure from TensorRT's nested phases."""

import pytest

from hand_pose_ros.inference.build_progress import BuildProgress, PhaseTracker


def heard(*calls: tuple[str, int, int]) -> list[BuildProgress]:
    found: list[BuildProgress] = []
    tracker = PhaseTracker(found.append)
    for call in calls:
        tracker(*call)
    return found


def test_inner_phases_fill_one_step_of_the_outer_one():
    found = heard(
        ("all", 0, 4), ("first", 0, 2), ("first", 1, 2), ("part", 0, 5), ("part", 1, 5), ("part", 5, 5), ("first", 2, 2)
    )
    # "first" is one quarter, each of its steps an eighth, each of the five steps of "part" a fortieth.
    assert [round(p.share, 4) for p in found] == [0, 0, 0.125, 0.125, 0.15, 0.25, 0.25]
    assert [p.text for p in found] == ["all", "first", "first", "part", "part", "part", "first"]


def test_a_phase_may_come_again_and_the_share_never_falls():
    found = heard(("all", 0, 2), ("part", 0, 1), ("part", 1, 1), ("part", 0, 1), ("part", 1, 1), ("all", 1, 2), ("all", 2, 2))
    shares = [p.share for p in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_phase_that_is_over_closes_those_within():
    assert [p.share for p in heard(("all", 0, 4), ("part", 0, 9), ("inner", 3, 9), ("all", 3, 4), ("other", 1, 2))][-1] == 0.875


@pytest.mark.parametrize("total", [0, 1])
def test_phases_without_steps(total):
    assert heard(("all", 0, total))[-1].share == 0.0


def test_in_words():
    assert str(BuildProgress(0.434, "Timing tactics")) == "43% (Timing tactics)"
