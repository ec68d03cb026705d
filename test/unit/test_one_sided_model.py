"""A model that knows right hands alone: left ones are seen mirrored, and come back as they are."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import CAMERA, blank, draw_hand, draw_sphere
from tiny_model import OFFSETS, tiny_card

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.perception.localize import Candidate
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, Side

OUTPUTS = ("joints", "covariance", "confidence", "presence", "right_side")


class RightHands(Engine):
    """Takes for a right hand what leans to the left: joints are the foreground's mean plus OFFSETS, x with y correlated."""

    backend = "test"

    def __init__(self):
        self.card = replace(tiny_card(), outputs=OUTPUTS, side="right")

    def infer(self, inputs):
        crops = inputs["depth_crop"][:, 0]
        cells = (2 * np.arange(crops.shape[-1]) + 1) / crops.shape[-1] - 1
        answers = []
        for crop in crops:
            rows, columns = np.nonzero(crop < 1)
            u, v, d = cells[columns], cells[rows], crop[rows, columns]
            right = 1 / (1 + np.exp(2e3 * ((u - u.mean()) ** 3).mean()))
            joints = np.array([u.mean(), v.mean(), d.mean()]) + OFFSETS
            six = np.array([4e-3, 1e-3, 2e-3, 3e-3, 5e-4, 2e-3])
            answers.append((joints, np.tile(six, (21, 1)), np.full(21, 0.9), np.float64(0.95), right))
        return {name: np.stack([a[i] for a in answers]).astype(np.float32) for i, name in enumerate(OUTPUTS)}


def leaning_left() -> np.ndarray:
    """A hand with a heavy thumb on its left: a right one for `RightHands`."""
    depth = blank()
    draw_hand(depth, (0.03, 0.08, 0.5), (0, -1, 0), forearm_m=0)
    for x in (-0.03, -0.045, -0.06):
        draw_sphere(depth, (x, 0.03, 0.5), 0.012)
    return depth


def frame(depth: np.ndarray, i: int = 0) -> DepthFrame:
    return DepthFrame(depth, CAMERA, i * 33_000_000, "camera")


def mirror_frame(depth: np.ndarray, i: int = 0) -> DepthFrame:
    """What the camera's mirror image would see: x of every point turns round."""
    camera = replace(CAMERA, cx=CAMERA.width - 1 - CAMERA.cx)
    return DepthFrame(np.ascontiguousarray(depth[:, ::-1]), camera, i * 33_000_000, "camera")


def test_a_mirrored_scene_gives_the_mirrored_hand():
    depth = leaning_left()
    (right,) = Pipeline(RightHands()).process(frame(depth)).hands
    (left,) = Pipeline(RightHands()).process(mirror_frame(depth)).hands
    assert (right.side, left.side) == (Side.RIGHT, Side.LEFT)
    assert right.side_probability == pytest.approx(left.side_probability, abs=0.05) and right.side_probability > 0.6
    # Crops are sampled to the nearest pixel, so the two are alike to a fraction of a pixel (1.2 mm at half a metre).
    np.testing.assert_allclose(left.joints, right.joints * [-1, 1, 1], atol=1.5e-3)
    np.testing.assert_allclose(left.covariance, right.covariance * [1, -1, -1, 1, 1, 1], rtol=0.05, atol=1e-7)


def test_a_side_that_a_badly_centred_look_got_wrong_is_put_right_in_the_same_frame():
    class MisledOffCentre(RightHands):
        def infer(self, inputs):
            answers = super().infer(inputs)
            off_centre = np.abs(answers["joints"].mean(axis=1)[:, :2]).max(axis=1) > 0.2
            answers["right_side"] = np.where(off_centre, np.float32(0), answers["right_side"])
            return answers

    class Beside:
        def find(self, depth, camera, **_):
            return [Candidate(np.array([0.07, 0.06, 0.5]), 0.9)]

    (truth,) = Pipeline(RightHands()).process(frame(leaning_left())).hands
    (hand,) = Pipeline(MisledOffCentre(), detector=Beside()).process(frame(leaning_left())).hands
    assert hand.side == Side.RIGHT and hand.side_probability > 0.6
    assert hand.joints[0, 0] < hand.joints[-1, 0]  # a right hand's, as in `truth`
    np.testing.assert_allclose(hand.joints, truth.joints, atol=0.01)


def test_the_side_is_kept_while_the_hand_is_followed():
    depth = leaning_left()
    pipeline = Pipeline(RightHands())
    hands = [pipeline.process(mirror_frame(np.roll(depth, 2 * i, axis=1), i)).hands[0] for i in range(6)]
    assert {h.id for h in hands} == {1}
    assert {h.side for h in hands} == {Side.LEFT}
    # A left hand's joints run the other way: OFFSETS go to the right, mirrored to the left.
    assert all(h.joints[0, 0] > h.joints[-1, 0] for h in hands)


def test_a_hand_taken_for_the_wrong_side_is_turned_round():
    depth = leaning_left()
    pipeline = Pipeline(RightHands())
    pipeline.process(mirror_frame(depth))
    hands = [pipeline.process(frame(depth, i)).hands[0] for i in range(1, 12)]
    assert hands[0].side == Side.LEFT
    assert hands[-1].side == Side.RIGHT
    assert hands[-1].joints[0, 0] < hands[-1].joints[-1, 0]
