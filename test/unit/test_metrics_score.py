import numpy as np
import pytest

from hand_pose_ros.bags.score import Score
from hand_pose_ros.scoring.matching import hand_distance
from hand_pose_ros.skeleton import HAND21

NAN = float("nan")


def hand(x, y=0.0, z=0.5):
    """A hand whose 21 joints are all at one place."""
    return np.tile([x, y, z], (21, 1)).astype(float)


def scored(*frames):
    score = Score(HAND21)
    for found, true in frames:
        score.add(found, true)
    return score


def test_distance_is_between_the_middles_of_what_both_know():
    partly = hand(0.03, 0.04)
    partly[5:] = NAN
    assert hand_distance(hand(0.0), partly) == pytest.approx(0.05)
    assert hand_distance(hand(0.0), hand(NAN)) == float("inf")


def test_each_true_hand_gets_the_nearest_found_one():
    left, right = hand(-0.1), hand(0.1)
    score = scored(([hand(0.103), hand(-0.104)], [left, right]))
    assert (score.frames_with_hand, score.missed_hands, score.false_hands) == (1, 0, 0)
    # The true hands in their order: 4 mm at the left, 3 mm at the right.
    assert score.errors.shape == (2, 21) and score.errors.mean(axis=1) == pytest.approx([0.004, 0.003])


def test_one_found_hand_is_not_counted_for_two():
    score = scored(([hand(0.0)], [hand(-0.01), hand(0.012)]))
    assert (score.frames_with_hand, score.missed_hands, score.false_hands) == (0, 1, 0)
    assert score.errors.mean(axis=1) == pytest.approx([0.010])


def test_beyond_50_mm_it_is_another_thing():
    score = scored(([hand(0.0499)], [hand(0.0)]), ([hand(0.0501)], [hand(0.0)]), ([], [hand(0.0)]), ([hand(0.0)], []))
    assert (score.frames, score.frames_with_hand, score.true_hands) == (4, 1, 3)
    assert (score.missed_hands, score.false_hands) == (2, 2)
    figures = score.figures()
    assert figures["mean_error_mm"] == pytest.approx(49.9) and figures["frames_within_50mm"] == 1


def test_no_pair_no_error():
    figures = scored(([], [hand(0.0)])).figures()
    assert figures["mean_error_mm"] is None and figures["missed_hands"] == 1
