"""Writes MP4 video: H.264 through ffmpeg where there is one, else MPEG-4 through OpenCV."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np

log = logging.getLogger(__name__)


class VideoError(OSError):
    """A video that cannot be written; the text names the file and the reason."""


class VideoWriter:
    """An MP4 file, as a context manager; leaving the block finishes it, whatever happened inside.

    :param path: the file, replaced where it exists
    :param fps: frames a second
    :raises VideoError: (from `write`, `close`) it cannot be written
    """

    def __init__(self, path: Path | str, fps: float) -> None:
        self.path = Path(path)
        self.codec = ""
        self._fps = fps
        self._ffmpeg: subprocess.Popen[bytes] | None = None
        self._opencv: cv2.VideoWriter | None = None
        self._shape: tuple[int, ...] | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, picture: np.ndarray) -> None:
        """Add a frame, (H, W, 3) uint8 BGR with even H and W, all of one size."""
        if self._shape is None:
            self._open(picture.shape)
        elif picture.shape != self._shape:
            raise VideoError(f"video {self.path}: a frame of shape {picture.shape} after frames of shape {self._shape}")
        if self._ffmpeg is not None:
            try:
                self._ffmpeg.stdin.write(np.ascontiguousarray(picture).data)
            except BrokenPipeError as error:
                raise VideoError(f"video {self.path} cannot be written: {self._complaint()}") from error
        else:
            self._opencv.write(picture)

    def close(self) -> None:
        """Finish the file. May be called again."""
        ffmpeg, self._ffmpeg = self._ffmpeg, None
        opencv, self._opencv = self._opencv, None
        if opencv is not None:
            opencv.release()
        if ffmpeg is not None:
            _, complaint = ffmpeg.communicate()
            if ffmpeg.returncode:
                raise VideoError(f"video {self.path} cannot be written: {complaint.decode(errors='replace').strip()}")

    def _open(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        height, width = shape[:2]
        ffmpeg = find_ffmpeg()
        if ffmpeg is not None:
            self.codec = "h264"
            command = [ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}"]
            command += ["-r", f"{self._fps}", "-i", "-", "-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
            command += ["-pix_fmt", "yuv420p", "-movflags", "+faststart", str(self.path)]
            # In a session of its own, so that Ctrl-C does not end it before the file is finished.
            self._ffmpeg = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        else:
            self.codec = "mp4v"
            log.info("no ffmpeg (pip install imageio-ffmpeg): %s is MPEG-4, which browsers do not play", self.path)
            self._opencv = cv2.VideoWriter(str(self.path), cv2.VideoWriter_fourcc(*"mp4v"), self._fps, (width, height))
            if not self._opencv.isOpened():
                raise VideoError(f"video {self.path} cannot be written: OpenCV has no encoder here (pip install imageio-ffmpeg)")

    def _complaint(self) -> str:
        ffmpeg, self._ffmpeg = self._ffmpeg, None
        ffmpeg.stdin.close()
        ffmpeg.wait()
        return ffmpeg.stderr.read().decode(errors="replace").strip()


def find_ffmpeg() -> str | None:
    """The ffmpeg of the imageio-ffmpeg package, or the system's, or None."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return shutil.which("ffmpeg")
