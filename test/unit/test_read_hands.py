import numpy as np

from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.read_hands import frame_result, hand, joints_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21


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


def test_joints_come_by_name():
    library = RosbagsLibrary("jazzy")
    points = [library.make("geometry_msgs/msg/Point", x=1.0), library.make("geometry_msgs/msg/Point", y=2.0)]
    message = library.make("hand_pose_ros/msg/HandPose", joint_names=["little_tip", "palm"], positions=points)
    joints = joints_of(message, HAND21)
    assert joints[HAND21.index("little_tip")].tolist() == [1.0, 0.0, 0.0]
    assert np.isnan(np.delete(joints, HAND21.index("little_tip"), axis=0)).all()
