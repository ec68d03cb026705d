"""The page that shows what every kind of sensor makes of the same hands."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hand_pose_training.cli import main
from hand_pose_training.synthetic.sensor_page import TILE_PX, TILES

CAMERA = """image_width: 64
image_height: 48
camera_matrix: {rows: 3, cols: 3, data: [60, 0, 32, 0, 60, 24, 0, 0, 1]}
depth_scale: 0.000125
"""


@pytest.mark.parametrize("real", [False, True])
def test_a_row_for_every_kind_of_sensor_and_one_of_real_crops(tmp_path: Path, real: bool):
    page, arguments = tmp_path / "page.png", []
    if real:
        (tmp_path / "camera.yaml").write_text(CAMERA)
        cv2.imwrite(str(tmp_path / "0.png"), np.full((48, 64), 4000, np.uint16))
        arguments = ["--real", str(tmp_path)]
    assert main(["synth", "--sensors", str(page), *arguments]) == 0
    picture = cv2.imread(str(page))
    assert picture.shape == ((7 if real else 6) * TILE_PX, TILES * TILE_PX, 3)
    rows = picture.reshape(-1, TILE_PX, TILES * TILE_PX, 3)[1 if real else 0 :]
    assert all((row > 60).any(axis=-1).mean() > 0.05 for row in rows)
    assert all(not np.array_equal(rows[0], row) for row in rows[1:])


def test_a_folder_without_a_camera_is_named(tmp_path: Path, capsys):
    assert main(["synth", "--sensors", str(tmp_path / "page.png"), "--real", str(tmp_path)]) == 2
    assert "camera.yaml" in capsys.readouterr().err
