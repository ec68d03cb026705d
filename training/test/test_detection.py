"""Figures with the centres of the runtime's own detector: which answer is which hand, and the whole way on a few crops."""

import json

import numpy as np
import pytest

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import DEFAULT_MODEL
from hand_pose_ros.share import find
from hand_pose_training.cli import main
from hand_pose_training.data import fixed_crops
from hand_pose_training.detection import Finder, detected_centers, match, whole_frame

CROPS, FRAMES = 10, 4


def test_each_answer_is_one_hand_at_most_the_nearest_first():
    hands = np.array([[0.0, 0, 0.5], [0.2, 0, 0.5]])
    answers = np.array([[0.03, 0, 0.5], [0.01, 0, 0.5], [0.5, 0, 0.5], [0.2, 0.07, 0.5]])
    assert match(answers, hands) == {1: 0, 3: 1}  # the first is a second answer for hand 0, the third is nothing's
    assert match(np.zeros((0, 3)), hands) == {} and match(answers, np.zeros((0, 3))) == {}


def test_crops_are_cut_where_hands_were_found():
    finder = Finder(load_engine(find(DEFAULT_MODEL), "onnxruntime"), None)
    crops = fixed_crops("heldout", 96, crops=CROPS)
    batch, centers = detected_centers(crops, finder)
    located = np.isfinite(centers.centers).all(axis=1)
    assert located.any() and (located | ~centers.found).all()
    np.testing.assert_allclose(batch["center"][located], centers.centers[located], rtol=1e-6)
    truth = np.array([crops.scene(i)[1].joints.mean(axis=0) for i in range(CROPS)])
    apart = np.linalg.norm(batch["center"] - truth, axis=1)
    assert (apart[centers.found] <= 0.08).all() and (apart[located] <= 0.15).all()


def test_the_whole_frame_holds_the_crop():
    crops = fixed_crops("heldout", 96, crops=4)
    crop, scene, _, sensor, rng = crops.scene(3)
    frame = whole_frame(scene, sensor, rng)
    assert frame.depth.shape == (crop.camera.height, crop.camera.width)
    seen, expected = crop.extract(frame.depth) < 1, crops[3]["depth_crop"][0] < 1
    assert (seen == expected).mean() > 0.9  # the same sensor, other noise


@pytest.mark.parametrize("detector", [[], ["--detector", "none"]], ids=["detector", "limbs"])
def test_evaluate_prints_quotas_and_what_was_not_found(detector: list[str], tmp_path, capsys):
    out = tmp_path / "figures.json"
    arguments = ["--model", str(find(DEFAULT_MODEL)), "--crops", str(CROPS), "--frames", str(FRAMES), "--json", str(out)]
    assert main(["evaluate", *arguments, *detector]) == 0
    text, figures = capsys.readouterr().out, json.loads(out.read_text())
    assert figures["crops"] + figures["not_found"]["crops"] == CROPS == sum(figures["quotas"]["sensor"].values())
    assert figures["recall"] == pytest.approx(figures["crops"] / CROPS)
    missed = figures["not_found"]
    assert missed["crops"] == missed["without_candidate"] + missed["at_nearest_candidate"]["crops"]
    assert figures["whole_frames"]["frames"] == FRAMES
    assert sum(figures["presence_crops"].values()) == CROPS and 0 <= figures["presence_auc"] <= 1
    assert "quota, sensor" in text and "found in the whole frame" in text and "true centres displaced" in text
    assert ("limbs" in figures["center"]) == bool(detector)


def test_a_checkpoint_is_measured_at_displaced_centres(small_checkpoint, capsys):
    assert main(["evaluate", "--model", str(small_checkpoint), "--crops", "4"]) == 0
    text = capsys.readouterr().out
    assert "4 heldout crops, centre: mean of the true joints, displaced" in text and "quota, sensor" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--crops", "0"], "--crops 0: at least 1"),
        (["--frames", "-3"], "--frames -3: at least 1"),
        (["--json", "nowhere/f.json"], "nowhere does not exist; make it first"),
    ],
)
def test_bad_input_is_told_before_the_long_run(words: list[str], told: str, capsys):
    assert main(["evaluate", "--model", str(find(DEFAULT_MODEL)), *words]) == 2
    assert told in capsys.readouterr().err
