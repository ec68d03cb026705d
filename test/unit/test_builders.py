"""Messages from hands."""

import numpy as np
import pytest
from known_hand import PALM_AXES, axes, flat_hand

from hand_pose_ros.messages import markers
from hand_pose_ros.messages.builders import hand_pose_array, hand_transforms, palm_poses
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.markers import hand_markers
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21

STAMP = 1_700_000_000_000_000_123
LIBRARY = RosbagsLibrary("jazzy")
SIX = [1e-6, 0, 0, 4e-6, 0, 9e-6]


def hand(slot: int = 0, side: Side = Side.UNKNOWN, probability: float = np.nan, **changes) -> Hand:
    values = {
        "joints": flat_hand(0.5),
        "covariance": np.tile(SIX, (21, 1)),
        "confidence": np.linspace(0, 1, 21),
        "skeleton": HAND21,
    }
    return Hand(10 + slot, slot, side, probability, 0.75, **{**values, **changes})


def result(*hands: Hand) -> FrameResult:
    return FrameResult(STAMP, "depth_optical", hands)


def quaternion(message) -> list[float]:
    return [message.x, message.y, message.z, message.w]


def test_array_without_hands_still_tells_stamp_frame_and_model():
    message = hand_pose_array(LIBRARY, result(), "awr")
    assert (stamp_ns(message.header), message.header.frame_id, message.model_id) == (STAMP, "depth_optical", "awr")
    assert message.hands == []


def test_hand_fields():
    (got,) = hand_pose_array(LIBRARY, result(hand(2, Side.RIGHT, 0.9)), "awr").hands
    assert (got.id, got.side, got.side_probability, got.presence) == (12, 2, 0.9, 0.75)
    assert got.joint_names == list(HAND21.joint_names)
    assert [got.positions[5].x, got.positions[5].y, got.positions[5].z] == flat_hand(0.5)[5].tolist()
    assert np.allclose(got.covariance.reshape(21, 6), [SIX] * 21)
    assert got.confidence[-1] == 1.0
    assert np.allclose(axes(np.array(quaternion(got.palm.orientation))), PALM_AXES)
    assert np.allclose(got.palm_covariance.reshape(6, 6)[:3, :3], np.diag([1e-6, 4e-6, 9e-6]))


def test_what_is_not_known_says_so():
    covariance = np.tile(SIX, (21, 1))
    covariance[1] = np.nan
    line = np.linspace([0, 0, 0.5], [0, 0.1, 0.5], 21)
    (got,) = hand_pose_array(LIBRARY, result(hand(joints=line, covariance=covariance)), "awr").hands
    assert np.isnan(got.side_probability)
    assert got.covariance.reshape(21, 6)[1, 0] == -1 and got.covariance.reshape(21, 6)[0, 0] > 0
    assert np.isfinite(got.palm.position.x) and np.isnan(quaternion(got.palm.orientation)).all()
    assert got.palm_covariance[0] == -1
    assert not got.grasp_valid and np.isnan(got.grasp.position.x) and np.isnan(got.grasp.orientation.w)
    assert np.isnan(got.grasp_width) and np.isnan(got.grasp_confidence) and got.grasp_label == ""


def test_message_survives_the_wire():
    message = hand_pose_array(LIBRARY, result(hand()), "awr")
    again = LIBRARY.deserialize(bytes(LIBRARY.serialize(message, message.__msgtype__)), message.__msgtype__)
    assert again.hands[0].positions[20].z == message.hands[0].positions[20].z


def test_transforms():
    message = hand_transforms(LIBRARY, result(hand(0), hand(3)), "robot1/")
    assert len(message.transforms) == 42
    first, last = message.transforms[0], message.transforms[-1]
    assert (first.header.frame_id, first.child_frame_id) == ("depth_optical", "robot1/hand_0/wrist")
    assert (stamp_ns(last.header), last.child_frame_id) == (STAMP, "robot1/hand_3/little_tip")
    assert last.transform.translation.y == flat_hand(0.5)[20, 1]
    assert np.allclose(axes(np.array(quaternion(first.transform.rotation))), PALM_AXES)
    for transform in message.transforms:
        assert np.linalg.norm(quaternion(transform.transform.rotation)) == pytest.approx(1)


def test_transforms_are_valid_where_the_palm_is_not():
    line = np.linspace([0, 0, 0.5], [0, 0.1, 0.5], 21)
    message = hand_transforms(LIBRARY, result(hand(joints=line)))
    assert all(np.linalg.norm(quaternion(t.transform.rotation)) == pytest.approx(1) for t in message.transforms)


def test_palm_poses_leave_out_hands_without_a_palm():
    line = np.linspace([0, 0, 0.5], [0, 0.1, 0.5], 21)
    message = palm_poses(LIBRARY, result(hand(0), hand(1, joints=line)))
    assert len(message.poses) == 1
    assert message.poses[0].position.z > 0.4


def test_markers_of_a_hand():
    joints, bones = hand_markers(LIBRARY, result(hand(1))).markers
    assert (joints.ns, bones.ns, joints.id, bones.id) == ("hand_1", "hand_1", 0, 1)
    assert (joints.type, bones.type, joints.action, bones.action) == (
        joints.SPHERE_LIST,
        joints.LINE_LIST,
        joints.ADD,
        joints.ADD,
    )
    assert len(joints.points) == len(joints.colors) == 21
    assert len(bones.points) == len(bones.colors) == 2 * len(HAND21.bones)
    assert bones.points[:2] == [joints.points[0], joints.points[1]]  # wrist to thumb_cmc
    assert joints.pose.orientation.w == 1.0  # RViz warns about a quaternion of zeros
    tip = joints.colors[HAND21.index("middle_tip")]
    assert [round(c * 255) for c in (tip.r, tip.g, tip.b)] == list(markers.FINGER_COLOURS["middle"])
    assert joints.colors[0].a == markers.LEAST_OPACITY and joints.colors[20].a == 1.0
    assert joints.lifetime.sec == 1


def test_markers_of_a_hand_that_goes_are_deleted():
    gone = hand_markers(LIBRARY, result(hand(1)), previous_slots={0, 1}).markers[:2]
    assert [(m.ns, m.id, m.action) for m in gone] == [("hand_0", 0, 2), ("hand_0", 1, 2)]
    assert len(hand_markers(LIBRARY, result(), previous_slots={2}).markers) == 2
    assert hand_markers(LIBRARY, result()).markers == []


def test_building_and_serialising_is_fast():
    import time

    frame = result(hand())
    taken = []
    for _ in range(200):
        begin = time.perf_counter()
        LIBRARY.serialize(hand_pose_array(LIBRARY, frame, "awr"), "hand_pose_ros/msg/HandPoseArray")
        taken.append(time.perf_counter() - begin)
    assert min(taken) < 0.5e-3
