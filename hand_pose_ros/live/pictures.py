"""Pictures in and out of messages: what the overlay is drawn on, and the overlay."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from hand_pose_ros.messages.color_input import color_image
from hand_pose_ros.messages.library import MessageLibrary, make_header


class Pictures(Protocol):
    """Converts between sensor_msgs/Image and (H, W, 3) uint8 BGR."""

    def from_message(self, message: Any) -> np.ndarray:
        """The pixels of a colour image.

        :raises ColorError: it cannot be read
        """

    def to_message(self, picture: np.ndarray, stamp_ns: int, frame_id: str) -> Any:
        """A bgr8 image."""


class PlainPictures:
    """Without cv_bridge."""

    def __init__(self, library: MessageLibrary) -> None:
        self._library = library

    def from_message(self, message: Any) -> np.ndarray:
        """See `Pictures.from_message`."""
        return color_image(message)

    def to_message(self, picture: np.ndarray, stamp_ns: int, frame_id: str) -> Any:
        """See `Pictures.to_message`."""
        height, width = picture.shape[:2]
        return self._library.make(
            "sensor_msgs/msg/Image",
            header=make_header(self._library, stamp_ns, frame_id),
            height=height,
            width=width,
            encoding="bgr8",
            is_bigendian=0,
            step=width * 3,
            data=np.ascontiguousarray(picture).reshape(-1),
        )
