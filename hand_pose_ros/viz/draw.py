"""Hands drawn into a picture: bones in their finger's colour, joints, and how sure each is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import unpack_symmetric
from hand_pose_ros.messages import markers
from hand_pose_ros.perception.types import Hand
from hand_pose_ros.skeleton import finger_of

# BGR, as OpenCV has it; the colours of the markers in RViz.
FINGER_COLOURS = {finger: colour[::-1] for finger, colour in markers.FINGER_COLOURS.items()}
TRUTH_COLOUR = (255, 255, 255)
SHIFT = 4  # OpenCV draws with 1/16 pixel
ELLIPSE_DEVIATIONS = 2.0


@dataclass(frozen=True)
class View:
    """A picture of a part of the image: picture pixel = (image pixel - origin) * scale, centres of pixels being whole numbers.

    :param camera: of the whole image
    :param origin: image pixel of the picture's top left pixel
    :param scale: picture pixels an image pixel
    """

    camera: Camera
    origin: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) in metres -> (N, 2) picture pixels; NaN for points behind the camera."""
        uv = (self.camera.project(points) - self.origin) * self.scale
        return np.where(np.asarray(points)[:, 2:] > 0, uv, np.nan)


def draw_hand(picture: np.ndarray, view: View, hand: Hand, *, thickness: int = 2, ellipses: bool = False) -> None:
    """Draw a hand into a BGR picture, in place. With `ellipses`, two standard deviations around each joint."""
    pixels = view.pixels(hand.joints)
    if ellipses:
        for joint in range(len(hand.skeleton)):
            _ellipse(picture, view, pixels[joint], hand.joints[joint], hand.covariance[joint])
    # Far bones first, so that near ones cover them.
    for parent, child in sorted(hand.skeleton.bone_indices, key=lambda bone: -hand.joints[bone[1], 2]):
        colour = FINGER_COLOURS.get(finger_of(hand.skeleton.joint_names[child]), TRUTH_COLOUR)
        _line(picture, pixels[parent], pixels[child], colour, thickness)
    for joint, name in enumerate(hand.skeleton.joint_names):
        radius = thickness + (2 if name.endswith("tip") else 1)
        _disc(picture, pixels[joint], FINGER_COLOURS.get(finger_of(name), TRUTH_COLOUR), radius)


def draw_truth(picture: np.ndarray, view: View, joints: np.ndarray) -> None:
    """Draw known joints (J, 3) in metres as small crosses, in place."""
    for u, v in view.pixels(joints):
        if _drawable(u, v):
            for colour, width in (((0, 0, 0), 3), (TRUTH_COLOUR, 1)):
                cv2.drawMarker(picture, (round(u), round(v)), colour, cv2.MARKER_TILTED_CROSS, 7, width, cv2.LINE_AA)


def draw_text(picture: np.ndarray, lines: list[str], *, corner: tuple[int, int] = (10, 22)) -> None:
    """White lines of text with a dark edge, in place."""
    # The edge is the same text moved by a pixel: OpenCV 5's letters grow wider with their thickness, earlier ones' do not.
    moves = [((dx, dy), (0, 0, 0)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    for row, line in enumerate(lines):
        for (dx, dy), colour in [*moves, ((0, 0), (255, 255, 255))]:
            at = (corner[0] + dx, corner[1] + 20 * row + dy)
            cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _drawable(*values: float) -> bool:
    """Whether OpenCV's fixed-point coordinates can hold them."""
    return bool(np.isfinite(values).all() and np.abs(values).max() < 1e5)


def _fixed(pixel: np.ndarray) -> tuple[int, int]:
    return tuple(round(float(v) * (1 << SHIFT)) for v in pixel)


def _line(picture: np.ndarray, a: np.ndarray, b: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    if _drawable(*a, *b):
        cv2.line(picture, _fixed(a), _fixed(b), (0, 0, 0), thickness + 2, cv2.LINE_AA, SHIFT)
        cv2.line(picture, _fixed(a), _fixed(b), colour, thickness, cv2.LINE_AA, SHIFT)


def _disc(picture: np.ndarray, at: np.ndarray, colour: tuple[int, int, int], radius: int) -> None:
    if _drawable(*at):
        cv2.circle(picture, _fixed(at), (radius + 1) << SHIFT, (0, 0, 0), -1, cv2.LINE_AA, SHIFT)
        cv2.circle(picture, _fixed(at), radius << SHIFT, colour, -1, cv2.LINE_AA, SHIFT)


def _ellipse(picture: np.ndarray, view: View, at: np.ndarray, point: np.ndarray, covariance: np.ndarray) -> None:
    if not _drawable(*at) or not np.isfinite(covariance).all() or covariance[0] < 0:
        return
    fx, fy = view.camera.fx * view.scale, view.camera.fy * view.scale
    x, y, z = point
    jacobian = np.array([[fx / z, 0, -fx * x / z**2], [0, fy / z, -fy * y / z**2]])
    values, vectors = np.linalg.eigh(jacobian @ unpack_symmetric(covariance) @ jacobian.T)
    axes = ELLIPSE_DEVIATIONS * np.sqrt(np.maximum(values, 0))
    if _drawable(*axes):
        angle = float(np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0])))
        cv2.ellipse(picture, _fixed(at), _fixed(axes), angle, 0, 360, (170, 170, 170), 1, cv2.LINE_AA, SHIFT)
