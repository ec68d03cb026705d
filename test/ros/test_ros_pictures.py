"""Colour images and overlays through cv_bridge, and what is done without it."""

import sys

import numpy as np
import pytest
from small_bags import color_message

from hand_pose_ros.live.pictures import PlainPictures
from hand_pose_ros.messages.color_input import ColorError

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
pictures = pytest.importorskip("hand_pose_ros.live.ros.pictures")


@pytest.fixture
def bridge():
    pytest.importorskip("cv_bridge", reason="cv_bridge is not installed")
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        pytest.skip("cv_bridge may not fit NumPy 2")
    return pictures.BridgePictures()


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_the_bridge_and_our_own_code_agree(bridge, encoding):
    plain = PlainPictures(ros.LIBRARY)
    message = color_message(ros.LIBRARY, 3, encoding=encoding)
    picture = plain.from_message(message)
    assert np.array_equal(bridge.from_message(message), picture) and picture[5, 7].tolist() in ([60, 5, 7], [7, 5, 60])
    assert bridge.to_message(picture, 12_000_000_034, "camera") == plain.to_message(picture, 12_000_000_034, "camera")


def test_the_bridge_reads_more(bridge):
    message = color_message(ros.LIBRARY, 0)
    message.encoding, message.step, message.data = "bayer_rggb8", message.width, message.data[: message.width * message.height]
    assert bridge.from_message(message).shape == (message.height, message.width, 3)
    with pytest.raises(ColorError, match="bayer_rggb8"):
        PlainPictures(ros.LIBRARY).from_message(message)


@pytest.mark.parametrize(("field", "value"), [("encoding", "nonsense"), ("data", b"123")])
def test_what_the_bridge_cannot_read_is_said(bridge, field, value):
    message = color_message(ros.LIBRARY, 0)
    setattr(message, field, value)
    with pytest.raises(ColorError, match="cannot be turned into bgr8"):
        bridge.from_message(message)


def test_the_bridge_is_taken_where_it_is(bridge):
    assert isinstance(pictures.best_pictures(ros.LIBRARY), pictures.BridgePictures)


def test_without_the_bridge_our_own_code_does_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    assert isinstance(pictures.best_pictures(ros.LIBRARY), PlainPictures)


def test_under_numpy_2_our_own_code_does_it(monkeypatch):
    monkeypatch.setattr(np, "__version__", "2.1.0")
    assert isinstance(pictures.best_pictures(ros.LIBRARY), PlainPictures)
