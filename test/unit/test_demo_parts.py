import threading
import time

import numpy as np
import pytest

from hand_pose_ros.bags.hands_in import frame_result, hand
from hand_pose_ros.demo.ahead import read_ahead
from hand_pose_ros.demo.figures import table
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
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


# -- hands from messages


def test_hands_survive_the_way_through_a_message():
    library = RosbagsLibrary("jazzy")
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(21, 3)) * 0.05 + [0, 0, 0.5]
    sent = Hand(4, 0, Side.RIGHT, 0.7, 0.9, joints, rng.random((21, 6)), rng.random(21), HAND21)
    message = hand_pose_array(library, FrameResult(123_000_000_456, "camera", (sent,)), "m")
    result = frame_result(message)
    assert (result.stamp_ns, result.frame_id) == (123_000_000_456, "camera")
    (back,) = result.hands
    assert (back.id, back.side, back.skeleton) == (4, Side.RIGHT, HAND21)
    assert np.abs(back.joints - joints).max() < 1e-12
    assert np.abs(back.covariance - sent.covariance).max() < 1e-6 and np.abs(back.confidence - sent.confidence).max() < 1e-6


def test_a_message_with_fewer_joints_gives_their_skeleton():
    library = RosbagsLibrary("jazzy")
    names = ["index_tip", "wrist", "index_mcp"]
    points = [library.make("geometry_msgs/msg/Point", x=float(i)) for i in range(3)]
    back = hand(library.make("hand_pose_ros/msg/HandPose", joint_names=names, positions=points))
    assert back.skeleton.joint_names == tuple(names) and back.skeleton.bones == (("wrist", "index_mcp"),)
    assert back.joints[:, 0].tolist() == [0, 1, 2]
    assert (back.covariance[:, 0] == -1).all() and np.isnan(back.confidence).all()


# -- the table


def test_the_table_says_what_is_not_known(tmp_path):
    figures = {
        "recording_rate_hz": 30.0,
        "frames_sent": 3,
        "frames_answered": 2,
        "frames_with_hand": 1,
        "frames_dropped": 1,
        "joints_known": False,
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
    figures["joints_known"], figures["mean_error_mm"] = True, 7.26
    assert "within 50 mm of the true one" in (text := table(figures, {})) and "7.3 mm" in text
