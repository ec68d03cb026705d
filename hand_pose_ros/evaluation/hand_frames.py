"""Hands over time as a recording's topic or a file has them: found ones and known ones alike."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns

log = logging.getLogger(__name__)
HANDS = "hand_pose_ros/msg/HandPoseArray"
# Messages that may be recorded before one with an older stamp.
REORDERED = 16


class NamedHand(NamedTuple):
    """One hand of one moment.

    :param id: unique in its frame
    :param side: 0 unknown, 1 left, 2 right
    :param names: of the joints, in the order of `joints`
    :param joints: (J, 3) metres, NaN where not known
    """

    id: int
    side: int
    names: tuple[str, ...]
    joints: np.ndarray


class HandFrame(NamedTuple):
    """The hands of one moment, also when there are none.

    :param frame_id: TF frame of the joints; "" where the source does not say
    :param received_ns: when it was recorded; None where the source does not say
    :param message: HandPoseArray that it was read from, None from a file
    """

    stamp_ns: int
    frame_id: str
    hands: tuple[NamedHand, ...]
    received_ns: int | None = None
    message: Any = None


def topic_frames(path: Path, topic: str, library: MessageLibrary) -> Iterator[HandFrame]:
    """The HandPoseArray messages of a recording's topic in the order of recording; damaged ones are left out, with a warning."""
    with BagReader(path) as bag:
        for raw, message in bag.read({topic}, library):
            if any(len(hand.joint_names) != len(hand.positions) for hand in message.hands):
                log.warning("%s: a message on %s is left out: a hand has more or fewer positions than joint names", path, topic)
                continue
            hands = tuple(
                NamedHand(hand.id, hand.side, tuple(hand.joint_names), _positions(hand))
                for hand in _with_unique_ids(message.hands)
            )
            header = message.header
            yield HandFrame(stamp_ns(header), header.frame_id, hands, raw.stamp_ns, message)


class _Identified(NamedTuple):
    id: int
    side: int
    joint_names: Any
    positions: Any


def _with_unique_ids(hands: Any) -> list[_Identified]:
    """Hands that share an id, since nobody set it, are told apart by their side, then by their place in the message."""
    for ids in ([h.id for h in hands], [h.side for h in hands], list(range(len(hands)))):
        if len(set(ids)) == len(ids):
            break
    return [_Identified(int(i), int(h.side), h.joint_names, h.positions) for i, h in zip(ids, hands)]


def _positions(hand: _Identified) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in hand.positions], float).reshape(len(hand.joint_names), 3)


def in_order(frames: Iterator[HandFrame], name: str, reordered: int = REORDERED) -> Iterator[HandFrame]:
    """Frames by ascending stamp. Those that come too late for it are left out, and a warning says how many.

    :param name: of the source, for the warning
    """
    waiting: list[tuple[int, int, HandFrame]] = []
    order, last, left_out = count(), None, Counter()

    def next_due() -> HandFrame | None:
        nonlocal last
        frame = heapq.heappop(waiting)[2]
        if last is not None and frame.stamp_ns <= last:
            left_out["of a stamp that came before" if frame.stamp_ns == last else "older than those before"] += 1
            return None
        last = frame.stamp_ns
        return frame

    for frame in frames:
        heapq.heappush(waiting, (frame.stamp_ns, next(order), frame))
        if len(waiting) > reordered and (due := next_due()) is not None:
            yield due
    while waiting:
        if (due := next_due()) is not None:
            yield due
    for what, number in left_out.items():
        log.warning("%s: %d messages %s are left out (was something played twice while it was recorded?)", name, number, what)
