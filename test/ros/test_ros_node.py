"""The lifecycle node as a process: topics, parity with the pipeline, bad input, SIGINT."""

import itertools
import signal
import threading
import time

import cv2
import numpy as np
import pytest
import yaml
from parity import node_pipeline
from small_bags import IMAGE, depth_counts, image_message, info_message, stamp

from hand_pose_ros.live.topics import COMPRESSED_DEPTH, LATCHED, RELIABLE, SENSOR_DATA, QosProfile
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import stamp_ns

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")


def with_model(model, *more: str) -> tuple[str, ...]:
    return ("-p", f"model:={model}", *(word for setting in more for word in ("-p", setting)))


def test_all_outputs_and_a_clean_end(model):
    with ros.node_and_client(*with_model(model, "frame_prefix:=r/")) as (node, client):
        client.activate()
        assert '"name": "tiny"' in client.next("model").data  # latched
        client.send(0)
        hands = client.next("hands")
        assert (stamp_ns(hands.header), hands.header.frame_id, hands.model_id) == (stamp(0), "depth_optical", "tiny")
        (hand,) = hands.hands
        assert (hand.id, hand.side, len(hand.joint_names), hand.joint_names[0]) == (1, 0, 21, "wrist")
        assert len(hand.covariance) == 126 and not hand.grasp_valid and np.isnan(hand.grasp_width)
        assert abs(ros.positions(hand).mean(0)[2] - 0.5) < 0.01
        transforms = client.next("/tf").transforms
        assert (transforms[0].header.frame_id, transforms[0].child_frame_id) == ("depth_optical", "r/hand_0/wrist")
        assert len(transforms) == 21
        palm = client.next("palm_poses")
        assert stamp_ns(palm.header) == stamp(0) and palm.poses == []  # the joints of the tiny model lie on a line
        markers = client.next("hand_markers").markers
        assert [(m.ns, m.action, len(m.points)) for m in markers] == [("hand_0", 0, 21), ("hand_0", 0, 40)]
        while int(ros.diagnostic_values(message := client.next("/diagnostics"))["frames"]) == 0:
            pass
        status = message.status[0]
        assert (status.name, status.level, status.hardware_id) == ("hand_pose: hands", b"\x00", "tiny")
        assert node.stop(signal.SIGINT) == 0
        assert not node.warnings() and "Traceback" not in node.log


def test_same_answer_as_the_pipeline_called_directly(model):
    """Frame by frame, each sent when the one before is answered."""
    pipeline = node_pipeline(model)
    with ros.node_and_client(*with_model(model)) as (_, client):
        client.activate()
        for index in range(30):
            encoding = ["16UC1", "32FC1"][index % 2]
            client.send(index, encoding)
            got = client.next("hands")
            expected = pipeline.process(
                depth_frame(image_message(ros.LIBRARY, index, encoding), info_message(ros.LIBRARY, index))
            )
            assert stamp_ns(got.header) == expected.stamp_ns
            assert [h.id for h in got.hands] == [h.id for h in expected.hands] == [1]
            for theirs, ours in zip(got.hands, expected.hands):
                assert np.array_equal(ros.positions(theirs), ours.joints)
                assert np.allclose(np.reshape(theirs.covariance, (21, 6)), ours.covariance, rtol=1e-6, atol=0)
                assert np.allclose(theirs.confidence, ours.confidence, rtol=1e-6)


def test_compressed_depth(model):
    pipeline = node_pipeline(model)
    expected = pipeline.process(depth_frame(image_message(ros.LIBRARY, 0), info_message(ros.LIBRARY, 0)))
    remap = "depth/image_rect:=/camera/depth/image_raw"
    with ros.node_and_client(*with_model(model, "depth_transport:=compressedDepth"), "-r", remap) as (node, client):
        topic = "/camera/depth/image_raw/compressedDepth"
        images = client.publisher(topic, COMPRESSED_DEPTH.typename, COMPRESSED_DEPTH.qos)
        assert client.transition("configure") and client.transition("activate")
        client.wait_until(lambda: images.get_subscription_count(), "listening to compressed depth")
        node.wait_for_log(f"listens to {topic} and /depth/camera_info")
        time.sleep(0.3)
        payload = bytes(12) + cv2.imencode(".png", depth_counts(0))[1].tobytes()
        header = image_message(ros.LIBRARY, 0).header
        client.infos.publish(info_message(ros.LIBRARY, 0))
        for format in ("jpeg", "16UC1; compressedDepth png"):
            data = np.frombuffer(payload, np.uint8)
            images.publish(ros.LIBRARY.make(COMPRESSED_DEPTH.typename, header=header, format=format, data=data))
        assert np.array_equal(ros.positions(client.next("hands").hands[0]), expected.hands[0].joints)
        node.wait_for_log(f"{topic}: format 'jpeg' is no compressed depth")


def test_late_camera_info_and_bad_frames(model):
    with ros.node_and_client(*with_model(model)) as (node, client):
        client.activate()
        for index in range(10):
            client.images.publish(image_message(ros.LIBRARY, index))
            time.sleep(0.03)
        node.wait_for_log("5 s: images 10, camera infos 0, pairs 0: is /depth/camera_info published (domain")
        client.infos.publish(info_message(ros.LIBRARY, 9))
        assert stamp_ns(client.next("hands").header) == stamp(9)  # the newest image waited for it
        image = image_message(ros.LIBRARY, 20)
        image.encoding = "bgr8"
        client.send(20, image=image)
        node.wait_for_log(
            "/depth/image_rect: encoding 'bgr8' is no depth encoding: publish 16UC1 (millimetres) or 32FC1 (metres)"
        )
        info = info_message(ros.LIBRARY, 21)
        info.k, info.p = [0.0] * 9, [0.0] * 12
        client.send(21, info=info)
        node.wait_for_log("/depth/camera_info: camera is not calibrated")
        client.send(22)
        assert len(client.next("hands").hands) == 1


