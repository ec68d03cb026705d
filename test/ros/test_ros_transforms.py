"""What the node's ear for TF makes of the messages on /tf."""

import pytest
from small_bags import FRAME_ID

from hand_pose_ros.live.transforms import TransformMissing
from hand_pose_ros.messages.library import make_header

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
transforms = pytest.importorskip("hand_pose_ros.live.ros.transforms")

SECOND = 1_000_000_000


@pytest.fixture
def heard():
    with ros.free_domain() as domain:
        context = ros.Context()
        ros.rclpy.init(context=context, domain_id=domain)
        node = ros.Node("ear", context=context)
        made = transforms.Transforms(node, ("r/hand_0/", "r/hand_1/"))
        yield made
        made.close()
        node.destroy_node()
        ros.rclpy.shutdown(context=context)


def hear(heard, seconds: float, x: float, *, child: str = FRAME_ID) -> None:
    make = ros.LIBRARY.make
    stamped = make(
        "geometry_msgs/msg/TransformStamped",
        header=make_header(ros.LIBRARY, int(seconds * SECOND), "base"),
        child_frame_id=child,
        transform=make("geometry_msgs/msg/Transform", translation=make("geometry_msgs/msg/Vector3", x=x, y=0.0, z=0.0)),
    )
    heard._listener.callback(make("tf2_msgs/msg/TFMessage", transforms=[stamped]))


def x_at(heard, seconds: float, source: str = FRAME_ID) -> float:
    return float(heard.lookup("base", source, int(seconds * SECOND), 0.0).translation[0])


def test_a_transform_is_interpolated_at_the_stamp(heard):
    hear(heard, 100, 1.0)
    hear(heard, 102, 3.0)
    assert x_at(heard, 101.5) == pytest.approx(2.5)
    with pytest.raises(TransformMissing, match="no transform from 'depth_optical' to 'base' within transform_timeout_s"):
        x_at(heard, 103)


def test_tf_that_begins_again_is_heard_although_a_late_message_came_after_the_jump(heard):
    """tf2 by itself would leave out 90 s of it."""
    hear(heard, 100, 1.0)
    heard._buffer.clear()  # what tf2 does when /clock jumps
    hear(heard, 100.1, 1.0)  # was on its way
    hear(heard, 0, 5.0)
    hear(heard, 1, 7.0)
    assert x_at(heard, 0.5) == pytest.approx(6.0)


def test_a_publisher_that_lags_is_no_new_beginning(heard):
    hear(heard, 100, 1.0)
    hear(heard, 95, 0.0)
    hear(heard, 50, 4.0, child="gripper")  # of another clock
    assert x_at(heard, 100) == 1.0 and x_at(heard, 97.5) == pytest.approx(0.5)


def test_the_nodes_own_frames_are_not_kept_but_others_of_like_names_are(heard):
    for child in ("r/hand_0/wrist", "r/hand_camera", "hand_0/wrist"):
        hear(heard, 1, 1.0, child=child)
    with pytest.raises(TransformMissing):
        x_at(heard, 1, "r/hand_0/wrist")
    assert x_at(heard, 1, "r/hand_camera") == x_at(heard, 1, "hand_0/wrist") == 1.0
