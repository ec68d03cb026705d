"""The step that live node and replay share, with a real network."""

import numpy as np
import pytest
from small_bags import compressed_message, image_message, info_message, stamp

from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.topics import HAND_MARKERS, HANDS, PALM_POSES, TRANSFORMS
from hand_pose_ros.live.transforms import TransformMissing
from hand_pose_ros.messages.depth_input import compressed_depth_image
from hand_pose_ros.messages.library import make_header
from hand_pose_ros.perception.types import PixelRegion

STAGES = ["decode", "localize", "crop", "network", "track", "build"]


@pytest.fixture
def step(library, model):
    return FrameStep(load_engine(model), library, Parameters())


def test_a_frame_gives_depth_hands_messages_and_times(step, library):
    depth, result, messages, problem = step.run(image_message(library, 0), info_message(library, 0))
    assert not problem
    assert depth.depth[70, 60] == np.float32(0.5) and (result.stamp_ns, len(result.hands)) == (stamp(0), 1)
    assert messages[0][0] is HANDS and messages[0][1].model_id == "tiny"
    assert list(result.stage_ms) == STAGES and all(ms >= 0 for ms in result.stage_ms.values())


def test_compressed_depth_gives_the_same(step, library):
    raw = step.run(image_message(library, 0), info_message(library, 0))
    step.reset()
    packed = step.run(compressed_depth_image(compressed_message(library, 0)), info_message(library, 0))
    assert (raw.depth.depth == packed.depth.depth).all()
    assert (raw.result.hands[0].joints == packed.result.hands[0].joints).all()


def test_parameters_hold_from_the_next_frame_on_and_reset_gives_other_ids(step, library):
    def run(index):
        depth, result, messages, _ = step.run(image_message(library, index), info_message(library, index))
        return depth.depth[70, 60 + index], result.hands[0].id, len(messages)

    before = run(0)
    step.configure(Parameters(depth_scale=0.0009, publish_tf=False))
    after = run(1)
    assert after == (pytest.approx(0.45), before[1], before[2] - 1)
    step.reset()
    assert run(2)[1] != before[1]


def test_the_image_of_another_camera_starts_anew(library, model):
    """What was smoothed in one camera's frame is no place in the other's."""
    step = FrameStep(load_engine(model), library, Parameters(smoothing=1.0))

    def run(index, frame_id, step=step):
        image, info = image_message(library, index), info_message(library, index, frame_id)
        image.header = make_header(library, stamp(index), frame_id)
        return step.run(image, info).result.hands[0]

    before = [run(i, "left_optical") for i in range(3)][-1]
    after = run(15, "right_optical")  # the hand is elsewhere in its image
    assert after.id != before.id
    fresh = run(15, "right_optical", FrameStep(load_engine(model), library, Parameters(smoothing=1.0)))
    assert after.joints == pytest.approx(fresh.joints)


def test_an_image_that_cannot_be_read_is_said(step, library):
    image = image_message(library, 0)
    image.encoding = "bgr8"
    with pytest.raises(DepthError, match="bgr8"):
        step.run(image, info_message(library, 0))


# base: x forward, y left, z up; the camera looks along base's x from (1, 2, 3).
ROTATION = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
TO_BASE = RigidTransform(ROTATION, np.array([1.0, 2.0, 3.0]))


