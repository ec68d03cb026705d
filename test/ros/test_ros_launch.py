"""The launch files, run by `ros2 launch`."""

import shutil
import signal
import time

import pytest
from free_domain import free_domain
from small_bags import IMAGE, INFO, START_NS, write_bag

from hand_pose_ros.live.topics import SENSOR_DATA
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.share import DEMO_RECORDING, find

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
pytestmark = pytest.mark.skipif(shutil.which("ros2") is None, reason="the ros2 command is not installed")


class Launch:
    """`ros2 launch hand_pose_ros FILE ARGUMENTS`, ended at the end of the block."""

    def __init__(self, domain: int, file: str, *arguments: str) -> None:
        self.process = ros.Process(["ros2", "launch", "hand_pose_ros", file, *arguments], domain)

    def __enter__(self):
        return self.process

    def __exit__(self, *_: object) -> None:
        try:
            self.process.stop(signal.SIGINT)
        finally:
            self.process.kill()


@pytest.fixture
def domain():
    with free_domain() as number:
        yield number


def test_autostart_with_a_camera_preset_in_a_namespace(model, domain):
    arguments = [f"model:={model}", "camera:=realsense", "namespace:=robot1", "name:=left", "camera_info:=/my/camera_info"]
    client = ros.Client(domain, name="/robot1/left", namespace="/robot1")
    with Launch(domain, "hand_pose.launch.py", *arguments) as launch:
        launch.wait_for_log("listens to /camera/camera/depth/image_rect_raw and /my/camera_info", 40)
        client.wait_until(lambda: client.state() == "active", "active")
        assert client.parameters()["model"][0] == str(model)
        client.close()
        launch.stop(signal.SIGINT)
        assert "process has finished cleanly" in launch.log and "Traceback" not in launch.log


def test_the_log_level_holds_in_a_namespace(model, domain):
    """There the node's logger has another name."""
    client = ros.Client(domain, name="/robot1/hand_pose", namespace="/robot1")
    with Launch(domain, "hand_pose.launch.py", f"model:={model}", "namespace:=robot1", "log_level:=error") as launch:
        client.wait_until(lambda: client.state() == "active", "active")
        client.close()
        assert "listens to" not in launch.log


def test_without_autostart_it_waits(model, domain):
    client = ros.Client(domain)
    with Launch(domain, "hand_pose.launch.py", f"model:={model}", "autostart:=false") as launch:
        launch.wait_for_log("unconfigured; ", 40)
        assert client.state() == "unconfigured"
        client.activate()
        client.close()


def test_a_model_that_is_missing_is_named_and_the_node_lives(model, domain):
    client = ros.Client(domain)
    with Launch(domain, "hand_pose.launch.py", "model:=/nowhere/m.onnx") as launch:
        launch.wait_for_log("configure failed: model /nowhere/m.onnx does not exist", 40)
        assert client.state() == "unconfigured"
        assert client.set(model=str(model)) == [""] and client.transition("configure")
        client.wait_until(lambda: client.state() == "active", "activated by the launch file, which still watches")
        client.close()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["camera:=webcam"], "camera"),
        (["autostart:=maybe"], "autostart"),
        (["params_file:=/nowhere/p.yaml"], "params_file /nowhere/p.yaml does not exist: name a ROS 2 parameter file"),
    ],
)
def test_wrong_arguments_are_refused(domain, arguments, text):
    with Launch(domain, "hand_pose.launch.py", *arguments) as launch:
        assert launch.process.wait(40) != 0
        launch.wait_for_log(text)
        assert "process started" not in launch.log


def test_replay_keeps_the_recorded_time_and_ends_with_the_recording(model, domain, tmp_path):
    bag = write_bag(tmp_path / "bag", RosbagsLibrary("jazzy"), frames=60)
    client = ros.Client(domain)
    with Launch(domain, "replay.launch.py", f"recording:={bag}", f"model:={model}", "rviz:=false") as launch:
        hands = client.next("hands", 40)
        assert 0 <= stamp_ns(hands.header) - START_NS < 60 * 34e6 and len(hands.hands) == 1
        ages = []
        while not ages or ages[-1] == "nan":
            ages.append(ros.diagnostic_values(client.next("/diagnostics"))["age_ms"])
        assert 0 <= float(ages[-1]) < 2000  # of the recording's clock, not years
        launch.process.wait(40)
        assert "the recording is at its end" in launch.log or "was required: shutting down" in launch.log
    client.close()


