"""Crops whose kinds are fixed by their number, so that what a model is measured on cannot drift easy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.scene import Companion, Scene, SceneSettings
from hand_pose_training.synthetic.sensor import Sensor
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.views import View

SENSORS = {kind: Fraction(1, 3) for kind in SensorKind}
COMPANIONS = {Companion.NONE: Fraction(1, 2), Companion.OBJECT: Fraction(1, 4), Companion.SECOND_HAND: Fraction(1, 4)}
VIEWS = {
    View.EGOCENTRIC: Fraction(1, 4),
    View.ANY: Fraction(1, 3),  # uniform over the sphere, but for where the forearm hides the hand
    View.FACING: Fraction(1, 4),
    View.OVERHEAD: Fraction(1, 6),
}
SIDES = {True: Fraction(1, 2), False: Fraction(1, 2)}  # right, left
DISTANCE_M = (0.25, 1.2)  # uniform
COVER_M = 0.02  # a sleeve is nearer to the skin
_DIMENSIONS = 6
# The one real root above 1 of x^7 = x + 1: powers of it make the points below spread evenly in six dimensions.
_ROOT = 1.1127756842787055


@dataclass(frozen=True)
class Quotas:
    """What each of N samples is: arrays (N,).

    Every array holds its quotas exactly, up to one sample, and all are as independent of one another as N allows; so are,
    nearly, the first so many samples.

    :param right: bool
    :param present: bool, whether it is a hand
    """

    sensor: np.ndarray
    companion: np.ndarray
    view: np.ndarray
    right: np.ndarray
    distance_m: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, count: int, negatives: float = 0.0) -> Quotas:
        """The quotas of a set of so many samples.

        :param negatives: share of samples without a hand
        """
        # Additive recurrence of low discrepancy, then ranks: each column is a permutation of 0 to count - 1.
        points = (0.5 + np.arange(1, count + 1)[:, None] * _ROOT ** -np.arange(1.0, _DIMENSIONS + 1)) % 1
        ranks = points.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        share = (ranks + 0.5) / count
        present = {True: 1 - Fraction(negatives).limit_denominator(1000), False: Fraction(negatives).limit_denominator(1000)}
        return cls(
            _pick(share[:, 0], SENSORS),
            _pick(share[:, 1], COMPANIONS),
            _pick(share[:, 2], VIEWS),
            _pick(share[:, 3], SIDES).astype(bool),
            DISTANCE_M[0] + (DISTANCE_M[1] - DISTANCE_M[0]) * share[:, 4],
            _pick(share[:, 5], present).astype(bool),
        )

    def first(self, count: int) -> Quotas:
        """Those of the first so many samples."""
        return Quotas(*(getattr(self, name)[:count] for name in self.__dataclass_fields__))

    def counts(self) -> dict[str, dict[str, int]]:
        """How many samples there are of each, by name; distances in fifths of their range, companions those of hands."""
        edges = np.linspace(*DISTANCE_M, 6)
        distances = np.histogram(self.distance_m, edges)[0]
        return {
            "sensor": {kind.name.lower(): int((self.sensor == kind).sum()) for kind in SENSORS},
            "companion": {kind.name.lower(): int((self.companion == kind)[self.present].sum()) for kind in COMPANIONS},
            "view": {view.name.lower(): int((self.view == view).sum()) for view in VIEWS},
            "side": {"right": int(self.right.sum()), "left": int((~self.right).sum())},
            "presence": {"hand": int(self.present.sum()), "no_hand": int((~self.present).sum())},
            "distance_m": {f"{a:.2f}_to_{b:.2f}": int(n) for a, b, n in zip(edges, edges[1:], distances)},
        }


class QuotaCrops(SyntheticCrops):
    """Crops whose sensor, companion, view, side and distance the quotas say.

    :param total: the quotas are those of a set of so many samples; `length` of them are taken, the first
    """

    def __init__(self, seed: int, length: int, settings: SyntheticSettings, total: int | None = None) -> None:
        super().__init__(seed, length, settings)
        self.quotas = Quotas.of(total or length, settings.negatives).first(length)

    def drawn(self, i: int) -> tuple[SceneSettings, SensorKind | None]:
        """What sample i is drawn from."""
        q = self.quotas
        settings = replace(
            self.settings.scene,
            negatives=0.0 if q.present[i] else 1.0,
            right_hands=float(q.right[i]),
            distance_m=(float(q.distance_m[i]),) * 2,
            view=View(q.view[i]),
            companion=Companion(q.companion[i]),
            uniform_distance=True,
        )
        return settings, SensorKind(q.sensor[i])

    def taken(
        self, crop: CubeCrop, scene: Scene, buffer: ZBuffer, sensor: Sensor, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """The sample with one key more: covered, how many joints `covered_joints` counts."""
        return super().taken(crop, scene, buffer, sensor, rng) | {"covered": np.float32(covered_joints(scene))}


def covered_joints(scene: Scene) -> int:
    """How many of the subject's joints something other than hand and bare forearm lies before, or lie outside the image."""
    if scene.subject is None:
        return 0
    window = Window.of_image(scene.camera)
    own = ZBuffer(scene.camera, window)
    own.draw_mesh(*scene.meshes[scene.subject.occupies])
    columns, rows = np.floor(scene.camera.project(scene.joints) + 0.5).astype(int).T
    inside = (columns >= 0) & (columns < window.width) & (rows >= 0) & (rows < window.height)
    rows, columns = rows[inside], columns[inside]
    nearest, skin = scene.render(window).inverse_depth[rows, columns], own.inverse_depth[rows, columns]
    # 1/z of a surface so far before the skin, or before the joint where that is beside the skin's last pixel.
    limit = np.where(skin > 0, skin, 1 / scene.joints[inside, 2])
    return int((~inside).sum() + (nearest > limit / (1 - COVER_M * limit)).sum())


def _pick(share: np.ndarray, shares: dict[int, Fraction]) -> np.ndarray:
    """The kind that each of the shares (N,) in (0, 1) falls to."""
    bounds = np.array([float(bound) for bound in _running(shares.values())])
    return np.array([int(kind) for kind in shares])[np.searchsorted(bounds[:-1], share, side="right")]


def _running(shares: Iterable[Fraction]) -> Iterator[Fraction]:
    total = Fraction(0)
    for share in shares:
        total += share
        yield total
