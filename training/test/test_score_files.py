import json

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.score.files import Poses, matched, read_poses
from hand_pose_training.score.protocols import ScoreError
from hand_pose_training.score.subsets import read_subsets

CAMERA = Camera(640, 480, 500.0, 250.0, 320.0, 240.0)


def written(tmp_path, text, name="poses.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_uvd_goes_through_the_camera(tmp_path):
    path = written(tmp_path, "420 290 1000 320 240 500\n")
    # (420 - 320) * 1000 / 500 = 200 mm, (290 - 240) * 1000 / 250 = 200 mm
    assert read_poses(path, 2, "uvd", CAMERA).joints == pytest.approx(np.array([[[0.2, 0.2, 1.0], [0, 0, 0.5]]]))


def test_xyz_with_names_tabs_and_empty_lines(tmp_path):
    path = written(tmp_path, "frame\\images\\image_D1.png\t1\t2\t3\n\nframe\\images\\image_D2.png\t4\t5\t6\n")
    poses = read_poses(path, 1, "xyz", None)
    assert poses.joints == pytest.approx(np.array([[[1, 2, 3]], [[4, 5, 6]]]) * 1e-3)
    assert poses.names == ("frame/images/image_D1.png", "frame/images/image_D2.png")


def test_first_line_may_count_the_frames(tmp_path):
    assert read_poses(written(tmp_path, "2\n1 2 3\n4 5 6\n"), 1, "xyz", None).joints.shape == (2, 1, 3)
    with pytest.raises(ScoreError, match="says 3 frames and 2 follow"):
        read_poses(written(tmp_path, "3\n1 2 3\n4 5 6\n"), 1, "xyz", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n1 2\n", "poses.txt, line 2: 2 columns, needed are 3"),
        ("1 2 3\n1 2 3 4 5 6\n", "line 2: 6 columns.*right --dataset"),
        ("1 2 3\n\n1 x 3\n", "line 3: .*x.*columns are numbers"),
        ("1 2 3\n1 nan 3\n", "line 2, number 2: nan; predict every joint"),
        ("1 2 inf\n", "line 1, number 3: inf"),
        ("a 1 2 3\n1 2 3\n", "1 of 2 lines begin with a frame's name"),
        ("\n", "has no frame"),
    ],
)
def test_text_that_is_wrong_is_named_by_line(tmp_path, text, message):
    with pytest.raises(ScoreError, match=message):
        read_poses(written(tmp_path, text), 1, "xyz", None)


def test_missing_file_and_missing_camera(tmp_path):
    with pytest.raises(ScoreError, match="gone.txt: no such file"):
        read_poses(tmp_path / "gone.txt", 1, "xyz", None)
    with pytest.raises(ScoreError, match="is a folder; name the file"):
        read_poses(tmp_path, 1, "xyz", None)
    with pytest.raises(ScoreError, match="--format xyz"):
        read_poses(written(tmp_path, "1 2 3\n"), 1, "uvd", None)


def test_json_of_joints_and_of_a_submission(tmp_path):
    frames = [[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[1, 2, 3], [4, 5, 6]]]
    vertices = [[[0.0, 0.0, 0.0]] * 5, [[0.0, 0.0, 0.0]] * 5]
    for content in (frames, [frames, vertices]):
        poses = read_poses(written(tmp_path, json.dumps(content), "pred.json"), 2, "xyz", None)
        assert poses.joints == pytest.approx(np.array(frames))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ('{"a": 1}', "needed is a list of frames"),
        ("[[[1, 2, 3]], [[1, 2]]]", "needed is a list of frames"),
        ("[[[1, 2, 3], [1, 2, 3]]]", "holds \\(1, 2, 3\\), needed is \\(frames, 1, 3\\)"),
        ("[[[1, 2, 3]], [[1, NaN, 3]]]", "frame 1 .from 0., joint 0: not a finite number"),
    ],
)
def test_json_that_is_wrong(tmp_path, content, message):
    with pytest.raises(ScoreError, match=message):
        read_poses(written(tmp_path, content, "pred.json"), 1, "xyz", None)


