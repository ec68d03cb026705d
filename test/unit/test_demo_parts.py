import threading
import time

import numpy as np
import pytest

from hand_pose_ros.demo.ahead import read_ahead
from hand_pose_ros.demo.figures import session_figures, table
from hand_pose_ros.demo.session import SentFrame, Session
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.scoring.matching import KnownHand
from hand_pose_ros.skeleton import HAND21

# -- reading ahead


def test_items_come_in_order():
    assert list(read_ahead(range(100), 3)) == list(range(100))
    assert list(read_ahead([], 3)) == []


def test_no_more_than_so_many_are_made_before_they_are_asked_for():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    ahead = read_ahead(items(), 4)
    assert next(ahead) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 4 + 1
    ahead.close()


def test_an_exception_comes_in_its_place():
    def items():
        yield 1
        raise OSError("disk gone")

    ahead = read_ahead(items(), 4)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(ahead)


def test_closing_ends_the_thread():
    ahead = read_ahead(iter(int, 1), 4)  # without end
    next(ahead)
    ahead.close()
    assert not [t for t in threading.enumerate() if t.name == "read ahead"]


# -- the table

SIDES = (("left", 0.1), ("right", 0.2))


def test_the_table_says_what_is_not_known(tmp_path):
    figures = {
        "recording_rate_hz": 30.0,
        "frames_sent": 3,
        "frames_answered": 2,
        "frames_with_hand": 1,
        "frames_dropped": 1,
        "joints_known": False,
        "missed_hands": None,
        "false_hands": None,
        "hardly_seen_hands": None,
        "id_switches": None,
        "returns": None,
        "by_hand": None,
        "mean_error_mm": None,
        "latency_p50_ms": 4.04,
        "latency_p99_ms": None,
        "network_p50_ms": 2.5,
    }
    lines = table(figures, {"video": tmp_path / "overlay.mp4"}).splitlines()
    assert lines[0].split() == ["frames", "sent,", "30", "a", "second", "3"]
    assert [line.rsplit("  ", 1)[-1].strip() for line in lines[1:7]] == ["2", "1", "1", "unknown", "4.0 ms", "unknown"]
    assert "within 50 mm" not in lines[2] and lines[7].split() == ["network,", "p50", "2.5", "ms"]
    assert lines[-1].endswith("overlay.mp4")
    figures |= {"joints_known": True, "mean_error_mm": 7.26, "missed_hands": 4, "false_hands": 5}
    figures |= {"hardly_seen_hands": 6, "id_switches": 1, "returns": 2}
    figures["by_hand"] = [{"id": 1, "side": side, "found": 9, "mean_error_mm": 7.0 + side_mm} for side, side_mm in SIDES]
    lines = table(figures, {}).splitlines()
    assert "within 50 mm of the true one" in lines[2]
    assert [line.rsplit("  ", 1)[-1].strip() for line in lines[4:11]] == ["4", "5", "6", "1", "2", "7.3 mm", "7.1 mm"]
    assert lines[6].startswith("hands less than 30 % in view, not counted ")
    assert lines[10].startswith("  left hand, found 9 times") and lines[11].startswith("  right hand, found 9 times")


def test_figures_count_missed_and_false_hands_of_the_answers():
    library = RosbagsLibrary("jazzy")
    hands = [np.tile([x, 0.0, 0.5], (21, 1)) for x in (0.0, 0.2)]
    covariance, confidence = np.zeros((21, 6)), np.ones(21)

    def sent(true, found):
        answer = tuple(Hand(i, i, Side.LEFT, 1.0, 1.0, f, covariance, confidence, HAND21) for i, f in enumerate(found))
        message = hand_pose_array(library, FrameResult(0, "c", answer), "m")
        known = None if true is None else [KnownHand(i, Side.LEFT, joints) for i, joints in enumerate(true)]
        return SentFrame("", 0, 0, known, answer=message, latency_ms=1.0)

    frames = [
        sent(hands, [hands[0] + [0.003, 0.004, 0]]),  # 5 mm off, the other missed
        sent([], hands[:1]),  # no hand is there: false
        sent(hands[:1], [hands[1]]),  # missed and false
        sent(None, hands),  # not known: no part of the score
    ]
    figures = session_figures(Session(frames, truth_known=True), 30.0)
    assert (figures["frames_with_hand"], figures["missed_hands"], figures["false_hands"]) == (0, 2, 2)
    assert figures["mean_error_mm"] == pytest.approx(5.0)
    figures = session_figures(Session(frames[3:]), 30.0)
    assert (figures["frames_with_hand"], figures["missed_hands"], figures["false_hands"]) == (1, None, None)


def sent_frame(true: dict[int, float], found: dict[int, float], hardly_seen: tuple[float, ...] = ()) -> SentFrame:
    """A frame with hands 0.5 m away at some x: id -> x."""

    def hand(number, x):
        return KnownHand(number, Side.RIGHT, np.tile([x, 0.0, 0.5], (21, 1)))

    hands = [
        Hand(i, k, Side.RIGHT, 1.0, 1.0, hand(i, x).joints, np.zeros((21, 6)), np.ones(21), HAND21)
        for k, (i, x) in enumerate(found.items())
    ]
    answer = hand_pose_array(RosbagsLibrary("jazzy"), FrameResult(0, "c", tuple(hands)), "m")
    known = [hand(number, x) for number, x in true.items()]
    return SentFrame("", 0, 0, known, [hand(9, x) for x in hardly_seen], answer, 1.0)


def test_figures_of_two_hands_tell_switches_from_returns():
    both = {1: 0.0, 2: 0.2}
    frames = [
        sent_frame(both, {5: 0.0, 6: 0.21}),
        sent_frame(both, {5: 0.2, 6: 0.0}),  # both changed
        sent_frame({1: 0.0}, {6: 0.0, 5: 0.3}, hardly_seen=(0.3,)),  # the second is hardly seen: found, and no false one
        *[sent_frame({1: 0.0}, {6: 0.0})] * 20,
        sent_frame(both, {6: 0.0, 7: 0.2}),  # it came back
    ]
    figures = session_figures(Session(frames, truth_known=True), 30.0)
    assert (figures["id_switches"], figures["returns"], figures["missed_hands"], figures["false_hands"]) == (2, 1, 0, 0)
    assert figures["frames_with_hand"] == len(frames) and figures["hardly_seen_hands"] == 1
    first, second = figures["by_hand"]
    assert (first["id"], first["side"], first["found"], first["mean_error_mm"]) == (1, "right", 24, 0.0)
    assert (second["found"], second["mean_error_mm"]) == (3, pytest.approx(10 / 3, abs=0.01))
