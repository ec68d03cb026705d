import json

import cv2
import numpy as np
import pytest

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.cli import main
from hand_pose_training.score.measure import score
from hand_pose_training.score.protocols import PROTOCOLS, ScoreError

HAND = np.random.default_rng(7).uniform(-0.09, 0.09, (3, 21, 3)) + np.array([0, 0, 0.5])
SHIFT = np.array([0.003, 0.004, 0.0])  # 5 mm


def npz(path, joints):
    np.savez(path, joints=joints)
    return path


def text(path, joints_mm, names=None):
    rows = np.reshape(joints_mm, (len(joints_mm), -1))
    lines = [" ".join([*([names[i]] if names else []), *(f"{v:.4f}" for v in row)]) for i, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def nyu(tmp_path):
    """Two frames: all joints right but the last, which is 14 mm too far in the first frame and 28 mm in the second."""
    true = np.tile([320.0, 240.0, 700.0], (2, 14, 1))
    true[:, :, 0] += np.arange(14) * 10  # a hand of some size
    true[:, -1, :2] = 320.0, 240.0
    predicted = true.copy()
    predicted[:, -1, 2] += [14.0, 28.0]
    return text(tmp_path / "mine.txt", predicted), text(tmp_path / "truth.txt", true)


def test_figures_by_hand(nyu):
    figures = score(*nyu, "nyu")
    assert (figures["frames"], figures["complete"], figures["center"]) == (2, False, "not stated")
    assert figures["mean_error_mm"] == 1.5 and figures["median_error_mm"] == 0.0
    assert figures["joint_error_mm"]["palm"] == 21.0 and figures["joint_error_mm"]["thumb_tip"] == 0.0
    # Worst joints 14 and 28 mm; averages 1 and 2 mm.
    assert figures["good_frames_by_worst_joint"] == {"10_mm": 0.0, "20_mm": 0.5, "30_mm": 1.0, "40_mm": 1.0}
    assert set(figures["good_frames_by_average_joint"].values()) == {1.0}
    assert figures["curves"]["good_frames_by_worst_joint"][13:15] == [0.0, 0.5]
    assert figures["curves"]["good_frames_by_average_joint"][:3] == [0.0, 0.5, 1.0]
    assert figures["curves"]["pck"][0] == pytest.approx(26 / 28, abs=1e-5)
    # PCK is 26/28 up to 14 mm, 27/28 up to 28 mm and 1 up to 50 mm; steps of the trapezoids blur it by less than 1e-3.
    assert figures["auc_pck"] == pytest.approx((14 * 26 / 28 + 14 * 27 / 28 + 22) / 50, abs=1e-3)
    assert figures["auc_pck_limits_mm"] == [0.0, 50.0]


def test_joints_left_out_do_not_count(nyu):
    figures = score(*nyu, "nyu", leave_out=("palm",))
    assert figures["mean_error_mm"] == 0.0 and len(figures["joints"]) == 13 and figures["joints_left_out"] == ["palm"]


def test_freihand_is_measured_after_procrustes_and_without(tmp_path):
    (tmp_path / "xyz.json").write_text(json.dumps(HAND.tolist()))
    vertices = np.zeros((3, 778, 3)).tolist()
    (tmp_path / "pred.json").write_text(json.dumps([(1.1 * HAND + SHIFT).tolist(), vertices]))
    figures = score(tmp_path / "pred.json", tmp_path / "xyz.json", "freihand")
    assert "Umeyama" in figures["alignment"] and figures["mean_error_mm"] == 0.0
    # Rounding leaves errors of 1e-17, beyond the first threshold of 0: all but half a step of 99.
    assert figures["auc_pck"] == pytest.approx(1 - 0.5 / 99, abs=1e-4)
    unaligned = figures["other_alignments"]["none"]
    assert unaligned["mean_error_mm"] == pytest.approx(1e3 * np.linalg.norm(0.1 * HAND + SHIFT, axis=-1).mean(), abs=1e-3)


def test_ho3d_scales_by_its_bone_and_moves_the_wrist(tmp_path):
    files = npz(tmp_path / "p.npz", 2 * HAND + SHIFT), npz(tmp_path / "t.npz", HAND)
    figures = score(*files, "ho3d")
    assert figures["mean_error_mm"] == 0.0 and "wrist-middle_mcp" in figures["alignment"]
    assert set(figures["other_alignments"]) == {"none", "procrustes"}
    wrong = 2 * HAND + SHIFT
    wrong[:, skeleton("ho3d21").index("middle_mcp")] = wrong[:, 0] + 2 * (HAND[:, 4] - HAND[:, 0]) * 2
    # The bone twice too long: everything else comes out half as far from the wrist as it should.
    figures = score(npz(tmp_path / "w.npz", wrong), files[1], "ho3d")
    halves = 1e3 * np.linalg.norm(HAND - HAND[:, :1], axis=-1).mean(axis=0) / 2
    assert figures["joint_error_mm"]["index_mcp"] == pytest.approx(halves[1], abs=1e-3)
    assert figures["joint_error_mm"]["middle_mcp"] == pytest.approx(0.0, abs=1e-3)


def test_rhd_has_root_and_scale_given(tmp_path):
    joints = skeleton("rhd21")
    mcp, pip = joints.indices("middle_mcp", "middle_pip")
    lengths = np.linalg.norm(HAND[:, pip] - HAND[:, mcp], axis=-1)[:, None, None]
    relative = (HAND - HAND[:, :1]) / lengths  # as a network without a scale predicts
    figures = score(npz(tmp_path / "p.npz", relative), npz(tmp_path / "t.npz", HAND), "rhd", unit="bone")
    assert figures["mean_error_mm"] == 0.0 and figures["auc_pck_limits_mm"] == [20.0, 50.0]
    # Wrists not aligned: each joint is as far off as the true wrist is from the origin.
    assert figures["other_alignments"]["none"]["mean_error_mm"] == pytest.approx(
        1e3 * np.linalg.norm(HAND[:, 0], axis=-1).mean(), abs=1e-3
    )


def test_hands2017_is_matched_by_name_and_split(tmp_path):
    predicted = HAND.copy()
    predicted[2] += 2 * SHIFT
    files = (
        text(tmp_path / "p.txt", 1e3 * predicted[::-1], ["c.png", "b.png", "a.png"]),
        text(tmp_path / "t.txt", 1e3 * HAND, ["a.png", "b.png", "c.png"]),
    )
    (tmp_path / "split.txt").write_text("a.png SEEN\nb.png SEEN\nc.png UNSEEN\n")
    figures = score(*files, "hands2017", split_by=tmp_path / "split.txt")
    assert {name: subset["mean_error_mm"] for name, subset in figures["subsets"].items()} == {"SEEN": 0.0, "UNSEEN": 10.0}
    # AVG of HANDS 2017 is over frames; MSRA's is over subjects.
    assert figures["mean_error_mm"] == pytest.approx(10 / 3, abs=1e-3) and figures["mean_of_subsets_mm"] == 5.0


def test_unlabelled_joints_do_not_count(tmp_path):
    truth = HAND.copy()
    truth[:, 5:] = np.nan
    predicted = HAND + SHIFT
    predicted[:, 5:] += 1.0
    figures = score(npz(tmp_path / "p.npz", predicted), npz(tmp_path / "t.npz", truth), "stb", alignment="none")
    assert figures["mean_error_mm"] == 5.0 and figures["joint_error_mm"]["little_tip"] is None


def test_ground_truth_without_a_label_is_refused(tmp_path):
    with pytest.raises(ScoreError, match="t.npz: no joint of any frame has a label"):
        score(npz(tmp_path / "p.npz", HAND), npz(tmp_path / "t.npz", np.full((3, 21, 3), np.nan)), "stb")


def test_another_unit_and_another_frame_are_told(tmp_path):
    truth = npz(tmp_path / "t.npz", HAND)
    with pytest.raises(ScoreError, match="p.npz: hands are 1e.03 times as large.*--unit"):
        score(npz(tmp_path / "p.npz", 1e3 * HAND), truth, "freihand")
    assert score(tmp_path / "p.npz", truth, "freihand", unit="mm")["other_alignments"]["none"]["mean_error_mm"] == 0.0
    with pytest.raises(ScoreError, match="z -0.52 m.*OpenGL.*negate y and z"):
        score(npz(tmp_path / "gl.npz", HAND * [1, -1, -1]), truth, "freihand")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "nyu2"}, "unknown dataset 'nyu2'; known: nyu, icvl"),
        ({"leave_out": ("elbow",)}, "--leave-out: nyu has no joint 'elbow'; it has little_tip"),
        ({"leave_out": skeleton("nyu14").joint_names}, "no joint is left"),
        ({"auc_limits_mm": (50.0, 20.0)}, "--auc-limits"),
        ({"alignment": "root"}, "nyu's protocol has no root joint"),
    ],
)
def test_options_that_are_wrong(nyu, options, message):
    with pytest.raises(ScoreError, match=message):
        score(*nyu, **{"dataset": "nyu", **options})


