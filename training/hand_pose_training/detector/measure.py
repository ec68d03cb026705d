"""How well hands are found in whole frames: recall, false places, and how far the found centres are off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hand_pose_ros.geometry.letterbox import Letterbox
from hand_pose_ros.perception.detector import MIN_SCORE, spaced, to_metres
from hand_pose_ros.perception.localize import Candidate
from hand_pose_training.detector.frames import Frame
from hand_pose_training.detector.network import HandCenterNet

FOUND_M = 0.08  # a hand is found by a place so near to its centre: within the cube that the pose network sees
FALSE_PER_100 = 1.0
_BATCH = 32
_CANDIDATES = 8


@dataclass(frozen=True)
class Finds:
    """What was found in F frames with M hands of which enough is seen.

    :param frames: F
    :param score: (M,) of the place that found each hand, -1 where none did
    :param error_m: (M,) from its centre, NaN where none did
    :param distance_m, view, sensor, object: (M,) of each hand
    :param false_score: (P,) of the places that are no hand
    """

    frames: int
    score: np.ndarray
    error_m: np.ndarray
    distance_m: np.ndarray
    view: np.ndarray
    sensor: np.ndarray
    object: np.ndarray
    false_score: np.ndarray

    def recall(self, min_score: float, of: np.ndarray | None = None) -> float:
        """Share of the hands (of the mask's) that are found by places of at least this score; NaN without hands."""
        score = self.score if of is None else self.score[of]
        return float((score >= min_score).mean()) if len(score) else float("nan")

    def false_per_100(self, min_score: float) -> float:
        """Places of at least this score that are no hand, in 100 frames."""
        return 100 * int((self.false_score >= min_score).sum()) / max(self.frames, 1)

    def sure_score(self) -> float:
        """The least score from which on at most FALSE_PER_100 places are false."""
        allowed = int(FALSE_PER_100 * self.frames / 100)
        falling = np.sort(self.false_score)[::-1]
        return float(np.nextafter(falling[allowed], np.inf)) if len(falling) > allowed else 0.0

    @property
    def text(self) -> str:
        """One line."""
        sure = self.sure_score()
        found = self.error_m[np.isfinite(self.error_m)]
        off = f"{1000 * np.median(found):.0f} mm off" if len(found) else "none found"
        return (
            f"recall {100 * self.recall(MIN_SCORE):.1f} % with {self.false_per_100(MIN_SCORE):.1f} false in 100 frames, "
            f"{100 * self.recall(sure):.1f} % with {FALSE_PER_100:.0f}, {off}"
        )


def measure(frames: Iterable[Frame], found: Iterable[Sequence[Candidate]], none: float = -1.0) -> Finds:
    """Matches the places found in each frame, surest first, with its hands; each hand is found once.

    A place near any hand, also one that is hardly seen or found already, is not false.

    :param none: score of a hand that is not found
    """
    hands: list[dict[str, Any]] = []
    false: list[float] = []
    count = 0
    for frame, places in zip(frames, found):
        count += 1
        finds: dict[int, tuple[float, float]] = {}
        for place in sorted(places, key=lambda p: -p.score):
            away = np.linalg.norm(frame.centers - place.center, axis=1)
            near = [int(i) for i in np.argsort(away) if away[i] < FOUND_M]
            free = [i for i in near if i not in finds]
            if free:
                finds[free[0]] = (place.score, float(away[free[0]]))
            elif not near:
                false.append(place.score)
        for i in np.flatnonzero(frame.seen):
            score, error = finds.get(int(i), (none, float("nan")))
            hand = frame.scene.hands[i]
            row = {"distance_m": frame.centers[i, 2], "view": frame.scene.view, "sensor": frame.sensor_kind}
            hands.append({"score": score, "error_m": error, "object": hand.holds_object, **row})
    names = ("score", "error_m", "distance_m", "view", "sensor", "object")
    columns = {name: np.array([hand[name] for hand in hands], float) for name in names}
    return Finds(count, **columns, false_score=np.array(false))


@torch.no_grad()
def peaks_of(net: HandCenterNet, frames: Sequence[Frame]) -> list[list[Candidate]]:
    """The places that a network finds in frames, all its peaks."""
    places: list[list[Candidate]] = []
    for start in range(0, len(frames), _BATCH):
        part = frames[start : start + _BATCH]
        depth = torch.as_tensor(np.stack([frame.depth for frame in part])[:, None])
        peaks = net.peaks(net(depth, torch.as_tensor(np.stack([frame.focal_px for frame in part]))))
        for frame, centers, score in zip(part, peaks.centers.numpy(), peaks.logit.sigmoid().numpy()):
            places.append(candidates(frame.box, centers, score))
    return places


def candidates(box: Letterbox, centers: np.ndarray, score: np.ndarray) -> list[Candidate]:
    """What the runtime makes of a network's answer for one frame, of any score."""
    return spaced(to_metres(box, centers), score, _CANDIDATES)
