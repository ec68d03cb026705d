"""`hand-pose replay` and the lifecycle node, as a process of its own, answer the same recording alike."""

import pytest
from parity import assert_followed_lost_and_found, assert_same_hands, replayed, write_cut

from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    return write_cut(tmp_path_factory.mktemp("parity") / "cut")


def test_replay_and_the_node_give_the_same_hands(cut, tmp_path):
    """With the shipped model; the truth is near, so these are numbers, not only presence."""
    expected = replayed(cut.path, tmp_path / "replayed")
    assert_followed_lost_and_found(expected, cut)
    library = RosbagsLibrary("jazzy")
    with ros.node_and_client() as (node, client):
        client.activate()
        answered, last = {}, None
        for frame in cut.frames:  # one at a time, so that none is dropped
            client.infos.publish(bytes(library.serialize(frame.info, CAMERA_INFO.typename)))
            client.images.publish(bytes(library.serialize(frame.image, DEPTH_IMAGE.typename)))
            message = client.next("hands")
            answered[stamp_ns(message.header)] = message
            last = client.next("/tf") if message.hands else last
        assert not node.warnings()
    assert_same_hands(expected, answered)
    # What a tf2 listener sees of the last frame are the joints of the message.
    assert stamp_ns(last.transforms[0].header) == stamp_ns(message.header)
    joints = [joint for hand in message.hands for joint in zip(hand.joint_names, hand.positions)]
    assert len(last.transforms) == len(joints)
    for transform, (name, point) in zip(last.transforms, joints):
        moved = transform.transform.translation
        assert transform.child_frame_id.endswith(f"/{name}")
        assert (moved.x, moved.y, moved.z) == pytest.approx((point.x, point.y, point.z), abs=1e-6)
