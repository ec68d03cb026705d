"""The launch files' arguments for optional inputs, and Ctrl-C."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import yaml
from free_domain import free_domain
from small_bags import write_bag

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
pytestmark = pytest.mark.skipif(shutil.which("ros2") is None, reason="the ros2 command is not installed")

START_S = 40
PUSHED = """
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch_ros.actions import PushRosNamespace
from launch_ros.substitutions import FindPackageShare
from launch.substitutions import PathJoinSubstitution


def generate_launch_description():
    file = PathJoinSubstitution([FindPackageShare("hand_pose_ros"), "launch/hand_pose.launch.py"])
    return LaunchDescription([GroupAction([PushRosNamespace("robot1"), IncludeLaunchDescription(file)])])
"""


@pytest.fixture
def domain():
    with free_domain() as number:
        yield number


@pytest.fixture
def launch(domain):
    started = []

    def start(file: str, *arguments: str):
        started.append(ros.Process(["ros2", "launch", "hand_pose_ros", file, *arguments], domain))
        return started[-1]

    yield start
    for process in started:
        try:
            process.stop(signal.SIGINT)
        finally:
            process.kill()


@pytest.fixture
def client(domain):
    made = ros.Client(domain)
    yield made
    made.close()


def test_optional_inputs(launch, client, model):
    process = launch(
        "hand_pose.launch.py",
        f"model:={model}",
        "detections:=/detector/hands",
        "color_image:=/camera/color/image_raw",
        "target_frame:=base_link",
    )
    topics = "/camera/color/image_raw and /camera/color/camera_info and /detector/hands"
    process.wait_for_log(f"listens to /depth/image_rect and /depth/camera_info and {topics}", START_S)
    values = {name: value for name, (value, _) in client.parameters().items()}
    assert values["use_detections"] and values["overlay_color"] and values["target_frame"] == "base_link"


def test_a_camera_info_of_another_name(launch, model):
    process = launch("hand_pose.launch.py", f"model:={model}", "color_image:=rgb/image", "color_camera_info:=/rgb_info")
    process.wait_for_log("listens to /depth/image_rect and /depth/camera_info and /rgb/image and /rgb_info", START_S)


def test_a_depth_image_of_another_name_has_its_camera_info_beside_it(launch, client, model):
    """Over the camera's too: a depth image that is registered to colour has a camera info of its own."""
    image = "/camera/camera/aligned_depth_to_color/image_raw"
    arguments = ("camera:=realsense", f"depth_image:={image}", "frame_prefix:=left_")
    process = launch("hand_pose.launch.py", f"model:={model}", *arguments)
    process.wait_for_log(f"listens to {image} and /camera/camera/aligned_depth_to_color/camera_info\n", START_S)
    assert client.parameters()["frame_prefix"][0] == "left_"


