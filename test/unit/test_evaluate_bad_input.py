"""What is wrong with a recording or its ground truth is said with its name, the topic and a remedy; the others are evaluated."""

import json
from pathlib import Path

import numpy as np
import pytest
from hand_bags import FRAME_ID, Said, hand_at, hands_bag, hands_message, stamp_of, transform_message
from small_bags import HANDS, IMAGE, IMAGE_TOPIC, TRUTH_TOPIC, image_message, stamp, write_bag

from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.cli import main
from hand_pose_ros.evaluation.job import run_job
from hand_pose_ros.evaluation.settings import Comparison, Job, Run
from hand_pose_ros.live.parameters import Parameters

TIMES = [k / 30 for k in range(45)]


def evaluate(out, *words, truth="/truth"):
    return main(["evaluate", *map(str, words), "--ground-truth", str(truth), "--out", str(out), "--workers", "1"])


def recording(out, label, run="recorded"):
    return json.loads((out / "figures.json").read_text())["runs"][run]["recordings"][label]


def walking(dy=0.0, **fields):
    return {s: [hand_at(0.1 * s, dy, **fields)] for s in TIMES}


def refused(tmp_path, *words, **more):
    """The error of a recording that cannot be evaluated."""
    assert evaluate(tmp_path / "out", *words, **more) == 1
    run = next(iter(json.loads((tmp_path / "out/figures.json").read_text())["runs"].values()))
    one = next(iter(run["recordings"].values()))
    assert not (tmp_path / "out/report.html").exists()
    return one["error"]


def test_one_bad_recording_does_not_stop_the_others(tmp_path, library, capsys):
    good = hands_bag(tmp_path / "good", library, walking(), walking(0.01))
    bad = hands_bag(tmp_path / "bad", library, walking(), {})
    assert evaluate(tmp_path / "out", good, bad, "--recorded") == 1
    error = f"{bad}: ground truth topic /truth is not there; topics of hands: /hands. Give one of them, or a CSV file"
    assert recording(tmp_path / "out", "bad")["error"].startswith(error)
    assert recording(tmp_path / "out", "good")["mean_error_mm"] == pytest.approx(10.0)
    assert error in capsys.readouterr().err and error in (tmp_path / "out/report.html").read_text()


def test_a_truth_topic_of_another_type(tmp_path, library):
    bag = write_bag(tmp_path / "in", library, 2)
    assert f"{bag}: ground truth topic {IMAGE_TOPIC} is sensor_msgs/msg/Image, not" in refused(tmp_path, bag, truth=IMAGE_TOPIC)


def test_another_frame_without_tf(tmp_path, library):
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), true_frame="mocap")
    error = refused(tmp_path, bag, "--recorded")
    assert f"{bag}: the hands are in frame '{FRAME_ID}', the ground truth on /truth in 'mocap'" in error and "record /tf" in error


def test_tf_that_ends_before_the_hands_begin(tmp_path, library):
    early = [
        ("/tf", stamp_of(s - 9), transform_message(library, stamp_of(s - 9), FRAME_ID, "mocap", (0, 0, 0))) for s in (0, 0.1)
    ]
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), true_frame="mocap", more=early)
    assert "/tf has no transform between" in refused(tmp_path, bag, "--recorded")


def test_another_skeleton(tmp_path, library):
    theirs = tuple(f"marker_{i}" for i in range(21))
    bag = hands_bag(tmp_path / "in", library, walking(), walking(names=theirs))
    error = refused(tmp_path, bag, "--recorded")
    assert error.startswith(f"{bag}: the hands have joints wrist") and "/truth has marker_0" in error and "--joint-map" in error


def test_clocks_that_do_not_overlap(tmp_path, library):
    later = {s + 3600: hands for s, hands in walking().items()}
    bag = hands_bag(tmp_path / "in", library, walking(), later)
    error = refused(tmp_path, bag, "--recorded")
    assert f"{bag}: not one frame of the hands has known ground truth on /truth: it begins 3600.000 s after the hands" in error
    assert "--offset auto" in error


def test_an_offset_that_cannot_be_estimated(tmp_path, library):
    still = {s: [hand_at()] for s in TIMES}
    bag = hands_bag(tmp_path / "in", library, still, still)
    error = refused(tmp_path, bag, "--recorded", "--offset", "auto")
    assert f"{bag}: the clock offset to the ground truth on /truth cannot be estimated" in error and "--offset SECONDS" in error


