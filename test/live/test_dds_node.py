"""`hand-pose node` as a process, over DDS on this machine."""

import signal
import time

import numpy as np
import pytest
from live_node import LiveNode, free_domain, node_and_client
from parity import node_pipeline
from small_bags import HEIGHT, WIDTH, image_message, info_message, stamp
from tiny_model import write_tiny_model

from hand_pose_ros.live.topics import RELIABLE, QosProfile
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import stamp_ns

PERIOD_S = 1 / 30


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def with_model(model, *more: str) -> tuple[str, ...]:
    return ("--set", f"model:={model}", *more)


def frame(client, index: int, encoding: str = "16UC1"):
    return image_message(client.library, index, encoding), info_message(client.library, index)


def values(diagnostics) -> dict[str, str]:
    return {pair.key: pair.value for pair in diagnostics.status[0].values}


def positions(hand) -> np.ndarray:
    return np.array([[p.x, p.y, p.z] for p in hand.positions])


def test_all_outputs_and_a_clean_end(model):
    with node_and_client(*with_model(model, "--set", "frame_prefix:=r/")) as (node, client):
        assert '"name": "tiny"' in client.next("model").data  # latched: it was published before this client was there
        client.send(*frame(client, 0))
        hands = client.next("hands")
        assert (stamp_ns(hands.header), hands.header.frame_id, hands.model_id) == (stamp(0), "depth_optical", "tiny")
        (hand,) = hands.hands
        assert (hand.id, hand.side, len(hand.joint_names), hand.joint_names[0]) == (1, 0, 21, "wrist")
        assert hand.covariance.shape == (126,) and not hand.grasp_valid and np.isnan(hand.grasp_width)
        assert np.linalg.norm(positions(hand).mean(0)[2] - 0.5) < 0.01
        transforms = client.next("/tf").transforms
        assert (transforms[0].header.frame_id, transforms[0].child_frame_id) == ("depth_optical", "r/hand_0/wrist")
        assert [m.ns for m in client.next("hand_markers").markers] == ["hand_0", "hand_0"]
        assert stamp_ns(client.next("palm_poses").header) == stamp(0)
        while int(values(client.next("/diagnostics"))["frames"]) == 0:
            pass
        assert node.stop(signal.SIGINT) == 0
        assert "ended" in node.log and not node.warnings()


def test_the_log_says_what_it_listens_to(model):
    with free_domain() as domain:
        # Rules are not applied to what a rule has made.
        rules = ["__ns:=/robot1", "__node:=left", "depth/image_rect:=/camera/depth", "/camera/depth:=/elsewhere"]
        remaps = [word for rule in rules for word in ("-r", rule)]
        node = LiveNode("--domain-id", str(domain), *with_model(model, *remaps))
        try:
            node.wait_for_log("publishes")
            assert f"/robot1/left on domain {domain}, this machine only (ROS 2 jazzy)" in node.log
            assert "listens to /camera/depth and /robot1/depth/camera_info" in node.log
            for_controllers = "/robot1/hand_joint_states, /robot1/hand_grasps, /robot1/grasp_pose, /robot1/hand_bones"
            assert (
                f"publishes /robot1/hands, /robot1/hand_markers, /robot1/palm_poses, {for_controllers}, /tf, /diagnostics, "
                "/robot1/model" in node.log
            )
            assert node.stop(signal.SIGTERM) == 0
        finally:
            node.kill()


def test_same_answer_as_the_pipeline_called_directly(model):
    """Frame by frame, each sent when the one before is answered."""
    pipeline = node_pipeline(model)
    with node_and_client(*with_model(model), "--ros-distro", "humble", client={"distro": "humble"}) as (_, client):
        for index in range(30):
            image, info = frame(client, index, ["16UC1", "32FC1"][index % 2])
            client.send(image, info)
            got = client.next("hands")
            expected = pipeline.process(depth_frame(image, info))
            assert stamp_ns(got.header) == expected.stamp_ns
            assert [h.id for h in got.hands] == [h.id for h in expected.hands] == [1]
            for theirs, ours in zip(got.hands, expected.hands):
                assert np.array_equal(positions(theirs), ours.joints)
                assert np.allclose(theirs.covariance.reshape(21, 6), ours.covariance, rtol=1e-6, atol=0)
                assert np.allclose(theirs.confidence, ours.confidence, rtol=1e-6)


