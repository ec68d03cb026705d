"""A detector from scenes to a file: it learns, goes on after a break, and the file answers as torch does."""

import json

import numpy as np
import pytest
import torch

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.perception.detector import HandDetector
from hand_pose_ros.perception.localize import Candidate
from hand_pose_training.cli import main
from hand_pose_training.detector.augment import AugmentSettings, augmented
from hand_pose_training.detector.export import DetectorGraph, calibration, check_detector_parity, inputs_of
from hand_pose_training.detector.figures import detector_figures, table
from hand_pose_training.detector.frames import HELD_OUT, FrameSettings, SyntheticFrames
from hand_pose_training.detector.measure import measure, peaks_of
from hand_pose_training.detector.recipe import load_detector_recipe
from hand_pose_training.detector.training import DetectorRun, load_run
from hand_pose_training.graph import ExportError, to_onnx
from hand_pose_training.recipe import RecipeError

RECIPE = """
name: small_detector
seed: 5
reuse: 2
network: {stem: 8, channels: [8, 16, 16, 16], blocks: [0, 0, 0, 0], decoder: 8, candidates: 4}
optim: {learning_rate: 5.0e-3, schedule: constant, warmup: 0.0, average_decay: 0.9}
budget: {samples: 16}
loop: {batch_size: 4, bf16: false}
"""
PLAIN = FrameSettings(noise=False, augment=None)


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE)
    return path


def frames_with_hands(count: int) -> list:
    dataset, frames = SyntheticFrames(7, 1000, PLAIN), []
    for i in range(1000):
        frame = dataset.frame(i)
        if frame.seen.any():
            frames.append((i, frame))
        if len(frames) == count:
            return frames
    raise AssertionError("hardly any frame has a hand")


def test_frames_depend_on_their_index_alone():
    for settings in (FrameSettings(), HELD_OUT):
        first, again = SyntheticFrames(3, 10, settings)[4], SyntheticFrames(3, 20, settings)[4]
        assert all(np.array_equal(first[name], again[name]) for name in first)
        assert first["depth_frame"].shape == (1, 128, 160) and first["heat"].shape == (32, 40)
    with pytest.raises(IndexError, match="frame 10 of 10"):
        SyntheticFrames(3, 10)[10]


def test_hands_are_where_the_frame_shows_them():
    for _, frame in frames_with_hands(5):
        for center, seen in zip(frame.centers, frame.seen):
            if not seen:
                continue
            u, v = np.floor(frame.in_frame(center) + 0.5).astype(int)
            around = frame.depth[max(v - 3, 0) : v + 4, max(u - 3, 0) : u + 4]
            assert np.abs(around[around > 0] - center[2]).min() < 0.08


def test_what_is_cut_off_is_far_or_nothing():
    depth = np.full((128, 160), 2.5, np.float32)
    depth[:64] = 0.7
    cut = AugmentSettings(sparse=0, speckled=0, cut=1, cut_m=(1.0, 2.0), processed=0)
    for seed in range(8):
        out = augmented(depth, np.random.default_rng(seed), cut)
        assert (out[:64] == np.float32(0.7)).all() and ((out[64:] == 0) | (out[64:] > 2)).all()
    assert (depth[64:] == 2.5).all()


def test_a_hand_that_is_cut_off_is_not_seen():
    nothing_beyond = AugmentSettings(moved=0, sparse=0, speckled=0, cut=1, cut_m=(0.2, 0.21))
    whole, cut = (SyntheticFrames(7, 1000, FrameSettings(noise=False, augment=a)) for a in (None, nothing_beyond))
    numbers = [i for i, frame in frames_with_hands(3) if frame.centers[:, 2].min() > 0.4]
    assert numbers and all(whole.frame(i).seen.any() and not cut.frame(i).seen.any() for i in numbers)


def test_it_learns_three_frames(recipe_file):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    chosen = frames_with_hands(3)
    dataset, frames = SyntheticFrames(7, 1000, PLAIN), [frame for _, frame in chosen]
    batch = torch.utils.data.default_collate([dataset[i] for i, _ in chosen])
    run = DetectorRun(load_detector_recipe(recipe_file, ["reuse=1", "budget.samples=1000"]))
    before = run.step(batch)
    assert measure(frames, peaks_of(run.average, frames)).recall(0.2) == 0
    for _ in range(150):
        after = run.step(batch)
    finds = measure(frames, peaks_of(run.average, frames))
    assert after["heat_loss"] < 0.1 * before["heat_loss"]
    assert finds.recall(0.2) == 1 and finds.false_per_100(0.5) == 0
    assert np.median(finds.error_m) < 0.03


def test_a_run_goes_on_where_it_was(recipe_file, tmp_path, monkeypatch):
    monkeypatch.setattr("hand_pose_training.detector.training.VALIDATION_FRAMES", 4)
    out = tmp_path / "run"
    fit = ["fit-detector", "--config", str(recipe_file), "--out", str(out)]
    assert main([*fit, "--budget.samples=8"]) == 0
    (out / "final.ckpt").rename(out / "last.ckpt")
    assert main([*fit, "--resume"]) == 0
    resumed = load_run(out / "final.ckpt")
    assert resumed.samples_seen == 16 and resumed.steps == 8
    assert main([*fit[:-1], str(tmp_path / "second"), "--init", str(out / "final.ckpt"), "--budget.samples=4"]) == 0
    assert load_run(tmp_path / "second/final.ckpt").first_sample == 16


