"""Colour images from messages."""

import numpy as np
import pytest

from hand_pose_ros.messages.color_input import ColorError, color_image
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

LIBRARY = RosbagsLibrary("jazzy")
# A red and a green pixel above a blue and a grey one, BGR.
BGR = np.array([[[0, 0, 200], [0, 150, 0]], [[100, 0, 0], [50, 50, 50]]], np.uint8)


def image(pixels, encoding, *, pad=0, is_bigendian=0):
    """:param pad: bytes behind every row."""
    height, width = pixels.shape[:2]
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (0, pad)), constant_values=77)
    fields = {"height": height, "width": width, "encoding": encoding, "step": rows.shape[1], "data": rows.reshape(-1)}
    return LIBRARY.make("sensor_msgs/msg/Image", is_bigendian=is_bigendian, **fields)


def with_alpha(pixels):
    return np.dstack([pixels, np.full(pixels.shape[:2], 9, np.uint8)])


@pytest.mark.parametrize("pad", [0, 3])
@pytest.mark.parametrize("is_bigendian", [0, 1])
@pytest.mark.parametrize(
    "encoding, pixels",
    [("bgr8", BGR), ("rgb8", BGR[..., ::-1]), ("bgra8", with_alpha(BGR)), ("rgba8", with_alpha(BGR[..., ::-1]))],
)
def test_every_colour_encoding_gives_bgr(encoding, pixels, pad, is_bigendian):
    picture = color_image(image(pixels, encoding, pad=pad, is_bigendian=is_bigendian))
    assert picture.dtype == np.uint8 and picture.flags.c_contiguous
    np.testing.assert_array_equal(picture, BGR)


def test_grey():
    picture = color_image(image(BGR[..., 2], "mono8", pad=1))
    np.testing.assert_array_equal(picture, np.repeat(BGR[..., 2:], 3, axis=2))


def test_bytes_without_the_last_padding_and_other_buffers_are_read():
    message = image(BGR, "bgr8", pad=2)
    message.data = bytes(message.data[:-2])
    np.testing.assert_array_equal(color_image(message), BGR)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"encoding": "16UC1"}, "'16UC1' is no colour encoding that can be read: publish one of bgr8, rgb8"),
        ({"step": 5}, "step 5 is less than a row of 2 bgr8 pixels"),
        ({"data": np.zeros(11, np.uint8)}, "11 bytes is smaller than 2 rows of 6 bytes"),
        ({"height": 0}, "2x0 pixels is empty"),
    ],
)
def test_what_cannot_be_read_is_named(changes, said):
    message = image(BGR, "bgr8")
    for name, value in changes.items():
        setattr(message, name, value)
    with pytest.raises(ColorError, match=said):
        color_image(message)
