"""/diagnostics: level, keys, and what a camera that falls silent does to them."""

import pytest
from small_bags import stamp

from hand_pose_ros.live.diagnostics import ERROR, OK, WARN, diagnostic_array
from hand_pose_ros.live.statistics import Statistics
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.perception.types import FrameResult

FRAME = FrameResult(stamp(0), "depth_optical", (), {"decode": 1.0})


@pytest.fixture
def statistics():
    return Statistics()


@pytest.fixture
def message(statistics, library):
    def make(seconds=1.0, **values):
        values = {"status": "", "engine": "", **values}
        snapshot = statistics.close_period(seconds, 0)
        return diagnostic_array(
            library, snapshot, node="r/hand_pose", topic="/depth", backend="b", model="tiny", now_ns=stamp(1), **values
        )

    return make


def answer(statistics, frames=1):
    for _ in range(frames):
        statistics.add_frame(FRAME, age_ms=12.0, invalid_share=0.25)


def values(status) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def levels(message) -> list[int]:
    return [status.level for status in message.status]


def test_names_and_keys(statistics, message):
    answer(statistics, 30)
    got = message(engine="building TensorRT plan: 43 %")
    hands, topic = got.status
    assert stamp_ns(got.header) == stamp(1)
    assert [(s.name, s.hardware_id, s.level) for s in (hands, topic)] == [
        ("r/hand_pose: hands", "tiny", OK),
        ("r/hand_pose: /depth topic status", "tiny", OK),
    ]
    assert values(hands)["engine"] == "building TensorRT plan: 43 %" and values(hands)["rate_hz"] == "30.0"
    assert values(topic) == {
        "Events in window": "30",
        "Events since startup": "30",
        "Duration of window (s)": "1.000000",
        "Actual frequency (Hz)": "30.000000",
    }
    assert (hands.message, topic.message) == ("30.0 Hz, 0 hands", "30.0 Hz")


def test_a_silent_camera_is_a_warning_and_then_an_error(statistics, message):
    answer(statistics)
    assert levels(message()) == [OK, OK]
    for _ in range(4):
        assert levels(got := message()) == [WARN, WARN]
    assert got.status[0].message == "no depth image with its camera info in the last 1.0 s"
    got = message()
    assert levels(got) == [ERROR, ERROR]
    assert [s.message for s in got.status] == ["no depth image with its camera info for 5.0 s", "No events recorded."]
    answer(statistics)
    assert levels(message()) == [OK, OK]
    assert levels(message()) == [WARN, WARN]  # counted anew


def test_resting_is_no_fault(statistics, message):
    statistics.rest()
    got = message(seconds=60.0, status="inactive")
    assert levels(got) == [OK, OK] and {s.message for s in got.status} == {"inactive"}
    statistics.rest()
    assert levels(message(status="inactive")) == [OK, OK]


def test_inputs_that_are_wanting(statistics, message):
    answer(statistics, 3)
    statistics.add_state("detections", "missing", "/detections: none has come")
    statistics.add_state("detections", "2, 0.03 s old")
    statistics.add_state("transform", "found")
    got = message().status[0]
    assert (got.level, got.message) == (WARN, "1 of 3 images: /detections: none has come")
    assert (values(got)["detections"], values(got)["transform"]) == ("2, 0.03 s old", "found")
    answer(statistics)
    assert message().status[0].level == OK
