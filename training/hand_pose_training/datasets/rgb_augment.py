"""Augmentation of a colour window: it turns, grows and moves over the image, and the labels with it, so they stay exact.

The depths behind the root do not change as the window turns: the label is what the window shows, not a turned hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hand_pose_ros.geometry.color_crop import ColorCrop


@dataclass(frozen=True)
class RgbAugmentSettings:
    """What is drawn, uniformly; the defaults are JAR's.

    :param scale: the window's width changes by up to this share
    :param rotation_deg: the window turns by up to so much, either way
    :param translation_px: its middle moves by up to so many pixels of the image along u and v (as zxz267/SAR)
    :param color: each channel changes by up to this share and is cut at 1 (as zxz267/SAR)
    """

    scale: float = 0.1
    rotation_deg: float = 180.0
    translation_px: float = 10.0
    color: float = 0.2


@dataclass(frozen=True)
class RgbAugmentation:
    """One draw.

    :param scale: factor of the window's width
    :param rotation: of the window in radians, from the image's u axis towards its v axis
    :param translation_px: (u, v) that the window's middle moves by
    :param gains: factors of red, green and blue
    """

    scale: float = 1.0
    rotation: float = 0.0
    translation_px: tuple[float, float] = (0.0, 0.0)
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def window(self, crop: ColorCrop) -> ColorCrop:
        """The window after the draw."""
        return replace(
            crop,
            half_px=crop.half_px * self.scale,
            angle=crop.angle + self.rotation,
            center_px=crop.center_px + self.translation_px,
        )

    def recolor(self, picture: np.ndarray) -> np.ndarray:
        """A picture (3, S, S) after the draw."""
        return np.minimum(picture * np.reshape(self.gains, (3, 1, 1)), 1)


def draw(settings: RgbAugmentSettings, rng: np.random.Generator) -> RgbAugmentation:
    """A random augmentation."""
    scale, turn, u, v, *gains = rng.uniform(-1, 1, 7)
    return RgbAugmentation(
        1 + settings.scale * scale,
        float(np.deg2rad(settings.rotation_deg) * turn),
        (settings.translation_px * u, settings.translation_px * v),
        tuple(1 + settings.color * gain for gain in gains),
    )
