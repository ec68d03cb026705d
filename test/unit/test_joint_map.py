from pathlib import Path

import numpy as np
import pytest

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import NamedHand
from hand_pose_ros.evaluation.joint_map import joint_map, read_joint_names
from hand_pose_ros.skeleton import HAND21, skeleton, skeleton_of

BAG = Path("bag")


def numbered(names):
    return NamedHand(1, 2, tuple(names), np.arange(3.0 * len(names)).reshape(-1, 3))


def test_an_order_of_ones_own_is_brought_into_the_answers():
    shuffled = HAND21.joint_names[::-1]
    found = joint_map(HAND21.joint_names, shuffled, {}, BAG, "/truth")
    assert found.names == HAND21.joint_names
    assert found.true(numbered(shuffled)).joints == pytest.approx(numbered(shuffled).joints[::-1])
    assert found.found(numbered(HAND21.joint_names)).joints == pytest.approx(numbered(HAND21.joint_names).joints)


def test_fewer_joints_are_scored_where_the_truth_has_fewer():
    found = joint_map(HAND21.joint_names, skeleton("nyu14").joint_names, {}, BAG, "/truth")
    assert "palm" not in found.names and set(found.names) <= set(HAND21.joint_names) and len(found.names) == 11


def test_bone_centres_are_made_from_the_answers_joints():
    found = joint_map(HAND21.joint_names, skeleton("icvl16").joint_names, {}, BAG, "/truth")
    assert len(found.names) == 15 and found.names[0] == "thumb_metacarpal"
    hand = numbered(HAND21.joint_names)
    ends = hand.joints[HAND21.indices("thumb_cmc", "thumb_mcp")]
    assert found.found(hand).joints[0] == pytest.approx(ends.mean(axis=0))


def test_names_of_ones_own_are_mapped(tmp_path):
    theirs = ("WRIST", "TIP2", "elbow")
    with pytest.raises(EvaluationError, match="^bag: the hands have joints wrist, .* the ground truth on /truth has WRIST, TIP2"):
        joint_map(HAND21.joint_names, theirs, {}, BAG, "/truth")
    (tmp_path / "map.yaml").write_text("WRIST: wrist\nTIP2: index_tip\n")
    found = joint_map(HAND21.joint_names, theirs, read_joint_names(tmp_path / "map.yaml"), BAG, "/truth")
    assert found.names == ("wrist", "index_tip")
    assert found.true(numbered(theirs)).joints == pytest.approx(numbered(theirs).joints[:2])


@pytest.mark.parametrize(("text", "said"), [("- wrist\n", "is no list of lines"), ("a: wrist\nb: wrist\n", "the same name")])
def test_a_map_that_is_none(tmp_path, text, said):
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(EvaluationError, match=said):
        read_joint_names(tmp_path / "map.yaml")
    with pytest.raises(EvaluationError, match="none.yaml cannot be read"):
        read_joint_names(tmp_path / "none.yaml")


def test_a_side_without_hands_is_scored_by_the_others_joints():
    assert joint_map(None, HAND21.joint_names, {}, BAG, "/truth").names == HAND21.joint_names
    assert joint_map(HAND21.joint_names, None, {"wrist": "other"}, BAG, "/truth").names == HAND21.joint_names
    assert joint_map(None, None, {}, BAG, "/truth").names == ()


def test_a_skeleton_is_known_by_its_joints():
    assert skeleton_of(skeleton("icvl16").joint_names[::-1]).name == "icvl16"
    assert skeleton_of(("wrist", "elbow")).name == "message"
