"""Small things that the tests of colour datasets write: images and hands."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, width: int, height: int, rgb: tuple[int, int, int] = (10, 20, 30)) -> None:
    """An image of one colour, RGB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(path.suffix, width, height, rgb))


@lru_cache
def _encoded(suffix: str, width: int, height: int, rgb: tuple[int, int, int]) -> bytes:
    done, content = cv2.imencode(suffix, np.full((height, width, 3), rgb[::-1], np.uint8))
    assert done
    return content.tobytes()


def hand(seed: int = 0, root: tuple[float, float, float] = (0.01, -0.02, 0.6)) -> np.ndarray:
    """(21, 3) metres: the first joint at the root, the others within 7 cm."""
    joints = np.asarray(root) + np.random.default_rng(seed).uniform(-0.07, 0.07, size=(21, 3))
    joints[0] = root
    return joints.round(6)
