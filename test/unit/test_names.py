"""ROS 2 names and remaps."""

import pytest

from hand_pose_ros.live.names import NodeName, RosNameError, parse_remaps


def test_without_remaps():
    name = parse_remaps("hand_pose", [])
    assert name == NodeName("hand_pose")
    assert name.full_name == "/hand_pose"
    assert (name.topic("depth/image_rect"), name.topic("/tf"), name.topic("~/state")) == (
        "/depth/image_rect",
        "/tf",
        "/hand_pose/state",
    )


def test_namespace_moves_relative_names_only():
    name = parse_remaps("hand_pose", ["__ns:=/robot1/left", "__node:=hands"])
    assert name.full_name == "/robot1/left/hands"
    assert (name.topic("hands"), name.topic("/tf"), name.topic("~/x")) == ("/robot1/left/hands", "/tf", "/robot1/left/hands/x")


def test_rules_hold_for_full_names():
    rules = ["depth/image_rect:=/camera/depth/image_raw", "hands:=left/hands", "/tf:=tf"]
    name = parse_remaps("hand_pose", ["__ns:=/r", *rules])
    assert name.topic("depth/image_rect") == "/camera/depth/image_raw"
    assert name.topic("hands") == "/r/left/hands"
    assert name.topic("/tf") == "/r/tf"


def test_rules_of_other_nodes_are_left_out():
    name = parse_remaps("hand_pose", ["hand_pose:hands:=a", "camera:hands:=b", "camera:__node:=c"])
    assert name.topic("hands") == "/a" and name.name == "hand_pose"


def test_of_two_rules_for_one_thing_the_first_holds():
    """As rcl_remap_first_match has it."""
    name = parse_remaps("hand_pose", ["hands:=a", "/hands:=b", "__node:=one", "__name:=two", "__ns:=/p", "__ns:=/q"])
    assert name.full_name == "/p/one" and name.topic("hands") == "/p/a"
    assert parse_remaps("hand_pose", ["/hands:=b", "hands:=a"]).topic("hands") == "/b"


def test_rules_for_a_node_go_by_its_new_name():
    name = parse_remaps("hand_pose", ["hand_pose:hands:=a", "left:hands:=b", "hand_pose:__node:=left"])
    assert name.name == "left" and name.topic("hands") == "/b"


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("hands=left", "'hands=left' is no remapping"),
        ("hands:=", "is no remapping"),
        ("__ns:=robot", "does not begin with a slash"),
        ("__node:=a-b", "'a-b' is no node name"),
        ("hands:=2hands", "'/2hands' is no ROS 2 name"),
    ],
)
def test_bad_remaps_say_why(argument, text):
    with pytest.raises(RosNameError) as error:
        parse_remaps("hand_pose", [argument])
    assert text in str(error.value)
