"""Views for Rerun: what lies in a file that was written, read back with Rerun's own reader."""

import sys

import numpy as np
import pytest
from rerun_file import NOT_INSTALLED, rerun_reader
from small_bags import INFO_TOPIC, write_bag
from tiny_model import write_tiny_model

from hand_pose_ros.cli import main
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import unpack_symmetric
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import DepthFrame, FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21
from hand_pose_ros.viz.rerun_view import DEVIATIONS, RerunView, ellipsoids

LIBRARY = RosbagsLibrary()
CAMERA = Camera(8, 6, 10.0, 11.0, 3.5, 2.5)
SECOND = 10**9


@pytest.fixture(scope="module")
def reader():
    return rerun_reader()


def hand_of(id=4, covariance=4e-6):
    joints = np.stack([np.linspace(0, 0.2, 21), np.zeros(21), np.full(21, 0.5)], axis=1)
    spread = np.tile([covariance, 0, 0, covariance / 4, 0, covariance / 9], (21, 1))
    return Hand(id, 0, Side.RIGHT, 0.9, 0.95, joints, spread, np.full(21, 0.8), HAND21)


def hands_message(stamp, *hands, frame_id="cam/depth"):
    return hand_pose_array(LIBRARY, FrameResult(stamp, frame_id, hands), "m", {})


def angles_message(stamp, **angles):
    header = make_header(LIBRARY, stamp, "cam/depth")
    return LIBRARY.make("sensor_msgs/msg/JointState", header=header, name=list(angles), position=np.array(list(angles.values())))


def test_a_frame_with_its_hand_and_angles(reader, tmp_path):
    depth = np.zeros((6, 8), np.float32)
    depth[2, 3] = 0.7254
    with RerunView(str(tmp_path / "one.rrd")) as view:
        view.depth(DepthFrame(depth, CAMERA, 5 * SECOND, "cam/depth"))
        view.hands(hands_message(5 * SECOND, hand_of()))
        view.joint_states(angles_message(5 * SECOND, right_index_mcp_flexion=np.pi / 6))
    entities = reader(tmp_path / "one.rrd")

    [(at, image)] = entities["/cam_depth/depth/image"]
    counts = np.array(image["buffer"][0], np.uint8).view(np.uint16).reshape(6, 8)
    assert at == 5 and image["meter"] == [1000.0]
    assert counts[2, 3] == 725 and np.count_nonzero(counts) == 1
    [(_, pinhole)] = entities["/cam_depth/depth"]
    # By columns; the principal point is that of the pixel's corner.
    np.testing.assert_allclose(pinhole["image_from_camera"][0], [10, 0, 0, 0, 11, 0, 4, 3, 1])
    assert pinhole["resolution"] == [[8, 6]]

    [(at, joints)] = entities["/cam_depth/hand_4/joints"]
    np.testing.assert_allclose(joints["positions"], hand_of().joints, atol=1e-6)
    assert at == 5 and joints["labels"] == list(HAND21.joint_names)
    [(_, bones)] = entities["/cam_depth/hand_4/bones"]
    np.testing.assert_allclose(bones["strips"], hand_of().joints[np.array(HAND21.bone_indices)], atol=1e-6)
    [(_, covariance)] = entities["/cam_depth/hand_4/covariance"]
    np.testing.assert_allclose(np.sort(covariance["half_sizes"][0]), DEVIATIONS * 0.002 / np.array([3, 2, 1]), rtol=1e-4)
    np.testing.assert_allclose(covariance["centers"], hand_of().joints, atol=1e-6)
    [(_, angle)] = entities["/angles/right_index_mcp_flexion"]
    assert angle["scalars"] == pytest.approx([30.0])


def test_what_is_gone_disappears(reader, tmp_path):
    with RerunView(str(tmp_path / "gone.rrd")) as view:
        view.hands(hands_message(1 * SECOND, hand_of(4), hand_of(5)))
        view.joint_states(angles_message(1 * SECOND, right_a=0.1, left_a=0.2))
        view.hands(hands_message(2 * SECOND, hand_of(5)))
        view.joint_states(angles_message(2 * SECOND, left_a=0.3))
    entities = reader(tmp_path / "gone.rrd")
    assert entities["/cam_depth/hand_4"] == [(2, {"is_recursive": [True]})]
    assert "/cam_depth/hand_5" not in entities and [at for at, _ in entities["/cam_depth/hand_5/joints"]] == [1, 2]
    assert [(at, "is_recursive" in values) for at, values in entities["/angles/right_a"]] == [(1, False), (2, True)]


def test_covariance_that_is_not_known_is_left_out(reader, tmp_path):
    hand = hand_of()
    hand.covariance[3:] = -1
    with RerunView(str(tmp_path / "some.rrd")) as view:
        view.hands(hands_message(SECOND, hand))
    [(_, shown)] = reader(tmp_path / "some.rrd")["/cam_depth/hand_4/covariance"]
    assert len(shown["centers"]) == 3


def test_hands_in_another_frame_lie_in_a_space_of_their_own(reader, tmp_path):
    with RerunView(str(tmp_path / "frames.rrd")) as view:
        view.depth(DepthFrame(np.ones((6, 8), np.float32), CAMERA, SECOND, "cam"))
        view.hands(hands_message(SECOND, hand_of(), frame_id="base_link"))
    entities = reader(tmp_path / "frames.rrd")
    assert "/base_link/hand_4/joints" in entities and "/cam/depth" in entities


def test_ellipsoids_have_the_covariance_as_their_shape():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(5, 3, 3)) * 0.01
    full = roots @ roots.transpose(0, 2, 1)
    half_sizes, quaternions = ellipsoids(full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]])
    x, y, z, w = quaternions.T
    rotations = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    scaled = rotations * (half_sizes[:, None] / DEVIATIONS)
    np.testing.assert_allclose(scaled @ scaled.transpose(0, 2, 1), full, atol=1e-12)
    assert unpack_symmetric(full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]).shape == (5, 3, 3)


def test_replay_writes_a_view(reader, tmp_path):
    write_bag(tmp_path / "bag", LIBRARY, frames=6)
    model = write_tiny_model(tmp_path / "tiny.onnx")
    arguments = ["--set", "detector:=none", "--model", str(model), "--no-video", "--camera-info-topic", INFO_TOPIC]
    out = tmp_path / "out"
    assert main(["replay", str(tmp_path / "bag"), "--out", str(out), *arguments, "--rerun", str(tmp_path / "r.rrd")]) == 0
    entities = reader(tmp_path / "r.rrd")
    images = [rows for entity, rows in entities.items() if entity.endswith("/depth/image")]
    joints = [rows for entity, rows in entities.items() if entity.endswith("/joints")]
    assert [len(rows) for rows in images] == [6] and [len(rows) for rows in joints] == [6]


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    write_bag(tmp_path / "bag", LIBRARY, frames=2)
    model = write_tiny_model(tmp_path / "tiny.onnx")
    monkeypatch.setitem(sys.modules, "rerun", None)
    arguments = ["--set", "detector:=none", "--model", str(model), "--no-video", "--rerun", "spawn"]
    assert main(["replay", str(tmp_path / "bag"), "--out", str(tmp_path / "out"), *arguments]) == 1
    assert "needs the Python package rerun-sdk: pip install rerun-sdk" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    pytest.importorskip("rerun", reason=NOT_INSTALLED)
    with pytest.raises(OSError, match=r"nowhere"):
        RerunView(str(tmp_path / "nowhere" / "x.rrd"))
