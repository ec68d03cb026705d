"""Making messages and turning them into CDR and back."""

import numpy as np
import pytest

from hand_pose_ros.messages.library import MessageError, make_header, stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary, default_distro


@pytest.fixture(params=["humble", "jazzy"])
def library(request):
    return RosbagsLibrary(request.param)


def test_left_out_fields_have_ros_defaults(library):
    image = library.make("sensor_msgs/msg/Image", width=4)
    assert (image.width, image.height, image.encoding, image.header.frame_id, image.header.stamp.sec) == (4, 0, "", "", 0)
    assert image.data.dtype == np.uint8 and image.data.size == 0
    pose = library.make("geometry_msgs/msg/Pose")
    assert (pose.orientation.w, pose.orientation.x, pose.position.z) == (1.0, 0.0, 0.0)
    assert library.make("sensor_msgs/msg/CameraInfo").k.shape == (9,)


def test_defaults_are_not_shared(library):
    first, second = (library.make("visualization_msgs/msg/MarkerArray") for _ in range(2))
    first.markers.append(1)
    assert second.markers == []


def test_numeric_arrays_take_lists_and_numpy(library):
    hand = library.make("hand_pose_ros/msg/HandPose", covariance=[1, 2], confidence=np.array([[0.5]]))
    assert hand.covariance.dtype == np.float32 and hand.covariance.tolist() == [1, 2]
    assert hand.confidence.tolist() == [0.5]
    assert hand.palm_covariance.shape == (36,) and hand.palm_covariance.dtype == np.float64


def test_own_messages_survive_the_wire(library):
    point = library.make("geometry_msgs/msg/Point", x=0.1, y=-0.2, z=0.5)
    hand = library.make("hand_pose_ros/msg/HandPose", id=7, side=2, joint_names=["wrist"], positions=[point], grasp_label="pinch")
    header = make_header(library, 1_700_000_000_123_456_789, "depth_optical")
    sent = library.make("hand_pose_ros/msg/HandPoseArray", header=header, model_id="tiny", hands=[hand])
    data = library.serialize(sent, "hand_pose_ros/msg/HandPoseArray")
    assert bytes(data[:4]) == b"\x00\x01\x00\x00"  # CDR, little endian
    got = library.deserialize(bytes(data), "hand_pose_ros/msg/HandPoseArray")
    assert stamp_ns(got.header) == 1_700_000_000_123_456_789
    assert (got.header.frame_id, got.model_id) == ("depth_optical", "tiny")
    assert (got.hands[0].id, got.hands[0].side, got.hands[0].joint_names, got.hands[0].grasp_label) == (7, 2, ["wrist"], "pinch")
    assert got.hands[0].positions[0].y == -0.2


def test_side_constants():
    hand = RosbagsLibrary("jazzy").typestore.types["hand_pose_ros/msg/HandPose"]
    assert (hand.UNKNOWN, hand.LEFT, hand.RIGHT) == (0, 1, 2)


def test_errors_name_type_and_field(library):
    with pytest.raises(MessageError, match="'sensor_msgs/msg/Imag'"):
        library.make("sensor_msgs/msg/Imag")
    with pytest.raises(MessageError, match="no field widht; it has header, height, width"):
        library.make("sensor_msgs/msg/Image", widht=4)
    with pytest.raises(MessageError, match="10 bytes are no sensor_msgs/msg/Image"):
        library.deserialize(b"\x00\x01\x00\x00" + b"\x01" * 6, "sensor_msgs/msg/Image")


def test_default_release_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("ROS_DISTRO", "humble")
    assert default_distro() == "humble"
    monkeypatch.setenv("ROS_DISTRO", "rolling")
    assert default_distro() == "jazzy"
    with pytest.raises(ValueError, match="unknown ROS 2 release 'noetic'"):
        RosbagsLibrary("noetic")


@pytest.mark.parametrize("distro", ["humble", "jazzy"])
def test_detections_are_of_the_type_that_ros_2_has(distro):
    library = RosbagsLibrary(distro)
    # As vision_msgs 4.1.1 of Jazzy has it in share/vision_msgs/msg/Detection2DArray.json.
    expected = "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968"
    assert library.typestore.hash_rihs01("vision_msgs/msg/Detection2DArray") == expected
