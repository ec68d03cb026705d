"""Looking for hands that are not followed: when, where, and which of the places are hands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from hand_pose_ros.perception.estimate import Estimate, HandEstimator, StageClock
from hand_pose_ros.perception.localize import Candidate
from hand_pose_ros.perception.looks import choose_sides, look_again, promising
from hand_pose_ros.perception.regions import in_region, localize_in_regions
from hand_pose_ros.perception.settings import PipelineSettings
from hand_pose_ros.perception.track import DOUBTFUL_SURENESS
from hand_pose_ros.perception.types import DepthFrame, PixelRegion
from hand_pose_ros.perception.workspace import Workspace

# Passes of the network over a new hand, each centred on the joints of the one before.
DETECTION_PASSES = 3
CENTERED_M = 0.01
# After so many frames without a hand only every IDLE_EVERY-th is searched: a search costs several times what following does.
IDLE_AFTER_FRAMES = 30
IDLE_EVERY = 3
# Frames between searches for a hand that was lost while others are followed; where it was last is looked at in every frame.
LOST_EVERY = 3
# Places this close to a hand that is followed are that hand.
SPACING_M = 0.10
# A place where a look found no further hand is left out for so many searches: heads, elbows, lamps and forearms stay.
LEFT_OUT_SEARCHES = 3
SAME_PLACE_M = 0.05
WORTH_SURENESS = 0.25  # at the first, badly centred look
# The logits of a place's presence and, so much, of its prior must together be so large: the weight is a logistic regression's of
# whether places are hands', on frames of people and sensors that training draws. The sum asked for is above the regression's own
# 1.3: that halves the false hands there and loses hardly a true one.
PRIOR_WEIGHT, SCEPTICISM = 0.5, 1.7
LEAST_SHARE = 1e-3  # nothing is surer than that

Finder = Callable[..., list[Candidate]]


class HandSearch:
    """Says when to search, and searches.

    While hands are followed, further ones are looked for at one place a search, and lost ones at one place a frame: to look
    at all places at once costs several times what following does, and would come as a hiccup.

    :param find: `localize.localize`, or `find` of a HandDetector
    """

    def __init__(self, find: Finder) -> None:
        self._find = find
        self.reset()

    def reset(self) -> None:
        """The next frame is searched."""
        self._since_search = self._empty_frames = 0
        self._searches = 0
        self._waiting: list[Candidate] = []
        self._none: list[tuple[int, np.ndarray]] = []  # places without a further hand, with the search that named them

    def nothing_at(self, place: np.ndarray) -> None:
        """A look at a place (3,) found no hand but the known ones: the next searches leave it out."""
        self._none.append((self._searches, place))

    def places(
        self,
        settings: PipelineSettings,
        frame: DepthFrame,
        known: Sequence[np.ndarray],
        lost: Sequence[np.ndarray],
        room: bool,
        workspace: Workspace | None,
        clock: StageClock,
    ) -> list[Candidate]:
        """Where to look in this frame; to be asked once a frame.

        :param known: (3,) centres of the hands that are followed
        :param lost: (3,) where the lost ones are thought to be
        :param room: one more hand may be found
        """
        self._since_search += 1
        self._empty_frames = 0 if known or lost else self._empty_frames + 1
        if not known:
            self._waiting = []
            if self._since_search < (IDLE_EVERY if self._empty_frames > IDLE_AFTER_FRAMES else 1):
                return []
            return self._found(settings, frame, known, workspace, clock)
        if not lost and not room:
            self._waiting = []
        elif self._waiting:
            return [self._waiting.pop(0)]
        elif self._since_search >= (LOST_EVERY if lost else settings.search_every):
            self._waiting = self._found(settings, frame, known, workspace, clock)
            if lost:  # where it is likeliest first
                self._waiting.sort(key=lambda place: min(float(np.linalg.norm(place.center - center)) for center in lost))
            else:  # the likeliest that was not looked at in vain
                new = [p for p in self._waiting if all(np.linalg.norm(p.center - n) > SAME_PLACE_M for _, n in self._none)]
                self._waiting = new[:1]
        return []

    def _found(
        self,
        settings: PipelineSettings,
        frame: DepthFrame,
        known: Sequence[np.ndarray],
        workspace: Workspace | None,
        clock: StageClock,
    ) -> list[Candidate]:
        """Where hands other than the known ones may be in the whole image."""
        self._since_search = 0
        self._searches += 1
        self._none = [(search, place) for search, place in self._none if self._searches - search <= LEFT_OUT_SEARCHES]
        with clock("localize"):
            candidates = self._find(
                frame.depth,
                frame.camera,
                min_depth_m=settings.min_depth_m,
                max_depth_m=settings.max_depth_m,
                max_candidates=settings.max_candidates + len(known),
                workspace=workspace,
            )
        return [c for c in candidates if _apart(c, known)][: settings.max_candidates]

    def regions_due(
        self,
        settings: PipelineSettings,
        frame: DepthFrame,
        regions: Sequence[PixelRegion],
        known: Sequence[np.ndarray],
        room: bool,
    ) -> Sequence[PixelRegion]:
        """The boxes to look into now, the surest: those without a known hand, and every `search_every` frames all of them.

        :param known: (3,) centres of the hands that are followed
        :param room: one more may be found
        """
        self._since_search += 1
        if not room:
            return ()
        if self._since_search >= settings.search_every:
            self._since_search = 0
        else:
            regions = [r for r in regions if not any(in_region(center, frame.camera, r) for center in known)]
        return sorted(regions, key=lambda region: -region.score)[: settings.max_candidates]

    def places_in(
        self,
        settings: PipelineSettings,
        frame: DepthFrame,
        regions: Sequence[PixelRegion],
        known: Sequence[np.ndarray],
        workspace: Workspace | None,
        clock: StageClock,
    ) -> list[Candidate]:
        """Where hands other than the known ones may be in these boxes."""
        limits = {"min_depth_m": settings.min_depth_m, "max_depth_m": settings.max_depth_m, "workspace": workspace}
        with clock("localize"):
            candidates = localize_in_regions(frame.depth, frame.camera, regions, known=known, **limits)
        return [c for c in candidates if _apart(c, known)]


def hands_at(
    estimator: HandEstimator,
    settings: PipelineSettings,
    frame: DepthFrame,
    places: Sequence[Candidate],
    *,
    further: bool,
    workspace: Workspace | None,
    clock: StageClock,
) -> list[Estimate]:
    """What of the places are hands, the likeliest first.

    :param further: other hands are followed
    """
    looks = promising(estimator.run(frame, [place.center for place in places], [False] * len(places), clock))
    if further:  # most places are none, and every look costs
        worth = [e is not None and e.presence >= settings.keep_confidence and e.sureness >= WORTH_SURENESS for e in looks]
        looks = [e if keep else None for e, keep in zip(looks, worth)]
    looks = choose_sides(estimator, frame, looks, clock)
    for _ in range(DETECTION_PASSES - 1):
        looks = promising(look_again(estimator, frame, looks, CENTERED_M, clock))
    looks = [e if e is not None and _likely(estimator, e, p) >= settings.min_confidence else None for e, p in zip(looks, places)]
    looks = choose_sides(estimator, frame, looks, clock)  # again, now that they are in the middle of their crops
    likely = [(_likely(estimator, e, place), e) for e, place in zip(looks, places) if e is not None and counts(e, workspace)]
    least = DOUBTFUL_SURENESS if further else 0.0  # beside another hand it may take the place of what is followed in doubt
    # What could not be kept is not taken up.
    likely = [(share, e) for share, e in likely if e.presence >= settings.keep_confidence and e.sureness >= least]
    return [e for share, e in sorted(likely, key=lambda pair: -pair[0]) if share >= settings.min_confidence]


def _likely(estimator: HandEstimator, estimate: Estimate, place: Candidate) -> float:
    """Probability, rather too low than too high, that what was seen at a place is a hand: for a model that tells presence from
    this and the place's prior, else its confidence alone."""
    if not estimator.tells_presence:
        return estimate.presence
    return 1 / (1 + math.exp(SCEPTICISM - PRIOR_WEIGHT * _logit(place.prior) - _logit(estimate.presence)))


def _logit(share: float) -> float:
    share = min(max(share, LEAST_SHARE), 1 - LEAST_SHARE)
    return math.log(share / (1 - share))


def _apart(place: Candidate, known: Sequence[np.ndarray]) -> bool:
    return all(np.linalg.norm(place.center - center) > SPACING_M for center in known)


def counts(estimate: Estimate, workspace: Workspace | None) -> bool:
    """Whether a hand is where hands count."""
    return workspace is None or bool(workspace.contains(estimate.center))