def test_time_that_goes_back(model):
    with ros.node_and_client(*with_model(model)) as (node, client):
        client.activate()
        ids = []
        for index in (50, 51, 0, 1):
            client.send(index)
            ids.append(client.next("hands").hands[0].id)
        assert ids == [1, 1, 2, 2]
        node.wait_for_log("time went back by 1.7 s (a recording began again?): tracking starts anew")


def wait_for_diagnostics(client, condition):
    """The first status that the condition holds of."""
    deadline = time.monotonic() + ros.WAIT_S
    while not condition(status := client.next("/diagnostics").status[0]):
        assert time.monotonic() < deadline, (status.level, status.message)
    return status


def test_a_camera_that_is_unplugged_and_comes_back(model):
    with ros.node_and_client(*with_model(model, "diagnostics_period_s:=0.3")) as (node, client):
        client.activate()
        client.send(0)
        assert len(client.next("hands").hands) == 1
        wait_for_diagnostics(client, lambda status: status.level == b"\x00" and ", 1 hand" in status.message)
        status = wait_for_diagnostics(client, lambda status: status.level == b"\x01")
        assert status.message == "no depth image with its camera info in the last 0.3 s"
        client.unplug()  # the driver's publishers go, too
        node.wait_for_log("5 s: images 0, camera infos 0, pairs 0: are /depth/image_rect and /depth/camera_info published")
        client.plug_in()
        client.wait_for_subscriptions()
        for index in range(60, 200):
            client.send(index)
            hands = client.next("hands").hands
            while not client.outputs["/diagnostics"].empty():
                status = client.next("/diagnostics").status[0]
            if status.level == b"\x00":
                break
        assert len(hands) == 1 and status.level == b"\x00", status.message


def test_sigint_while_images_come(model):
    with ros.node_and_client(*with_model(model)) as (node, client):
        client.activate()
        client.send(0)
        client.next("hands")
        stop = threading.Event()

        def play():
            for index in itertools.count(1):
                client.send(index)
                if stop.wait(0.005):
                    return

        camera = threading.Thread(target=play)
        camera.start()
        for _ in range(20):
            client.next("hands")
        try:
            assert node.stop(signal.SIGINT) == 0
        finally:
            stop.set()
            camera.join()
        assert "Traceback" not in node.log and not node.warnings()


def test_incompatible_qos_is_logged_on_both_sides(model, tmp_path):
    file = tmp_path / "p.yaml"
    topic = "/depth/image_rect"
    file.write_text(
        f"/**:\n  ros__parameters:\n    qos_overrides:\n      {topic}:\n        subscription:\n          reliability: reliable\n"
    )
    with ros.node_and_client(*with_model(model), "--params-file", str(file)) as (node, client):
        assert client.transition("configure") and client.transition("activate")
        node.wait_for_log(
            f"{topic}: a publisher does not offer the reliability that is asked for here (reliable, volatile, keep last 5): "
            f"nothing of it arrives; change the publisher, or the parameter qos_overrides.{topic}.subscription.reliability"
        )
        client.subscribe("/hands", "hand_pose_ros/msg/HandPoseArray", QosProfile(transient_local=True))
        node.wait_for_log("/hands: a subscriber asks for a durability that this publisher does not offer (reliable, volatile")
        reliable = client.publisher(topic, IMAGE, RELIABLE)
        client.wait_until(lambda: reliable.get_subscription_count(), "heard")
        assert client.images.get_subscription_count() == 0 and client.infos.get_subscription_count() == 1


def test_every_policy_is_overridden_and_what_is_mistyped_is_said(model, tmp_path):
    """A latched camera info is heard by a node that comes after it."""
    policies = {"history": "keep_last", "depth": 2, "reliability": "reliable", "durability": "transient_local"}
    wrong = ["/camera_info.subscription.durability", "/depth/image_rect.subscription.durabilty", "/hands.publisher.depth"]
    overrides = {f"qos_overrides./depth/camera_info.subscription.{policy}": value for policy, value in policies.items()}
    overrides |= {f"qos_overrides.{name}": "transient_local" for name in wrong}
    file = tmp_path / "p.yaml"
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": overrides}}))
    latched = {"image_qos": LATCHED}
    with ros.node_and_client(*with_model(model), "--params-file", str(file), client=latched) as (node, client):
        client.infos.publish(info_message(ros.LIBRARY, 0))
        client.activate()
        client.images.publish(image_message(ros.LIBRARY, 0))
        assert len(client.next("hands").hands) == 1
        said = [line for line in node.warnings() if "changes nothing" in line]
        assert [name for line in said for name in wrong if f"qos_overrides.{name} changes nothing" in line] == wrong
        assert all("with /depth/image_rect and /depth/camera_info for the topic" in line for line in said)


@pytest.mark.parametrize("qos", [SENSOR_DATA, RELIABLE])
def test_cameras_of_either_reliability_are_heard(model, qos):
    with ros.node_and_client(*with_model(model), client={"image_qos": qos}) as (_, client):
        client.activate()
        client.send(0)
        assert len(client.next("hands").hands) == 1
