"""The folder of results: nothing recorded is lost by --overwrite."""

import os

import pytest
from small_bags import IMAGE_TOPIC, write_bag, write_png_folder
from tiny_model import write_tiny_model

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.results import BAG, DEMO, REPLAY, prepare_folder, write_figures
from hand_pose_ros.cli import main


def results(folder, kind=REPLAY):
    """A folder as replay or demo leaves it, with somebody's own file in it."""
    (folder / BAG).mkdir(parents=True)
    (folder / BAG / "bag_0.mcap").touch()
    (folder / "pictures").mkdir()
    for name in ("joints.jsonl", "node.log", "overlay.mp4", "mine.txt"):
        (folder / name).touch()
    write_figures(folder, {"kind": kind})
    return folder


@pytest.mark.parametrize("command", ["replay bag --out .", "replay bag/bag.mcap --out .", "demo --recording bag --out ."])
def test_the_recording_that_is_read_is_never_replaced(tmp_path, library, monkeypatch, capsys, command):
    write_bag(tmp_path / "bag", library, 4)
    (tmp_path / "figures.json").touch()  # as beside the recording of a replay
    monkeypatch.chdir(tmp_path)
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert main([*command.split(), "--overwrite", "--no-video", "--model", str(model)]) == 1
    assert "would replace the recording bag" in capsys.readouterr().err
    with BagReader(tmp_path / "bag") as bag:
        assert bag.counts[IMAGE_TOPIC] == 4


def test_neither_is_one_behind_a_link_or_a_folder_of_images(tmp_path):
    out = results(tmp_path / "out")
    (tmp_path / "link").symlink_to(out / BAG)
    images = write_png_folder(out / "pictures/a", ["0.png"])
    for source in (tmp_path / "link", images, out / "pictures"):
        with pytest.raises(BagError, match="name another output folder"):
            prepare_folder(out, REPLAY, overwrite=True, source=source)
    assert (out / BAG / "bag_0.mcap").exists() and (images / "0.png").exists()


@pytest.mark.parametrize("kind", [REPLAY, DEMO])
def test_results_alone_are_removed(tmp_path, kind):
    out = results(tmp_path / "out", kind)
    prepare_folder(out, REPLAY, overwrite=True, source=tmp_path / "in")
    assert sorted(os.listdir(out)) == ["figures.json", "mine.txt"]


@pytest.mark.parametrize("name", ["bag", "pictures", "overlay.mp4", "joints.jsonl"])
def test_what_only_has_the_name_of_results_is_not_removed(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(BagError, match=f"{name} is in the way"):
        prepare_folder(tmp_path, REPLAY, overwrite=True, source=tmp_path / "in")
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("figures", ['{"kind": "hand_pose evaluation", "complete": true}', '{"mean_error_mm": 8.1}', "[1]", ""])
def test_neither_is_it_beside_figures_of_something_else(tmp_path, figures):
    out = results(tmp_path / "out")
    (out / "figures.json").write_text(figures)
    with pytest.raises(BagError, match="bag is in the way, and .*figures.json does not say that a replay or a demo wrote it"):
        prepare_folder(out, REPLAY, overwrite=True, source=tmp_path / "in")
    assert (out / BAG / "bag_0.mcap").exists() and (out / "figures.json").read_text() == figures


def test_a_folder_tells_whose_it_is_from_the_first_moment_on(tmp_path):
    prepare_folder(tmp_path / "out", DEMO, overwrite=False, source=tmp_path / "in")
    (tmp_path / "out" / BAG).mkdir()  # and then it was killed
    prepare_folder(tmp_path / "out", DEMO, overwrite=True, source=tmp_path / "in")
    assert os.listdir(tmp_path / "out") == ["figures.json"]


def test_other_files_are_not_in_the_way(tmp_path):
    (tmp_path / "mine.txt").touch()
    prepare_folder(tmp_path, REPLAY, overwrite=True, source=tmp_path / "in")
    assert (tmp_path / "mine.txt").exists()


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(BagError, match="is a file: name a folder"):
        prepare_folder(tmp_path / "out", REPLAY, overwrite=True, source=tmp_path / "in")
    with pytest.raises(BagError, match="cannot be written"):
        prepare_folder(tmp_path / "out/below", REPLAY, overwrite=False, source=tmp_path / "in")
