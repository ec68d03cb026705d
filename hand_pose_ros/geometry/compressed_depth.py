"""Depth images as image_transport's compressedDepth sends them: a 12-byte header, then a 16 bit PNG or RVL.

The header is an int32 and the floats A and B, little endian. 16UC1 holds the counts themselves; 32FC1 holds 16 bit codes of
the inverse depth, z = A / (code - B) metres, code 0: invalid. RVL is A. D. Wilson, "Fast Lossless Depth Image Compression"
(ISS 2017): runs of zeros and non-zeros, the latter as zigzag differences, all numbers in 3 bit groups with a continuation bit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from hand_pose_ros.geometry.depth import DepthError, clean_depth, count_unit

_CONFIG = struct.Struct("<iff")
_RVL_SIZE = struct.Struct("<II")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")
_PNG_SIZE_AT, _PNG_DEPTH_AT, _PNG_HEADER = 16, 24, 26
_MOST_PIXELS = 1 << 26
_MOST_GROUPS = 6  # 18 bits: more than any difference of two 16 bit counts, or any run that fits an image, needs
_MOST_RUN_GROUPS = 10


@dataclass(frozen=True)
class CompressedDepth:
    """One image before it is decoded; its size is known already.

    :param encoding: of the pixels, "16UC1" or "32FC1"
    :param codec: "png" or "rvl"
    :param a, b: of the inverse depth codes (32FC1 only)
    :param payload: what follows the headers
    """

    encoding: str
    codec: str
    width: int
    height: int
    a: float
    b: float
    payload: bytes

    @classmethod
    def parse(cls, data: bytes | np.ndarray, format: str) -> CompressedDepth:
        """From the fields of a sensor_msgs/CompressedImage.

        :param format: "16UC1; compressedDepth png", "... rvl", or without the last word (up to Humble), which is PNG
        :raises DepthError: another format, or data that is cut short or of another kind
        """
        encoding, codec = _parse_format(format)
        data = bytes(data)
        if len(data) < _CONFIG.size:
            raise DepthError(f"compressed depth of {len(data)} bytes is shorter than its header: the message was cut")
        _, a, b = _CONFIG.unpack_from(data)
        payload = data[_CONFIG.size :]
        width, height, payload = (_parse_png if codec == "png" else _parse_rvl)(payload)
        if not 0 < width * height <= _MOST_PIXELS:
            raise DepthError(f"compressed depth says that it has {width}x{height} pixels: the message is damaged")
        return cls(encoding, codec, width, height, a, b, payload)

    def decode(self, depth_scale: float | None = None) -> np.ndarray:
        """The pixels as metres.

        :param depth_scale: metres a count where the sensor does not keep to millimetres (16UC1 only)
        :return: (height, width) float32 in metres, invalid pixels 0
        :raises DepthError: the data is damaged, or the scale is not positive and finite
        """
        unit = count_unit(depth_scale)
        codes = _decode_png(self) if self.codec == "png" else decode_rvl(self.payload, self.width * self.height)
        codes = codes.reshape(self.height, self.width)
        if self.encoding == "16UC1":
            return np.multiply(codes, unit, dtype=np.float32)
        with np.errstate(divide="ignore"):
            depth = np.float32(self.a) / (codes.astype(np.float32) - np.float32(self.b))
        return clean_depth(np.where(codes == 0, np.float32(0), depth))


def decode_rvl(payload: bytes, pixels: int) -> np.ndarray:
    """RVL code words to counts, (pixels,) uint16.

    :raises DepthError: the words end early or do not make so many pixels
    """
    words = np.frombuffer(payload[: len(payload) // 4 * 4], "<u4")
    shifts = np.arange(28, -4, -4, dtype=np.uint32)  # the first group of a word is in its highest four bits
    groups = ((words[:, None] >> shifts) & 0xF).reshape(-1)
    ends = np.flatnonzero(groups < 8)  # the highest bit of four: more groups follow
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.intp)[: len(ends)]
    lengths = ends - starts + 1
    groups = groups[: ends[-1] + 1] if len(ends) else groups[:0]
    # Only padding and damage make numbers longer than these; what is shifted out is never used of them.
    place = np.minimum(np.arange(len(groups)) - np.repeat(starts, lengths), _MOST_RUN_GROUPS)
    numbers = np.add.reduceat((groups & 7).astype(np.int64) << (3 * place), starts) if len(ends) else np.empty(0, np.int64)
    differences = np.zeros(pixels, np.int64)
    is_zero = np.ones(pixels, bool)
    pixel = at = 0
    while pixel < pixels:
        if at >= len(numbers):
            raise _damaged_rvl()
        pixel += int(numbers[at])
        at += 1
        if pixel == pixels:  # the last run was of zeros; an encoder may leave out the empty run that follows
            break
        if pixel > pixels or at >= len(numbers):
            raise _damaged_rvl()
        count = int(numbers[at])
        at += 1
        if pixel + count > pixels or at + count > len(numbers) or (lengths[at : at + count] > _MOST_GROUPS).any():
            raise _damaged_rvl()
        differences[pixel : pixel + count] = numbers[at : at + count]
        is_zero[pixel : pixel + count] = False
        pixel, at = pixel + count, at + count
    differences = (differences >> 1) ^ -(differences & 1)
    counts = np.where(is_zero, 0, np.cumsum(differences))  # a difference is to the pixel before that is not zero
    if counts.min() < 0 or counts.max() > np.iinfo(np.uint16).max:
        raise _damaged_rvl()
    return counts.astype(np.uint16)


def _parse_format(format: str) -> tuple[str, str]:
    encoding, _, rest = (part.strip() for part in format.partition(";"))
    transport, _, codec = rest.partition(" ")
    codec = codec.strip() or "png"
    encoding = "16UC1" if encoding == "mono16" else encoding
    if transport != "compressedDepth" or encoding not in ("16UC1", "32FC1") or codec not in ("png", "rvl"):
        raise DepthError(
            f"format {format!r} is no compressed depth: it is '16UC1; compressedDepth png' (or 32FC1, or rvl), as "
            "image_transport's compressedDepth publishes it; remap to that topic, or set depth_transport to raw"
        )
    return encoding, codec


def _parse_png(payload: bytes) -> tuple[int, int, bytes]:
    if not payload.startswith(_PNG_MAGIC) or len(payload) < _PNG_HEADER:
        raise DepthError("compressed depth holds no PNG behind its header: the message was cut, or it is no compressedDepth")
    width, height = _PNG_SIZE.unpack_from(payload, _PNG_SIZE_AT)
    if tuple(payload[_PNG_DEPTH_AT : _PNG_DEPTH_AT + 2]) != (16, 0):
        raise DepthError("compressed depth is a PNG of other pixels than 16 bit grey: publish compressedDepth, not compressed")
    return width, height, payload


def _decode_png(image: CompressedDepth) -> np.ndarray:
    codes = cv2.imdecode(np.frombuffer(image.payload, np.uint8), cv2.IMREAD_UNCHANGED)
    if codes is None or codes.shape != (image.height, image.width) or codes.dtype != np.uint16:
        raise DepthError("compressed depth cannot be read as PNG: the message was cut or damaged")
    return codes


def _parse_rvl(payload: bytes) -> tuple[int, int, bytes]:
    if len(payload) < _RVL_SIZE.size:
        raise DepthError("compressed depth holds no RVL behind its header: the message was cut")
    width, height = _RVL_SIZE.unpack_from(payload)
    return width, height, payload[_RVL_SIZE.size :]


def _damaged_rvl() -> DepthError:
    return DepthError("compressed depth cannot be read as RVL: the message was cut or damaged")
