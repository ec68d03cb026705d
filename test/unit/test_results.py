"""The folder of results: nothing recorded is lost by --overwrite."""

import os

import pytest
from small_bags import IMAGE_TOPIC, write_bag, write_png_folder
from tiny_model import write_tiny_model

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.results import BAG, prepare_folder
from hand_pose_ros.cli import main


def results(folder, sign="figures.json"):
    """A folder as replay leaves it."""
    (folder / BAG).mkdir(parents=True)
    (folder / BAG / "bag_0.mcap").touch()
    (folder / "pictures").mkdir()
    for name in (sign, "mine.txt"):
        (folder / name).touch()
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
            prepare_folder(out, overwrite=True, source=source)
    assert (out / BAG / "bag_0.mcap").exists() and (images / "0.png").exists()


@pytest.mark.parametrize("sign", ["figures.json", "joints.jsonl", "node.log"])
def test_results_alone_are_removed(tmp_path, sign):
    out = results(tmp_path / "out", sign)
    prepare_folder(out, overwrite=True, source=tmp_path / "in")
    assert os.listdir(out) == ["mine.txt"]


@pytest.mark.parametrize("name", ["bag", "pictures", "overlay.mp4"])
def test_what_only_has_the_name_of_results_is_not_removed(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(BagError, match=f"{name} is in the way"):
        prepare_folder(tmp_path, overwrite=True, source=tmp_path / "in")
    assert (tmp_path / name).exists()


def test_other_files_are_not_in_the_way(tmp_path):
    (tmp_path / "mine.txt").touch()
    prepare_folder(tmp_path, overwrite=True, source=tmp_path / "in")
    assert (tmp_path / "mine.txt").exists()


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(BagError, match="is a file: name a folder"):
        prepare_folder(tmp_path / "out", overwrite=True, source=tmp_path / "in")
    with pytest.raises(BagError, match="cannot be made"):
        prepare_folder(tmp_path / "out/below", overwrite=False, source=tmp_path / "in")
