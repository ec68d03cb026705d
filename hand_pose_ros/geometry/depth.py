"""Depth images of any encoding to float32 metres."""

from __future__ import annotations

import math

import numpy as np

_PIXELS = {"16UC1": np.uint16, "mono16": np.uint16, "32FC1": np.float32}
MILLIMETRE = 0.001  # metres a count: REP 118 has integers in millimetres, floats in metres


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
    :raises DepthError: unknown encoding, sizes that do not fit together, or a scale that none can be
    """
    try:
        dtype = _PIXELS[encoding]
    except KeyError:
        raise DepthError(f"encoding {encoding!r} is no depth encoding: publish 16UC1 (millimetres) or 32FC1 (metres)") from None
    unit = count_unit(depth_scale)
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
        return np.multiply(counts, unit, dtype=np.float32)
    return clean_depth(counts.astype(np.float32))


def count_unit(depth_scale: float | None) -> np.float32:
    """Metres a count of an image of whole numbers: `depth_scale`, or None for REP 118's millimetre.

    :raises DepthError: not positive, or not finite
    """
    if depth_scale is None:
        return np.float32(MILLIMETRE)
    if not (depth_scale > 0 and math.isfinite(depth_scale)):
        raise DepthError(f"depth_scale {depth_scale} is not positive and finite: give metres a count (millimetres: 0.001)")
    return np.float32(depth_scale)


def clean_depth(depth: np.ndarray) -> np.ndarray:
    """Float metres with NaN, inf and negative values set to 0 (a new array, float32)."""
    depth = np.asarray(depth, np.float32)
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0))
