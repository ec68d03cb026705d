import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hand_bags import hand_at, hands_bag, hands_message
from small_bags import IMAGE_TOPIC, TRUTH_TOPIC, stamp, write_bag

from hand_pose_ros.cli import main
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.names import short_names
from hand_pose_ros.evaluation.paired import compare_frames, run_frames
from hand_pose_ros.evaluation.report import Column, worst_pictures

TIMES = [k / 30 for k in range(40)]


def test_the_same_hands_are_compared():
    first = [(("a", 1), {"1": 5.0, "2": 9.0}), (("a", 2), {"1": None}), (("b", 1), {"1": 1.0}), (("b", 7), {"1": None})]
    second = [(("a", 1), {"1": 7.0, "2": None}), (("a", 2), {"1": 2.0}), (("a", 3), {"1": 2.0}), (("b", 7), {"1": None})]
    found = compare_frames(iter(first), iter(second))
    assert (found["found_by_both"], found["found_by_first_alone"], found["found_by_second_alone"]) == (1, 1, 1)
    assert (found["found_by_neither"], found["first_nearer"], found["second_nearer"]) == (1, 1, 0)
    assert (found["first_mean_error_mm"], found["second_mean_error_mm"]) == (5.0, 7.0)
    assert found["largest_differences"] == [{"recording": "a", "stamp_ns": 1, "true_id": "1", "first_mm": 5.0, "second_mm": 7.0}]
    nothing = compare_frames(iter(first[:1]), iter(second[2:]))
    assert nothing["found_by_both"] == 0 and nothing["first_mean_error_mm"] is None


@pytest.fixture
def two(tmp_path, library):
    """Two evaluations of the same recordings: hands 4 mm off, and 6 mm off with every other one missed."""
    for name in ("a", "b"):
        true = {s: [hand_at(0.1 * s)] for s in TIMES}
        near = {s: [hand_at(0.1 * s, 0.004)] for s in TIMES}
        far = {s: [hand_at(0.1 * s, 0.006)] if k % 2 else [] for k, s in enumerate(TIMES)}
        for run, found in (("near", near), ("far", far)):
            hands_bag(tmp_path / run / name, library, found, true)
    for run in ("near", "far"):
        bags = [str(tmp_path / run / name) for name in ("b", "a")]
        words = ["--ground-truth", "/truth", "--recorded", "--workers", "1"]
        assert main(["evaluate", *bags, *words, "--out", str(tmp_path / f"{run}_out")]) == 0
    return tmp_path


def test_two_evaluations_side_by_side(two, capsys):
    capsys.readouterr()
    assert main(["evaluate", "--compare", str(two / "near_out"), str(two / "far_out"), "--out", str(two / "both")]) == 0
    figures = json.loads((two / "both/figures.json").read_text())
    assert list(figures["runs"]) == ["near_out", "far_out"] and not figures["remarks"]
    pair = figures["pairs"][0]
    assert (pair["found_by_both"], pair["found_by_first_alone"], pair["found_by_neither"]) == (40, 40, 0)
    assert (pair["first_mean_error_mm"], pair["second_mean_error_mm"]) == pytest.approx((4.0, 6.0))
    page = (two / "both/report.html").read_text()
    assert "near_out" in page and "far_out" in page and "<b>4</b>" in page and "40 hands found by both" in page
    assert "on the 40 hands that both found: near_out 4 mm, far_out 6 mm" in capsys.readouterr().out


def test_a_comparison_is_made_again_and_never_replaces_what_it_compares(two, capsys):
    words = ["evaluate", "--compare", str(two / "near_out"), str(two / "far_out"), "--overwrite", "--out"]
    assert main([*words, str(two / "both")]) == 0
    assert main([*words, str(two / "both")]) == 0
    assert main([*words, str(two / "near_out")]) == 1
    assert "is one of the evaluations to compare: name another folder" in capsys.readouterr().err
    assert (two / "near_out/per_frame.csv").is_file()


def test_evaluations_that_were_not_made_alike_are_said_to_be(two, library):
    bag = hands_bag(two / "other", library, {s: [hand_at()] for s in TIMES}, {s: [hand_at()] for s in TIMES})
    words = ["--ground-truth", "/truth", "--recorded", "--gate", "0.1", "--workers", "1"]
    assert main(["evaluate", str(bag), *words, "--out", str(two / "other_out")]) == 0
    assert main(["evaluate", "--compare", str(two / "near_out"), str(two / "other_out"), "--out", str(two / "both")]) == 0
    remarks = json.loads((two / "both/figures.json").read_text())["remarks"]
    assert "They were not made alike: gate_m" in remarks[0]
    assert remarks[-1] == "They have no recording of the same name in common."