def test_a_slow_model_drops_old_frames_and_counts_them(tmp_path):
    slow = write_tiny_model(tmp_path / "slow.onnx", size=1024)
    sent = 120
    with node_and_client(*with_model(slow)) as (_, client):
        for index in range(sent):
            client.send(*frame(client, index))
            time.sleep(0.005)
        answered = [stamp_ns(client.next("hands").header)]
        while answered[-1] != stamp(sent - 1):
            answered.append(stamp_ns(client.next("hands").header))
        assert answered == sorted(answered) and len(answered) < sent * 0.8
        last = {"frames": "0"}
        while int(last["frames"]) < len(answered):
            last = values(client.next("/diagnostics"))
        # What is lost before it reaches the node (best effort, keep last 5) it cannot count; on a busy machine that is a few.
        assert sent * 0.5 < int(last["dropped"]) + len(answered) <= sent
        assert int(last["dropped"]) > 0


def test_without_camera_info_it_says_so(model):
    with node_and_client(*with_model(model)) as (node, client):
        for index in range(10):
            client.send(image_message(client.library, index), None)
            time.sleep(PERIOD_S)
        node.wait_for_log("pairs 0: is /depth/camera_info published (domain", 15)
        assert "5 s: images 10, camera infos 0, pairs 0" in node.log
        client.send(*frame(client, 20))
        assert len(client.next("hands").hands) == 1


def test_bad_frames_are_named_and_the_node_lives_on(model):
    with node_and_client(*with_model(model)) as (node, client):
        image, info = frame(client, 0)
        image.encoding = "bgr8"
        client.send(image, info)
        node.wait_for_log(
            "/depth/image_rect: encoding 'bgr8' is no depth encoding: publish 16UC1 (millimetres) or 32FC1 (metres)"
        )
        image, info = frame(client, 1)
        image.step = WIDTH
        client.send(image, info)
        node.wait_for_log("/depth/image_rect: step 160 is less than a row of 160 16UC1 pixels (320 bytes)")
        image, info = frame(client, 2)
        image.data = image.data[:100]
        client.send(image, info)
        node.wait_for_log(f"/depth/image_rect: image of 100 bytes is smaller than {HEIGHT} rows")
        image, info = frame(client, 3)
        info.k[:] = info.p[:] = 0
        client.send(image, info)
        node.wait_for_log("/depth/camera_info: camera is not calibrated")
        image, info = frame(client, 4, "32FC1")
        image.data.view(np.float32)[:] = np.nan
        client.send(image, info)
        assert client.next("hands").hands == []
        node.wait_for_log("/depth/image_rect: not one valid pixel (all 0 or NaN)")
        client.send(*frame(client, 5))
        assert len(client.next("hands").hands) == 1
        assert len(node.warnings()) == 5 and node.stop() == 0


def test_parameter_file_and_setting(model, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "/robot1/hand_pose:\n  ros__parameters:\n"
        f"    model: {model}\n    frame_prefix: left/\n    publish_markers: false\n    max_hands: 2\n"
    )
    arguments = ["--params-file", str(file), "--set", "frame_prefix:=right/", "-r", "__ns:=/robot1"]
    with node_and_client(*arguments, client={"namespace": "/robot1"}) as (_, client):
        client.send(*frame(client, 0))
        assert len(client.next("hands").hands) == 1
        assert client.next("/tf").transforms[0].child_frame_id == "right/hand_0/wrist"
        client.next("palm_poses")  # sent after the markers
        assert client.outputs["hand_markers"].count == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--set", "max_hand:=2"], "unknown parameter 'max_hand': did you mean max_hands"),
        (["--set", "model:=/nowhere/m.onnx"], "model /nowhere/m.onnx does not exist"),
        (["--params-file", "/nowhere/p.yaml"], "parameter file /nowhere/p.yaml cannot be read"),
        (["-r", "hands=left"], "'hands=left' is no remapping"),
        (["--domain-id", "300"], "domain id 300 is not from 0 to 232"),
    ],
)
def test_wrong_options_end_it_with_the_remedy(arguments, text):
    node = LiveNode(*arguments)
    assert node.wait() == 1
    assert text in node.log and "Traceback" not in node.log


def test_corrupt_model(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense" * 100)
    with free_domain() as domain:
        node = LiveNode("--domain-id", str(domain), "--set", f"model:={tmp_path / 'bad.onnx'}")
        assert node.wait() == 1
        assert "bad.onnx" in node.log and "Traceback" not in node.log


def test_reliable_camera_is_heard(model):
    with node_and_client(*with_model(model), client={"image_qos": RELIABLE}) as (_, client):
        client.send(*frame(client, 0))
        assert len(client.next("hands").hands) == 1


def test_incompatible_subscriber_is_logged(model):
    with node_and_client(*with_model(model)) as (node, client):
        client.peer.subscribe("/hands", "hand_pose_ros/msg/HandPoseArray", qos=QosProfile(transient_local=True))
        node.wait_for_log("/hands: a subscriber asks for a durability that this publisher does not offer (reliable, volatile")
