import numpy as np
import pytest

from hand_pose_ros.geometry.depth import DepthError, clean_depth, decode_depth


def decode(array, encoding, **layout):
    height, width = array.shape
    return decode_depth(array.tobytes(), encoding=encoding, width=width, height=height, step=array.strides[0], **layout)


def test_16uc1_is_millimetres():
    depth = decode(np.array([[0, 500], [65535, 1]], np.uint16), "16UC1")
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, [[0, 0.5], [65.535, 0.001]])


def test_a_sensor_with_its_own_unit():
    np.testing.assert_allclose(decode(np.array([[4000]], np.uint16), "16UC1", depth_scale=0.000125), [[0.5]])


@pytest.mark.parametrize("scale", [0.0, -0.001, np.nan, np.inf])
def test_a_unit_that_none_can_be(scale):
    with pytest.raises(DepthError, match=r"depth_scale .* is not positive and finite: give metres a count"):
        decode(np.array([[4000]], np.uint16), "16UC1", depth_scale=scale)


def test_32fc1_is_metres_and_invalid_is_zero():
    image = np.array([[0.5, np.nan, np.inf], [-np.inf, -1.0, 0.0]], np.float32)
    np.testing.assert_array_equal(decode(image, "32FC1"), np.array([[0.5, 0, 0], [0, 0, 0]], np.float32))


def test_big_endian_of_both_encodings():
    for dtype, encoding, value in ((">u2", "16UC1", 750), (">f4", "32FC1", 0.75)):
        np.testing.assert_allclose(decode(np.array([[value]], dtype), encoding, is_bigendian=True), [[0.75]])


def test_rows_with_padding():
    padded = np.zeros((2, 4), np.uint16)
    padded[:, :3] = [[1, 2, 3], [4, 5, 6]]
    depth = decode_depth(padded.tobytes(), encoding="16UC1", width=3, height=2, step=8)
    np.testing.assert_allclose(depth * 1000, [[1, 2, 3], [4, 5, 6]], rtol=1e-6)


def test_the_last_row_may_lack_its_padding():
    data = np.arange(7, dtype=np.uint16).tobytes()
    depth = decode_depth(data, encoding="16UC1", width=3, height=2, step=8)
    np.testing.assert_allclose(depth * 1000, [[0, 1, 2], [4, 5, 6]], rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoding": "rgb8"}, "rgb8.*16UC1.*32FC1"),
        ({"step": 3}, "step 3.*2 16UC1"),
        ({"height": 5}, "smaller than 5 rows"),
        ({"width": 0}, "empty"),
    ],
)
def test_bad_images_name_the_fault_and_the_remedy(changes, words):
    with pytest.raises(DepthError, match=words):
        decode_depth(bytes(8), **{"encoding": "16UC1", "width": 2, "height": 2, "step": 4, **changes})


def test_clean_depth_copies():
    source = np.array([[1.0, np.nan]])
    assert clean_depth(source)[0, 1] == 0
    assert np.isnan(source[0, 1])