def test_a_weak_offset_is_warned_of(tmp_path, library):
    rng = np.random.default_rng(5)
    times = [k / 30 for k in range(150)]
    found, true = ({s: [hand_at(*rng.uniform(-0.01, 0.01, 2))] for s in times} for _ in range(2))
    bag = hands_bag(tmp_path / "in", library, found, true)
    assert evaluate(tmp_path / "out", bag, "--recorded", "--offset", "auto") == 0
    assert any("weak, check it or give --offset" in note for note in recording(tmp_path / "out", "in")["notes"])


def test_nothing_but_gaps(tmp_path, library):
    true = {s + 0.4: hands for s, hands in walking().items() if round(s * 30) % 30 == 0}
    bag = hands_bag(tmp_path / "in", library, {s: h for s, h in walking().items() if s < 0.3 or 0.5 < s < 1.2}, true)
    assert "its times have gaps there. Allow wider ones: --max-gap" in refused(tmp_path, bag, "--recorded")


def test_truth_that_changes_its_frame(tmp_path, library):
    more = [("/truth", stamp_of(0), hands_message(library, stamp_of(-1), [hand_at()], "other"))]
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), true_frame="other", found_frame="other", more=more)
    assert evaluate(tmp_path / "ok", bag, "--recorded") == 0
    more = [("/truth", stamp_of(0), hands_message(library, stamp_of(-1), [hand_at()], FRAME_ID))]
    bag = hands_bag(tmp_path / "in2", library, walking(), walking(), true_frame="other", more=more)
    assert f"/truth begins in frame '{FRAME_ID}' and goes on in 'other'" in refused(tmp_path, bag, "--recorded")


def test_recorded_topics_that_are_not_clear(tmp_path, library):
    more = [("/left/hands", stamp_of(0), hands_message(library, stamp_of(0), [hand_at()]))]
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), more=more)
    error = refused(tmp_path, bag, "--recorded")
    assert f"{bag}: topics of hands beside the ground truth: /hands, /left/hands: say which with --recorded" in error
    assert evaluate(tmp_path / "one", bag, "--recorded", "hands") == 0
    words = ("--recorded", "/nobody", "--overwrite")
    assert f"{bag} has no hands on /nobody; topics of hands" in refused(tmp_path, bag, *words)
    none = hands_bag(tmp_path / "none", library, {}, walking())
    assert "leave out --recorded to have a model answer" in refused(tmp_path, none, "--recorded", "--overwrite")


def test_images_that_a_model_cannot_take(tmp_path, library, model):
    truth = {k: hands_message(library, stamp(k), [hand_at()]) for k in range(3)}
    cases = {
        "bare": ({"depth_topics": ()}, "has no depth image topic; its image topics: none; all topics: "),
        "uncalibrated": ({"info": False}, "has no camera info: give the camera's calibration with --camera-file"),
        "two": ({"depth_topics": (IMAGE_TOPIC, "/other/depth/image_rect")}, "say which with --image-topic"),
    }
    for name, (options, said) in cases.items():
        bag = write_bag(tmp_path / name, library, 3, truth=truth, **options)
        error = refused(
            tmp_path, bag, "--model", model, "--overwrite" if (tmp_path / "out").exists() else "--no-tracking", truth=TRUTH_TOPIC
        )
        assert str(bag) in error and said in error
    chosen = evaluate(tmp_path / "chosen", tmp_path / "two", "--model", model, "--image-topic", IMAGE_TOPIC, truth=TRUTH_TOPIC)
    assert chosen == 0


def test_live_inputs_are_refused(tmp_path, library, model):
    bag = write_bag(tmp_path / "in", library, 3, truth={0: hands_message(library, stamp(0), [hand_at()])})
    said = refused(tmp_path, bag, "--model", model, "--set", "target_frame:=base", truth=TRUTH_TOPIC)
    assert "target_frame is 'base', but evaluate reads no TF from recordings" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--model", "none.onnx"), "model none.onnx cannot be read"),
        (("--set", "detector:=none.onnx"), "model none.onnx cannot be read"),
        (("--set", "precision:=fp16"), "precision fp16 needs "),
    ],
)
def test_a_missing_model_is_said_before_an_evaluation_is_overwritten(tmp_path, library, model, capsys, words, reason):
    bag = write_bag(tmp_path / "in", library, 3, truth={0: hands_message(library, stamp(0), [hand_at()])})
    assert evaluate(tmp_path / "out", bag, "--model", model, truth=TRUTH_TOPIC) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert evaluate(tmp_path / "out", bag, "--model", model, *words, "--overwrite", truth=TRUTH_TOPIC) == 1
    assert reason in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_a_truncated_recording_is_scored_as_far_as_it_goes_and_said(tmp_path, library):
    with BagWriter(tmp_path / "written", library) as writer:
        for topic, typename in (("/hands", HANDS), ("/truth", HANDS), (IMAGE_TOPIC, IMAGE)):
            writer.add_topic(topic, typename)
        for k in range(100):  # the images fill the chunks, of a megabyte each
            hands = library.serialize(hands_message(library, stamp(k), [hand_at(0.001 * k)]), HANDS)
            writer.write("/hands", stamp(k), hands)
            writer.write("/truth", stamp(k), hands)
            writer.write(IMAGE_TOPIC, stamp(k), library.serialize(image_message(library, k), IMAGE))
    file = next((tmp_path / "written").glob("*.mcap"))
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size * 3 // 4)
    (tmp_path / "written/metadata.yaml").unlink()
    assert evaluate(tmp_path / "out", tmp_path / "written", "--recorded") == 0
    one = recording(tmp_path / "out", "written")
    assert 20 < one["frames"] < 80 and one["mean_error_mm"] == pytest.approx(0.0, abs=1e-3)
    assert any("cut off or damaged" in note for note in one["notes"])


