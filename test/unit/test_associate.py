"""Whose hand is it: duplicates, changed places, hands that come back."""

import numpy as np
import pytest
from known_hand import flat_hand
from some_estimates import estimate_of

from hand_pose_ros.perception.associate import CENTER_M, SIZE_DEVIATION, misfit, one_arm, recognize, same_hand, settle
from hand_pose_ros.perception.track import Tracks

FRAME_NS = 33_000_000
HAND = flat_hand()
RIGHT, LEFT = HAND - [0.1, 0, 0], np.add(HAND, [0.1, 0, 0])


def two_tracks(sides=(0.95, 0.05)):
    tracks = Tracks(2)
    for joints, side in zip((RIGHT, LEFT), sides):
        track = tracks.start(estimate_of(joints, right_side=side), 0)
        for i in range(1, 10):
            track.see(estimate_of(joints, right_side=side), i * FRAME_NS)
    return list(tracks)


NOW = 10 * FRAME_NS


def test_misfit_by_hand():
    track = two_tracks()[0]
    seen = estimate_of((RIGHT - RIGHT.mean(0)) * 1.1 + RIGHT.mean(0) + [0.03, 0, 0], right_side=0.8)
    variance = track.motion.deviation(NOW) ** 2 + CENTER_M**2
    place, spread = 0.03**2 / variance, 3 * np.log(variance / CENTER_M**2)
    side = -2 * np.log(0.95 * 0.8 + 0.05 * 0.2)
    size = (np.log(1.1) / SIZE_DEVIATION) ** 2
    assert misfit(track, seen, NOW) == pytest.approx(place + spread + side + size)
    assert misfit(track, estimate_of(RIGHT), NOW) == pytest.approx(spread)  # the side is not told


def test_one_hand_is_told_from_two():
    mirrored = RIGHT.mean(0) + (RIGHT - RIGHT.mean(0)) * (-1, 1, 1)  # the same pixels seen as of the other side
    assert same_hand(estimate_of(RIGHT), estimate_of(RIGHT + 0.005)) and same_hand(estimate_of(RIGHT), estimate_of(mirrored))
    assert not same_hand(estimate_of(RIGHT), estimate_of(np.add(RIGHT, [0, 0, 0.045])))  # one behind the other
    assert not same_hand(estimate_of(RIGHT), estimate_of(LEFT))


def test_two_hands_cannot_have_one_forearm():
    """The wrist is joint 0; the fingers of the flat hand point upwards, y down."""
    hand, turned = HAND - HAND[0], (HAND - HAND[0]) * (-1, -1, 1)

    def at(y_m: float, joints: np.ndarray):
        return estimate_of(np.add(joints, (0.0, y_m, 0.5)))

    upper, elbow = at(0.0, hand), at(0.08, turned)
    assert one_arm(upper, elbow, 0) and one_arm(elbow, upper, 0)
    assert not one_arm(upper, at(0.15, turned), 0)  # too far below
    assert not one_arm(upper, at(-0.08, turned), 0)  # each takes the other's wrist
    assert not one_arm(upper, at(0.08, hand), 0)  # both point upwards
    assert not one_arm(upper, at(0.01, turned), 0)  # heel to heel
    assert not one_arm(upper, at(0.06, np.add(turned, (0.06, 0, 0))), 0)  # on the other forearm, beside which there is one more


def test_each_track_keeps_what_it_fits():
    tracks, answers = two_tracks(), [estimate_of(RIGHT), estimate_of(LEFT)]
    assert settle(tracks, answers, [True, True], NOW) == answers
    assert settle(tracks, answers[::-1], [False, False], NOW) == answers  # the crops had shown the other hand
    assert settle(tracks, [None, answers[1]], [True, True], NOW) == [None, answers[1]]


def test_of_two_answers_on_one_hand_the_track_that_it_fits_has_it():
    tracks = two_tracks()
    seen, again = estimate_of(RIGHT, right_side=0.9), estimate_of(RIGHT + 0.002, right_side=0.8)
    assert settle(tracks, [seen, again], [False, False], NOW) == [seen, None]
    assert settle(tracks[::-1], [again, seen], [False, False], NOW) == [None, seen]


def test_a_hand_that_is_followed_is_not_given_to_one_that_is_remembered():
    tracks = Tracks(2)
    followed, lost = tracks.start(estimate_of(HAND), 0), tracks.start(estimate_of(np.add(HAND, [0.06, 0, 0.05])), 0)
    for i in range(1, 10):
        followed.see(estimate_of(HAND), i * FRAME_NS)  # for a third of a second the other may have gone anywhere
    seen, again = estimate_of(np.add(HAND, [0.02, 0, 0])), estimate_of(np.add(HAND, [0.022, 0, 0]))
    assert settle([followed, lost], [seen, again], [True, True], NOW) == [seen, None]


def test_beside_another_hand_none_is_far_from_where_it_was_expected():
    tracks = two_tracks()
    away = estimate_of(RIGHT - [0.25, 0, 0], right_side=0.9)  # 25 cm within a frame
    assert settle(tracks, [away, None], [True, True], NOW) == [None, None]
    assert settle(tracks, [away, None], [False, True], NOW) == [away, None]


def test_lost_hands_are_recognized_by_place_and_side():
    tracks = two_tracks()
    found = [
        estimate_of(np.add(LEFT, [0.02, 0.05, 0]), right_side=0.1),
        estimate_of(np.add(RIGHT, [0.05, 0, 0.03]), right_side=0.9),
    ]
    assert recognize(tracks, found, [False, False], NOW) == {0: 1, 1: 0}
    between = [estimate_of(HAND, right_side=side) for side in (0.9, 0.1)]
    assert recognize(tracks, between, [False, False], NOW) == {0: 0, 1: 1}
    assert recognize(tracks, between[::-1], [False, False], NOW) == {0: 1, 1: 0}
    far = [estimate_of(RIGHT - [0.3, 0, 0])]
    assert recognize(tracks[:1], far, [False], NOW) == {0: 0}  # it jumped
    assert recognize(tracks[:1], far, [True], NOW) == {}  # it was hidden: that is not where it comes out
    assert recognize(tracks[:1], [estimate_of(RIGHT - [0.4, 0, 0])], [False], NOW) == {}
