"""The examples: their arithmetic by hand, and each as a process on a recording."""

import importlib.util
import math
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
import yaml
from parity import write_cut

from hand_pose_ros.hand.kinematics import ANGLE_NAMES
from hand_pose_ros.share import find


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, find(f"examples/{name}.py"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GRIPPER, RETARGET = example("gripper_width"), example("retarget_hand")


def test_the_gripper_has_the_share_of_its_width_that_the_hand_has():
    gripper = GRIPPER.Gripper(closed_m=0.01, open_m=0.09, touching_m=0.02, spread_m=0.10, fastest_m_s=1.0)
    assert GRIPPER.next_width(gripper, 0.05, 0.06, 1.0) == pytest.approx(0.05)  # half way
    assert GRIPPER.next_width(gripper, 0.05, 0.02, 1.0) == pytest.approx(0.01)
    for opening, width in ((0.0, 0.01), (0.5, 0.09)):  # beyond the ends it stays in its range
        assert GRIPPER.next_width(gripper, 0.05, opening, 1.0) == pytest.approx(width)


def test_the_gripper_keeps_its_speed_and_holds_without_a_hand():
    gripper = GRIPPER.Gripper(fastest_m_s=0.1)
    assert GRIPPER.next_width(gripper, 0.05, 0.5, 0.1) == pytest.approx(0.06)
    assert GRIPPER.next_width(gripper, 0.05, 0.0, 0.1) == pytest.approx(0.04)
    assert GRIPPER.next_width(gripper, 0.05, None, 10.0) == 0.05
    assert GRIPPER.next_width(gripper, 0.05, 0.5, -1.0) == 0.05  # time that was set back


def test_a_gripper_whose_place_is_not_known_is_left_alone_until_a_hand_is_seen():
    gripper = GRIPPER.Gripper(closed_m=0.01, open_m=0.09, touching_m=0.02, spread_m=0.10)
    assert GRIPPER.next_width(gripper, None, None, 1.0) is None
    assert GRIPPER.next_width(gripper, None, 0.06, 0.0) == pytest.approx(0.05)


def test_the_gripper_trusts_sure_hands_alone():
    def hands(valid: bool, confidence: float, side: int = 2):
        names = ["thumb_tip", "index_tip"]
        hand = SimpleNamespace(grasp_valid=valid, grasp_width=0.03, joint_names=names, confidence=[1.0, confidence], side=side)
        return SimpleNamespace(hands=[hand])

    assert GRIPPER.opening_of(hands(True, 0.9)) == 0.03
    assert GRIPPER.opening_of(hands(True, 0.2)) is None
    assert GRIPPER.opening_of(hands(False, 0.9)) is None
    assert GRIPPER.opening_of(SimpleNamespace(hands=[])) is None
    assert GRIPPER.opening_of(hands(True, 0.9), "right") == 0.03
    assert GRIPPER.opening_of(hands(True, 0.9), "left") is None
    with pytest.raises(ValueError, match="side is 'Right': it is left or right"):
        GRIPPER.opening_of(hands(True, 0.9), "Right")


def test_joints_of_a_robot_are_weighted_sums_within_their_ranges():
    joints = (
        RETARGET.RobotJoint("a", {"index_pip_flexion": 1.0, "index_dip_flexion": 0.5}, 0.1, -1.0, 2.0),
        RETARGET.RobotJoint("b", {"index_mcp_abduction": -1.0}, 0.0, -0.2, 0.2),
    )
    states = SimpleNamespace(
        name=["left_index_pip_flexion", "right_index_pip_flexion", "right_index_dip_flexion", "right_index_mcp_abduction"],
        position=[9.0, 1.0, 0.4, 0.5],
    )
    robot = RETARGET.RobotHand("right", 0.1, joints)
    angles = RETARGET.angles_of(states, "right")
    assert RETARGET.retarget(robot, angles) == pytest.approx([1.3, -0.2])
    with pytest.raises(ValueError, match="b wants index_mcp_abduction; the hand has index_dip_flexion, index_pip_flexion"):
        RETARGET.retarget(robot, {n: v for n, v in angles.items() if "abduction" not in n})


def test_the_map_that_comes_along_fits_the_hand():
    robot = RETARGET.read_map(find("examples/four_finger_hand.yaml"))
    assert len({joint.name for joint in robot.joints}) == 16
    for joint in robot.joints:
        assert joint.low < joint.high and joint.weights.keys() <= set(ANGLE_NAMES)
    rest = RETARGET.retarget(robot, dict.fromkeys(ANGLE_NAMES, 0.0))
    assert all(joint.low <= value <= joint.high for joint, value in zip(robot.joints, rest))


def test_fingers_that_spread_turn_the_robots_outer_fingers_apart():
    """More than 0 is to the thumb's side for all its fingers; abduction of the ring finger goes the other way."""
    robot = RETARGET.read_map(find("examples/four_finger_hand.yaml"))
    spread = {f"{finger}_mcp_abduction": 0.2 for finger in ("index", "middle", "ring", "little")}
    goal = dict(zip((j.name for j in robot.joints), RETARGET.retarget(robot, {**dict.fromkeys(ANGLE_NAMES, 0.0), **spread})))
    assert [goal[f"joint_{n}.0"] for n in (0, 4, 8)] == pytest.approx([0.2, 0.2, -0.2])


def test_a_file_that_is_no_map_is_refused(tmp_path):
    file = tmp_path / "map.yaml"
    for broken in (
        {"side": "right"},
        {"side": "both", "time_from_start_s": 1, "joints": []},
        {"side": "right", "time_from_start_s": 1, "joints": [{"name": "a", "from": {}}]},
        [],
    ):
        file.write_text(yaml.safe_dump(broken))
        with pytest.raises(ValueError, match=r"map.yaml is no map of a hand .*name, from and limits"):
            RETARGET.read_map(file)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Two seconds of the bundled recording, in part without a hand."""
    return write_cut(tmp_path_factory.mktemp("cut") / "bag")


def lines_of(name: str, *arguments: str) -> list[str]:
    words = [sys.executable, str(find(f"examples/{name}.py")), *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_gripper_follows_the_recorded_hand(recording, monkeypatch):
    monkeypatch.syspath_prepend(str(find("examples")))  # as for a script that is run
    rows = GRIPPER.follow_recording(recording.path)
    assert len(rows) == len(recording.frames)
    first = next(index for index, (_, opening, _) in enumerate(rows) if opening is not None)
    assert all(width is None for *_, width in rows[:first])
    gripper, before = GRIPPER.Gripper(), rows[first]
    for row in rows[first:]:
        seconds, opening, width = row
        assert gripper.closed_m <= width <= gripper.open_m
        assert abs(width - before[2]) <= gripper.fastest_m_s * (seconds - before[0]) + 1e-9
        assert opening is not None or width == before[2]
        before = row
    assert len({width for *_, width in rows}) > 10  # it moves
    lines = lines_of("gripper_width", "--recording", str(recording.path))
    assert len(lines) >= 14
    told = "is left alone" if rows[0][2] is None else f"{rows[0][2] * 1e3:5.1f} mm"
    assert f"gripper {told}" in lines[0]


def test_a_robots_hand_follows_the_recorded_hand(recording):
    head, *lines = lines_of("retarget_hand", "--recording", str(recording.path))
    robot = RETARGET.read_map(find("examples/four_finger_hand.yaml"))
    assert head.split() == ["seconds", *(joint.name for joint in robot.joints)]
    assert len(lines) >= 5
    rows = [[math.radians(float(word)) for word in line.split()[1:]] for line in lines]
    for row in rows:
        for joint, value in zip(robot.joints, row):
            assert joint.low - 1e-3 <= value <= joint.high + 1e-3
    assert max(max(column) - min(column) for column in zip(*rows)) > 0.1  # it moves