class Lookup:
    """Answers with TO_BASE while it is there, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked, self.there = [], True

    def __call__(self, *asked):
        self.asked.append(asked)
        if not self.there:
            raise TransformMissing("no transform from 'depth_optical' to 'base'")
        return TO_BASE


@pytest.fixture
def lookup():
    return Lookup()


def in_base(library, model, lookup, **values) -> FrameStep:
    return FrameStep(load_engine(model), library, Parameters(target_frame="base", transform_timeout_s=0.25, **values), lookup)


def points(hand) -> np.ndarray:
    return np.array([[p.x, p.y, p.z] for p in hand.positions])


def by_topic(messages):
    return dict(messages)


def test_hands_in_another_frame(library, model, lookup):
    frame = image_message(library, 0), info_message(library, 0)
    expected = by_topic(FrameStep(load_engine(model), library, Parameters()).run(*frame).messages)[HANDS].hands[0]
    answered = in_base(library, model, lookup).run(*frame)
    assert lookup.asked == [("base", "depth_optical", stamp(0), 0.25)]
    assert list(answered.result.stage_ms) == ["decode", "transform", "localize", "crop", "network", "track", "build"]
    got = by_topic(answered.messages)
    (hand,) = got[HANDS].hands
    x, y, z = points(expected).T
    assert np.allclose(points(hand), np.stack([1 + z, 2 - x, 3 - y], axis=1), atol=1e-9)
    xx, xy, xz, yy, yz, zz = expected.covariance.reshape(21, 6).T
    assert np.allclose(hand.covariance.reshape(21, 6), np.stack([zz, -xz, -yz, xx, xy, yy], axis=1), rtol=1e-5, atol=1e-12)
    assert answered.result.frame_id == "depth_optical"  # for the overlay
    headers = [
        got[HANDS].header,
        got[PALM_POSES].header,
        got[HAND_MARKERS].markers[0].header,
        got[TRANSFORMS].transforms[0].header,
    ]
    assert {header.frame_id for header in headers} == {"base"}
    wrist = got[TRANSFORMS].transforms[0].transform.translation
    assert np.allclose([wrist.x, wrist.y, wrist.z], points(hand)[0])


def test_the_images_own_frame_needs_no_transform(library, model, lookup):
    step = FrameStep(load_engine(model), library, Parameters(target_frame="depth_optical"), lookup)
    answered = step.run(image_message(library, 0), info_message(library, 0))
    assert len(by_topic(answered.messages)[HANDS].hands) == 1 and lookup.asked == []


def test_without_the_transform_there_are_no_hands_but_they_are_followed(library, model, lookup):
    step = in_base(library, model, lookup)
    first = step.run(image_message(library, 0), info_message(library, 0))
    lookup.there = False
    second = step.run(image_message(library, 1), info_message(library, 1))
    got = by_topic(second.messages)
    assert second.problem == "no transform from 'depth_optical' to 'base'"
    assert (got[HANDS].header.frame_id, got[HANDS].hands, got[PALM_POSES].poses) == ("base", [], [])
    assert [marker.action for marker in got[HAND_MARKERS].markers] == [2, 2] and TRANSFORMS not in got  # deleted
    lookup.there = True
    third = step.run(image_message(library, 2), info_message(library, 2))
    assert [h.id for h in third.result.hands] == [h.id for h in second.result.hands] == [h.id for h in first.result.hands]
    assert len(by_topic(third.messages)[HANDS].hands) == 1 and not third.problem


# The hand is at about x -0.07, y 0, z 0.5 of the camera, so at 1.5, 2.07, 3.0 of base.
@pytest.mark.parametrize(
    ("target", "box", "hands"),
    [
        ("", (-0.2, -0.2, 0.4, 0.2, 0.2, 0.6), 1),
        ("", (0.0, -0.2, 0.4, 0.2, 0.2, 0.6), 0),
        ("", (-np.inf, -np.inf, 0.6, np.inf, np.inf, np.inf), 0),
        ("base", (1.4, 1.9, 2.8, 1.6, 2.2, 3.2), 1),
        ("base", (1.4, 1.9, 2.8, 1.6, 2.0, 3.2), 0),
    ],
)
def test_hands_outside_the_workspace_are_left_out(library, model, lookup, target, box, hands):
    parameters = Parameters(target_frame=target, workspace_box=box)
    step = FrameStep(load_engine(model), library, parameters, lookup)
    answered = step.run(image_message(library, 0), info_message(library, 0))
    assert len(by_topic(answered.messages)[HANDS].hands) == hands
    assert len(lookup.asked) == (target == "base")  # once for both uses


def test_a_workspace_in_a_frame_that_is_missing_has_no_hands(library, model, lookup):
    lookup.there = False
    step = in_base(library, model, lookup, workspace_box=(0, 0, 0, 9, 9, 9))
    answered = step.run(image_message(library, 0), info_message(library, 0))
    assert answered.problem and answered.result.hands == () and by_topic(answered.messages)[HANDS].hands == []


def test_new_hands_come_from_the_regions_alone(step, library):
    def hands(index, regions):
        answered = step.run(image_message(library, index), info_message(library, index), regions)
        return [hand.id for hand in answered.result.hands]

    assert hands(0, ()) == []
    assert hands(1, (PixelRegion(100, 10, 150, 60),)) == []
    assert hands(2, (PixelRegion(30, 30, 95, 100),)) == [1]
    assert hands(3, ()) == [1]  # followed
