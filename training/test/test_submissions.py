"""Files for the servers: read back as their own evaluation reads them, and refused where a server would."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21, remap, skeleton
from hand_pose_training.cli import main
from hand_pose_training.score.files import read_poses
from hand_pose_training.submissions.checks import SubmissionError
from hand_pose_training.submissions.hands2017 import write_hands2017
from hand_pose_training.submissions.pred_json import write_freihand, write_ho3d

# Three frames in hand21's order: x, y about the axis, z 0.4 to 0.6 m.
JOINTS = np.random.default_rng(0).uniform((-0.1, -0.1, 0.4), (0.1, 0.1, 0.6), size=(3, 21, 3)).round(5)
NAMES = ["image_D00000001.png", "image_D00000002.png", "image_D00000003.png"]


def test_freihand_is_two_lists_with_the_wrist_first(tmp_path: Path):
    write_freihand(tmp_path / "pred.json", JOINTS, HAND21, frames=(3,))
    joints, vertices = json.loads((tmp_path / "pred.json").read_text())
    np.testing.assert_array_equal(joints, JOINTS)  # hand21's order is FreiHAND's
    assert np.shape(vertices) == (3, 778, 3) and not np.any(vertices)


def test_freihand_reads_back_through_the_scores_reader(tmp_path: Path):
    joints = remap(JOINTS, HAND21, skeleton("rhd21"))
    write_freihand(tmp_path / "pred.json", joints, skeleton("rhd21"), frames=(3,))
    np.testing.assert_array_equal(read_poses(tmp_path / "pred.json", 21, "xyz", None).joints, JOINTS)


def test_a_mesh_goes_with_the_joints(tmp_path: Path):
    mesh = np.random.default_rng(1).uniform(-0.1, 0.7, size=(3, 778, 3)).round(4)
    write_freihand(tmp_path / "a.json", JOINTS, vertices=mesh, frames=(3,))
    np.testing.assert_array_equal(json.loads((tmp_path / "a.json").read_text())[1], mesh)
    write_ho3d(tmp_path / "b.json", JOINTS, vertices=mesh, frames=(3,))
    np.testing.assert_array_equal(json.loads((tmp_path / "b.json").read_text())[1], mesh * [1, -1, -1])
    with pytest.raises(SubmissionError, match="778"):
        write_freihand(tmp_path / "c.json", JOINTS, vertices=mesh[:, :700], frames=(3,))


def test_an_archive_has_the_file_at_its_top_and_nothing_else(tmp_path: Path):
    write_freihand(tmp_path / "pred.zip", JOINTS, frames=(3,))
    write_hands2017(tmp_path / "result.zip", NAMES, JOINTS, frames=(3,))
    with zipfile.ZipFile(tmp_path / "pred.zip") as archive:
        assert archive.namelist() == ["pred.json"]
        np.testing.assert_array_equal(json.loads(archive.read("pred.json"))[0], JOINTS)
    with zipfile.ZipFile(tmp_path / "result.zip") as archive:
        assert archive.namelist() == ["result.txt"] and archive.read("result.txt").count(b"\n") == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pred.zip", "result.zip"]


def test_ho3d_is_in_opengl_axes_and_manos_order(tmp_path: Path):
    write_ho3d(tmp_path / "pred.json", JOINTS, HAND21, frames=(3,))
    joints, vertices = json.loads((tmp_path / "pred.json").read_text())
    joints = np.array(joints)
    x, y, z = JOINTS[1, HAND21.index("wrist")]
    np.testing.assert_array_equal(joints[1, 0], [x, -y, -z])
    # Joint 4 is the middle finger's mcp (eval.py scales by joints 0 and 4), the fingertips are last, thumb first.
    np.testing.assert_array_equal(joints[1, 4], JOINTS[1, HAND21.index("middle_mcp")] * [1, -1, -1])
    np.testing.assert_array_equal(joints[1, 16], JOINTS[1, HAND21.index("thumb_tip")] * [1, -1, -1])
    np.testing.assert_array_equal(joints[1, 7], JOINTS[1, HAND21.index("little_mcp")] * [1, -1, -1])
    assert (joints[..., 2] < 0).all() and np.shape(vertices) == (3, 778, 3)


def test_ho3d_behind_the_camera_is_refused(tmp_path: Path):
    turned = JOINTS.copy()
    turned[2] *= [1, -1, -1]
    with pytest.raises(SubmissionError, match="frame 2.*behind"):
        write_ho3d(tmp_path / "pred.json", turned, frames=(3,))
    assert not list(tmp_path.iterdir())


def test_hands2017_is_a_line_a_frame_in_millimetres(tmp_path: Path):
    write_hands2017(tmp_path / "result.txt", NAMES, JOINTS, HAND21, frames=(3,))
    fields = (tmp_path / "result.txt").read_text().splitlines()[2].split("\t")
    assert len(fields) == 64 and fields[0] == "image_D00000003.png"
    values = np.array(fields[1:], float).reshape(21, 3)
    # wrist, five knuckles, then each finger's three.
    for row, name in ((0, "wrist"), (1, "thumb_cmc"), (5, "little_mcp"), (6, "thumb_mcp"), (8, "thumb_tip"), (20, "little_tip")):
        np.testing.assert_allclose(values[row], 1000 * JOINTS[2, HAND21.index(name)], atol=1e-4)
    poses = read_poses(tmp_path / "result.txt", 21, "xyz", None)
    assert list(poses.names) == NAMES
    np.testing.assert_allclose(remap(poses.joints, skeleton("hands2017_21"), HAND21), JOINTS, atol=1e-7)


def test_hands2017_needs_a_name_for_every_frame(tmp_path: Path):
    for names in (NAMES[:2], [NAMES[0], *NAMES[:2]]):
        with pytest.raises(SubmissionError, match="2 different names for 3"):
            write_hands2017(tmp_path / "result.txt", names, JOINTS, frames=(3,))


def test_what_a_server_would_refuse(tmp_path: Path):
    out = tmp_path / "pred.json"
    broken = JOINTS.copy()
    broken[1, 3, 0] = np.nan
    with pytest.raises(SubmissionError, match=r"frame 1.*thumb_ip"):
        write_freihand(out, broken, HAND21, frames=(3,))
    with pytest.raises(SubmissionError, match="3 frames.*3960"):
        write_freihand(out, JOINTS)
    with pytest.raises(SubmissionError, match="3 frames.*11524 or 20137"):
        write_ho3d(out, JOINTS)
    with pytest.raises(SubmissionError, match="3 frames.*295510"):
        write_hands2017(out, NAMES, JOINTS)
    with pytest.raises(SubmissionError, match=r"\(3, 20, 3\)"):
        write_freihand(out, JOINTS[:, :20], frames=(3,))
    with pytest.raises(SubmissionError, match="stb21 has no wrist"):
        write_freihand(out, JOINTS, skeleton("stb21"), frames=(3,))
    assert not out.exists()


def test_the_command_puts_named_frames_in_the_servers_order(tmp_path: Path, capsys: pytest.CaptureFixture):
    frames = [f"{i:08d}" for i in range(3960)]
    joints = np.zeros((3960, 21, 3)) + np.arange(3960)[:, None, None] / 1000
    shuffled = np.random.default_rng(0).permutation(3960)
    file = tmp_path / "predictions.npz"
    np.savez(file, joints=joints[shuffled], names=np.array(frames)[shuffled])
    assert main(["submit", str(file), str(tmp_path / "pred.zip"), "--dataset", "freihand", "--skeleton", "hand21"]) == 0
    assert "3960 frames" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "pred.zip") as archive:
        text = archive.read("pred.json").decode()
    written, _ = json.JSONDecoder().raw_decode(text[1:])  # the joints; the millions of vertices are not needed
    np.testing.assert_array_equal(np.array(written)[:, 0, 0], np.arange(3960) / 1000)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dataset", "freihand"], "3960 frames are not predicted, the first is 00000000"),
        (["--dataset", "ho3d"], "--frames evaluation.txt"),
        (["--dataset", "hands2017"], "3 frames; its test set has 295510"),
        (["--dataset", "hands2017", "--skeleton", "hand99"], "unknown skeleton 'hand99'"),
        (["--dataset", "ho3d", "--frames", "nowhere.txt"], "nowhere.txt: no such file"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], says: str):
    file = tmp_path / "predictions.npz"
    np.savez(file, joints=JOINTS, names=NAMES)
    assert main(["submit", str(file), str(tmp_path / "out.zip"), *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out.zip").exists()


def test_frames_in_the_order_of_a_list(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "BoundingBox.txt").write_text("\n".join(f"{name}\t1\t2\t3\t4" for name in reversed(NAMES)))
    file = tmp_path / "predictions.npz"
    np.savez(file, joints=JOINTS, names=[NAMES[0], NAMES[1], NAMES[1]])
    arguments = ["submit", str(file), "out", "--dataset", "hands2017", "--frames", str(tmp_path / "BoundingBox.txt")]
    assert main(arguments) == 2
    assert "image_D00000002.png is predicted twice" in capsys.readouterr().err
    np.savez(file, joints=JOINTS[:2], names=NAMES[:2])
    assert main(arguments) == 2
    assert "1 frames are not predicted, the first is image_D00000003.png" in capsys.readouterr().err
