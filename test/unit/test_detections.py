"""Boxes from the messages of a detector."""

import math

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from hand_pose_ros.messages.detections import pixel_regions
from hand_pose_ros.perception.types import PixelRegion

DEFINITIONS = {  # vision_msgs 4, of Humble and everything later
    "Point2D": "float64 x\nfloat64 y\n",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n",
    "ObjectHypothesis": "string class_id\nfloat64 score\n",
    "ObjectHypothesisWithPose": "ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n",
    "Detection2D": "std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox2D bbox\nstring id\n",
    "Detection2DArray": "std_msgs/Header header\nDetection2D[] detections\n",
}
STORE = get_typestore(Stores.ROS2_HUMBLE)
for _name, _text in DEFINITIONS.items():
    STORE.register(get_types_from_msg(_text, f"vision_msgs/msg/{_name}"))
T = STORE.types
TIME = T["builtin_interfaces/msg/Time"](0, 0)
HEADER = T["std_msgs/msg/Header"](TIME, "camera")


def detection(u, v, width, height, *hypotheses, theta=0.0):
    point = T["geometry_msgs/msg/Point"](0.0, 0.0, 0.0)
    pose = T["geometry_msgs/msg/Pose"](point, T["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0))
    pose = T["geometry_msgs/msg/PoseWithCovariance"](pose, np.zeros(36))
    results = [
        T["vision_msgs/msg/ObjectHypothesisWithPose"](T["vision_msgs/msg/ObjectHypothesis"](name, score), pose)
        for name, score in hypotheses
    ]
    center = T["vision_msgs/msg/Pose2D"](T["vision_msgs/msg/Point2D"](float(u), float(v)), theta)
    box = T["vision_msgs/msg/BoundingBox2D"](center, float(width), float(height))
    return T["vision_msgs/msg/Detection2D"](HEADER, results, box, "")


def message(*detections):
    """As it comes over the wire."""
    array = T["vision_msgs/msg/Detection2DArray"](HEADER, list(detections))
    return STORE.deserialize_cdr(STORE.serialize_cdr(array, array.__msgtype__), array.__msgtype__)


def test_a_box_of_the_whole_image_ends_at_its_outer_edges():
    assert pixel_regions(message(detection(320, 240, 640, 480, ("hand", 0.5)))) == (PixelRegion(-0.5, -0.5, 639.5, 479.5, 0.5),)


def test_surest_first_and_the_likeliest_hypothesis():
    (first, second) = pixel_regions(message(detection(10, 10, 4, 4, ("cup", 0.2), ("hand", 0.6)), detection(50, 10, 4, 4)))
    assert (first.u_min, first.score) == (47.5, 1.0)  # a detector without hypotheses
    assert (second.u_min, second.score) == (7.5, 0.6)


def test_turned_boxes_give_the_upright_box_around_them():
    (quarter,) = pixel_regions(message(detection(100.5, 100.5, 40, 20, theta=math.pi / 2)))
    assert (quarter.u_min, quarter.v_min, quarter.u_max, quarter.v_max) == pytest.approx((90, 80, 110, 120))
    (eighth,) = pixel_regions(message(detection(100.5, 100.5, 40, 20, theta=-math.pi / 4)))
    half = (40 + 20) * math.sqrt(0.5) / 2
    assert (eighth.u_min, eighth.v_max) == pytest.approx((100 - half, 100 + half))


@pytest.mark.parametrize("box", [(10, 10, 0, 5), (10, 10, 5, -1), (math.nan, 10, 5, 5), (10, 10, math.inf, 5)])
def test_boxes_that_are_none_are_left_out(box):
    assert [r.score for r in pixel_regions(message(detection(*box), detection(9, 9, 2, 2, ("hand", 0.1))))] == [0.1]
    assert pixel_regions(message()) == ()


def test_a_score_that_is_no_number_counts_last():
    scores = [r.score for r in pixel_regions(message(detection(9, 9, 4, 4, ("a", math.nan)), detection(9, 9, 4, 4, ("b", 0.1))))]
    assert scores == [0.1, 0.0]
