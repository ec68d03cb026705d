import re
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_bags import camera_yaml, depth_counts, write_png_folder

from hand_pose_ros.bags.camera_file import read_camera_file
from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.natural import natural_key
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.messages.library import stamp_ns


def frames_of(path, library, **options):
    return list(open_source(path, library, **options).frames())


def test_names_are_sorted_as_numbers():
    names = ["10.png", "2.png", "1.png", "a10.png", "a9.png", "007.png"]
    assert [p.name for p in sorted(map(Path, names), key=natural_key)] == [
        "1.png",
        "2.png",
        "007.png",
        "10.png",
        "a9.png",
        "a10.png",
    ]


def test_images_come_in_numeric_order_with_stamps_of_the_rate(tmp_path, library):
    frames = frames_of(write_png_folder(tmp_path, ["10.png", "2.png", "1.png"]), library, rate_hz=10.0)
    assert [f.name for f in frames] == ["1.png", "2.png", "10.png"]
    stamps = [stamp_ns(f.image.header) for f in frames]
    assert [b - a for a, b in pairwise(stamps)] == [100_000_000, 100_000_000]
    assert all(stamp_ns(f.info.header) == s for f, s in zip(frames, stamps))


def test_pixels_are_kept(tmp_path, library):
    image = frames_of(write_png_folder(tmp_path, ["0.png"]), library)[0].image
    assert (image.encoding, image.step, image.is_bigendian) == ("16UC1", 320, 0)
    assert (image.data.view(np.uint16).reshape(120, 160) == depth_counts(0)).all()


def test_folders_in_the_folder_are_sequences(tmp_path, library):
    write_png_folder(tmp_path, ["seq_10/0.png", "seq_2/5.png", "seq_2/11.png"])
    assert [(f.sequence, f.name) for f in frames_of(tmp_path, library)] == [
        ("seq_2", "seq_2/5.png"),
        ("seq_2", "seq_2/11.png"),
        ("seq_10", "seq_10/0.png"),
    ]


def test_the_camera_file_may_lie_beside_the_folder(tmp_path, library):
    write_png_folder(tmp_path / "seq", ["0.png"], camera=None)
    (tmp_path / "camera.yaml").write_text(camera_yaml(depth_scale=0.000125))
    source = open_source(tmp_path / "seq", library)
    assert source.depth_scale == 0.000125 and source.count == 1


def test_no_camera_file_names_the_places(tmp_path, library):
    write_png_folder(tmp_path / "seq", ["0.png"], camera=None)
    with pytest.raises(BagError) as caught:
        open_source(tmp_path / "seq", library)
    for place in (tmp_path / "seq/camera.yaml", tmp_path / "camera.yaml"):
        assert str(place) in str(caught.value)
    assert "--camera-file" in str(caught.value)


def the_one_that_fails(folder, library):
    """What is said of the second of three files; the others are read."""
    first, second, third = frames_of(folder, library)
    assert not first.error and not third.error and (second.name, second.info) == ("1.png", None)
    assert stamp_ns(first.image.header) < stamp_ns(second.image.header) < stamp_ns(third.image.header)
    return second.error


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((120, 160), np.uint8), "no depth image: 8 bits, 1 channel"),
        (np.zeros((120, 160, 3), np.uint16), "no depth image: 16 bits, 3 channel"),
        (np.zeros((60, 80), np.uint16), "80x60 pixels but .* 160x120"),
    ],
)
def test_pictures_that_are_no_depth_of_this_camera(tmp_path, library, picture, said):
    write_png_folder(tmp_path, ["0.png", "1.png", "2.png"])
    cv2.imwrite(str(tmp_path / "1.png"), picture)
    assert re.search(f"1.png.*{said}", the_one_that_fails(tmp_path, library))


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_png_that_was_cut(tmp_path, library, content):
    path = write_png_folder(tmp_path, ["0.png", "1.png", "2.png"]) / "1.png"
    path.write_bytes(path.read_bytes()[:40] if content is None else content)
    assert "1.png cannot be read as PNG" in the_one_that_fails(tmp_path, library)


def test_a_rate_must_be_positive(tmp_path, library):
    with pytest.raises(BagError, match="rate 0 Hz"):
        open_source(write_png_folder(tmp_path, ["0.png"]), library, rate_hz=0)


# -- camera files


def test_camera_file_fields(tmp_path):
    path = tmp_path / "camera.yaml"
    path.write_text(camera_yaml(depth_scale=None))
    camera = read_camera_file(path)
    assert (camera.width, camera.height, camera.depth_scale) == (160, 120, None)
    assert camera.k == (150.0, 0.0, 79.5, 0.0, 150.0, 59.5, 0.0, 0.0, 1.0)
    # Without a projection matrix the camera's own matrix, without a translation.
    assert camera.p == (150.0, 0.0, 79.5, 0.0, 0.0, 150.0, 59.5, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert camera.r == (1, 0, 0, 0, 1, 0, 0, 0, 1) and camera.d == (0.0,) * 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "not in the camera_info_manager format"),
        ("image_width: 640", "camera_matrix"),
        (
            camera_yaml().replace("rows: 3, cols: 3, data: [150.0, ", "rows: 3, cols: 3, data: ["),
            "camera_matrix has 8 numbers, not 9",
        ),
        (camera_yaml(depth_scale=-0.001), "depth_scale -0.001 is not positive"),
        ("a: [b", "cannot be read"),
    ],
)
def test_camera_files_that_are_none(tmp_path, text, said):
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    with pytest.raises(BagError, match=f"{path}.*{said}"):
        read_camera_file(path)
