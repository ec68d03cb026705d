"""A depth frame in, hands out: track the known hands, look for new ones where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.perception.color_estimate import hand_estimator
from hand_pose_ros.perception.estimate import Estimate, StageClock
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.perception.regions import in_region, localize_in_regions
from hand_pose_ros.perception.track import Track, Tracks
from hand_pose_ros.perception.types import DepthFrame, FrameResult, Hand, PixelRegion
from hand_pose_ros.perception.workspace import Workspace
from hand_pose_ros.skeleton import skeleton

STAGES = ("localize", "crop", "network", "track")


@dataclass(frozen=True)
class PipelineSettings:
    """How hands are found and kept.

    :param max_hands: hands at a time
    :param min_depth_m, max_depth_m: where hands are looked for
    :param min_confidence: a hand is taken up from this presence on (the model's own, or its mean joint confidence)
    :param keep_confidence: and kept down to this one
    :param lost_frames: a hand that was not seen for so many frames is dropped
    :param search_every: frames between searches for a further hand while others are tracked; without any, every frame is
        searched, after a second's worth of frames without a hand every third
    :param max_candidates: places that the network looks at in one search; of a detector's boxes so many, the surest
    :param recenter_m: the network looks again where its joints lie farther than this from the crop's centre
    :param cube_m: edge of the cube, or None for the one that the model was trained with
    """

    max_hands: int = 1
    min_depth_m: float = 0.1
    max_depth_m: float = 1.5
    min_confidence: float = 0.5
    keep_confidence: float = 0.3
    lost_frames: int = 5
    search_every: int = 10
    max_candidates: int = 4
    recenter_m: float = 0.03
    cube_m: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_hands", "lost_frames", "search_every", "max_candidates"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if not 0 < self.min_depth_m < self.max_depth_m:
            raise ValueError(f"depths of {self.min_depth_m} to {self.max_depth_m} m are no range in front of a camera")
        if not 0 <= self.keep_confidence <= self.min_confidence <= 1:
            raise ValueError(
                f"keep_confidence {self.keep_confidence} must be at most min_confidence {self.min_confidence}, both within 0 to 1"
            )


# Passes of the network over a new hand, each centred on the joints of the one before.
DETECTION_PASSES = 3
CENTERED_M = 0.01
# First looks are badly centred, so a hand's presence may still be low there, but not as low as an empty table's.
WORTH_A_SECOND_LOOK = 0.1
# After so many frames without a hand only every IDLE_EVERY-th is searched: a search costs several times what following does.
IDLE_AFTER_FRAMES = 30
IDLE_EVERY = 3
# A hand that jumped out of its crop and is found within this distance in the same frame is still the same hand.
SAME_HAND_M = 0.35
# Two hands whose joints are this close on average are one hand seen twice.
DUPLICATE_M = 0.05


class Pipeline:
    """The whole of perception, frame after frame.

    The result depends on the frames given since the last `reset` alone: live, from a bag or in a loop of one's own.
    """

    def __init__(self, engine: Engine, settings: PipelineSettings = PipelineSettings()) -> None:
        self.engine = engine
        self._skeleton = skeleton(engine.card.skeleton)
        self.configure(settings)
        self._tracks = Tracks(settings.max_hands)
        self._since_search = self._empty_frames = 0

    def configure(self, settings: PipelineSettings) -> None:
        """Other settings from the next frame on; the hands are kept, and so is max_hands."""
        card = self.engine.card
        self.settings = settings
        cube_m = settings.cube_m or card.window_m or card.cube_m
        self._estimator = hand_estimator(self.engine, cube_m, settings.min_depth_m, settings.max_depth_m)

    def reset(self) -> None:
        """Forget the hands; the next frame is searched as if it were the first."""
        self._tracks.clear()
        self._since_search = self._empty_frames = 0

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
        lost = [track for track in self._tracks if track.slot not in found]
        if regions is not None:
            regions = self._regions_due(frame, regions, found, lost)
        if self._search_is_due(lost) if regions is None else regions:
            self._search(frame, found, lost, regions, workspace, clock)
        with clock("track"):
            for track in [t for t in self._tracks if t.slot not in found]:
                track.missed += 1
                if track.missed >= self.settings.lost_frames:
                    self._tracks.drop(track)
            self._drop_duplicates(found)
            hands = tuple(self._hand(track, found[track.slot], frame.stamp_ns) for track in self._tracks if track.slot in found)
        return FrameResult(frame.stamp_ns, frame.frame_id, hands, clock.ms)

    def _follow(self, frame: DepthFrame, workspace: Workspace | None, clock: StageClock) -> dict[int, Estimate]:
        """The known hands that are still seen, and in the workspace, by slot."""
        tracks = list(self._tracks)
        if not tracks:
            return {}
        mirrored = [self._estimator.mirrors(t.right_side) for t in tracks]
        estimates = self._estimator.run(frame, [t.predict(frame.stamp_ns) for t in tracks], mirrored, clock)
        estimates = self._look_again(frame, estimates, self.settings.recenter_m, clock)
        return {
            track.slot: e
            for track, e in zip(tracks, estimates)
            if e is not None and e.presence >= self.settings.keep_confidence and _counts(e, workspace)
        }

    def _look_again(
        self, frame: DepthFrame, estimates: list[Estimate | None], recenter_m: float, clock: StageClock
    ) -> list[Estimate | None]:
        """Repeat what was badly centred on its own joints; of both answers the surer one counts."""
        again = [i for i, e in enumerate(estimates) if e is not None and e.off_center_m > recenter_m]
        if not again:
            return estimates
        mirrored = [estimates[i].mirrored for i in again]
        second = self._estimator.run(frame, [estimates[i].center for i in again], mirrored, clock)
        better = {i: e for i, e in zip(again, second) if e is not None and e.sureness >= estimates[i].sureness}
        return [better.get(i, e) for i, e in enumerate(estimates)]

    def _choose_sides(self, frame: DepthFrame, estimates: list[Estimate], clock: StageClock) -> list[Estimate]:
        """For a model of one side: look at the mirror image too, and keep the look that fits the side both speak for."""
        if not self._estimator.one_sided or not estimates:
            return estimates
        mirror_images = self._estimator.run(frame, [e.center for e in estimates], [True] * len(estimates), clock)
        chosen = []
        for plain, mirrored in zip(estimates, mirror_images):
            if mirrored is not None:
                right_side = (plain.right_side + mirrored.right_side) / 2
                plain = replace(mirrored if self._estimator.mirrors(right_side) else plain, right_side=right_side)
            chosen.append(plain)
        return chosen

    def _search_is_due(self, lost: list[Track]) -> bool:
        self._since_search += 1
        self._empty_frames = 0 if len(self._tracks) else self._empty_frames + 1
        if self._empty_frames > IDLE_AFTER_FRAMES and self._since_search < IDLE_EVERY:
            return False
        seen = len(self._tracks) - len(lost)
        if seen and not lost and (not self._tracks.free or self._since_search < self.settings.search_every):
            return False
        self._since_search = 0
        return True

    def _regions_due(
        self, frame: DepthFrame, regions: Sequence[PixelRegion], found: dict[int, Estimate], lost: list[Track]
    ) -> Sequence[PixelRegion]:
        """The boxes to look into now, the surest: those without a known hand, and every `search_every` frames all of them."""
        self._since_search += 1
        if not (self._tracks.free or lost):
            return ()
        if self._since_search >= self.settings.search_every:
            self._since_search = 0
        else:
            regions = [r for r in regions if not any(in_region(e.center, frame.camera, r) for e in found.values())]
        return sorted(regions, key=lambda region: -region.score)[: self.settings.max_candidates]

    def _places(
        self, frame: DepthFrame, known: Sequence[np.ndarray], regions: Sequence[PixelRegion] | None, workspace: Workspace | None
    ) -> list[np.ndarray]:
        """(3,) each, metres: where hands other than those with the known centres may be."""
        s = self.settings
        limits = {"min_depth_m": s.min_depth_m, "max_depth_m": s.max_depth_m, "workspace": workspace}
        if regions is None:
            candidates = localize(frame.depth, frame.camera, max_candidates=s.max_candidates + len(known), **limits)
        else:
            candidates = localize_in_regions(frame.depth, frame.camera, regions, known=known, **limits)
        centers = [c.center for c in candidates if all(np.linalg.norm(c.center - k) > DUPLICATE_M * 2 for k in known)]
        return centers[: s.max_candidates] if regions is None else centers

    def _search(
        self,
        frame: DepthFrame,
        found: dict[int, Estimate],
        lost: list[Track],
        regions: Sequence[PixelRegion] | None,
        workspace: Workspace | None,
        clock: StageClock,
    ) -> None:
        """Look over the whole image or its regions; adds to `found`, for lost tracks that are seen again and for new ones."""
        with clock("localize"):
            centers = self._places(frame, [e.center for e in found.values()], regions, workspace)
        estimates = _promising(self._estimator.run(frame, centers, [False] * len(centers), clock))
        estimates = self._choose_sides(frame, estimates, clock)
        for _ in range(DETECTION_PASSES - 1):
            estimates = _promising(self._look_again(frame, estimates, CENTERED_M, clock))
        sure = [e for e in estimates if e.presence >= self.settings.min_confidence and _counts(e, workspace)]
        if regions is not None:  # the passes may have walked to a hand that is beside the boxes
            sure = [e for e in sure if any(in_region(e.center, frame.camera, region) for region in regions)]
        sure.sort(key=lambda e: -e.presence * e.sureness)
        lost = list(lost)
        for estimate in sure:
            if any(_same_hand(estimate, other) for other in found.values()):
                continue
            near = [t for t in lost if np.linalg.norm(t.center - estimate.center) < SAME_HAND_M]
            if near:
                track = min(near, key=lambda t: float(np.linalg.norm(t.center - estimate.center)))
                lost.remove(track)
            elif self._tracks.free:
                track = self._tracks.start(estimate.center, frame.stamp_ns)
            else:
                continue
            found[track.slot] = estimate

    def _drop_duplicates(self, found: dict[int, Estimate]) -> None:
        """Of two tracks on one hand the older stays."""
        for track in sorted(self._tracks, key=lambda t: t.id):
            others = [t for t in self._tracks if t.id < track.id and t.slot in found]
            if track.slot in found and any(_same_hand(found[track.slot], found[t.slot]) for t in others):
                del found[track.slot]
                self._tracks.drop(track)

    def _hand(self, track: Track, estimate: Estimate, stamp_ns: int) -> Hand:
        track.see(estimate.center, stamp_ns, estimate.right_side)
        side, probability = track.side()
        return Hand(
            track.id,
            track.slot,
            side,
            probability,
            estimate.presence,
            estimate.joints,
            estimate.covariance(),
            estimate.confidence,
            self._skeleton,
        )


def _promising(estimates: list[Estimate | None]) -> list[Estimate]:
    """Those that may be hands and come near the best one's presence."""
    best = max((e.presence for e in estimates if e is not None), default=0.0)
    return [e for e in estimates if e is not None and e.presence >= max(best / 2, WORTH_A_SECOND_LOOK)]


def _counts(estimate: Estimate, workspace: Workspace | None) -> bool:
    return workspace is None or bool(workspace.contains(estimate.center))


def _same_hand(a: Estimate, b: Estimate) -> bool:
    return float(np.linalg.norm(a.joints - b.joints, axis=1).mean()) < DUPLICATE_M
