"""Tracks: where to look next, ids that are never used again, slots that are."""

import numpy as np

from hand_pose_ros.perception.track import Tracks
from hand_pose_ros.perception.types import Side

FRAME_NS = 33_000_000


def test_fast_hand_is_looked_for_where_its_speed_takes_it():
    track = Tracks(1).start(np.array([0.0, 0.0, 0.5]), 0)
    np.testing.assert_allclose(track.predict(FRAME_NS), [0, 0, 0.5])  # nothing known of its speed
    track.see(np.array([0.02, 0.0, 0.5]), FRAME_NS)
    # 20 mm a frame, of which 20^2 / (20^2 + 10^2) = 0.8 are believed.
    np.testing.assert_allclose(track.predict(2 * FRAME_NS), [0.036, 0, 0.5])
    track.see(np.array([0.06, 0.0, 0.5]), 2 * FRAME_NS)  # 40 mm in this frame, 30 mm on average, 0.9 of it
    np.testing.assert_allclose(track.predict(3 * FRAME_NS), [0.087, 0, 0.5])


def test_slow_hand_is_looked_for_where_it_was():
    track = Tracks(1).start(np.array([0.0, 0.0, 0.5]), 0)
    track.see(np.array([0.002, 0.0, 0.5]), FRAME_NS)
    np.testing.assert_allclose(track.predict(2 * FRAME_NS), [0.002, 0, 0.5], atol=1e-4)


def test_speed_is_forgotten_over_gaps_and_jumps():
    here, there = np.array([0.0, 0.0, 0.5]), np.array([0.02, 0.0, 0.5])
    track = Tracks(1).start(here, 0)
    track.see(there, FRAME_NS)
    np.testing.assert_allclose(track.predict(FRAME_NS + 1_000_000_000), there)  # a second later
    np.testing.assert_allclose(track.predict(0), there)  # a recording that began anew
    track = Tracks(1).start(here, 0)
    track.see(here + np.array([0.5, 0, 0]), FRAME_NS)  # 15 m/s is no hand
    np.testing.assert_allclose(track.velocity, 0)
    track.see(here, 5_000_000_000)
    np.testing.assert_allclose(track.velocity, 0)


def test_side_is_averaged():
    here = np.array([0.0, 0.0, 0.5])
    track = Tracks(1).start(here, 0)
    side, probability = track.side()
    assert side is Side.UNKNOWN and np.isnan(probability)
    track.see(here, FRAME_NS, 0.9)
    assert track.side() == (Side.RIGHT, 0.9)
    track.see(here, 2 * FRAME_NS, 0.1)  # 0.9 + 0.2 (0.1 - 0.9)
    side, probability = track.side()
    assert side is Side.RIGHT and np.isclose(probability, 0.74)
    for i in range(3, 10):
        track.see(here, i * FRAME_NS, 0.1)
    assert track.side()[0] is Side.LEFT
    track.see(here, 10 * FRAME_NS)  # a frame that does not tell
    assert track.side()[0] is Side.LEFT


def test_ids_and_slots():
    tracks = Tracks(2)
    point = np.array([0.0, 0.0, 0.5])
    first, second = tracks.start(point, 0), tracks.start(point, 0)
    assert [(t.id, t.slot) for t in (first, second)] == [(1, 0), (2, 1)]
    assert tracks.free == 0
    tracks.drop(first)
    third = tracks.start(point, 0)
    assert (third.id, third.slot) == (3, 0)
    assert [t.id for t in tracks] == [3, 2]  # by slot
    tracks.clear()
    assert (len(tracks), tracks.free) == (0, 2)
    assert tracks.start(point, 0).id == 4
