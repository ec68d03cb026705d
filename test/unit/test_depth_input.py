"""Depth frames from messages."""

import numpy as np
import pytest
from small_bags import FOCAL, FRAME_ID, HEIGHT, WIDTH, image_message, info_message, stamp

from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

LIBRARY = RosbagsLibrary("jazzy")


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_either_encoding_gives_metres(encoding):
    frame = depth_frame(image_message(LIBRARY, 3, encoding), info_message(LIBRARY, 3))
    assert (frame.stamp_ns, frame.frame_id) == (stamp(3), FRAME_ID)
    assert frame.depth.shape == (HEIGHT, WIDTH) and frame.depth.dtype == np.float32
    assert frame.depth[0, 0] == pytest.approx(1.5) and frame.depth[70, 63] == 0.5
    assert (frame.camera.fx, frame.camera.cx) == (FOCAL, (WIDTH - 1) / 2)


def test_depth_scale():
    frame = depth_frame(image_message(LIBRARY, 0), info_message(LIBRARY, 0), depth_scale=0.0001)
    assert frame.depth[0, 0] == pytest.approx(0.15)


def test_unrectified_image_takes_k_and_distortion():
    info = info_message(LIBRARY, 0)
    info.k[0], info.d = 140.0, np.array([0.1, 0.0, 0.0, 0.0, 0.0])
    frame = depth_frame(image_message(LIBRARY, 0), info, rectified=False)
    assert frame.camera.fx == 140.0 and frame.camera.distortion[0] == 0.1
    assert depth_frame(image_message(LIBRARY, 0), info).camera.fx == FOCAL


def test_camera_info_of_another_size():
    info = info_message(LIBRARY, 0)
    info.width = 320
    with pytest.raises(CameraError, match="image of 160x120 pixels with a camera info of 320x120: remap camera_info"):
        depth_frame(image_message(LIBRARY, 0), info)


def test_wrong_encoding_and_short_data():
    image = image_message(LIBRARY, 0)
    image.encoding = "rgb8"
    with pytest.raises(DepthError, match="'rgb8'"):
        depth_frame(image, info_message(LIBRARY, 0))
    image = image_message(LIBRARY, 0)
    image.step = 10
    with pytest.raises(DepthError, match="step 10"):
        depth_frame(image, info_message(LIBRARY, 0))
    image = image_message(LIBRARY, 0)
    image.data = image.data[:-10]
    with pytest.raises(DepthError, match="smaller than 120 rows"):
        depth_frame(image, info_message(LIBRARY, 0))