@pytest.mark.parametrize("entry", ["/**", "/*", "hand_pose", "/hand_pose"])
def test_arguments_win_over_the_parameter_file(launch, client, model, tmp_path, entry):
    """However the file names the node; what no argument asks for is the file's."""
    of_file = {"model": "/nowhere/m.onnx", "target_frame": "odom", "frame_prefix": "file_", "use_detections": False}
    of_file |= {"use_sim_time": False, "overlay_color": False, "max_depth_m": 1.2}
    params = tmp_path / "p.yaml"
    params.write_text(yaml.safe_dump({entry: {"ros__parameters": of_file}}))
    asked = {"model": str(model), "target_frame": "1", "frame_prefix": "arg_", "use_sim_time": True}
    arguments = [f"{name}:={str(value).lower() if value is True else value}" for name, value in asked.items()]
    process = launch("hand_pose.launch.py", f"params_file:={params}", "detections:=/boxes", "color_image:=/rgb/image", *arguments)
    process.wait_for_log("listens to ", START_S)
    values = {name: value for name, (value, _) in client.parameters().items()}
    wanted = {**asked, "use_detections": True, "overlay_color": True, "max_depth_m": 1.2}
    assert {name: values[name] for name in wanted} == wanted


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """In place of RViz, which not every machine has, a program that says how it was started."""
    (tmp_path / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (tmp_path / "share/ament_index/resource_index/packages/rviz2").touch()
    (tmp_path / "lib/rviz2").mkdir(parents=True)
    program = tmp_path / "lib/rviz2/rviz2"
    program.write_text('#!/bin/sh\necho "shown: $*"\n')
    program.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")


def test_rviz_is_started_with_the_nodes_topics_and_frame(launch, shown, model):
    arguments = ("rviz:=true", "camera:=azure_kinect", "namespace:=robot1", f"model:={model}")
    process = launch("hand_pose.launch.py", *arguments)
    process.wait_for_log("listens to ", START_S)
    line = next(line for line in process.log.splitlines() if "shown: " in line)
    assert "hand_pose.rviz -f depth_camera_link --ros-args" in line and "-r __ns:=/robot1" in line
    for remap in ("/depth/image_rect:=/depth/image_raw", "/hand_markers:=hand_markers", "/overlay:=overlay"):
        assert f"-r {remap}" in line


def test_rviz_shows_the_target_frame(launch, shown, model):
    process = launch("hand_pose.launch.py", "rviz:=auto", "camera:=realsense", "target_frame:=base_link", f"model:={model}")
    process.wait_for_log("hand_pose.rviz -f base_link --ros-args", START_S)
    process.wait_for_log("listens to ", START_S)  # launch may hang when it is ended while it starts


def rviz_is_here() -> bool:
    return any((Path(prefix) / "lib/rviz2").exists() for prefix in os.environ["AMENT_PREFIX_PATH"].split(":"))


def test_rviz_that_is_missing_is_said(launch, model):
    if rviz_is_here():
        pytest.skip("rviz2 is installed")
    process = launch("hand_pose.launch.py", "rviz:=true", f"model:={model}")
    process.wait_for_log("rviz2 is not installed: install ros-$ROS_DISTRO-rviz2", START_S)
    assert process.wait(START_S) != 0


def test_a_pushed_namespace_is_the_nodes(domain, model, tmp_path):
    """What is named after the node: the recorded topics, the logger of log_level, the line where there is no RViz."""
    file = tmp_path / "robot.launch.py"
    file.write_text(PUSHED)
    arguments = [f"model:={model}", "namespace:=arm", "log_level:=error", f"record:={tmp_path / 'bag'}"]
    client = ros.Client(domain, name="/robot1/arm/hand_pose", namespace="/robot1/arm")
    process = ros.Process(["ros2", "launch", str(file), *arguments, f"rviz:={'false' if rviz_is_here() else 'auto'}"], domain)
    try:
        client.wait_until(lambda: client.state() == "active", "active")
        for topic in ("hands", "run_info"):
            process.wait_for_log(f"Subscribed to topic '/robot1/arm/{topic}'", START_S)
        assert rviz_is_here() or "look at it with `ros2 topic echo /robot1/arm/hands`" in process.log
        assert "listens to" not in process.log
    finally:
        client.close()
        process.stop(signal.SIGINT)
        process.kill()


def test_two_cameras_as_the_documentation_has_them(domain, tmp_path):
    """What the first is given is not the second's."""
    documentation = (Path(__file__).parents[2] / "docs/ros.md").read_text(encoding="utf-8")
    file = tmp_path / "two.launch.py"
    file.write_text(documentation.split("```python\n")[1].split("```")[0])
    process = ros.Process(["ros2", "launch", str(file)], domain)
    try:
        process.wait_for_log("[left.hand_pose]: listens to /left/depth/image and /left/depth/camera_info\n", START_S)
        process.wait_for_log("[right.hand_pose]: listens to /camera/camera/depth/image_rect_raw and ", START_S)
    finally:
        process.stop(signal.SIGINT)
        process.kill()


def test_without_them_nothing_of_it_is_listened_to(launch, client, model):
    process = launch("hand_pose.launch.py", f"model:={model}")
    process.wait_for_log("listens to /depth/image_rect and /depth/camera_info\n", START_S)
    values = {name: value for name, (value, _) in client.parameters().items()}
    assert not values["use_detections"] and not values["overlay_color"] and values["target_frame"] == ""
    subscribed = [client.node.count_subscribers(topic) for topic in ("/detections", "/color/image_rect", "/tf_static")]
    assert subscribed == [0, 0, 0]


@pytest.mark.parametrize("whole_group", [False, True], ids=["kill", "terminal"])
def test_ctrl_c_ends_a_replay_without_an_error(launch, library, model, tmp_path, whole_group):
    """A terminal signals the launch and its processes, and the launch signals these once more."""
    bag = write_bag(tmp_path / "bag", library, frames=30)
    process = launch("replay.launch.py", f"recording:={bag}", f"model:={model}", "rviz:=false", "loop:=true")
    process.wait_for_log("plays ", START_S)
    if whole_group:
        os.killpg(process.process.pid, signal.SIGINT)
    else:
        process.process.send_signal(signal.SIGINT)
    assert process.wait(START_S) == 0, process.log
    assert process.log.count("process has finished cleanly") == 2 and "Traceback" not in process.log
    assert "Caught exception in launch" not in process.log and "process has died" not in process.log


@pytest.mark.parametrize("delay_s", [0, 0.0005, 0.002, 0.008, 0.03, 0.1])
def test_a_signal_just_after_the_start_ends_the_node(domain, delay_s):
    """While the executor begins to wait, too: rclpy wakes it a moment before it ends the context."""
    node = ros.Process([str(ros.NODE)], domain)
    try:
        node.wait_for_log("unconfigured; ")
        time.sleep(delay_s)
        assert node.stop(signal.SIGINT) == 0 and "Traceback" not in node.log
    finally:
        node.kill()
