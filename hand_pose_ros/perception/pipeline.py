"""A depth frame in, hands out: follow the known hands, look for new ones where there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.perception.associate import one_arm, recognize, same_hand, settle
from hand_pose_ros.perception.color_estimate import hand_estimator
from hand_pose_ros.perception.detector import HandDetector
from hand_pose_ros.perception.estimate import Estimate, StageClock
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.perception.looks import look_again
from hand_pose_ros.perception.regions import in_region
from hand_pose_ros.perception.rivals import rivals_of
from hand_pose_ros.perception.search import HandSearch, counts, hands_at
from hand_pose_ros.perception.settings import DEFAULTS, PipelineSettings
from hand_pose_ros.perception.track import DOUBTFUL_SURENESS, Track, Tracks
from hand_pose_ros.perception.types import DepthFrame, FrameResult, Hand, PixelRegion
from hand_pose_ros.perception.workspace import Workspace
from hand_pose_ros.skeleton import skeleton

STAGES = ("localize", "crop", "network", "track")
# Of the joints, where a lost hand is thought to be: what comes out of such a look is easily something else.
FOUND_AGAIN_SURENESS = 0.6
# A hand that was lost beside another one is hidden by it, perhaps for long: a frame in which it may be counts so much.
HIDDEN_PART = 0.25
SURER = 0.1  # by so much is a hand surer than its arm that looks like a second one
HIDDEN_M = 0.15  # across the line of sight, at the lost hand's distance


class Pipeline:
    """The whole of perception, frame after frame.

    The result depends on the frames given since the last `reset` alone: live, from a bag or in a loop of one's own.

    :param detector: says where hands may be; None: the finder of limbs' ends
    """

    def __init__(self, engine: Engine, settings: PipelineSettings = DEFAULTS, detector: HandDetector | None = None) -> None:
        self.engine = engine
        self._skeleton = skeleton(engine.card.skeleton)
        names = self._skeleton.joint_names
        self._wrist = names.index("wrist") if "wrist" in names else None
        self._tracks = Tracks(settings.max_hands)
        self._new = HandSearch(detector.find if detector else localize)
        self.configure(settings)

    def configure(self, settings: PipelineSettings) -> None:
        """Other settings from the next frame on; the hands are kept, and so is max_hands."""
        card = self.engine.card
        self.settings = settings
        cube_m = settings.cube_m or card.window_m or card.cube_m
        self._estimator = hand_estimator(self.engine, cube_m, settings.min_depth_m, settings.max_depth_m)

    def reset(self) -> None:
        """Forget the hands; the next frame is searched as if it were the first."""
        self._tracks.clear()
        self._new.reset()

    def process(
        self, frame: DepthFrame, *, regions: Sequence[PixelRegion] | None = None, workspace: Workspace | None = None
    ) -> FrameResult:
        """The hands of one frame, by slot, with the milliseconds of each of STAGES.

        :param regions: None: hands are looked for in the whole image. Given, also when empty: new hands are taken up in these
            boxes of the image alone; those that are followed go on wherever they are
        :param workspace: hands whose centre (mean of the joints) is outside are not taken up, and those that leave it are
            lost like those that are no longer seen; None: everywhere
        """
        clock = StageClock(*STAGES)
        found = self._follow(frame, workspace, clock)
        self._search(frame, found, regions, workspace, clock)
        with clock("track"):
            self._forget(found, frame.stamp_ns)
            hands = tuple(self._hand(track, found[track.slot], frame.stamp_ns) for track in self._tracks if track.slot in found)
        return FrameResult(frame.stamp_ns, frame.frame_id, hands, clock.ms)

    def _follow(self, frame: DepthFrame, workspace: Workspace | None, clock: StageClock) -> dict[int, Estimate]:
        """The known hands that are still seen, and in the workspace, by slot."""
        tracks = list(self._tracks)
        if not tracks:
            return {}
        stamp, settings = frame.stamp_ns, self.settings
        with clock("track"):
            rivals = rivals_of([t.predicted_joints(stamp) for t in tracks], self._skeleton) if len(tracks) > 1 else ()
        mirrored = [self._estimator.mirrors(t.right_side) for t in tracks]
        estimates = self._estimator.run(frame, [t.motion.predict(stamp) for t in tracks], mirrored, clock, rivals)
        estimates = look_again(self._estimator, frame, estimates, settings.recenter_m, clock, rivals)
        with clock("track"):
            kept = [
                e if e is not None and _keeps(t, e, settings) and counts(e, workspace) else None
                for t, e in zip(tracks, estimates)
            ]
            contested = [r is not None for r in rivals] or [False]
            return {t.slot: e for t, e in zip(tracks, settle(tracks, kept, contested, stamp)) if e is not None}

    def _search(
        self,
        frame: DepthFrame,
        found: dict[int, Estimate],
        regions: Sequence[PixelRegion] | None,
        workspace: Workspace | None,
        clock: StageClock,
    ) -> None:
        """Look over the whole image or its regions where that is due; adds to `found`, for lost tracks and for new ones.

        What is found may also be the hand of a track that follows something else.
        """
        settings, stamp = self.settings, frame.stamp_ns
        lost = [track for track in self._tracks if track.slot not in found]
        doubtful = [track for track in self._tracks if track.slot in found and track.doubtful]
        known, room = [e.center for e in found.values()], bool(self._tracks.free or doubtful)
        if regions is None:
            places = self._new.places(settings, frame, known, [t.motion.predict(stamp) for t in lost], room, workspace, clock)
        else:
            regions = self._new.regions_due(settings, frame, regions, known, bool(lost) or room)
            places = self._new.places_in(settings, frame, regions, known, workspace, clock) if regions else []
        if not places:
            return
        further = bool(known) and regions is None
        hands = hands_at(self._estimator, settings, frame, places, further=further, workspace=workspace, clock=clock)
        if regions is not None:  # the passes may have walked to a hand that is beside the boxes
            hands = [e for e in hands if any(in_region(e.center, frame.camera, region) for region in regions)]
        others: list[Estimate] = []
        for estimate in hands:
            if not any(same_hand(estimate, other) for other in (*found.values(), *others)):
                others.append(estimate)
        lost += doubtful
        known_again = recognize(lost, others, [self._hidden(t, found, stamp) for t in lost], stamp)
        for i, row in known_again.items():  # first: none of them is to make room for a new one
            found[lost[row].slot] = others[i]
        rest = [e for i, e in enumerate(others) if i not in known_again]
        new = [e for e in rest if not any(self._is_arm_of(e, other) for other in (*found.values(), *others))]
        if further and not known_again and not new:
            self._new.nothing_at(places[0].center)
        for estimate in new:
            if self._make_room(found, estimate):
                found[self._tracks.start(estimate, stamp).slot] = estimate

    def _is_arm_of(self, estimate: Estimate, hand: Estimate) -> bool:
        """Whether what was found is the arm of a hand, which is clearly surer; unknown of a skeleton without a wrist."""
        if self._wrist is None or estimate.sureness + SURER > hand.sureness:
            return False
        return one_arm(estimate, hand, self._wrist)

    def _make_room(self, found: dict[int, Estimate], estimate: Estimate) -> bool:
        """Whether there is room for a new hand, if need be in place of one that is remembered only for it may be hidden, or, for
        one that is surer, of something that is followed and is hardly a hand."""
        if not self._tracks.free:
            waiting = [t for t in self._tracks if t.slot not in found and t.missed >= self.settings.lost_frames]
            doubtful = [t for t in self._tracks if t.slot in found and t.doubtful]
            if waiting:
                self._tracks.drop(max(waiting, key=lambda t: t.missed))
            elif doubtful and estimate.sureness >= DOUBTFUL_SURENESS:
                least = min(doubtful, key=lambda t: t.sureness)
                del found[least.slot]
                self._tracks.drop(least)
        return bool(self._tracks.free)

    def _hidden(self, track: Track, found: dict[int, Estimate], stamp_ns: int) -> bool:
        """Whether a hand that is not seen may be behind another one."""
        place = track.motion.predict(stamp_ns)
        across = [e.center[:2] * place[2] / e.center[2] - place[:2] for slot, e in found.items() if slot != track.slot]
        return any(np.linalg.norm(offset) < HIDDEN_M for offset in across)

    def _forget(self, found: dict[int, Estimate], stamp_ns: int) -> None:
        """Drop the tracks that were not seen for too long."""
        for track in [t for t in self._tracks if t.slot not in found]:
            track.missed += 1
            track.lost += HIDDEN_PART if self._hidden(track, found, stamp_ns) else 1
            if track.lost >= self.settings.lost_frames:
                self._tracks.drop(track)

    def _hand(self, track: Track, estimate: Estimate, stamp_ns: int) -> Hand:
        track.see(estimate, stamp_ns)
        side, probability = track.side()
        return Hand(
            track.id,
            track.slot,
            side,
            probability,
            estimate.presence,
            track.filter.add(estimate.joints, stamp_ns, self.settings.smoothing),
            estimate.covariance(),
            estimate.confidence,
            self._skeleton,
        )


def _keeps(track: Track, estimate: Estimate, settings: PipelineSettings) -> bool:
    """Whether what is where a hand is expected is sure enough; where it was lost it may have gone, and another thing be there."""
    if not track.missed:
        return estimate.presence >= settings.keep_confidence
    return estimate.presence >= settings.min_confidence and estimate.sureness >= FOUND_AGAIN_SURENESS
