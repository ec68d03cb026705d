"""Depth images of any encoding to float32 metres."""

from __future__ import annotations

import numpy as np

# Metres a count, fixed by REP 118: integers are millimetres, floats metres.
_ENCODINGS = {"16UC1": (np.uint16, 0.001), "mono16": (np.uint16, 0.001), "32FC1": (np.float32, 1.0)}


class DepthError(ValueError):
    """A depth image that cannot be read; the text says why and what to do."""


def decode_depth(
    data: bytes | np.ndarray,
    *,
    encoding: str,
    width: int,
    height: int,
    step: int,
    is_bigendian: bool = False,
    depth_scale: float | None = None,
) -> np.ndarray:
    """The pixels of a sensor_msgs/Image as metres.

    :param data: the message's bytes (bytes, or a uint8 array)
    :param step: bytes a row, at least width times the pixel's size
    :param depth_scale: metres a count where the sensor does not keep to the encoding's unit (16UC1 only)
    :return: (height, width) float32 in metres; everything invalid (0, NaN, inf, negative) is 0
    :raises DepthError: unknown encoding, or sizes that do not fit together
    """
    try:
        dtype, unit = _ENCODINGS[encoding]
    except KeyError:
        raise DepthError(f"encoding {encoding!r} is no depth encoding: publish 16UC1 (millimetres) or 32FC1 (metres)") from None
    pixel = np.dtype(dtype).newbyteorder(">" if is_bigendian else "<")
    if step < width * pixel.itemsize:
        raise DepthError(
            f"step {step} is less than a row of {width} {encoding} pixels ({width * pixel.itemsize} bytes): mend the image's step"
        )
    raw = np.frombuffer(data, np.uint8)
    needed = step * (height - 1) + width * pixel.itemsize if height else 0
    if raw.size < needed:
        raise DepthError(
            f"image of {raw.size} bytes is smaller than {height} rows of {step} bytes: the message was cut or its step is wrong"
        )
    if width == 0 or height == 0:
        raise DepthError(f"image of {width}x{height} pixels is empty")
    rows = np.lib.stride_tricks.as_strided(
        raw[: width * pixel.itemsize], (height, width * pixel.itemsize), (step, 1), writeable=False
    )
    counts = np.ascontiguousarray(rows).view(pixel)
    if counts.dtype.kind == "u":
        return np.multiply(counts, np.float32(depth_scale or unit), dtype=np.float32)
    return clean_depth(counts.astype(np.float32))


def clean_depth(depth: np.ndarray) -> np.ndarray:
    """Float metres with NaN, inf and negative values set to 0 (a new array, float32)."""
    depth = np.asarray(depth, np.float32)
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0))
