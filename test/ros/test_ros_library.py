"""rclpy's messages are, byte for byte, those of the node without ROS."""

import numpy as np
import pytest
from known_hand import flat_hand
from small_bags import image_message, info_message

from hand_pose_ros.hand.hand_state import hand_state
from hand_pose_ros.live.diagnostics import diagnostic_array
from hand_pose_ros.live.statistics import Statistics
from hand_pose_ros.messages.builders import hand_pose_array, hand_transforms, palm_poses
from hand_pose_ros.messages.hand_outputs import grasp_pose, hand_grasps, hand_joint_states
from hand_pose_ros.messages.library import MessageError
from hand_pose_ros.messages.markers import hand_markers
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21

pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
library = pytest.importorskip("hand_pose_ros.live.ros.library")
ROS, BAGS = library.RclpyLibrary(), RosbagsLibrary("jazzy")


def hand(slot: int) -> Hand:
    rng = np.random.default_rng(slot)
    covariance = np.abs(rng.normal(size=(21, 6))) * 1e-5
    covariance[3] = np.nan
    return Hand(7 + slot, slot, Side(slot), 0.75, 0.9, flat_hand(0.3), covariance, rng.random(21).astype(np.float32), HAND21)


RESULT = FrameResult(1_700_000_000_123_456_789, "optical", (hand(0), hand(1)))
STATES = {
    h.id: hand_state(h.joints, h.covariance, h.skeleton, h.side is Side.RIGHT, pinch_enter_m=0.2, pinch_leave_m=0.3)
    for h in RESULT.hands
}


OWNERS = {h.id: f"hand_{h.slot}" for h in RESULT.hands}
GRASP = next(iter(STATES.values())).grasp


def diagnostics(of):
    snapshot = Statistics().close_period(1.0, 3)
    names = {"node": "n", "topic": "/d", "backend": "b", "model": "m", "engine": ""}
    return diagnostic_array(of, snapshot, **names, now_ns=RESULT.stamp_ns)


@pytest.mark.parametrize(
    ("typename", "build"),
    [
        ("hand_pose_ros/msg/HandPoseArray", lambda of: hand_pose_array(of, RESULT, "tiny")),
        ("hand_pose_ros/msg/HandPoseArray", lambda of: hand_pose_array(of, RESULT, "tiny", STATES)),
        ("hand_pose_ros/msg/HandGraspArray", lambda of: hand_grasps(of, RESULT, STATES)),
        ("sensor_msgs/msg/JointState", lambda of: hand_joint_states(of, RESULT, STATES, OWNERS)),
        ("geometry_msgs/msg/PoseStamped", lambda of: grasp_pose(of, RESULT, GRASP)),
        ("tf2_msgs/msg/TFMessage", lambda of: hand_transforms(of, RESULT, "r/")),
        ("visualization_msgs/msg/MarkerArray", lambda of: hand_markers(of, RESULT, (1, 2))),
        ("geometry_msgs/msg/PoseArray", lambda of: palm_poses(of, RESULT)),
        ("diagnostic_msgs/msg/DiagnosticArray", diagnostics),
        ("sensor_msgs/msg/Image", lambda of: image_message(of, 0, "32FC1")),
        ("sensor_msgs/msg/CameraInfo", lambda of: info_message(of, 0)),
    ],
)
def test_same_bytes(typename, build):
    message = build(ROS)
    data = ROS.serialize(message, typename)
    assert data == bytes(BAGS.serialize(build(BAGS), typename))
    assert ROS.serialize(ROS.deserialize(data, typename), typename) == data


def test_wrong_types_and_fields_are_named():
    with pytest.raises(MessageError, match="'nothing_msgs/msg/None' is not installed"):
        ROS.make("nothing_msgs/msg/None")
    with pytest.raises(MessageError, match="geometry_msgs/msg/Point has no field w; it has x, y, z"):
        ROS.make("geometry_msgs/msg/Point", w=1.0)
