"""The overlay pictures of one frame.

`overlay` is for recordings: the whole depth image on the left, one or two hands from close by on the right. `overlay_picture`
is for the live node: the camera's picture as it is, depth or colour, with the hands in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera, CameraError
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.viz.depth_colour import INVALID_COLOUR, depth_picture
from hand_pose_ros.viz.draw import View, draw_hand, draw_text, draw_truth

CLOSE_UP_M = 0.24  # edge of the close-up's window at the hand's distance
LABEL_WIDTH, LABEL_GAP = 170, 12  # pixels: about a label's length, and from it to the hand below


def overlay(
    depth: np.ndarray,
    camera: Camera,
    result: FrameResult,
    *,
    truth: Sequence[np.ndarray] = (),
    label: str = "",
    close_up: bool = True,
    look_at: np.ndarray | None = None,
) -> np.ndarray:
    """Draw what was found into the depth image.

    :param depth: (H, W) metres, invalid 0
    :param truth: known joints of each hand, (J, 3) metres, drawn as crosses
    :param label: first line of the text
    :param close_up: add a close-up at the right: a square one of a hand, or of each of the first two one below the other
    :param look_at: (J, 3) metres, what the close-up is of instead
    :return: (H', W', 3) uint8 BGR; H' and W' are even, as video needs, and the same for every image of a camera
    """
    whole = depth_picture(depth, camera.fx)
    close = _close_ups(whole, camera, result.hands, truth, look_at) if close_up else None
    view = View(camera)
    for hand in result.hands:
        draw_hand(whole, view, hand)
    draw_text(whole, [line for line in (label, _stages(result.stage_ms), *map(_describe, result.hands)) if line])
    if not result.hands:
        draw_text(whole, ["no hand"], corner=(10, whole.shape[0] - 12))
    picture = whole if close is None else np.hstack([whole, close])
    height, width = picture.shape[:2]
    return picture[: height - height % 2, : width - width % 2]


def overlay_picture(
    result: FrameResult,
    camera: Camera,
    depth: np.ndarray | None,
    color: np.ndarray | None = None,
    *,
    color_camera: Camera | None = None,
    depth_to_color: RigidTransform | None = None,
) -> np.ndarray:
    """Draw what was found into the camera's picture.

    :param result: in the depth image's frame
    :param camera: of the depth image
    :param depth: (H, W) metres, invalid 0; not looked at where there is a colour image
    :param color: (H, W, 3) uint8 BGR, drawn on instead of the depth image
    :param color_camera: the colour image's own; None: the image is registered to the depth image, so it is the depth camera
    :param depth_to_color: maps points of the depth camera's frame into the colour camera's; None: the two are one frame
    :return: (H, W, 3) uint8 BGR, a new array of the drawn image's size
    :raises CameraError: the colour image has another size than its camera
    """
    if color is None:
        picture = depth_picture(depth, camera.fx)
    else:
        camera = camera if color_camera is None else color_camera
        if color.shape[:2] != (camera.height, camera.width):
            raise CameraError(
                f"colour image of {color.shape[1]}x{color.shape[0]} pixels with a camera info of {camera.width}x{camera.height}: "
                "publish the colour image's own camera info, or a colour image that is registered to the depth image"
            )
        picture = color.copy()
        if depth_to_color is not None:
            result = result.transformed(depth_to_color, result.frame_id)
    view = View(camera)
    for hand in sorted(result.hands, key=lambda hand: -float(np.mean(hand.joints[:, 2]))):  # near hands cover far ones
        draw_hand(picture, view, hand)
        _label(picture, view, hand)
    if not result.hands:
        draw_text(picture, ["no hand"], corner=(10, picture.shape[0] - 12))
    return picture


def _label(picture: np.ndarray, view: View, hand: Hand) -> None:
    """Number, side, distance and confidence of a hand, above it where there is room."""
    pixels = view.pixels(hand.joints)
    pixels = pixels[np.isfinite(pixels).all(axis=1)]
    if not len(pixels):
        return
    height, width = picture.shape[:2]
    u = float(np.clip(pixels[:, 0].min(), 4, max(4, width - LABEL_WIDTH)))
    v = float(np.clip(pixels[:, 1].min() - LABEL_GAP, 16, max(16, height - 4)))
    draw_text(picture, [_short(hand)], corner=(round(u), round(v)))


def _short(hand: Hand) -> str:
    side = "" if hand.side == Side.UNKNOWN else f" {hand.side.name.lower()}"
    return f"#{hand.id}{side} {float(np.mean(hand.joints[:, 2])):.2f} m {100 * float(np.mean(hand.confidence)):.0f} %"


def _close_ups(
    whole: np.ndarray, camera: Camera, hands: Sequence[Hand], truth: Sequence[np.ndarray], look_at: np.ndarray | None
) -> np.ndarray:
    """(H, H, 3) what is looked at, or the hands (without any, the first true one) magnified; of two, one below the other."""
    shown = [look_at] if look_at is not None else [hand.joints for hand in hands[:2]] or list(truth[:1])
    edge, rows = whole.shape[0], max(len(shown), 1)
    panes = [_close_up(whole, camera, joints, (edge, edge // rows), hands, truth) for joints in shown or [None]]
    picture = np.full((edge, edge, 3), INVALID_COLOUR, np.uint8)
    for row, pane in enumerate(panes):
        picture[row * len(pane) : (row + 1) * len(pane)] = pane
    return picture


def _close_up(
    whole: np.ndarray,
    camera: Camera,
    joints: np.ndarray | None,
    size: tuple[int, int],
    hands: Sequence[Hand],
    truth: Sequence[np.ndarray],
) -> np.ndarray:
    """The picture of a size (width, height) with joints (J, 3) in its middle, CLOSE_UP_M high."""
    width, height = size
    picture = np.full((height, width, 3), INVALID_COLOUR, np.uint8)
    if joints is None or not np.isfinite(joints).all() or (joints[:, 2] <= 0).any():
        return picture
    middle = (joints.min(axis=0) + joints.max(axis=0)) / 2
    window = camera.fx * CLOSE_UP_M / middle[2] * np.array([width / height, 1.0])  # image pixels
    scale = height / window[1]
    view = View(camera, tuple(camera.project(middle) - window / 2), scale)
    matrix = np.array([[scale, 0, -view.origin[0] * scale], [0, scale, -view.origin[1] * scale]])
    cv2.warpAffine(whole, matrix, size, picture, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, INVALID_COLOUR)
    for hand in hands:
        draw_hand(picture, view, hand, thickness=3 if width == height else 2, ellipses=True)
    for known in truth:
        draw_truth(picture, view, known)
    return picture


def _stages(stage_ms: dict[str, float]) -> str:
    return "  ".join(f"{name} {ms:.1f}" for name, ms in stage_ms.items()) + (" ms" if stage_ms else "")


def _describe(hand: Hand) -> str:
    side = hand.side.name.lower()
    distance = float(np.mean(hand.joints[:, 2]))
    return f"hand {hand.id}: {side}, {distance:.2f} m, joint confidence {float(np.mean(hand.confidence)):.2f}"
