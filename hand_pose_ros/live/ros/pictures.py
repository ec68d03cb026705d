"""Colour images and overlays through cv_bridge, which reads more encodings than our own code (Bayer, YUV, 16 bit)."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time

from hand_pose_ros.live.pictures import Pictures, PlainPictures
from hand_pose_ros.messages.color_input import ColorError
from hand_pose_ros.messages.library import MessageLibrary, stamp_fields

log = logging.getLogger(__name__)


def best_pictures(library: MessageLibrary) -> Pictures:
    """cv_bridge, or our own code where that is not installed or does not fit the NumPy that is."""
    try:
        return BridgePictures()
    except Exception as error:  # a C++ module that does not fit fails in ways of its own
        log.debug("cv_bridge is not used: %s", error)
        return PlainPictures(library)


class BridgePictures:
    """`Pictures` by cv_bridge.

    :raises ImportError: it is not installed, or was built for another NumPy
    """

    def __init__(self) -> None:
        # A cv_bridge of the ROS 2 releases up to Kilted is built against NumPy 1, and may end the process under NumPy 2.
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
            raise ImportError(f"it may not fit NumPy {np.__version__}")
        from cv_bridge import CvBridge

        self._bridge = CvBridge()
        self._bridge.encoding_to_cvtype2("bgr8")  # loads its C++ part

    def from_message(self, message: Any) -> np.ndarray:
        """See `Pictures.from_message`."""
        try:
            return self._bridge.imgmsg_to_cv2(message, "bgr8")
        except Exception as error:  # CvBridgeError, and TypeError or ValueError for bytes that do not fit the size
            raise ColorError(f"encoding {message.encoding!r} cannot be turned into bgr8: {error}") from error

    def to_message(self, picture: np.ndarray, stamp_ns: int, frame_id: str) -> Any:
        """See `Pictures.to_message`."""
        message = self._bridge.cv2_to_imgmsg(np.ascontiguousarray(picture), "bgr8")
        message.header.stamp, message.header.frame_id = Time(**stamp_fields(stamp_ns)), frame_id
        return message
