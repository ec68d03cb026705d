"""The pictures and the video of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from hand_pose_ros.viz.video import VideoError, VideoWriter

VIDEO, PICTURES = "overlay.mp4", "pictures"
ALL_PICTURES_UP_TO = 100  # frames; of longer runs a sample is written
SAMPLED_PICTURES = 24


class RunPictures:
    """Writes overlay.mp4, and the folder pictures/ with every frame of short runs or a sample of long ones. A context manager.

    :param folder: an existing folder without them
    :param frames: how many there will be, to choose the pictures
    :param rate_hz: of the video
    :param video: write one
    """

    def __init__(self, folder: Path, frames: int, rate_hz: float, *, video: bool = True) -> None:
        self._folder = folder / PICTURES
        self._folder.mkdir()
        self._pictured = sampled(frames)
        self._video = VideoWriter(folder / VIDEO, rate_hz) if video else None
        self._index = 0

    def __enter__(self) -> RunPictures:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._video is not None:
            self._video.close()

    def add(self, name: str, draw: Callable[[], np.ndarray]) -> None:
        """The next frame; `draw` makes its (H, W, 3) uint8 BGR picture and is called only where that is written.

        :param name: `seq/30.png` or `000030`, for pictures/seq_30.png or pictures/000030.png
        """
        index, self._index = self._index, self._index + 1
        if self._video is None and index not in self._pictured:
            return
        picture = draw()
        if self._video is not None:
            self._video.write(picture)
        if index in self._pictured:
            path = self._folder / (name.removesuffix(".png").replace("/", "_") + ".png")
            good, encoded = cv2.imencode(".png", picture)
            if not good:
                raise VideoError(f"picture {path} cannot be encoded")
            encoded.tofile(path)


def sampled(frames: int) -> set[int]:
    """The frames that get a picture: all of a short run, evenly spaced ones, with the first and the last, of a long one."""
    count = min(frames, SAMPLED_PICTURES) if frames > ALL_PICTURES_UP_TO else frames
    return set(np.linspace(0, frames - 1, count).round().astype(int).tolist()) if frames else set()
