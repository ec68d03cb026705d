"""Transforms recorded on /tf and /tf_static: what tf2 would have answered, read along a recording."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.geometry.transform import RigidTransform, TransformError
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns

TF, TF_STATIC = "/tf", "/tf_static"
# Transforms further apart than this have nothing between them.
MAX_GAP_NS = 500_000_000
# How far /tf is read ahead of the moment asked for: frames are published at different rates.
AHEAD_NS = 2_000_000_000


class _Sample(NamedTuple):
    stamp_ns: int
    quaternion: np.ndarray
    translation: np.ndarray


class BagTransforms:
    """Maps points of a source frame into a target frame at moments that ascend.

    :param path: the recording
    :param what: whose frame the source is, for the error
    :raises EvaluationError: no chain of recorded transforms joins the two frames
    """

    def __init__(self, path: Path, library: MessageLibrary, target: str, source: str, what: str) -> None:
        self._library = library
        self._bag = BagReader(path)
        parents, static = self._tree(target, source)
        ups = [_way_up(frame, parents) for frame in (target, source)]
        common = next((frame for frame in ups[0] if frame in ups[1]), None)
        if common is None:
            has = "no /tf and no /tf_static" if not parents else f"transforms of {', '.join(sorted(parents)[:20])}"
            raise EvaluationError(
                f"{path}: the hands are in frame {target!r}, {what} in {source!r}, and the recording has {has}, which do not "
                "join the two: record /tf and /tf_static with it, or give hands and ground truth in one frame"
            )
        self._down, self._up = (way[: way.index(common)] for way in ups)
        self._samples: dict[str, deque[_Sample]] = {f: deque() for f in (*self._down, *self._up) if f not in static}
        self._static = static
        self._messages = self._bag.read({TF}, library)
        self._newest_ns = -1

    def _tree(self, target: str, source: str) -> tuple[dict[str, str], dict[str, tuple[np.ndarray, np.ndarray]]]:
        """Child -> parent, and quaternion and translation of the transforms that do not change; /tf is read until the two frames
        are joined."""
        parents: dict[str, str] = {}
        static: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for _, read in self._bag.read({TF_STATIC}, self._library):
            for message in read.transforms:
                parent, child = _frames(message)
                parents[child] = parent
                static[child] = _numbers(message)
        for _, read in self._bag.read({TF}, self._library):
            if set(_way_up(target, parents)) & set(_way_up(source, parents)):
                break
            for message in read.transforms:
                parent, child = _frames(message)
                parents.setdefault(child, parent)
        return parents, static

    def _step(self, child: str, stamp: int) -> RigidTransform | None:
        """From a frame to its parent."""
        try:
            if child in self._static:
                return RigidTransform.from_quaternion(*self._static[child])
            return _at(self._samples[child], stamp)
        except TransformError as error:
            raise EvaluationError(f"{self._bag.path}: the recorded transform to {child!r}: {error}") from error

    def at(self, stamp: int) -> RigidTransform | None:
        """The transform at a moment not before the one asked for last; None where the recording does not say."""
        self._read_up_to(stamp)
        total = [RigidTransform.identity(), RigidTransform.identity()]
        for side, way in enumerate((self._down, self._up)):
            for child in way:
                if (step := self._step(child, stamp)) is None:
                    return None
                total[side] = _after(step, total[side])
        return _after(total[0].inverse(), total[1])

    def _read_up_to(self, stamp: int) -> None:
        while self._samples and self._newest_ns < stamp + AHEAD_NS and (read := next(self._messages, None)) is not None:
            for message in read[1].transforms:
                samples = self._samples.get(_frames(message)[1])
                at = stamp_ns(message.header)
                if samples is not None and (not samples or at > samples[-1].stamp_ns):
                    quaternion, translation = _numbers(message)
                    samples.append(_Sample(at, quaternion, translation))
                    self._newest_ns = max(self._newest_ns, at)
                    _forget_before(samples, stamp)
        for samples in self._samples.values():
            _forget_before(samples, stamp)

    def close(self) -> None:
        """Close the recording."""
        self._bag.__exit__()


def _way_up(frame: str, parents: dict[str, str]) -> list[str]:
    """The frame, its parent, and so on."""
    way = [frame]
    while way[-1] in parents and parents[way[-1]] not in way:
        way.append(parents[way[-1]])
    return way


def _frames(message: Any) -> tuple[str, str]:
    return message.header.frame_id.lstrip("/"), message.child_frame_id.lstrip("/")


def _numbers(message: Any) -> tuple[np.ndarray, np.ndarray]:
    q, t = message.transform.rotation, message.transform.translation
    return np.array([q.x, q.y, q.z, q.w]), np.array([t.x, t.y, t.z])


def _after(second: RigidTransform, first: RigidTransform) -> RigidTransform:
    """Both in a row."""
    return RigidTransform(second.rotation @ first.rotation, second.points(first.translation))


def _forget_before(samples: deque[_Sample], stamp: int) -> None:
    while len(samples) > 1 and samples[1].stamp_ns <= stamp:
        samples.popleft()


def _at(samples: deque[_Sample], stamp: int) -> RigidTransform | None:
    after = next((i for i, sample in enumerate(samples) if sample.stamp_ns >= stamp), None)
    if after is None:
        return None
    b = samples[after]
    if b.stamp_ns == stamp:
        return RigidTransform.from_quaternion(b.quaternion, b.translation)
    if after == 0 or b.stamp_ns - samples[after - 1].stamp_ns > MAX_GAP_NS:
        return None
    a = samples[after - 1]
    part = (stamp - a.stamp_ns) / (b.stamp_ns - a.stamp_ns)
    turn = slerp(a.quaternion, b.quaternion, part)
    return RigidTransform.from_quaternion(turn, a.translation + part * (b.translation - a.translation))


def slerp(a: np.ndarray, b: np.ndarray, part: float) -> np.ndarray:
    """Unit quaternion `part` of the short way from a to b (Shoemake, SIGGRAPH 1985)."""
    cosine = float(a @ b)
    if cosine < 0:
        b, cosine = -b, -cosine
    if cosine > 1 - 1e-9:
        mixed = a + part * (b - a)
        return mixed / np.linalg.norm(mixed)
    angle = np.arccos(cosine)
    return (np.sin((1 - part) * angle) * a + np.sin(part * angle) * b) / np.sin(angle)
