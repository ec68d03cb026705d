"""A whole depth image in a small frame of fixed shape, for the detector: the same for every camera.

The image is made small by one factor along both axes, so that it just fits, and lies in the middle of the frame; around it
there is no depth. Each pixel of the frame is the image's pixel at its centre: nothing is averaged across the edges of a hand.
A hand's size in the frame depends on its distance and on the frame's focal length, which is an input beside it:

    depth_frame  (N, 1, H, W) float32  metres, 0 where there is no depth; H = 4/5 W
    focal_px     (N, 1) float32        focal length in pixels of the frame, the geometric mean of both axes

Normalised coordinates (u, v) are -1 and 1 at the frame's outer edges, so cell i of W' across lies at (2 i + 1) / W' - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hand_pose_ros.geometry.camera import Camera

WIDTH = 160
_DIVISOR = 160  # W for which W and H both divide by 32, the detector's coarsest map


def width_problem(width: int) -> str:
    """Why a frame cannot be so wide, "" if it can."""
    return "" if width >= _DIVISOR and width % _DIVISOR == 0 else f"{width} is no width of a frame: a multiple of {_DIVISOR}"


def frame_shape(width: int) -> tuple[int, int]:
    """H, W."""
    return width * 4 // 5, width


def input_rows(width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each input's type and shape without the batch, by name in the graph's order."""
    return {"depth_frame": ("float32", (1, *frame_shape(width))), "focal_px": ("float32", (1,))}


@dataclass(frozen=True)
class Letterbox:
    """Where a camera's image lies in a frame.

    :param width: W
    """

    camera: Camera
    width: int = WIDTH

    @cached_property
    def step(self) -> float:
        """Image pixels a frame pixel."""
        height, width = frame_shape(self.width)
        return max(self.camera.width / width, self.camera.height / height)

    @property
    def focal_px(self) -> float:
        """See above."""
        return float(np.sqrt(self.camera.fx * self.camera.fy)) / self.step

    @cached_property
    def rows(self) -> np.ndarray:
        """The image's rows that are seen; none of an image that is lower than a pixel of the frame."""
        return self._seen(0)[0]

    @cached_property
    def columns(self) -> np.ndarray:
        """The image's columns that are seen."""
        return self._seen(1)[0]

    @cached_property
    def place(self) -> tuple[slice, slice]:
        """Where in the frame they lie."""
        return self._seen(0)[1], self._seen(1)[1]

    def _seen(self, axis: int) -> tuple[np.ndarray, slice]:
        size, image = frame_shape(self.width)[axis], (self.camera.height, self.camera.width)[axis]
        pixels = np.floor((np.arange(size) + 0.5 - size / 2) * self.step + image / 2).astype(np.int64)
        inside = np.flatnonzero((pixels >= 0) & (pixels < image))
        return pixels[inside], slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0)

    def extract(self, depth: np.ndarray) -> np.ndarray:
        """The frame (H, W) float32 of an image (height, width), metres, invalid 0."""
        return self.framed(depth[self.rows[:, None], self.columns])

    def framed(self, seen: np.ndarray) -> np.ndarray:
        """The frame (H, W) float32 of what is at `rows` and `columns`."""
        frame = np.zeros(frame_shape(self.width), np.float32)
        frame[self.place] = seen
        return frame

    def normalize(self, pixels: np.ndarray) -> np.ndarray:
        """Image pixels (..., 2) -> normalised coordinates (..., 2)."""
        height, width = frame_shape(self.width)
        middle = np.array([self.camera.width - 1, self.camera.height - 1]) / 2
        return (np.asarray(pixels) - middle) / (np.array([width, height]) * self.step / 2)

    def denormalize(self, uv: np.ndarray) -> np.ndarray:
        """Normalised coordinates (..., 2) -> image pixels (..., 2)."""
        height, width = frame_shape(self.width)
        middle = np.array([self.camera.width - 1, self.camera.height - 1]) / 2
        return np.asarray(uv) * (np.array([width, height]) * self.step / 2) + middle