CALIBRATION = """image_width: 160
image_height: 120
camera_name: depth
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
camera_matrix: {rows: 3, cols: 3, data: [FOCAL, 0, 79.5, 0, FOCAL, 59.5, 0, 0, 1]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [FOCAL, 0, 79.5, 0, 0, FOCAL, 59.5, 0, 0, 0, 1, 0]}
"""


def test_what_the_hands_were_answered_with_is_compared(tmp_path, library, model):
    bag = write_bag(tmp_path / "walk", library, 3, truth={k: hands_message(library, stamp(k), [hand_at()]) for k in range(3)})
    for name, focal, box in (("a", "150", np.inf), ("b", "170", 2.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "camera.yaml").write_text(CALIBRATION.replace("FOCAL", focal))
        parameters = {"workspace_box": [-1.0, -1.0, 0.1, 1.0, 1.0, box], "lost_frames": 5, "max_hands": 1}
        (tmp_path / name / "p.yaml").write_text(yaml.safe_dump({"/**": {"ros__parameters": parameters}}))
        more = [] if name == "a" else ["--set", "lost_frames:=9", "--image-topic", IMAGE_TOPIC]
        files = ["--camera-file", str(tmp_path / name / "camera.yaml"), "--params-file", str(tmp_path / name / "p.yaml")]
        words = ["--ground-truth", TRUTH_TOPIC, "--model", str(model), "--workers", "1", *files, *more]
        assert main(["evaluate", str(bag), *words, "--out", str(tmp_path / f"{name}_out")]) == 0
    words = ["evaluate", "--compare", str(tmp_path / "a_out"), str(tmp_path / "b_out"), "--out", str(tmp_path / "both")]
    assert main(words) == 0
    figures = json.loads((tmp_path / "both/figures.json").read_text())
    (remark,) = (remark for remark in figures["remarks"] if "not made alike" in remark)
    named = remark.removeprefix("They were not made alike: ").removesuffix(" differ.").split(", ")
    assert sorted(named) == ["camera_file", "image_topic", "lost_frames", "workspace_box"]
    settings = figures["settings"]
    assert (settings["lost_frames"], settings["image_topic"]) == ("5 | 9", f"not set | {IMAGE_TOPIC}")
    assert settings["max_hands"] == "1" and "smoothing" not in settings
    assert settings["camera_file"].count("camera.yaml, SHA-256 ") == 2
    page = (tmp_path / "both/report.html").read_text()
    assert "<th>lost frames</th><td>5 | 9</td>" in page


def test_a_file_of_rows_from_another_version(tmp_path):
    (tmp_path / "per_frame.csv").write_text("run,frame\nm,1\n")
    with pytest.raises(EvaluationError, match="has other columns than this version writes: evaluate again"):
        list(run_frames(tmp_path / "per_frame.csv", "m"))
    with pytest.raises(EvaluationError, match="none.csv cannot be read"):
        list(run_frames(tmp_path / "none.csv", "m"))


def test_an_evaluation_without_figures_cannot_be_compared(two, library, capsys):
    bag = hands_bag(two / "bad", library, {s: [hand_at()] for s in TIMES}, {})
    words = ["--ground-truth", "/truth", "--recorded", "--workers", "1"]
    assert main(["evaluate", str(bag), *words, "--out", str(two / "bad_out")]) == 1
    assert main(["evaluate", "--compare", str(two / "near_out"), str(two / "bad_out"), "--out", str(two / "both")]) == 1
    assert "bad_out has no figures: not one recording could be evaluated" in capsys.readouterr().err


def test_recordings_have_short_names_of_their_own(tmp_path):
    paths = [tmp_path / p for p in ("x/walk", "y/walk", "jump.mcap", "jump.mcap", "a b")]
    assert short_names(paths) == ["x_walk", "y_walk", "jump", "jump_2", "a_b"]
    assert short_names([Path(p) for p in ("w", "w", "w_2", "run.2", "run.3", "a b", "a_b")]) == [
        *("w", "w_3", "w_2", "run.2", "run.3", "a_b", "a_b_2")
    ]


def test_the_worst_of_each_kind_are_shown_in_turn(tmp_path):
    def picture(kind, badness):
        return {"kind": kind, "badness": badness, "picture": f"{kind}{badness}.png"}

    recordings = {
        "a": {"pictures": [picture("largest error", b) for b in (0.03, 0.01)] + [picture("missed hand", 1.0)] * 7},
        "b": {"pictures": [picture("largest error", 0.02)]},
        "c": {"error": "gone"},
    }
    taken = worst_pictures(Column("m", {"recordings": recordings}, tmp_path))
    assert [(p["recording"], p["badness"]) for p in taken[:3]] == [("a", 0.03), ("b", 0.02), ("a", 0.01)]
    assert len(taken) == 8 and {p["kind"] for p in taken[3:]} == {"missed hand"}
