"""The overlay picture of one frame: the whole depth image on the left, the hand from close by on the right."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.types import FrameResult, Hand
from hand_pose_ros.viz.depth_colour import INVALID_COLOUR, depth_picture
from hand_pose_ros.viz.draw import View, draw_hand, draw_text, draw_truth

CLOSE_UP_M = 0.24  # edge of the close-up's window at the hand's distance


def overlay(
    depth: np.ndarray,
    camera: Camera,
    result: FrameResult,
    *,
    truth: Sequence[np.ndarray] = (),
    label: str = "",
    close_up: bool = True,
) -> np.ndarray:
    """Draw what was found into the depth image.

    :param depth: (H, W) metres, invalid 0
    :param truth: known joints of each hand, (J, 3) metres, drawn as crosses
    :param label: first line of the text
    :param close_up: add a square close-up of the first hand at the right
    :return: (H', W', 3) uint8 BGR; H' and W' are even, as video needs, and the same for every image of a camera
    """
    whole = depth_picture(depth, camera.fx)
    close = _close_up(whole, camera, result.hands, truth) if close_up else None
    view = View(camera)
    for hand in result.hands:
        draw_hand(whole, view, hand)
    draw_text(whole, [line for line in (label, _stages(result.stage_ms), *map(_describe, result.hands)) if line])
    if not result.hands:
        draw_text(whole, ["no hand"], corner=(10, whole.shape[0] - 12))
    picture = whole if close is None else np.hstack([whole, close])
    height, width = picture.shape[:2]
    return picture[: height - height % 2, : width - width % 2]


def _close_up(whole: np.ndarray, camera: Camera, hands: Sequence[Hand], truth: Sequence[np.ndarray]) -> np.ndarray:
    """(H, H, 3) the first hand (or, without one, the first true hand) magnified."""
    edge = whole.shape[0]
    shown = hands[0].joints if hands else truth[0] if len(truth) else None
    picture = np.empty((edge, edge, 3), np.uint8)
    picture[:] = INVALID_COLOUR
    if shown is None or not np.isfinite(shown).all() or (shown[:, 2] <= 0).any():
        return picture
    middle = (shown.min(axis=0) + shown.max(axis=0)) / 2
    window = camera.fx * CLOSE_UP_M / middle[2]  # image pixels
    scale = edge / window
    u, v = camera.project(middle)
    view = View(camera, (u - window / 2, v - window / 2), scale)
    matrix = np.array([[scale, 0, -view.origin[0] * scale], [0, scale, -view.origin[1] * scale]])
    cv2.warpAffine(whole, matrix, (edge, edge), picture, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, INVALID_COLOUR)
    for hand in hands:
        draw_hand(picture, view, hand, thickness=3, ellipses=True)
    for joints in truth:
        draw_truth(picture, view, joints)
    return picture


def _stages(stage_ms: dict[str, float]) -> str:
    return "  ".join(f"{name} {ms:.1f}" for name, ms in stage_ms.items()) + (" ms" if stage_ms else "")


def _describe(hand: Hand) -> str:
    side = hand.side.name.lower()
    distance = float(np.mean(hand.joints[:, 2]))
    return f"hand {hand.id}: {side}, {distance:.2f} m, joint confidence {float(np.mean(hand.confidence)):.2f}"
