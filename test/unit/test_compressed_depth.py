"""compressedDepth: hand-made bytes, and a way there by the paper's encoder and back."""

import struct

import cv2
import numpy as np
import pytest

from hand_pose_ros.geometry.compressed_depth import CompressedDepth, decode_rvl
from hand_pose_ros.geometry.depth import DepthError

RVL_16, PNG_16 = "16UC1; compressedDepth rvl", "16UC1; compressedDepth png"


def encode_rvl(counts) -> bytes:
    """The encoder of Wilson's paper, number by number."""
    nibbles: list[int] = []

    def put(value: int) -> None:
        while True:
            low, value = value & 7, value >> 3
            nibbles.append(low | (8 if value else 0))
            if not value:
                return

    counts, at, previous = [int(c) for c in counts], 0, 0
    while at < len(counts):
        begin = at
        while at < len(counts) and counts[at] == 0:
            at += 1
        put(at - begin)
        begin = at
        while at < len(counts) and counts[at] != 0:
            at += 1
        put(at - begin)
        for value in counts[begin:at]:
            difference = value - previous
            put((difference << 1) ^ (difference >> 31))
            previous = value
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int("".join(f"{n:x}" for n in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8)]
    return struct.pack(f"<{len(words)}I", *words)


def with_header(payload: bytes, a: float = 0.0, b: float = 0.0) -> bytes:
    return struct.pack("<iff", 0, a, b) + payload


def rvl_message(counts: np.ndarray, a: float = 0.0, b: float = 0.0) -> bytes:
    return with_header(struct.pack("<II", counts.shape[1], counts.shape[0]) + encode_rvl(counts.reshape(-1)), a, b)


def png_message(counts: np.ndarray, a: float = 0.0, b: float = 0.0) -> bytes:
    return with_header(cv2.imencode(".png", counts)[1].tobytes(), a, b)


def scene() -> np.ndarray:
    rng = np.random.default_rng(3)
    counts = rng.integers(400, 1500, (48, 64)).astype(np.uint16)
    counts[rng.random(counts.shape) < 0.3] = 0
    counts[0, :9], counts[-1, -5:], counts[5, 5], counts[5, 6] = 0, 0, 65535, 1
    return counts


def test_rvl_by_hand():
    # Pixels 0 0 5 4 0: two zeros (2), two others (2): +5 -> zigzag 10 = 2 + 8 * 1 -> groups A 1; -1 -> zigzag 1 -> 1;
    # then one zero (1) and no others (0): groups 2 2 A 1 1 1 0, padded to 8.
    assert decode_rvl(struct.pack("<I", 0x22A11100), 5).tolist() == [0, 0, 5, 4, 0]
    assert encode_rvl([0, 0, 5, 4, 0]) == struct.pack("<I", 0x22A11100)


def test_rvl_there_and_back():
    counts = scene()
    image = CompressedDepth.parse(rvl_message(counts), RVL_16)
    assert (image.width, image.height, image.codec, image.encoding) == (64, 48, "rvl", "16UC1")
    np.testing.assert_array_equal(image.decode(), counts * np.float32(0.001))
    for constant in (0, 700):
        flat = np.full((3, 70), constant, np.uint16)
        np.testing.assert_array_equal(decode_rvl(encode_rvl(flat.reshape(-1)), flat.size), flat.reshape(-1))


@pytest.mark.parametrize("format", [PNG_16, "16UC1; compressedDepth", "mono16; compressedDepth png"])
def test_png(format):
    counts = scene()
    image = CompressedDepth.parse(np.frombuffer(png_message(counts), np.uint8), format)
    assert (image.width, image.height) == (64, 48)
    np.testing.assert_array_equal(image.decode(), counts * np.float32(0.001))
    np.testing.assert_array_equal(image.decode(0.00025), counts * np.float32(0.00025))
    with pytest.raises(DepthError, match="depth_scale -1 is not positive"):
        image.decode(-1)


@pytest.mark.parametrize(("message", "codec"), [(png_message, "png"), (rvl_message, "rvl")])
def test_inverse_depth_of_floats(message, codec):
    # A = 5000, B = -1000: code 4000 is 5000 / 5000 = 1 m, code 9000 is 0.5 m, code 0 is invalid.
    image = CompressedDepth.parse(message(np.uint16([[4000, 9000, 0]]), 5000.0, -1000.0), f"32FC1; compressedDepth {codec}")
    np.testing.assert_array_equal(image.decode(), np.float32([[1.0, 0.5, 0.0]]))
    # A code that is B would be infinitely far, one below it behind the camera: both invalid.
    image = CompressedDepth.parse(message(np.uint16([[1000, 999, 2000]]), 500.0, 1000.0), f"32FC1; compressedDepth {codec}")
    np.testing.assert_array_equal(image.decode(), np.float32([[0.0, 0.0, 0.5]]))


@pytest.mark.parametrize(
    "format", ["jpeg", "", "rgb8; jpeg compressed bgr8", "8UC1; compressedDepth png", "16UC1; compressedDepth zip"]
)
def test_other_formats_are_refused(format):
    with pytest.raises(DepthError, match="is no compressed depth: .*set depth_transport to raw"):
        CompressedDepth.parse(png_message(scene()), format)


def test_damaged_data_is_refused():
    png, rvl = png_message(scene()), rvl_message(scene())
    cases = [
        (png[:5], PNG_16, "shorter than its header"),
        (png[:20], PNG_16, "holds no PNG"),
        (rvl, PNG_16, "holds no PNG"),
        (rvl[:15], RVL_16, "holds no RVL"),
        (png[: len(png) // 2], PNG_16, "cannot be read as PNG"),
        (rvl[: len(rvl) // 2], RVL_16, "cannot be read as RVL"),
        (rvl[:20], RVL_16, "cannot be read as RVL"),
        (with_header(struct.pack("<II", 100_000, 100_000)), RVL_16, "100000x100000 pixels"),
        (with_header(struct.pack("<II", 0, 5)), RVL_16, "0x5 pixels"),
        (with_header(struct.pack("<III", 4, 4, 0x77777777)), RVL_16, "cannot be read as RVL"),
        (with_header(struct.pack("<II", 4, 4) + b"\xff" * 64), RVL_16, "cannot be read as RVL"),
        (with_header(cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()), PNG_16, "other pixels than 16 bit grey"),
    ]
    for data, format, text in cases:
        with pytest.raises(DepthError, match=text):
            CompressedDepth.parse(data, format).decode()


def test_random_bytes_never_do_worse_than_an_error():
    rng = np.random.default_rng(0)
    for _ in range(200):
        payload = struct.pack("<II", 20, 10) + rng.bytes(int(rng.integers(0, 400)))
        try:
            depth = CompressedDepth.parse(with_header(payload), RVL_16).decode()
        except DepthError:
            continue
        assert depth.shape == (10, 20) and np.isfinite(depth).all()