def test_npz_with_names_and_unlabelled_joints(tmp_path):
    joints = np.array([[[0, 0, 1.0], [np.nan] * 3]])
    np.savez(tmp_path / "truth.npz", joints=joints, names=["a"])
    poses = read_poses(tmp_path / "truth.npz", 2, "xyz", None, labels=True)
    assert poses.names == ("a",) and np.isnan(poses.joints[0, 1]).all()
    with pytest.raises(ScoreError, match="frame 0 .from 0., joint 1"):
        read_poses(tmp_path / "truth.npz", 2, "xyz", None)


def test_npz_that_is_wrong(tmp_path):
    np.savez(tmp_path / "a.npz", xyz=np.zeros((1, 1, 3)))
    with pytest.raises(ScoreError, match="a.npz: has xyz; needed is `joints`"):
        read_poses(tmp_path / "a.npz", 1, "xyz", None)
    np.savez(tmp_path / "b.npz", joints=np.array([object()]))
    with pytest.raises(ScoreError, match="not an npz of plain arrays"):
        read_poses(tmp_path / "b.npz", 1, "xyz", None)
    with pytest.raises(ScoreError, match="not an npz of plain arrays"):
        read_poses(written(tmp_path, "1 2 3", "c.npz"), 1, "xyz", None)
    np.savez(tmp_path / "d.npz", joints=np.zeros((2, 1, 3)), names=["a"])
    with pytest.raises(ScoreError, match="2 frames and 1 names"):
        read_poses(tmp_path / "d.npz", 1, "xyz", None)


def poses(path, names, count=None):
    joints = np.arange(count or len(names), dtype=float)[:, None, None] * np.ones((1, 1, 3))
    return Poses(path, joints, names)


def test_frames_are_matched_by_name(tmp_path):
    predicted, truth = poses(tmp_path / "p.txt", ("b", "c", "a")), poses(tmp_path / "t.txt", ("a", "b"))
    assert matched(predicted, truth)[:, 0, 0] == pytest.approx([2, 0])
    with pytest.raises(ScoreError, match="1 frames of .*p.txt are not predicted, the first is c"):
        matched(truth, predicted)
    with pytest.raises(ScoreError, match="frame a is there twice"):
        matched(poses(tmp_path / "p.txt", ("a", "a")), truth)


def test_without_names_the_number_of_frames_must_agree(tmp_path):
    with pytest.raises(ScoreError, match="p.txt: 2 frames, and .*t.txt has 3; predict every frame"):
        matched(poses(tmp_path / "p.txt", None, 2), poses(tmp_path / "t.txt", None, 3))


def test_subsets_from_text_and_json(tmp_path):
    by_row = read_subsets(written(tmp_path, "SEEN\nUNSEEN\nSEEN\n"), 3, None)
    by_name = read_subsets(written(tmp_path, "b UNSEEN\nx\\a SEEN\nc SEEN\n"), 3, ("x/a", "b", "c"))
    listed = read_subsets(written(tmp_path, '{"SEEN": ["x/a", 2], "UNSEEN": ["b"]}', "s.json"), 3, ("x/a", "b", "c"))
    for found in (by_row, by_name, listed):
        assert {k: v.tolist() for k, v in found.items()} == {"SEEN": [True, False, True], "UNSEEN": [False, True, False]}


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("SEEN\n", "s.txt", "1 of 2 frames are in no subset, the first is 1"),
        ("SEEN\nSEEN\nSEEN\n", "s.txt", "no frame 2 .2 frames are measured."),
        ("a SEEN\n", "s.txt", "no frame a .the ground truth has no frame names."),
        ("a b c\n", "s.txt", "line 1: 3 words"),
        ('{"SEEN": [0, 1], "UNSEEN": [1]}', "s.json", "frame 1 is in SEEN and in UNSEEN"),
        ("[1]", "s.json", "needed is"),
        ("{", "s.json", "not JSON"),
    ],
)
def test_subsets_that_are_wrong(tmp_path, text, name, message):
    with pytest.raises(ScoreError, match=message):
        read_subsets(written(tmp_path, text, name), 2, None)


def test_subset_file_that_is_missing(tmp_path):
    with pytest.raises(ScoreError, match="gone: no such file"):
        read_subsets(tmp_path / "gone", 2, None)
