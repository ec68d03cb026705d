"""Transitions, parameters and services of the node's process."""

import dataclasses
import signal
import time

import pytest

from hand_pose_ros.live.parameter_file import read_values
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.share import find

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}


@pytest.fixture
def started(model):
    with ros.node_and_client("-p", f"model:={model}", "-p", "diagnostics_period_s:=0.1") as (node, client):
        yield node, client


def wait_for_status(client, text: str):
    deadline = time.monotonic() + ros.WAIT_S
    while not (status := client.next("/diagnostics").status[0]).message.startswith(text):
        assert time.monotonic() < deadline, status.message
    return status


def no_hands(client) -> None:
    with pytest.raises(ros.queue.Empty):
        client.next("hands", timeout_s=0.5)


def test_every_transition(started):
    node, client = started
    assert client.state() == "unconfigured" and not client.transition("activate")
    assert client.transition("configure") and client.state() == "inactive"
    assert client.images.get_subscription_count() == 0
    assert wait_for_status(client, "inactive").level == b"\x00"
    for ids in ([1, 1], [2]):  # inactive in between, the model is kept and the hands are forgotten
        assert client.transition("activate") and client.state() == "active"
        client.wait_for_subscriptions()
        for index, expected in enumerate(ids):
            client.send(index + 10 * ids[0])
            assert client.next("hands").hands[0].id == expected
        assert client.transition("deactivate") and client.state() == "inactive"
        client.wait_until(lambda: client.images.get_subscription_count() == 0, "deaf")
        client.send(30)
        no_hands(client)
    assert client.transition("cleanup") and client.state() == "unconfigured"
    client.wait_until(lambda: client.node.count_publishers("/hands") == 0, "silent")
    client.activate()  # all over again
    client.send(0)
    assert client.next("hands").hands[0].id == 1
    assert node.stop(signal.SIGTERM) == 0 and "Traceback" not in node.log


@pytest.mark.parametrize("transitions", [(), ("configure",), ("configure", "activate")])
def test_sigint_ends_it_cleanly_in_every_state(started, transitions):
    node, client = started
    for name in transitions:
        assert client.transition(name)
    assert node.stop(signal.SIGINT) == 0
    assert "Traceback" not in node.log and not node.warnings()


def test_a_failed_configuration_says_why_and_can_be_mended(model, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense" * 100)
    with ros.node_and_client("-p", "model:=/nowhere/m.onnx", "-p", "max_hands:=20") as (node, client):
        assert not client.transition("configure") and client.state() == "unconfigured"
        node.wait_for_log("configure failed: max_hands is 20, but it is from 1 to 8: Most hands at once")
        assert client.set(max_hands=2) == [""]
        assert not client.transition("configure")
        node.wait_for_log("configure failed: model /nowhere/m.onnx does not exist")
        assert client.set(model=str(tmp_path / "bad.onnx")) == [""]
        assert not client.transition("configure") and client.state() == "unconfigured"
        assert client.set(model=str(model)) == [""]
        client.activate()
        client.send(0)
        assert len(client.next("hands").hands) == 1
        assert "Traceback" not in node.log


def test_declared_parameters_are_those_of_the_file(started):
    _, client = started
    declared = {name: both for name, both in client.parameters().items() if name in FIELDS}
    defaults = read_values(find("config/hand_pose.yaml"), "/hand_pose")
    assert list(declared) == list(FIELDS) == list(defaults)
    for name, (value, described) in declared.items():
        if name not in ("model", "diagnostics_period_s"):
            assert value == defaults[name] and type(value) is type(defaults[name])
        limits = FIELDS[name].metadata
        assert described.description == limits["description"]
        ranges = [*described.integer_range, *described.floating_point_range]
        assert [(r.from_value, r.to_value) for r in ranges] == [(limits["minimum"], limits["maximum"])] * (
            limits["minimum"] is not None
        )
        assert ("Read when the node is configured" in described.additional_constraints) == limits["read_only"]
        assert all(choice in described.additional_constraints for choice in limits["choices"])


def test_a_parameter_file(model, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "/robot1/hand_pose:\n  ros__parameters:\n"
        f"    model: {model}\n    max_depth_m: 2\n    max_hand: 2\n    publish_markers: false\n    use_sim_time: false\n"
    )
    arguments = ["--params-file", str(file), "-r", "__ns:=/robot1"]
    with ros.node_and_client(*arguments, client={"name": "/robot1/hand_pose", "namespace": "/robot1"}) as (node, client):
        node.wait_for_log("unknown parameter 'max_hand': did you mean max_hands")
        assert client.parameters()["max_depth_m"][0] == 2.0  # a whole number is as good
        client.activate()
        client.send(0)
        assert len(client.next("hands").hands) == 1
        assert client.outputs["hand_markers"].empty()
        assert client.next("/diagnostics").status[0].name == "robot1/hand_pose: hands"


def test_parameters_change_while_it_runs(started):
    _, client = started
    client.activate()
    client.send(0)
    assert len(client.next("hands").hands) == 1
    client.next("hand_markers")
    assert client.set(publish_markers=False, lost_frames=1, max_depth_m=0.4) == ["", "", ""]
    client.send(1)  # the hand is at 0.5 m
    assert client.next("hands").hands == []
    whole_number = hasattr(ros.Node, "add_pre_set_parameters_callback")  # is as good, where rclpy can be told so
    assert client.set(max_depth_m=2 if whole_number else 2.0) == [""]
    client.send(2)
    assert [hand.id for hand in client.next("hands").hands] == [2]
    time.sleep(0.2)
    assert client.outputs["hand_markers"].empty()


def test_refused_values_say_why(started):
    _, client = started
    assert client.transition("configure")
    refused = client.set(min_depth_m=1.8, max_hands=3, lost_frames=0, publish_tf=1, keep_confidence=0.9, model="other.onnx")
    expected = [
        "min_depth_m is 1.8 and max_depth_m 1.5: the first must be less",
        "max_hands is read when the node is configured: `ros2 lifecycle set /hand_pose cleanup` first",
        "lost_frames",
        "Wrong parameter type, expected 'Type.BOOL' got 'Type.INTEGER'",
        "keep_confidence is 0.9 and min_confidence 0.5: the first must be less",
        "model is read when the node is configured",
    ]
    assert len(refused) == len(expected)
    for reason, text in zip(refused, expected):
        assert text in reason
    assert client.parameters()["min_depth_m"][0] == Parameters().min_depth_m
    assert client.transition("cleanup")
    assert client.set(max_hands=3) == [""]
    assert client.transition("configure")


def test_services(started):
    _, client = started
    assert not client.trigger("reset_tracking").success
    client.activate()
    ids = []
    for index in range(3):
        client.send(index)
        ids.append(client.next("hands").hands[0].id)
        if index == 1:
            assert client.trigger("reset_tracking").success
    assert ids == [1, 1, 2]
    response = client.set_bool("set_enabled", False)
    assert response.success and response.message == "disabled"
    client.wait_until(lambda: client.images.get_subscription_count() == 0, "deaf")
    assert wait_for_status(client, "disabled by ~/set_enabled").level == b"\x00"
    assert client.state() == "active"
    assert client.transition("deactivate") and client.transition("activate")  # stays disabled
    assert client.images.get_subscription_count() == 0
    assert client.set_bool("set_enabled", True).message == "enabled"
    client.wait_for_subscriptions()
    client.send(5)
    assert client.next("hands").hands[0].id == 3
