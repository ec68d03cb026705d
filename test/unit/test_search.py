"""When and where further hands are looked for: one place at a time, and not again and again where none was."""

from dataclasses import replace

import numpy as np
import pytest
from known_hand import flat_hand
from some_estimates import estimate_of

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.estimate import StageClock
from hand_pose_ros.perception.localize import Candidate
from hand_pose_ros.perception.search import IDLE_AFTER_FRAMES, IDLE_EVERY, LEFT_OUT_SEARCHES, LOST_EVERY, HandSearch, hands_at
from hand_pose_ros.perception.settings import PipelineSettings
from hand_pose_ros.perception.types import DepthFrame

FRAME = DepthFrame(np.zeros((4, 4), np.float32), Camera(4, 4, 4.0, 4.0, 1.5, 1.5), 0, "camera")
HAND, HEAD, ELBOW = (np.array([x, 0.0, 0.5]) for x in (0.0, 0.3, -0.3))
SETTINGS = PipelineSettings(search_every=5)


@pytest.fixture
def search():
    """A search whose finder names the same three places each time; how often it was asked is in `search.asked`."""

    def find(depth, camera, *, max_candidates, **limits):
        found.asked += 1
        return [Candidate(place, 0.5) for place in (HAND, HEAD, ELBOW)][:max_candidates]

    found = HandSearch(find)
    found.asked = 0
    return found


def places(search, *, known=(), lost=(), room=True):
    return search.places(SETTINGS, FRAME, known, lost, room, None, StageClock("localize"))


def test_without_a_hand_all_places_are_looked_at_in_every_frame_and_after_a_while_less_often(search):
    assert all(len(places(search)) == 3 for _ in range(IDLE_AFTER_FRAMES))
    assert sum(bool(places(search)) for _ in range(10 * IDLE_EVERY)) == 10


def test_beside_a_followed_hand_one_place_is_looked_at_each_search(search):
    looked = [places(search, known=[HAND + 0.01]) for _ in range(12)]
    assert search.asked == 2
    assert [i for i, p in enumerate(looked) if p] == [5, 10]  # named in the frame before
    assert all(len(p) <= 1 for p in looked) and (looked[5][0].center == HEAD).all()


def test_where_no_hand_was_the_next_searches_do_not_look(search):
    looked = []
    while len(looked) < 4:
        here = places(search, known=[HAND])
        if here:
            looked.append((search.asked, here[0].center))
            search.nothing_at(here[0].center)
    (first, head), (_, elbow), (again, head_again), _ = looked
    assert (head == HEAD).all() and (elbow == ELBOW).all() and (head_again == HEAD).all()
    assert again - first == LEFT_OUT_SEARCHES + 1


def test_a_lost_hand_is_looked_for_at_one_place_a_frame_the_likeliest_first(search):
    looked = [places(search, known=[HAND], lost=[ELBOW + 0.02], room=False) for _ in range(LOST_EVERY + 2)]
    assert [len(p) for p in looked] == [0] * LOST_EVERY + [1, 1]
    assert (looked[-2][0].center == ELBOW).all() and (looked[-1][0].center == HEAD).all()


def test_with_all_hands_in_view_nothing_is_searched(search):
    assert not any(places(search, known=[HAND, HEAD], room=False) for _ in range(30)) and search.asked == 0


class SamePresence:
    """An estimator whose every look at a place has the presence that belongs to it, by x."""

    one_sided = False

    def __init__(self, presence: dict[float, float], tells_presence: bool = True) -> None:
        self.presence, self.tells_presence = presence, tells_presence

    def run(self, frame, centers, mirrored, clock, rivals=()):
        hand = flat_hand() - flat_hand().mean(axis=0)
        return [estimate_of(hand + center, presence=self.presence[float(center[0])]) for center in centers]


def taken_up(estimator: SamePresence, *places: Candidate) -> list[float]:
    """x of the hands found, in their order."""
    clock = StageClock("crop", "network")
    found = hands_at(estimator, PipelineSettings(), FRAME, places, further=False, workspace=None, clock=clock)
    return [round(float(e.center[0]), 6) for e in found]


def test_presence_and_the_finders_word_decide_together():
    sure, unsure = Candidate(np.array([-0.3, 0.0, 0.5]), 0.9, prior=0.95), Candidate(np.array([0.0, 0.0, 0.5]), 0.9, prior=0.2)
    told_nothing = Candidate(np.array([0.3, 0.0, 0.5]), 0.9)
    # logit 0.6 + logit 0.95 / 2 = 0.41 + 1.47 are more than 1.7; logit 0.7 + logit 0.2 / 2 = 0.85 - 0.69 and logit 0.7 are not.
    assert taken_up(SamePresence({-0.3: 0.6, 0.0: 0.7, 0.3: 0.7}), sure, unsure, told_nothing) == [-0.3]
    # 2.20 + 1.47; 2.94 - 0.69; 1.73: all are, the likeliest first.
    assert taken_up(SamePresence({-0.3: 0.9, 0.0: 0.95, 0.3: 0.85}), told_nothing, unsure, sure) == [-0.3, 0.0, 0.3]
    assert taken_up(SamePresence({-0.3: 0.05}), replace(sure, prior=1.0)) == []  # it is no hand, whatever the finder says
    assert taken_up(SamePresence({-0.3: 1.0}), replace(sure, prior=0.0)) == [-0.3]


def test_a_model_without_presence_has_its_confidence_alone():
    place = Candidate(np.array([0.0, 0.0, 0.5]), 0.9, prior=0.02)
    assert taken_up(SamePresence({0.0: 0.55}, tells_presence=False), place) == [0.0]
    assert taken_up(SamePresence({0.0: 0.45}, tells_presence=False), place) == []