@pytest.mark.parametrize("file", ["replay.launch.py", "demo.launch.py"])
def test_the_node_listens_to_the_player_whatever_is_asked(file, model, domain):
    client = ros.Client(domain, namespace="/robot1")
    elsewhere = ["camera:=realsense", "depth_image:=/my/depth", "camera_info:=/my/info"]
    arguments = [f"model:={model}", "rviz:=false", "namespace:=robot1", "name:=left", *elsewhere]
    with Launch(domain, file, *arguments) as launch:
        launch.wait_for_log("[robot1.left]: listens to /robot1/depth/image_rect and /robot1/depth/camera_info", 40)
        client.next("hands")
        client.close()


def test_a_short_recording_waits_for_the_node_whoever_listens_before(model, domain, tmp_path):
    """As RViz does, or a recorder."""
    bag = write_bag(tmp_path / "bag", RosbagsLibrary("jazzy"), frames=10)
    client = ros.Client(domain)
    images = client.subscribe("/depth/image_rect", IMAGE, SENSOR_DATA)
    client.subscribe("/depth/camera_info", INFO, SENSOR_DATA)
    with Launch(domain, "replay.launch.py", f"recording:={bag}", f"model:={model}", "rviz:=false", "autostart:=false") as launch:
        launch.wait_for_log("waits for hand_pose to listen to /depth/image_rect and /depth/camera_info", 40)
        launch.wait_for_log("unconfigured; ", 40)
        assert client.transition("configure")
        client.wait_until(lambda: client.node.count_publishers("/depth/image_rect") > 1, "there, beside this client's own")
        time.sleep(1)
        assert images.empty()
        assert client.transition("activate")
        assert stamp_ns(client.next("hands").header) - START_NS < 4 * 34e6
        client.close()


def test_a_recording_in_a_loop_sets_time_back_and_tracking_starts_anew(model, domain, tmp_path):
    bag = write_bag(tmp_path / "bag", RosbagsLibrary("jazzy"), frames=60)
    client = ros.Client(domain)
    arguments = [f"recording:={bag}", f"model:={model}", "rviz:=false", "loop:=true", "rate:=2"]
    with Launch(domain, "replay.launch.py", *arguments) as launch:
        ids, stamps = [[]], []
        while len(ids) < 4:
            hands = client.next("hands", 40)
            stamps.append(stamp_ns(hands.header))
            if len(stamps) > 1 and stamps[-1] < stamps[-2]:
                ids.append([])
            ids[-1].extend(hand.id for hand in hands.hands)
        client.close()
        launch.wait_for_log("a recording began again?): tracking starts anew")
        launch.stop(signal.SIGINT)
        assert launch.log.count("process has finished cleanly") == 2 and "Traceback" not in launch.log
    assert [set(round_) for round_ in ids[:3]] == [{1}, {2}, {3}] and all(len(round_) > 20 for round_ in ids[:3])


def test_without_a_recording_it_plays_the_packages_own(model, domain):
    with Launch(domain, "replay.launch.py", f"model:={model}", "rviz:=false") as launch:
        launch.wait_for_log(f"plays {find(DEMO_RECORDING)}: ", 40)


def test_a_recording_that_is_missing_ends_it_and_is_named(model, domain):
    with Launch(domain, "replay.launch.py", "recording:=/nowhere/bag", f"model:={model}", "rviz:=false") as launch:
        launch.process.wait(40)
        assert "/nowhere/bag" in launch.log and "Traceback" not in launch.log


def test_demo_stamps_as_a_camera_does(model, domain):
    client = ros.Client(domain)
    with Launch(domain, "demo.launch.py", f"model:={model}", "rviz:=false") as launch:
        launch.wait_for_log("plays ", 40)
        hands = client.next("hands")
        age_s = (client.node.get_clock().now().nanoseconds - stamp_ns(hands.header)) / 1e9
        assert 0 <= age_s < 5
        client.close()
        launch.stop(signal.SIGINT)
        assert launch.log.count("process has finished cleanly") == 2
