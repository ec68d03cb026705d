"""The sequence of one hand, recordings, and the `synth` command."""

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.cli import main
from hand_pose_training.synthetic.recording import DEPTH_TOPIC, INFO_TOPIC, START_NS, TRUTH_TOPIC, write_recording
from hand_pose_training.synthetic.sequence import RATE_HZ, HandSequence


def test_frames_depend_on_seed_and_number_alone():
    first = HandSequence(4)[20]
    np.testing.assert_array_equal(HandSequence(4)[20].depth_mm, first.depth_mm)
    assert not np.array_equal(HandSequence(4)[21].depth_mm, first.depth_mm)
    with pytest.raises(IndexError, match="frame 30 of 30"):
        HandSequence(4, seconds=1)[30]


def test_hand_stays_in_view_and_moves_smoothly():
    sequence = HandSequence()
    joints = np.stack([sequence.scene(k / RATE_HZ).joints for k in range(len(sequence))])
    pixels = sequence.camera.project(joints)
    assert pixels.min() > 10 and (pixels < (630, 470)).all()
    assert joints[..., 2].min() > 0.3 and joints[..., 2].max() < 0.8
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() < 0.06  # a quick finger: 1.8 m/s
    assert np.ptp(joints.mean(axis=1), axis=0).min() > 0.08


def test_hand_is_the_nearest_thing_at_its_joints():
    sequence = HandSequence()
    for k in range(0, len(sequence), 60):
        frame = sequence[k]
        (hand,) = frame.hands
        x, y = np.round(sequence.camera.project(hand.joints)).astype(int).T
        seen = frame.depth_mm[y, x] / 1000
        valid = seen > 0
        assert valid.mean() > 0.7
        gap = (hand.joints[:, 2] - seen)[valid]
        assert 0 < np.median(gap) < 0.03


def test_recording_holds_depth_camera_and_truth(tmp_path):
    sequence = HandSequence(seconds=0.1)
    size = write_recording(tmp_path / "demo", sequence)
    assert size == sum(f.stat().st_size for f in (tmp_path / "demo").iterdir())
    library = RosbagsLibrary("humble")
    with Reader(tmp_path / "demo") as reader:
        messages = [(c.topic, stamp, library.deserialize(raw, c.msgtype)) for c, stamp, raw in reader.messages()]
    assert [topic for topic, _, _ in messages] == [INFO_TOPIC, DEPTH_TOPIC, TRUTH_TOPIC] * 3
    frame = sequence[2]
    (_, stamp, info), (_, _, image), (_, _, truth) = messages[6:]
    assert stamp == START_NS + 66_666_667
    assert Camera.from_camera_info(info) == sequence.camera
    assert image.encoding == "16UC1" and image.header.frame_id == info.header.frame_id == truth.header.frame_id
    np.testing.assert_array_equal(image.data.view("<u2").reshape(480, 640), frame.depth_mm)
    (hand,) = truth.hands
    assert tuple(hand.joint_names) == HAND21.joint_names
    np.testing.assert_allclose([(p.x, p.y, p.z) for p in hand.positions], frame.hands[0].joints)


def test_recording_does_not_touch_a_folder_that_exists(tmp_path):
    with pytest.raises(BagError, match="name a new folder"):
        write_recording(tmp_path, HandSequence(seconds=0.1))


def test_synth_writes_a_picture(tmp_path, capsys):
    file = tmp_path / "crops.png"
    assert main(["synth", "--preview", str(file), "--rows", "1", "--seed", "3"]) == 0
    picture = cv2.imread(str(file))
    assert picture.shape == (192 + 384 * 3 // 4, 1920, 3) and picture.std() > 20
    assert "10 crops of seed 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --preview FILE.png, --sensors FILE.png or --recording DIR"),
        (["--preview", "no/such/folder/crops.png"], "name a .png file in a folder that exists"),
        (["--preview", "crops.png", "--rows", "0"], "--rows 0: at least 1"),
    ],
)
def test_synth_says_what_is_wrong(arguments, message, capsys):
    assert main(["synth", *arguments]) == 2
    assert message in capsys.readouterr().err
