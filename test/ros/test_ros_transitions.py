"""The launch file's own view of the node's life: every transition that it starts, and how the process ends."""

from pathlib import Path

import pytest

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")
launch_pytest = pytest.importorskip("launch_pytest", reason="launch_pytest is not installed")

from ament_index_python.packages import get_package_share_directory  # noqa: E402  after what skips
from launch import EventHandler, LaunchContext, LaunchDescription  # noqa: E402
from launch.actions import IncludeLaunchDescription, OpaqueFunction, RegisterEventHandler  # noqa: E402
from launch.event_handlers import OnProcessExit  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch_ros.events.lifecycle import StateTransition  # noqa: E402

LAUNCH = Path(get_package_share_directory("hand_pose_ros")) / "launch/hand_pose.launch.py"


class Seen:
    """What the launch saw of the node: states as they came, and the exit status."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.exit_status: list[int] = []

    def handlers(self) -> list[RegisterEventHandler]:
        transition = EventHandler(
            matcher=lambda event: isinstance(event, StateTransition), entities=[OpaqueFunction(function=self._changed)]
        )
        exited = OnProcessExit(on_exit=lambda event, _: self.exit_status.append(event.returncode))
        return [RegisterEventHandler(transition), RegisterEventHandler(exited)]

    def _changed(self, context: LaunchContext) -> None:
        event = context.locals.event
        self.states.append((event.start_state, event.goal_state))


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def domain(monkeypatch):
    """The launch's own node takes it from the environment, as the node that it starts does."""
    with ros.free_domain() as number:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
        yield number


@launch_pytest.fixture(auto_shutdown=False)
def launched(model, seen, domain):
    node = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(LAUNCH)), launch_arguments={"model": str(model)}.items())
    return LaunchDescription([*seen.handlers(), node, launch_pytest.actions.ReadyToTest()])


@pytest.mark.launch(fixture=launched)
def test_the_launch_file_sees_every_transition_and_a_clean_end(seen, domain, launch_service):
    client = ros.Client(domain)
    client.wait_until(lambda: ("activating", "active") in seen.states, "active")
    started = [("unconfigured", "configuring"), ("configuring", "inactive"), ("inactive", "activating"), ("activating", "active")]
    assert seen.states == started
    client.wait_for_subscriptions()
    client.send(0)
    assert len(client.next("hands").hands) == 1
    assert client.transition("deactivate") and client.transition("cleanup")
    ended = [("active", "deactivating"), ("deactivating", "inactive"), ("inactive", "cleaningup"), ("cleaningup", "unconfigured")]
    client.wait_until(lambda: seen.states == started + ended, "told of deactivate and cleanup")
    client.close()
    launch_service.shutdown()
    yield
    assert seen.exit_status == [0]
