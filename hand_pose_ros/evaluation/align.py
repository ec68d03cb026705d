"""Ground truth on the clock, in the frame and with the joints of the hands that it is compared with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hand_pose_ros.evaluation.bag_transforms import BagTransforms
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HandFrame
from hand_pose_ros.evaluation.joint_map import joint_map
from hand_pose_ros.evaluation.motion import Side, estimate_offset
from hand_pose_ros.evaluation.settings import Job
from hand_pose_ros.evaluation.truth import Truth
from hand_pose_ros.evaluation.truth_window import TruthFrame, TruthWindow
from hand_pose_ros.messages.library import MessageLibrary
from hand_pose_ros.metrics import rounded
from hand_pose_ros.scoring.clock_offset import ClockOffset
from hand_pose_ros.scoring.lag import SHIFTS_NS
from hand_pose_ros.scoring.matching import KnownHand

log = logging.getLogger(__name__)


class Aligned:
    """What is known at the moments of one recording; a context manager.

    :param hands: the hands to compare with, from the beginning each time it is called
    :param starts_ns: moments from which on the recording's sequences after the first one last, by the clock of the hands
    :raises EvaluationError: the two have no joints in common, or no transform joins their frames, or the clock offset is asked
        for and cannot be estimated
    """

    def __init__(
        self,
        job: Job,
        hands: Callable[[], Iterator[HandFrame]],
        truth: Truth,
        library: MessageLibrary,
        starts_ns: Sequence[int] = (),
    ) -> None:
        self._job, self._truth, comparison = job, truth, job.comparison
        found, true = (next((h.names for f in frames for h in f.hands), None) for frames in (hands(), truth.frames()))
        self.joints = joint_map(found, true, comparison.joint_names, job.bag, truth.name)
        self._offset = ClockOffset(comparison.offset_s or 0.0, float("nan"))
        if comparison.offset_s is None:
            sides = Side(hands, self.joints.found), Side(truth.frames, self.joints.true)
            self._offset = estimate_offset(*sides, comparison.max_offset_s, job.bag, truth.name)
        self._offset_ns = round(self._offset.seconds * 1e9)
        self._span: list[int] = []
        self._out_of_reach = 0
        first = next(hands(), None)
        self._frame_id = first.frame_id.lstrip("/") if first else ""
        self._transforms, self._source = self._join_frames(library)
        self._window = TruthWindow(
            self._truth_frames(),
            tolerance_ns=round(comparison.tolerance_s * 1e9),
            max_gap_ns=round(comparison.max_gap_s * 1e9),
            reach_ns=int(SHIFTS_NS[-1]),
            starts_ns=starts_ns,
        )

    def __enter__(self) -> Aligned:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._transforms is not None:
            self._transforms.close()

    def _join_frames(self, library: MessageLibrary) -> tuple[BagTransforms | None, str]:
        first = next(self._truth.frames(), None)
        source = first.frame_id.lstrip("/") if first else ""
        if not source or not self._frame_id or source == self._frame_id:
            return None, source
        what = f"the ground truth on {self._truth.name}"
        return BagTransforms(self._job.bag, library, self._frame_id, source, what), source

    def _truth_frames(self) -> Iterator[TruthFrame]:
        for frame in self._truth.frames():
            if frame.frame_id.lstrip("/") != self._source:
                raise EvaluationError(
                    f"{self._job.bag}: the ground truth on {self._truth.name} begins in frame {self._source!r} and goes on in "
                    f"{frame.frame_id!r}: record it in one"
                )
            stamp = frame.stamp_ns - self._offset_ns
            self._span = [self._span[0] if self._span else stamp, stamp]
            hands = tuple(self.joints.true(hand) for hand in frame.hands)
            if self._transforms is not None:
                transform = self._transforms.at(stamp)
                if transform is None:
                    self._out_of_reach += 1
                    continue
                hands = tuple(hand._replace(joints=transform.points(hand.joints)) for hand in hands)
            yield TruthFrame(stamp, hands)

    def hands(self, frame: HandFrame) -> tuple[list[KnownHand], list[KnownHand] | None]:
        """The found hands of a frame not before the last one, and the true ones; None where they are not known.

        :raises EvaluationError: the hands are in another frame than those before
        """
        if frame.frame_id.lstrip("/") != self._frame_id:
            raise EvaluationError(
                f"{self._job.bag}: the hands begin in frame {self._frame_id!r} and go on in {frame.frame_id!r}: evaluate "
                "recordings of one camera each"
            )
        return [self.joints.found(hand) for hand in frame.hands], self._window.at(frame.stamp_ns)

    def shifted(self, hand: int, stamp_ns: int) -> np.ndarray | None:
        """(S, 3) centres of a true hand at the moment asked for last less each of SHIFTS_NS; None where not all are known."""
        centers = self._window.centers(hand, stamp_ns - SHIFTS_NS[::-1])
        return None if centers is None else centers[::-1]

    def refuse_nothing(self, scored: int, frames: list[int]) -> None:
        """After the last frame.

        :param frames: stamps of the first and the last frame with hands
        :raises EvaluationError: there were frames, and none of them could be scored
        """
        if scored or not frames:
            return
        where = f"{self._job.bag}: not one frame of the hands has known ground truth on {self._truth.name}"
        if self._out_of_reach:
            raise EvaluationError(
                f"{where}: /tf has no transform between {self._frame_id!r} and {self._source!r} at its times. Record /tf from "
                "before the beginning on"
            )
        if not self._span or self._span[1] < frames[0] or frames[1] < self._span[0]:
            apart = (self._span[0] - frames[0]) * 1e-9 if self._span else float("nan")
            raise EvaluationError(
                f"{where}: it begins {apart:.3f} s after the hands and their times do not overlap. Is it of this recording? Two "
                "clocks: --offset auto, or --offset SECONDS"
            )
        raise EvaluationError(f"{where}: its times have gaps there. Allow wider ones: --max-gap, --tolerance")

    def facts(self) -> dict[str, Any]:
        """How the comparison was made, for the figures."""
        frame = self._source if self._transforms is not None else ""
        return {
            "ground_truth": self._truth.name,
            "joints": list(self.joints.names),
            "frame": self._frame_id,
            "ground_truth_frame": frame or self._frame_id,
            "ground_truth_without_transform": self._out_of_reach,
            "clock_offset_s": rounded(self._offset.seconds, 4),
            "clock_offset_correlation": rounded(self._offset.correlation, 3),
        }
