"""Colour pictures from sensor_msgs/Image messages."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

# Channels, and how OpenCV turns them into BGR (None: they are).
COLOR_ENCODINGS = {
    "bgr8": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
}


class ColorError(ValueError):
    """A colour image that cannot be read; the text says why and what to do."""


def registered_rgb(message: Any, depth: Any) -> np.ndarray:
    """The pixels of a colour image that is registered to a depth image: each pixel shows the same point in both.

    :param message: as for `color_image`
    :param depth: the depth image's message, with header, width and height
    :return: (H, W, 3) uint8 RGB
    :raises ColorError: it is of another camera than the depth image, or cannot be read
    """
    own, its = ((m.header.frame_id, int(m.width), int(m.height)) for m in (message, depth))
    if own != its:
        raise ColorError(
            f"the image is {own[1]}x{own[2]} in frame {own[0]!r}, the depth image {its[1]}x{its[2]} in frame {its[0]!r}: a model "
            "that sees colour needs depth that is registered to it, for example the camera driver's align_depth, or "
            "depth_image_proc's register node, remapped to depth/image_rect"
        )
    return cv2.cvtColor(color_image(message), cv2.COLOR_BGR2RGB)


def color_image(message: Any) -> np.ndarray:
    """The pixels of a sensor_msgs/Image.

    :param message: rgb8, bgr8, rgba8, bgra8 or mono8; 8 bit channels have no byte order, so is_bigendian says nothing
    :return: (H, W, 3) uint8 BGR, as OpenCV has it; not to be written to, it may be the message's own bytes
    :raises ColorError: another encoding, or sizes that do not fit together
    """
    try:
        channels, code = COLOR_ENCODINGS[message.encoding]
    except KeyError:
        raise ColorError(
            f"encoding {message.encoding!r} is no colour encoding that can be read: publish one of {', '.join(COLOR_ENCODINGS)}, "
            "for example through image_proc"
        ) from None
    width, height, step = int(message.width), int(message.height), int(message.step)
    if width == 0 or height == 0:
        raise ColorError(f"colour image of {width}x{height} pixels is empty")
    row = width * channels
    if step < row:
        raise ColorError(
            f"step {step} is less than a row of {width} {message.encoding} pixels ({row} bytes): mend the image's step"
        )
    raw = np.frombuffer(message.data, np.uint8)
    if raw.size < step * (height - 1) + row:
        raise ColorError(
            f"colour image of {raw.size} bytes is smaller than {height} rows of {step} bytes: "
            "the message was cut or its step is wrong"
        )
    pixels = np.lib.stride_tricks.as_strided(raw, (height, width, channels), (step, channels, 1), writeable=False)
    pixels = np.ascontiguousarray(pixels)
    return pixels if code is None else cv2.cvtColor(pixels, code)