def test_from_a_checkpoint_to_figures(recipe_file, tmp_path, monkeypatch, capsys):
    for name, value in (("training.VALIDATION_FRAMES", 4), ("export.CALIBRATION_FRAMES", 8), ("export.PARITY_FRAMES", 4)):
        monkeypatch.setattr(f"hand_pose_training.detector.{name}", value)
    run, model = tmp_path / "run", tmp_path / "small_detector.onnx"
    assert main(["fit-detector", "--config", str(recipe_file), "--out", str(run), "--budget.samples=4"]) == 0
    assert main(["export-detector", str(run / "final.ckpt"), "--out", str(model), "--frames", "6"]) == 0
    card = load_engine(model).card
    assert card.name == "small_detector" and card.candidates == 4 and card.errors["frames"] == 6
    page = model.with_suffix(".md").read_text()
    assert "4 synthetic frames, seed 5" in page and "small_detector.onnx" in page
    figures = tmp_path / "figures.json"
    assert main(["detector-figures", "--model", str(model), "--frames", "6", "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["hands"] == card.errors["hands"]
    assert "limb finder" in capsys.readouterr().out


def test_an_export_that_differs_from_torch_is_not_written(recipe_file):
    net = DetectorRun(load_detector_recipe(recipe_file)).average
    graph = DetectorGraph(net, 1.0, 4.0).eval()
    inputs = inputs_of([SyntheticFrames(3, 4, PLAIN).frame(i) for i in range(4)])
    model = to_onnx(graph, inputs)
    check_detector_parity(model, graph, inputs)
    with pytest.raises(ExportError, match="the exported graph differs from torch by"):
        check_detector_parity(model, DetectorGraph(net, 1.0, 3.0).eval(), inputs)


def test_scores_are_calibrated():
    """Of places that a network is equally sure of, a third are hands: their score becomes a third."""
    frames = [frame for _, frame in frames_with_hands(12)]

    class Sure(torch.nn.Module):
        def forward(self, depth, focal):
            return None

        def peaks(self, _):
            from hand_pose_training.detector.network import Peaks

            centers = np.zeros((len(frames), 3, 3), np.float32)
            for frame, places in zip(frames, centers):
                point = frame.centers[frame.seen][0]
                places[:] = [*frame.box.normalize(frame.scene.camera.project(point)), point[2]]
                places[1:, 2] += [2.0, 3.0]  # far behind it
            return Peaks(torch.as_tensor(centers), torch.full((len(frames), 3), 2.0))

    scale, shift = calibration(Sure(), frames)
    assert 1 / (1 + np.exp(-(2 * scale + shift))) == pytest.approx(1 / 3, abs=0.01)


def test_matching_of_places_with_hands():
    (_, frame), *_ = frames_with_hands(1)
    hand = frame.centers[frame.seen][0]
    places = [Candidate(hand + 0.01, 0.9), Candidate(hand + np.array([0, 0, 0.07]), 0.8), Candidate(hand + 3.0, 0.3)]
    finds = measure([frame, frame], [places, []])
    of_it = np.abs(finds.distance_m - hand[2]) < 1e-6
    assert finds.score[of_it].tolist() == [0.9, -1.0]
    assert finds.error_m[of_it][0] == pytest.approx(0.01 * np.sqrt(3)) and np.isnan(finds.error_m[of_it][1])
    # The second place on a hand that is found is not false; the one 3 m away is.
    assert finds.false_score.tolist() == [0.3] and finds.false_per_100(0.2) == 50 and finds.false_per_100(0.5) == 0
    assert finds.recall(0.5, of_it) == 0.5
    assert finds.sure_score() == pytest.approx(0.3, abs=1e-6) and finds.sure_score() > 0.3


def test_wrong_recipes_and_checkpoints_say_why(recipe_file, tmp_path, capsys):
    with pytest.raises(RecipeError, match="unknown key colour"):
        load_detector_recipe(recipe_file, ["colour=3"])
    with pytest.raises(RecipeError, match="nowhere.yaml: no such file; detectors' are under"):
        load_detector_recipe(tmp_path / "nowhere.yaml")
    with pytest.raises(RecipeError, match="a detector's frames have no epochs"):
        load_detector_recipe(recipe_file, ["budget.samples=0", "budget.epochs=3"])
    with pytest.raises(RecipeError, match="reuse 0: a batch is learned from at least once"):
        load_detector_recipe(recipe_file, ["reuse=0"])
    torch.save({"state_dict": {}}, tmp_path / "pose.ckpt")
    with pytest.raises(RecipeError, match="pose.ckpt is not one of a detector"):
        load_run(tmp_path / "pose.ckpt")
    assert main(["fit-detector", "--config", str(recipe_file), "--out", str(tmp_path), "--resume"]) == 2
    assert "leave out --resume" in capsys.readouterr().err


def test_figures_of_the_shipped_detector_are_on_held_out_frames():
    from hand_pose_ros.share import find

    figures = detector_figures(HandDetector(load_engine(find("models/hand_detector.onnx")), besides=None), frames=8)
    assert figures["frames"] == 8 and figures["hands"] == sum(
        values["hands"] for name, values in figures["slices"].items() if name.endswith("camera")
    )
    assert "8 held-out frames" in table(figures)
