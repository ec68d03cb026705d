"""Which topic depth images come on, by the rules of the command line."""

import pytest

from hand_pose_ros.live.names import parse_remaps
from hand_pose_ros.live.topics import COMPRESSED_DEPTH, DEPTH_IMAGE, depth_input


@pytest.mark.parametrize(
    ("rules", "raw", "compressed"),
    [
        ([], "/depth/image_rect", "/depth/image_rect/compressedDepth"),
        (["depth/image_rect:=/a", "/a:=/b"], "/a", "/a/compressedDepth"),
        (["depth/image_rect:=/a", "/a:=depth/image_rect"], "/a", "/a/compressedDepth"),
        (["depth/image_rect/compressedDepth:=/c"], "/depth/image_rect", "/c"),
    ],
)
def test_rules_are_applied_once_and_move_the_compressed_topic_too(rules, raw, compressed):
    name = parse_remaps("hand_pose", rules)
    assert name.topic(depth_input("raw", name.topic).name) == raw
    assert name.topic(depth_input("compressedDepth", name.topic).name) == compressed


def test_kinds():
    assert depth_input("raw", str) == DEPTH_IMAGE and depth_input("compressedDepth", str) == COMPRESSED_DEPTH
