"""What is shipped belongs together: the model, its card, the recording, and hands where they are known to be."""

import json

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from scenes import CAMERA, blank, draw_person, draw_plane, draw_sphere

from hand_pose_ros.bags.answer import answers
from hand_pose_ros.bags.replay import TRUTH_TOPIC
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.cli import main
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, Side
from hand_pose_ros.share import find
from hand_pose_ros.skeleton import HAND21

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def engine():
    return load_engine(Parameters().model_path())


def test_the_model_is_small_and_says_what_it_is_worth(engine):
    path = Parameters().model_path()
    assert path.stat().st_size <= 10 * MEGABYTE
    card = engine.card
    assert (card.method, card.skeleton, card.side) == ("awr", "hand21", "right")
    assert {"presence", "right_side"} <= set(card.outputs)
    assert card.trained_on and card.limits and card.license == "Apache-2.0"
    assert 3 < card.errors["median_error_mm"] < card.errors["mean_error_mm"] < 20
    page = path.with_suffix(".md").read_text()
    assert f"| mean error | {card.errors['mean_error_mm']} mm |" in page


def test_model_info_prints_the_card(capsys):
    path = Parameters().model_path()
    assert main(["model", "info", str(path), "--json"]) == 0
    assert path.stem in json.dumps(json.loads(capsys.readouterr().out))


def test_the_recording_is_what_the_demo_promises():
    folder = find("recordings/demo")
    assert sum(f.stat().st_size for f in folder.iterdir()) <= 20 * MEGABYTE
    with AnyReader([folder], default_typestore=RosbagsLibrary().typestore) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        seconds = reader.duration / 1e9
    assert seconds >= 10 and counts["/depth/image_rect"] / seconds >= 29
    assert counts["/depth/image_rect"] == counts["/depth/camera_info"] == counts[TRUTH_TOPIC]


def test_both_hands_of_the_recording_are_found_and_keep_their_ids(engine):
    """The first two seconds, in which they cross, from the full frame, against the known joints."""
    library = RosbagsLibrary()
    source = open_source(find("recordings/demo"), library, truth_topic=TRUTH_TOPIC)
    errors, seen = [], set()
    for answer, _ in zip(answers(source, engine, Parameters(smoothing=0.0), library), range(60)):
        truth = source.truth[answer.result.stamp_ns].hands
        assert {tuple(hand.joint_names) for hand in truth} == {HAND21.joint_names}
        true = {hand.id: joints_of(hand, HAND21) for hand in truth}
        for hand in answer.result.hands:
            known = min(true, key=lambda number: np.linalg.norm(true[number] - hand.joints, axis=1).mean())
            errors.append(np.linalg.norm(hand.joints - true[known], axis=1))
            seen.add((known, hand.id, hand.side))
    source.close()
    assert len(errors) > 110
    assert np.mean(errors) < 0.015 and np.max(np.mean(errors, axis=1)) < 0.06
    ids = [{found for number, found, _ in seen if number == known} for known in (1, 2)]
    assert seen == {(1, *ids[0], Side.RIGHT), (2, *ids[1], Side.LEFT)}


@pytest.mark.parametrize("scene", ["nothing", "person", "table", "ball"])
def test_without_a_hand_there_is_none(engine, scene):
    depth = blank()
    if scene == "person":
        draw_person(depth, (0.05, 0.1, 0.8))
    elif scene == "table":
        draw_plane(depth, (0.0, 1.0, 0.5), 0.5)
    elif scene == "ball":
        draw_sphere(depth, (0.0, 0.0, 0.6), 0.11)
    assert depth.any() == (scene != "nothing")
    pipeline = Pipeline(engine)
    assert [len(pipeline.process(DepthFrame(depth, CAMERA, i * 33_000_000, "camera")).hands) for i in range(3)] == [0, 0, 0]
