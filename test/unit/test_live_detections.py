"""Which detections are used for an image, and what is said when none can be."""

import pytest
from small_bags import FRAME_ID, detections_message, stamp

from hand_pose_ros.live.detections import Detections

BOX = (30.0, 30.0, 65.0, 70.0)
MS = 1_000_000


@pytest.fixture
def detections(library):
    held = Detections("/detections")

    def add(index: int, *boxes, frame_id: str = FRAME_ID) -> None:
        held.add(detections_message(library, index, *boxes, frame_id=frame_id), 0)

    held.message = add
    return held


def test_the_newest_at_or_before_the_image(detections):
    for index in (0, 2, 1, 9):  # out of order, and one that is newer than the image
        detections.message(index, *[BOX] * index)
    got = detections.at(stamp(3), FRAME_ID, 0.5)
    assert len(got.regions) == 2 and got.state == "2, 0.03 s old" and not got.problem
    assert len(detections.at(stamp(2), FRAME_ID, 0.0).regions) == 2
    detections.message(2, BOX)  # of one stamp the one that came last
    assert len(detections.at(stamp(2), FRAME_ID, 0.0).regions) == 1
    region = detections.at(stamp(1), FRAME_ID, 0.0).regions[0]
    assert (region.u_min, region.v_min, region.u_max, region.v_max) == (29.5, 29.5, 94.5, 99.5)


def test_no_box_in_it_is_no_problem(detections):
    detections.message(0)
    assert detections.at(stamp(0), FRAME_ID, 0.5) == ((), "0, 0.00 s old", "")


def test_none_has_come(detections):
    got = detections.at(stamp(0), FRAME_ID, 0.5)
    assert got.regions == () and got.state == "missing"
    assert got.problem == "/detections: none has come: is it published? No new hand is taken up (use_detections is on)"


def test_too_old(detections):
    detections.message(0, BOX)
    assert detections.at(stamp(0) + 500 * MS, FRAME_ID, 0.5).regions
    got = detections.at(stamp(0) + 501 * MS, FRAME_ID, 0.5)
    assert got.regions == () and got.state == "stale, 0.50 s"
    assert "/detections: the newest is 0.50 s older than the image, more than detections_max_age_s (0.5)" in got.problem


def test_all_newer(detections):
    detections.message(3, BOX)
    got = detections.at(stamp(0), FRAME_ID, 0.5)
    assert (
        got.regions == () and "all are newer than the image, by 0.10 s at least: does the detector keep its stamp?" in got.problem
    )


def test_of_another_camera(detections):
    detections.message(0, BOX, frame_id="color_optical")
    got = detections.at(stamp(0), FRAME_ID, 0.5)
    assert got.regions == () and got.state == "of another camera"
    assert "it is in frame 'color_optical' and the depth image in 'depth_optical'" in got.problem
    detections.message(1, BOX, frame_id="")
    assert len(detections.at(stamp(1), FRAME_ID, 0.5).regions) == 1


def test_cleared(detections):
    detections.message(0, BOX)
    detections.clear()
    assert detections.at(stamp(0), FRAME_ID, 0.5).state == "missing"