def test_every_protocol_names_joints_of_its_skeleton():
    for protocol in PROTOCOLS.values():
        joints = skeleton(protocol.skeleton)
        assert len(joints) in (14, 16, 21)
        if protocol.root:
            assert protocol.root_and_bone(joints)


def test_command_prints_writes_and_draws(nyu, tmp_path, capsys):
    behind = np.loadtxt(nyu[1]).reshape(2, 14, 3) + np.array([0.0, 0.0, 5.0])
    other = text(tmp_path / "behind.txt", behind)
    options = [*map(str, nyu), "--dataset", "nyu", "--compare", f"behind={other}", "--center-source", "ground truth"]
    plots = tmp_path / "plots"
    assert main(["score", *options, "--json", str(tmp_path / "out.json"), "--plots", str(plots)]) == 0
    printed = capsys.readouterr().out
    assert "centre: ground truth; alignment: none" in printed and "1.500 mm" in printed
    assert "test set has 8252 frames: these figures do not compare" in printed
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["compared"]["behind"]["mean_error_mm"] == pytest.approx(5.0, abs=0.1)
    for name in ("good_frames", "joint_errors", "pck"):
        picture = cv2.imread(str(plots / f"{name}.png"))
        # Both files' colours (blue 0072b2, vermilion d55e00) are drawn.
        assert all((np.abs(picture.astype(int) - bgr).max(axis=-1) < 8).sum() > 50 for bgr in ((178, 114, 0), (0, 94, 213)))


def test_command_prints_json_and_says_errors_in_a_line(nyu, tmp_path, capsys):
    assert main(["score", *map(str, nyu), "--dataset", "nyu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean_error_mm"] == 1.5
    assert main(["score", "--leave-out", "palm", "--leave-out", "thumb_ip", *map(str, nyu), "--dataset", "nyu"]) == 0
    assert "12 joints without palm, thumb_ip" in capsys.readouterr().out
    assert main(["score", str(tmp_path / "gone"), str(nyu[1]), "--dataset", "nyu"]) == 2
    assert capsys.readouterr().err.endswith("gone: no such file\n")
    assert main(["score", *map(str, nyu), "--dataset", "nyu", "--compare", "a2j.txt"]) == 2
    assert "NAME=FILE is needed" in capsys.readouterr().err
    assert main(["score", *map(str, nyu), "--dataset", "nyu", "--compare", "a=b", "--compare", "a=c"]) == 2
    assert "a is b already" in capsys.readouterr().err
    assert main(["score", *map(str, nyu), "--dataset", "nyu", "--json", str(tmp_path / "no" / "out.json")]) == 2
    assert "does not exist; make it first" in capsys.readouterr().err
