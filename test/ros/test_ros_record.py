"""`record:=FOLDER` of the launch file: what rosbag2 records of the node is repeated by `hand-pose replay --as-recorded`."""

import json
import shutil
import signal

import pytest
from free_domain import free_domain

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.cli import main

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
pytestmark = pytest.mark.skipif(shutil.which("ros2") is None, reason="the ros2 command is not installed")

FRAMES = 20


@pytest.fixture
def domain():
    with free_domain() as number:
        yield number


def launched(domain, *arguments):
    return ros.Process(["ros2", "launch", "hand_pose_ros", "hand_pose.launch.py", *arguments], domain)


def test_what_the_launch_file_records_is_repeated(model, domain, tmp_path):
    params = tmp_path / "p.yaml"
    params.write_text("/**:\n  ros__parameters:\n    smoothing: 0.7\n    detector: none\n")
    bag = tmp_path / "bag"
    client = ros.Client(domain, namespace="/robot1", name="/robot1/hand_pose")
    launch = launched(domain, f"model:={model}", "namespace:=robot1", f"params_file:={params}", f"record:={bag}")
    try:
        client.wait_until(lambda: client.images.get_subscription_count() == 2, "listened to by the node and the recorder")
        client.wait_until(lambda: client.infos.get_subscription_count() == 2, "listened to by the node and the recorder")
        launch.wait_for_log("Subscribed to topic '/robot1/hands'", 40)
        client.wait_for_subscriptions()
        for index in range(FRAMES):
            client.send(index)
            client.next("hands")
    finally:
        client.close()
        launch.stop(signal.SIGINT)
        launch.kill()
    with BagReader(bag) as recorded:
        assert recorded.counts["/robot1/depth/image_rect"] == recorded.counts["/robot1/hands"] == FRAMES
        assert recorded.counts["/robot1/run_info"] == 1 and recorded.types["/robot1/model"] == "std_msgs/msg/String"
    assert main(["replay", str(bag), "--as-recorded", "--out", str(tmp_path / "out"), "--no-video"]) == 0
    figures = json.loads((tmp_path / "out/figures.json").read_text())["as_recorded"]
    assert figures["alike"] == figures["frames"] == FRAMES and figures["max_joint_difference_mm"] < 1e-3


@pytest.mark.parametrize(("argument", "name"), [("target_frame:=base", "target_frame"), ("detections:=/boxes", "use_detections")])
def test_what_cannot_be_repeated_is_said(model, domain, tmp_path, argument, name):
    launch = launched(domain, f"model:={model}", f"record:={tmp_path / 'bag'}", argument)
    try:
        launch.wait_for_log(f"record: with {name} `hand-pose replay --as-recorded` cannot repeat what is recorded", 40)
        launch.wait_for_log("listens to ", 40)  # launch may hang when it is ended while it starts
        launch.wait_for_log("Subscribed to topic '/run_info'", 40)
    finally:
        launch.stop(signal.SIGINT)
        launch.kill()


def test_a_folder_that_exists_is_refused(domain, tmp_path):
    launch = launched(domain, f"record:={tmp_path}")
    try:
        assert launch.process.wait(60) != 0
        launch.wait_for_log(f"record: {tmp_path} exists: name a new folder")
    finally:
        launch.kill()
