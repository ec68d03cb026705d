"""Files of the datasets: an error that says which is missing and where to get it, PNG images, depth in millimetres to metres."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from hand_pose_training.datasets.sample import DatasetError


def need(path: Path, where: str) -> Path:
    """The path itself.

    :param where: which dataset it belongs to and where that is found
    :raises DatasetError: it does not exist
    """
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder; it belongs to the {where}")
    return path


def read_png(path: Path, where: str) -> np.ndarray:
    """An image as it is stored: (H, W) or (H, W, 3) in the order blue, green, red.

    :raises DatasetError: it does not exist, or is no image
    """
    image = cv2.imread(str(need(path, where)), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DatasetError(f"{path}: not an image that can be decoded; unpack it again from the {where}")
    return image


def depth_metres(depth_mm: np.ndarray, far_mm: float) -> np.ndarray:
    """Depth image (H, W) in millimetres -> float32 metres, 0 where the sensor saw nothing.

    :param far_mm: this and beyond is background: sensors mark what they did not see not only with 0
    """
    depth = np.asarray(depth_mm, np.float32)
    return np.where(np.isfinite(depth) & (depth > 0) & (depth < far_mm), depth * np.float32(1e-3), np.float32(0))


def read_numbers(words: list[str], count: int, path: Path, line: int, where: str) -> list[float]:
    """The numbers of one line of a label file.

    :raises DatasetError: another count, or something that is no number; names the file and the line
    """
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DatasetError(f"{path}, line {line}: {error}; it should be as in the {where}") from None
    if len(numbers) != count:
        raise DatasetError(f"{path}, line {line}: {len(numbers)} numbers, not {count}; it should be as in the {where}")
    return numbers
