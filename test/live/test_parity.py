"""`hand-pose replay` and the node without ROS, as a process of its own, answer the same recording alike."""

import pytest
from live_node import node_and_client
from parity import assert_followed_lost_and_found, assert_same_hands, replayed, write_cut

from hand_pose_ros.messages.library import stamp_ns


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    return write_cut(tmp_path_factory.mktemp("parity") / "cut")


def test_replay_and_the_node_give_the_same_hands(cut, tmp_path):
    expected = replayed(cut.path, tmp_path / "replayed")
    assert_followed_lost_and_found(expected, cut)
    with node_and_client() as (node, client):
        answered = {}
        for frame in cut.frames:  # one at a time, so that none is dropped
            client.send(frame.image, frame.info)
            message = client.next("hands")
            answered[stamp_ns(message.header)] = message
        assert not node.warnings()
    assert_same_hands(expected, answered)
