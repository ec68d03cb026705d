"""Tracks: averaged side and size, ids that are never used again, slots that are."""

import numpy as np
import pytest
from known_hand import flat_hand
from some_estimates import estimate_of

from hand_pose_ros.perception.track import Tracks
from hand_pose_ros.perception.types import Side

FRAME_NS = 33_000_000
HAND = flat_hand()


def test_side_is_averaged():
    track = Tracks(1).start(estimate_of(HAND), 0)
    side, probability = track.side()
    assert side is Side.UNKNOWN and np.isnan(probability)
    track = Tracks(1).start(estimate_of(HAND, right_side=0.9), 0)
    assert track.side() == (Side.RIGHT, 0.9)
    track.see(estimate_of(HAND, right_side=0.7), FRAME_NS)  # the mean of the first ones
    assert track.side() == (Side.RIGHT, pytest.approx(0.8))
    for i in range(2, 20):
        track.see(estimate_of(HAND, right_side=1.0), i * FRAME_NS)
    before = track.right_side
    track.see(estimate_of(HAND, right_side=0.0), 20 * FRAME_NS)  # from the tenth on the newest counts a tenth
    assert track.side() == (Side.RIGHT, pytest.approx(0.9 * before))
    for i in range(21, 30):
        track.see(estimate_of(HAND, right_side=0.0), i * FRAME_NS)
    assert track.side()[0] is Side.LEFT
    track.see(estimate_of(HAND), 30 * FRAME_NS)  # a frame that does not tell
    assert track.side()[0] is Side.LEFT


def test_a_track_knows_the_hands_size_and_where_its_joints_will_be():
    track = Tracks(1).start(estimate_of(HAND), 0)
    bones = [np.linalg.norm(HAND[a] - HAND[b]) for a, b in estimate_of(HAND).bones]
    assert track.size_m == pytest.approx(sum(bones))
    for i in range(1, 20):
        track.see(estimate_of(np.add(HAND, [0.02 * i, 0, 0])), i * FRAME_NS)
    ahead = track.predicted_joints(20 * FRAME_NS) - HAND
    assert np.ptp(ahead, axis=0).max() < 1e-9 and ahead[0, 0] == pytest.approx(0.4, abs=0.004)


def test_a_track_is_doubtful_while_its_joints_are():
    track = Tracks(1).start(estimate_of(HAND, sureness=0.9), 0)
    track.see(estimate_of(HAND, sureness=0.1), FRAME_NS)  # 0.9 + 0.25 (0.1 - 0.9) = 0.7
    assert not track.doubtful
    for i in range(2, 5):
        track.see(estimate_of(HAND, sureness=0.1), i * FRAME_NS)
    assert track.doubtful


def test_ids_and_slots():
    tracks = Tracks(2)
    first, second = tracks.start(estimate_of(HAND), 0), tracks.start(estimate_of(HAND), 0)
    assert [(t.id, t.slot) for t in (first, second)] == [(1, 0), (2, 1)]
    assert tracks.free == 0
    tracks.drop(first)
    third = tracks.start(estimate_of(HAND), 0)
    assert (third.id, third.slot) == (3, 0)
    assert [t.id for t in tracks] == [3, 2]  # by slot
    tracks.clear()
    assert (len(tracks), tracks.free) == (0, 2)
    assert tracks.start(estimate_of(HAND), 0).id == 4
