import pytest

from hand_pose_ros.skeleton import HAND21, PALM_JOINTS, finger_of, skeleton


def test_hand21_has_the_design_order():
    assert len(HAND21) == 21
    assert HAND21.joint_names[:6] == ("wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip", "index_mcp")
    assert HAND21.joint_names[-4:] == ("little_mcp", "little_pip", "little_dip", "little_tip")


def test_bones_make_a_tree_rooted_at_the_wrist():
    children = [child for _, child in HAND21.bones]
    assert sorted(children) == sorted(HAND21.joint_names[1:])
    assert ("wrist", "middle_mcp") in HAND21.bones
    assert (HAND21.index("ring_pip"), HAND21.index("ring_dip")) in HAND21.bone_indices


def test_unknown_names_are_named_in_the_error():
    with pytest.raises(KeyError, match="palm"):
        HAND21.index("palm")
    with pytest.raises(KeyError, match="hand21"):
        skeleton("hand42")


def test_palm_joints_belong_to_the_skeleton():
    assert HAND21.indices(*PALM_JOINTS) == [0, 5, 9, 13, 17]
    assert finger_of("thumb_ip") == "thumb"
