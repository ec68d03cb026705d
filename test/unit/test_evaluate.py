"""`hand-pose evaluate` on recordings whose figures can be computed by hand."""

import csv
import json

import numpy as np
import pytest
from hand_bags import FRAME_ID, Said, hand_at, hands_bag, hands_message, moved, stamp_of, transform_message, write_messages
from small_bags import HANDS, INFO_TOPIC, TRUTH_TOPIC, image_message, info_message, stamp, write_bag, write_png_folder
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros.bags.folder import FIRST_STAMP_NS
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.cli import main
from hand_pose_ros.inference import engine
from hand_pose_ros.messages.read_hands import frame_result
from hand_pose_ros.skeleton import HAND21, remap, skeleton

FPS = 30.0
TIMES = [round(k / FPS, 9) for k in range(90)]


def evaluate(out, *words, truth="/truth"):
    return main(["evaluate", *map(str, words), "--ground-truth", str(truth), "--out", str(out), "--workers", "1"])


def figures(out, run="recorded"):
    return json.loads((out / "figures.json").read_text())["runs"][run]


def rows(out):
    with (out / "per_frame.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def path_of(seconds):
    """(x, y) metres of a hand that waves."""
    return 0.08 * np.sin(5 * seconds), 0.05 * np.cos(3 * seconds)


def waving(seconds, **fields):
    return hand_at(*path_of(seconds), **fields)


def test_recorded_hands_are_scored(tmp_path, library, capsys):
    # 3 mm right and 4 mm below of the truth; one frame is missed, one has a hand too many, the id changes once.
    true = {s: [waving(s)] for s in TIMES}
    found = {s: [Said(moved(waving(s).joints, 0.003, 0.004, 0), id=1 if s < 2 else 8)] for s in TIMES}
    found[TIMES[10]] = []
    found[TIMES[20]].append(hand_at(0.3, id=5))
    bag = hands_bag(tmp_path / "walk", library, found, true)
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    overall = figures(tmp_path / "out")["overall"]
    assert overall["mean_error_mm"] == pytest.approx(5.0) and overall["median_error_mm"] == pytest.approx(5.0, abs=0.1)
    assert (overall["frames"], overall["true_hands"], overall["missed_hands"], overall["false_hands"]) == (90, 90, 1, 1)
    assert overall["detection_rate"] == pytest.approx(89 / 90, abs=1e-4)
    assert (overall["id_switches"], overall["fragmentations"], overall["side_right_rate"]) == (1, 1, 1.0)
    assert overall["joint_error_mm"]["index_tip"] == pytest.approx(5.0)
    assert overall["lag_ms"] == pytest.approx(0.0, abs=0.5)
    one = figures(tmp_path / "out")["recordings"]["walk"]
    assert one["complete"] and one["hands"] == "recorded on /hands" and "not known here" in one["centre_source"]
    assert one["latency"].startswith("from the image's stamp") and one["latency_ms"]["receive"]["p50"] == pytest.approx(
        20, rel=0.01
    )
    assert "no pictures of the worst frames" in one["notes"][0]
    found_rows = rows(tmp_path / "out")
    assert len(found_rows) == 91 and [r["status"] for r in found_rows[9:12]] == ["paired", "missed", "paired"]
    assert found_rows[0]["mean_error_mm"] == "5.000" and found_rows[0]["true_side"] == "right"
    assert [r["found_id"] for r in found_rows if r["status"] == "false"] == ["5"]
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("<svg") == 3 and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "mean error [mm]" in capsys.readouterr().out


def test_two_hands_that_swap_ids_are_two_switches(tmp_path, library):
    true = {s: [hand_at(-0.1, id=1, side=1), hand_at(0.1, id=2)] for s in TIMES}
    found = {s: [hand_at(-0.1, id=3 if s < 1 else 4, side=1), hand_at(0.1, id=4 if s < 1 else 3)] for s in TIMES}
    assert evaluate(tmp_path / "out", hands_bag(tmp_path / "two", library, found, true), "--recorded", "/hands") == 0
    overall = figures(tmp_path / "out")["overall"]
    assert (overall["true_hands"], overall["id_switches"], overall["missed_hands"]) == (180, 2, 0)
    assert overall["jitter_at_rest_mm"] == 0.0


def test_late_answers_have_a_lag_and_slow_truth_is_interpolated(tmp_path, library):
    true = {round(k / 20, 9): [waving(k / 20)] for k in range(80)}
    found = {s: [waving(s - 0.045)] for s in TIMES}
    assert evaluate(tmp_path / "out", hands_bag(tmp_path / "late", library, found, true), "--recorded") == 0
    overall = figures(tmp_path / "out")["overall"]
    assert overall["lag_ms"] == pytest.approx(45, abs=1.5) and overall["frames"] == 90


def test_gaps_are_counted_and_not_scored(tmp_path, library):
    true = {s: [waving(s)] for s in TIMES if not 1 < s < 2}
    bag = hands_bag(tmp_path / "gaps", library, {s: [waving(s)] for s in TIMES}, true)
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    overall = figures(tmp_path / "out")["overall"]
    assert (overall["frames"], overall["frames_without_known_truth"], overall["missed_hands"]) == (61, 29, 0)
    assert [r["status"] for r in rows(tmp_path / "out")].count("unknown") == 29
    assert evaluate(tmp_path / "wide", bag, "--recorded", "--max-gap", "1.1") == 0
    assert figures(tmp_path / "wide")["overall"]["frames_without_known_truth"] == 0


def test_a_clock_offset_is_estimated_or_given(tmp_path, library, capsys):
    long = [k / FPS for k in range(240)]
    speed = [(0.08 * np.sin(5 * s) + 0.03 * np.sin(11 * s), 0.05 * np.cos(3 * s)) for s in long]
    found = {s: [hand_at(*place)] for s, place in zip(long, speed)}
    true = {round(s + 2.345, 9): hands for s, hands in found.items()}
    bag = hands_bag(tmp_path / "clocks", library, found, true)
    assert evaluate(tmp_path / "out", bag, "--recorded", "--offset", "auto") == 0
    one = figures(tmp_path / "out")["recordings"]["clocks"]
    assert one["clock_offset_s"] == pytest.approx(2.345, abs=0.002) and one["clock_offset_correlation"] > 0.99
    assert one["mean_error_mm"] < 1 and one["lag_ms"] is None and "took it out" in one["lag"]
    assert "clock offset of clocks (recorded): 2.34" in capsys.readouterr().out
    assert evaluate(tmp_path / "given", bag, "--recorded", "--offset", "2.345") == 0
    assert figures(tmp_path / "given")["overall"]["mean_error_mm"] < 0.1


def busy(seconds):
    """(x, y) metres of a hand that does not repeat its moves."""
    return 0.08 * np.sin(5 * seconds) + 0.03 * np.sin(11.3 * seconds), 0.05 * np.cos(3.1 * seconds)


def busy_truth(path, begin_s, end_s, ahead_s):
    """A file of the wrist alone at 20 Hz, by a clock that is ahead."""
    lines = ["stamp_ns,hand,wrist_x,wrist_y,wrist_z"]
    for k in range(round(begin_s * 20), round(end_s * 20)):
        x, y, z = hand_at(*busy(k / 20)).joints[0]
        lines.append(f"{stamp_of(k / 20 + ahead_s)},1,{x},{y},{z}")
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("begin_s", [-200, 150])
def test_a_clock_offset_where_one_side_began_minutes_before_the_other(tmp_path, library, begin_s):
    times = [k / 20 for k in range(round(20 * max(20, begin_s + 10)))]
    bag = hands_bag(tmp_path / "walk", library, {s: [hand_at(*busy(s))] for s in times}, {})
    truth = busy_truth(tmp_path / "truth.csv", begin_s, max(times), 0.3)
    assert evaluate(tmp_path / "out", bag, "--recorded", "--offset", "auto", truth=truth) == 0
    one = figures(tmp_path / "out")["recordings"]["walk"]
    assert one["clock_offset_s"] == pytest.approx(0.3, abs=0.003) and one["clock_offset_correlation"] > 0.99
    assert one["mean_error_mm"] < 1.5 and not any("do not overlap" in note for note in one["notes"])


def test_times_that_do_not_overlap_are_warned_of(tmp_path, library):
    bag = hands_bag(tmp_path / "walk", library, {k / 30: [hand_at(*busy(k / 30))] for k in range(300)}, {})
    truth = busy_truth(tmp_path / "truth.csv", -1, 11, 7200)
    assert evaluate(tmp_path / "out", bag, "--recorded", "--offset", "auto", truth=truth) == 0
    one = figures(tmp_path / "out")["recordings"]["walk"]
    assert one["clock_offset_s"] == pytest.approx(7200, abs=0.003)
    assert any("do not overlap: taken for two clocks" in note and "7199.000 s apart" in note for note in one["notes"])


def test_truth_in_another_frame_is_brought_over_by_tf(tmp_path, library):
    # The camera is 1 m above and turned by 90 degrees about z in the world: x of the camera is y of the world.
    turn = (0, 0, np.sqrt(0.5), np.sqrt(0.5))
    static = ("/tf_static", stamp_of(0), transform_message(library, 0, "world", FRAME_ID, (0, 0, 1), turn))
    found = {s: [waving(s)] for s in TIMES}
    in_world = {s: [Said(waving(s).joints[:, [1, 0, 2]] * (-1, 1, 1) + (0, 0, 1))] for s in TIMES}
    bag = hands_bag(tmp_path / "tf", library, found, in_world, true_frame="world", more=[static])
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    one = figures(tmp_path / "out")["recordings"]["tf"]
    assert one["mean_error_mm"] == pytest.approx(0.0, abs=1e-3) and one["ground_truth_frame"] == "world"


def test_another_skeleton_is_scored_over_common_joints(tmp_path, library):
    nyu = skeleton("nyu14")
    true = {s: [Said(np.nan_to_num(remap(waving(s).joints, HAND21, nyu)), names=nyu.joint_names)] for s in TIMES}
    bag = hands_bag(tmp_path / "nyu", library, {s: [waving(s)] for s in TIMES}, true)
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    one = figures(tmp_path / "out")["recordings"]["nyu"]
    assert len(one["joints"]) == 11 and one["mean_error_mm"] == pytest.approx(0.0, abs=1e-3)


def test_truth_from_a_file_of_each_recording(tmp_path, library):
    bag = hands_bag(tmp_path / "walk", library, {s: [waving(s)] for s in TIMES}, {})
    columns = ["stamp_ns", "hand", *(f"{n}_{axis}" for n in HAND21.joint_names for axis in "xyz")]
    lines = [",".join(columns)]
    lines += [",".join(map(str, [stamp_of(s), 1, *moved(waving(s).joints, 0, 0, 0.007).ravel()])) for s in TIMES]
    (tmp_path / "walk_truth.csv").write_text("\n".join(lines))
    assert evaluate(tmp_path / "out", bag, "--recorded", truth=tmp_path / "{bag}_truth.csv") == 0
    assert figures(tmp_path / "out")["overall"]["mean_error_mm"] == pytest.approx(7.0)


def answers_of(path, library):
    with BagReader(path) as bag:
        return [library.deserialize(m.cdr, HANDS) for m in bag.messages({"/hands"})]


def test_models_answer_anew_and_are_compared(tmp_path, library, model):
    second = tmp_path / "other/tiny.onnx"
    second.parent.mkdir()
    second.write_bytes(model.read_bytes())
    bag = write_bag(tmp_path / "in", library, 8)
    assert main(["replay", str(bag), "--out", str(tmp_path / "replay"), "--model", str(model), "--no-video"]) == 0
    hands = answers_of(tmp_path / "replay/bag", library)
    # The answers, 3 mm right and 4 mm below, as ground truth.
    truth = {}
    for k, message in enumerate(hands):
        joints = [moved(frame_result(message).hands[0].joints, 0.003, 0.004, 0)]
        truth[k] = hands_message(library, stamp(k), [Said(j) for j in joints])
    bag = write_bag(tmp_path / "known", library, 8, truth=truth)
    assert evaluate(tmp_path / "out", bag, "--model", model, "--model", second, truth=TRUTH_TOPIC) == 0
    runs = json.loads((tmp_path / "out/figures.json").read_text())
    assert len(runs["runs"]) == 2 and runs["complete"]
    for name, run in runs["runs"].items():
        assert run["overall"]["mean_error_mm"] == pytest.approx(5.0, abs=1e-3), name
        assert (
            run["recordings"]["known"]["centre_source"].startswith("the pipeline's own") and run["overall"]["detection_rate"] == 1
        )
        assert {"decode", "network", "total"} <= set(run["overall"]["latency_ms"])
        mine = answers_of(tmp_path / f"out/runs/{name}/known/hands", library)
        assert all(
            np.array_equal(frame_result(a).hands[0].joints, frame_result(b).hands[0].joints)
            for a, b in zip(mine, hands, strict=True)
        )
        pictures = run["recordings"]["known"]["pictures"]
        assert pictures and all((tmp_path / "out" / p["picture"]).is_file() for p in pictures)
    pair = runs["pairs"][0]
    assert pair["found_by_both"] == 8 and pair["first_mean_error_mm"] == pair["second_mean_error_mm"] == pytest.approx(
        5.0, abs=1e-3
    )
    assert "data:image/jpeg;base64," in (tmp_path / "out/report.html").read_text()


@pytest.fixture
def quick_in_half(monkeypatch):
    """A machine with TensorRT, which takes half precision where it can choose; ONNX Runtime computes in its place."""

    def on_tensorrt(path, threads, settings, cancelled):
        chosen = engine.choose_model(path, settings.precision, prefer_half=True)
        loaded = engine._on_onnxruntime(chosen, threads, "auto", "in place of TensorRT")
        loaded.backend = "tensorrt"
        return loaded

    monkeypatch.setattr(engine, "_on_tensorrt", on_tensorrt)


def test_the_file_that_ran_is_the_one_that_was_named_and_is_said(tmp_path, library, quick_in_half):
    full = write_tiny_model(tmp_path / "a.onnx")
    half = write_tiny_model(tmp_path / "a_fp16.onnx", card=tiny_card(precision="fp16").to_json())
    bag = write_bag(tmp_path / "walk", library, 2, truth={k: hands_message(library, stamp(k), [hand_at()]) for k in range(2)})

    def ran(out, run):
        one = figures(tmp_path / out, run)["recordings"]["walk"]
        text = f"answered by tiny ({one['model_file']}, {one['precision']}) on tensorrt"
        assert one["hands"] == text and text in (tmp_path / out / "report.html").read_text()
        return one["model_file"], one["precision"]

    assert evaluate(tmp_path / "both", bag, "--model", full, "--model", half, truth=TRUTH_TOPIC) == 0
    assert [ran("both", run) for run in ("a", "a_fp16")] == [("a.onnx", "fp32"), ("a_fp16.onnx", "fp16")]
    assert evaluate(tmp_path / "node", bag, "--set", f"model:={full}", truth=TRUTH_TOPIC) == 0
    assert ran("node", "a") == ("a_fp16.onnx", "fp16")
    assert evaluate(tmp_path / "asked", bag, "--model", full, "--set", "precision:=fp16", truth=TRUTH_TOPIC) == 0
    assert ran("asked", "a") == ("a_fp16.onnx", "fp16")


def test_pictures_of_hands_that_were_recorded_in_another_frame(tmp_path, library):
    # The hands are in "base", 1 m behind the camera; the ground truth too.
    messages = [("/tf_static", stamp(0), transform_message(library, 0, "base", FRAME_ID, (0, 0, -1)))]
    for k in range(4):
        messages.append((INFO_TOPIC, stamp(k), info_message(library, k)))
        messages.append(("/camera/depth/image_rect", stamp(k), image_message(library, k)))
        for topic, y in (("/hands", 0.02), ("/truth", 0.0)) if k < 3 else ():
            hand = hand_at(0, y, -0.5)
            messages.append((topic, stamp(k), hands_message(library, stamp(k), [hand], "base")))
    bag = write_messages(tmp_path / "base", library, messages)
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    one = figures(tmp_path / "out")["recordings"]["base"]
    assert len(one["pictures"]) == 1  # the frames are too near in time for more
    assert one["frames_unanswered"] == 1 and one["notes"] == [
        "1 of 4 images have no hands: the node dropped them, or was not running"
    ]
    assert one["mean_error_mm"] == pytest.approx(20.0)
    assert one["latency"].startswith("not known: the messages were recorded with their stamps")


def test_hands_and_truth_from_two_recordings(tmp_path, library):
    found = hands_bag(tmp_path / "found/walk", library, {s: [waving(s)] for s in TIMES}, {})
    hands_bag(tmp_path / "known/walk", library, {s: [Said(moved(waving(s).joints, 0, 0.002, 0))] for s in TIMES}, {})
    words = (found, "--recorded", "--truth-bag", tmp_path / "known/{bag}")
    assert evaluate(tmp_path / "out", *words, truth="/hands") == 0
    assert figures(tmp_path / "out")["overall"]["mean_error_mm"] == pytest.approx(2.0)


def test_a_folder_of_depth_images_and_a_file(tmp_path, library, model):
    folder = write_png_folder(tmp_path / "pngs", [f"{k}.png" for k in range(4)])
    lines = ["stamp_ns,hand,wrist_x,wrist_y,wrist_z"]
    lines += [f"{FIRST_STAMP_NS + round(k * 1e9 / 30)},1,-0.07,0,0.5" for k in range(4)]
    (tmp_path / "pngs.csv").write_text("\n".join(lines))
    assert evaluate(tmp_path / "out", folder, "--model", model, truth=tmp_path / "{bag}.csv") == 0
    one = figures(tmp_path / "out", "tiny")["recordings"]["pngs"]
    assert (one["frames"], one["joints"], one["detection_rate"]) == (4, ["wrist"], 1.0) and len(one["pictures"]) == 1


def test_sequences_of_a_folder_do_not_switch_ids_and_are_as_recordings_of_their_own(tmp_path, library, model):
    """Three sequences in one folder, the truth 2 mm to the side of the answers, its stamps rounded to microseconds."""
    folder = write_png_folder(tmp_path / "pngs", [f"s{k // 12}/{k}.png" for k in range(36)])
    assert main(["replay", str(folder), "--out", str(tmp_path / "replay"), "--model", str(model), "--no-video"]) == 0
    answered = [json.loads(line) for line in (tmp_path / "replay/joints.jsonl").read_text().splitlines()]
    lines = ["stamp_s,hand,wrist_x,wrist_y,wrist_z"]
    for k, line in enumerate(answered):
        x, y, z = line["hands"][0]["joints"]["wrist"]["xyz_m"]
        lines.append(f"{FIRST_STAMP_NS / 1e9 + k / 30:.6f},1,{x + 0.002},{y},{z}")
    (tmp_path / "pngs.csv").write_text("\n".join(lines))
    assert len({line["hands"][0]["id"] for line in answered}) == 3
    assert evaluate(tmp_path / "out", folder, "--model", model, truth=tmp_path / "{bag}.csv") == 0
    one = figures(tmp_path / "out", "tiny")["recordings"]["pngs"]
    assert (one["frames"], one["frames_without_known_truth"], one["detection_rate"]) == (36, 0, 1.0)
    assert (one["id_switches"], one["fragmentations"]) == (0, 0)
    assert one["mean_error_mm"] == pytest.approx(2.0, abs=0.05)
