"""What controllers get in ROS 2: the examples as nodes, and the hand as a robot model on TF."""

import contextlib
import signal
import sys
import time

import numpy as np
import pytest
from free_domain import free_domain
from small_bags import START_NS
from test_hand_outputs import BENT, CASES, hand

from hand_pose_ros.hand.hand_state import hand_state
from hand_pose_ros.live.topics import HAND_JOINT_STATES, HANDS, LATCHED, RELIABLE, TF
from hand_pose_ros.messages.builders import hand_pose_array, hand_transforms
from hand_pose_ros.messages.hand_outputs import hand_joint_states
from hand_pose_ros.perception.types import FrameResult, Side
from hand_pose_ros.share import find
from hand_pose_ros.skeleton import HAND21

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")

PERIOD_NS = 33_333_333


def outputs_of(index: int, local: np.ndarray, side: Side = Side.RIGHT):
    """The frame and its states, of a hand in palm coordinates."""
    shown = hand(local, 1, side)
    result = FrameResult(START_NS + index * PERIOD_NS, "camera", (shown,))
    state = hand_state(shown.joints, shown.covariance, HAND21, shown.side is Side.RIGHT, pinch_enter_m=0.025, pinch_leave_m=0.04)
    return result, {shown.id: state}


class Partner:
    """Another node, that publishes hands and hears what becomes of them."""

    def __init__(self, domain: int) -> None:
        self.context = ros.Context()
        ros.rclpy.init(context=self.context, domain_id=domain)
        self.node = ros.Node("partner", context=self.context)
        self.executor = ros.SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        ros.rclpy.shutdown(context=self.context)

    def publisher(self, topic: str, typename: str, qos=RELIABLE):
        return self.node.create_publisher(ros.message_class(typename), topic, ros.to_rclpy(qos))

    def heard(self, topic: str, typename: str, qos=RELIABLE) -> list:
        got: list = []
        self.node.create_subscription(ros.message_class(typename), topic, got.append, ros.to_rclpy(qos))
        return got

    def until(self, condition, say=lambda: None) -> None:
        deadline = time.monotonic() + ros.WAIT_S
        while not condition():
            assert time.monotonic() < deadline, "it did not come"
            say()
            self.executor.spin_once(timeout_sec=0.03)


@contextlib.contextmanager
def beside(*command: str):
    """A process and a partner on one domain."""
    with free_domain() as domain:
        process, partner = ros.Process(list(command), domain), Partner(domain)
        try:
            yield process, partner
            assert process.process.poll() is None, process.log
            assert process.stop(signal.SIGINT) in (0, -signal.SIGINT), process.log
            assert "Traceback" not in process.log, process.log
        finally:
            partner.close()
            process.kill()


@contextlib.contextmanager
def gripper_beside(*parameters: str):
    """A partner, the gripper's widths, and what shows it a hand in palm coordinates, or None."""
    command = [sys.executable, str(find("examples/gripper_width.py")), "--ros-args", "-p", "fastest_m_s:=0.1", *parameters]
    with beside(*command) as (_, partner):
        hands = partner.publisher("hands", HANDS.typename)
        widths = partner.heard("gripper_width", "std_msgs/msg/Float64")
        partner.until(lambda: hands.get_subscription_count())

        def show(local: np.ndarray | None) -> None:
            result, states = outputs_of(len(widths), CASES["pinch"] if local is None else local)
            if local is None:
                result = FrameResult(result.stamp_ns, result.frame_id, ())
            hands.publish(hand_pose_array(ros.LIBRARY, result, "m", states))

        yield partner, widths, show


@pytest.mark.parametrize(("parameters", "least", "most"), [((), 0.0, 0.002), (("-p", "start_m:=0.06"), 0.05, 0.0599)])
def test_the_gripper_is_left_alone_until_a_hand_is_seen(parameters, least, most):
    """Then it closes on a pinch: at once, or at 0.1 m/s from where it stands."""
    with gripper_beside(*parameters) as (partner, widths, show):
        for _ in range(30):
            show(None)
            partner.executor.spin_once(timeout_sec=0.03)
        assert not widths
        partner.until(lambda: widths, lambda: show(CASES["pinch"]))
        assert least <= widths[0].data <= most
        partner.until(lambda: widths[-1].data < 0.002, lambda: show(CASES["pinch"]))