def test_a_message_that_contradicts_itself_is_left_out(tmp_path, library):
    odd = hands_message(library, stamp_of(-1), [hand_at(names=("wrist",))])
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), more=[("/hands", stamp_of(0), odd)])
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    one = recording(tmp_path / "out", "in")
    assert one["frames"] == 45 and "/hands is left out: a hand has more or fewer positions than joint names" in one["notes"][0]


def test_a_fault_of_ours_does_not_stop_a_fleet_and_keeps_its_traceback(tmp_path):
    result = run_job(Job(Run("m", Parameters()), tmp_path / "in", "in", tmp_path / "out", Comparison(truth=None)))
    assert result.tally is None and f"{tmp_path / 'in'}: unexpected AttributeError" in result.error
    assert "Traceback" in result.notes[0]


def test_a_recording_that_was_played_twice_is_scored_once(tmp_path, library):
    more = [("/hands", stamp_of(0), hands_message(library, stamp_of(s), [Said(hand_at().joints)])) for s in TIMES]
    bag = hands_bag(tmp_path / "in", library, walking(), walking(), more=more)
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    assert any("are left out (was something played twice" in note for note in recording(tmp_path / "out", "in")["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ground-truth", "/truth"], "no recordings: name some, or a file of them with --list"),
        (["bag"], "--ground-truth is missing"),
        (["bag", "--ground-truth", "/truth", "--offset", "soon"], "--offset is 'soon': a number of seconds, or auto"),
        (["bag", "--ground-truth", "/truth", "--workers", "0"], "--workers is 0: at least 1"),
        (["--list", "none.txt", "--ground-truth", "/truth"], "list of recordings none.txt cannot be read"),
        (["bag", "--compare", "a", "b"], "--compare takes two folders of evaluations and no recordings"),
        (["--compare", "a", "b"], "a is no folder of `hand-pose evaluate`"),
    ],
)
def test_words_that_make_no_evaluation(tmp_path, capsys, words, said):
    assert main(["evaluate", *words, "--out", str(tmp_path / "out")]) == 1
    assert said in capsys.readouterr().err


def test_folders_that_are_not_its_own_are_left_alone(tmp_path, library, capsys):
    bag = hands_bag(tmp_path / "in", library, walking(), walking())
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    assert evaluate(tmp_path / "full", bag, "--recorded") == 1
    assert evaluate(tmp_path / "full", bag, "--recorded", "--overwrite") == 1
    assert "is no folder of `hand-pose evaluate`" in capsys.readouterr().err and (tmp_path / "full/thesis.txt").exists()
    assert evaluate(tmp_path / "full/thesis.txt", bag, "--recorded") == 1
    assert "is a file: name a folder" in capsys.readouterr().err
    assert evaluate(tmp_path / "out", bag, "--recorded") == 0
    (Path(bag)).rename(tmp_path / "out/runs/in")
    assert evaluate(tmp_path / "out", tmp_path / "out/runs/in", "--recorded", "--overwrite") == 1
    assert "would replace the recording" in capsys.readouterr().err


def test_a_file_of_truth_that_is_not_there_or_bad(tmp_path, library):
    bag = hands_bag(tmp_path / "in", library, walking(), {})
    assert f"{bag}: there is no ground truth" in refused(tmp_path, bag, "--recorded", truth=tmp_path / "{bag}.csv")
    (tmp_path / "in.csv").write_text("stamp_ns,hand,wrist_x,wrist_y,wrist_z\n1,1,0,0,oops\n")
    error = refused(tmp_path, bag, "--recorded", "--overwrite", truth=tmp_path / "{bag}.csv")
    assert "in.csv line 2: joint wrist is 0, 0, oops" in error
