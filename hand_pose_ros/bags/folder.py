"""A folder of 16-bit PNG depth images as a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hand_pose_ros.bags.camera_file import read_camera_file
from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.natural import natural_key
from hand_pose_ros.bags.source import SourceFrame
from hand_pose_ros.live.topics import DEPTH_IMAGE
from hand_pose_ros.messages.library import MessageLibrary, make_header

CAMERA_FILE = "camera.yaml"
# Stamps of images that carry none: from a fixed time on, so that the same folder gives the same messages.
FIRST_STAMP_NS = 1_000_000_000 * 1_000_000_000


class FolderSource:
    """The PNG files of a folder, and of its folders (each a sequence of its own), sorted numerically.

    :param path: the folder
    :param camera_file: default: camera.yaml in the sequence's folder, in `path`, or in the folder around it
    :param rate_hz: of the stamps, which PNG files do not carry
    :raises BagError: no camera file
    """

    def __init__(self, path: Path, library: MessageLibrary, *, camera_file: Path | None, rate_hz: float, frame_id: str) -> None:
        if not rate_hz > 0:
            raise BagError(f"rate {rate_hz} Hz is not positive")
        self.path = path
        self.truth: dict[int, Any] = {}
        self.truth_topic = ""
        self.depth_input = DEPTH_IMAGE
        self._library = library
        self.rate_hz = rate_hz
        self._frame_id = frame_id
        self._images = image_files(path)
        self.count = len(self._images)
        self._camera = read_camera_file(camera_file or _camera_file(path))
        self.depth_scale = self._camera.depth_scale

    def frames(self) -> Iterator[SourceFrame]:
        """The images as 16UC1 messages; a file that is no depth image of the camera is a frame with an error."""
        for index, file in enumerate(self._images):
            header = make_header(self._library, FIRST_STAMP_NS + round(index * 1e9 / self.rate_hz), self._frame_id)
            name = file.relative_to(self.path)
            sequence, called = str(name.parent), name.as_posix()
            try:
                image = self._image(file, header)
            except BagError as error:
                empty = self._library.make(DEPTH_IMAGE.typename, header=header)
                yield SourceFrame(sequence, called, empty, None, error=str(error))
                continue
            yield SourceFrame(sequence, called, image, self._camera.camera_info(self._library, header))

    def _image(self, file: Path, header: Any) -> Any:
        """The sensor_msgs/Image of a file.

        :raises BagError: it is no 16-bit picture of one channel, or its size is not the camera's
        """
        counts = read_depth_png(file)
        height, width = counts.shape
        if (width, height) != (self._camera.width, self._camera.height):
            raise BagError(
                f"{file} has {width}x{height} pixels but {self._camera.path} is of a camera with "
                f"{self._camera.width}x{self._camera.height}: give the file of the camera that took it (--camera-file)"
            )
        return self._library.make(
            DEPTH_IMAGE.typename,
            header=header,
            height=height,
            width=width,
            encoding="16UC1",
            is_bigendian=0,
            step=2 * width,
            data=counts.astype("<u2").reshape(-1).view(np.uint8),
        )

    def close(self) -> None:
        """Nothing stays open."""


def has_images(folder: Path) -> bool:
    """Whether a folder, or a folder in it, holds PNG files."""
    return bool(image_files(folder))


def image_files(folder: Path) -> list[Path]:
    """The PNG files of a folder, then those of each of its folders; folders and files in numeric order."""
    folders = [folder, *sorted((p for p in folder.iterdir() if p.is_dir()), key=natural_key)]
    return [file for f in folders for file in sorted(f.glob("*.png"), key=natural_key)]


def read_depth_png(path: Path) -> np.ndarray:
    """A depth image as counts, (H, W) uint16.

    :raises BagError: the file is no PNG, not of 16 bits, or coloured
    """
    encoded = np.fromfile(path, np.uint8)
    counts = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if counts is None:
        raise BagError(f"{path} cannot be read as PNG: it was cut off or is another kind of file")
    if counts.ndim != 2 or counts.dtype != np.uint16:
        channels = 1 if counts.ndim == 2 else counts.shape[2]
        raise BagError(
            f"{path} is no depth image: {8 * counts.itemsize} bits, {channels} channel(s); a depth PNG has 16 bits and one"
        )
    return counts


def _camera_file(folder: Path) -> Path:
    looked = [folder / CAMERA_FILE, folder.resolve().parent / CAMERA_FILE]
    for path in looked:
        if path.is_file():
            return path
    raise BagError(
        f"no camera file for the images in {folder}; looked at {', '.join(map(str, looked))}: put the camera's calibration there "
        "(camera_info_manager YAML, plus depth_scale in metres a count), or name it with --camera-file"
    )