def test_the_gripper_follows_and_holds():
    with gripper_beside() as (partner, widths, show):
        partner.until(lambda: widths and widths[-1].data > 0.08, lambda: show(CASES["open"]))
        partner.until(lambda: widths[-1].data < 0.002, lambda: show(CASES["pinch"]))
        partner.until(lambda: widths[-1].data > 0.03, lambda: show(CASES["open"]))
        for _ in range(5):
            show(None)
            partner.executor.spin_once(timeout_sec=0.03)
        time.sleep(0.4)
        held, count = widths[-1].data, len(widths)
        partner.until(lambda: len(widths) > count + 10)
        assert len({width.data for width in widths[count:]}) == 1 and 0.03 < held < 0.085


def test_a_robots_hand_follows():
    pytest.importorskip("trajectory_msgs.msg", reason="trajectory_msgs is not installed")
    command = [sys.executable, str(find("examples/retarget_hand.py")), "--ros-args", "-r", "joint_trajectory:=goal"]
    with beside(*command) as (_, partner):
        angles = partner.publisher("hand_joint_states", HAND_JOINT_STATES.typename)
        goals = partner.heard("goal", "trajectory_msgs/msg/JointTrajectory")
        result, states = outputs_of(0, BENT)
        partner.until(lambda: goals, lambda: angles.publish(hand_joint_states(ros.LIBRARY, result, states, {1: "right"})))
        goal = dict(zip(goals[0].joint_names, goals[0].points[0].positions))
        assert len(goal) == 16
        assert np.degrees([goal["joint_1.0"], goal["joint_2.0"]]) == pytest.approx([30, 50], abs=0.1)
        assert goals[0].points[0].time_from_start.nanosec == 100_000_000


def test_without_robot_state_publisher_the_display_says_what_to_install():
    if installed("robot_state_publisher"):
        pytest.skip("robot_state_publisher is installed")
    with free_domain() as domain:
        launch = ros.Process(["ros2", "launch", "hand_pose_ros", "hand_display.launch.py"], domain)
        try:
            assert launch.wait(60) != 0
            assert "robot_state_publisher is not installed: install ros-" in launch.log
        finally:
            launch.kill()


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_the_model_of_the_hand_lies_on_its_joints(side):
    """The frames of robot_state_publisher, hung on the node's wrist, against the joints that the angles were taken from."""
    if not installed("robot_state_publisher"):
        pytest.skip("robot_state_publisher is not installed")
    tf2_ros = pytest.importorskip("tf2_ros")
    name = side.name.lower()
    command = ["ros2", "launch", "hand_pose_ros", "hand_display.launch.py", f"side:={name}", "frame_prefix:=left_"]
    with beside(*command) as (_, partner):
        buffer = tf2_ros.Buffer(node=partner.node)
        tf2_ros.TransformListener(buffer, partner.node)
        description = partner.heard(f"{name}_hand_description", "std_msgs/msg/String", LATCHED)
        angles = partner.publisher("hand_joint_states", HAND_JOINT_STATES.typename)
        transforms = partner.publisher("/tf", "tf2_msgs/msg/TFMessage", TF)
        result, states = outputs_of(0, BENT, side)

        def say() -> None:
            transforms.publish(hand_transforms(ros.LIBRARY, result, "left_"))
            angles.publish(hand_joint_states(ros.LIBRARY, result, states, {1: name}))

        stamp = ros.rclpy.time.Time(nanoseconds=result.stamp_ns)
        links = {
            "index_tip": "index_tip",
            "index_pip": "index_intermediate",
            "thumb_tip": "thumb_tip",
            "ring_mcp": "ring_proximal",
        }
        partner.until(lambda: description, say)
        assert f'<robot name="{name}_hand">' in description[0].data
        for joint, link in ((joint, f"left_{name}_{link}") for joint, link in links.items()):
            assert f'<link name="{link}"' in description[0].data  # RViz looks for frames that are called as the links
            partner.until(lambda link=link: buffer.can_transform("camera", link, stamp), say)
            t = buffer.lookup_transform("camera", link, stamp).transform.translation
            assert np.linalg.norm(np.array([t.x, t.y, t.z]) - result.hands[0].joints[HAND21.index(joint)]) < 2e-3, joint


def installed(package: str) -> bool:
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
