from pathlib import Path

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21, PALM_JOINTS, finger_of, remap, skeleton

PUBLISHED = Path(__file__).parents[3] / "shared/published"


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


def names(skeleton_name):
    return skeleton(skeleton_name).joint_names


def test_datasets_orders():
    thumb = ("thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip")
    little = ("little_mcp", "little_pip", "little_dip", "little_tip")
    assert names("freihand21") == HAND21.joint_names
    assert names("msra21")[:2] == ("wrist", "index_mcp") and names("msra21")[13:17] == little and names("msra21")[17:] == thumb
    assert names("stb21")[:5] == ("palm", *little) and names("stb21")[17:] == thumb
    assert names("rhd21")[:6] == ("wrist", *thumb[::-1], "index_tip") and names("rhd21")[17:] == little[::-1]
    assert names("hands2017_21")[:9] == (
        *("wrist", "thumb_cmc", "index_mcp", "middle_mcp", "ring_mcp", "little_mcp"),
        *("thumb_mcp", "thumb_ip", "thumb_tip"),
    )
    assert names("hands2017_21")[18:] == little[1:]
    assert names("ho3d21")[:4] == ("wrist", "index_mcp", "index_pip", "index_dip")
    assert names("ho3d21")[7:10] == little[:3] and names("ho3d21")[13:16] == thumb[:3]
    assert names("ho3d21")[16:] == ("thumb_tip", "index_tip", "middle_tip", "ring_tip", "little_tip")


def test_nyu_evaluates_14_of_its_36_points():
    evaluated = [0, 3, 6, 9, 12, 15, 18, 21, 24, 25, 27, 30, 31, 32]
    assert names("nyu14") == tuple(names("nyu36")[i] for i in evaluated)
    assert names("nyu14")[:3] == ("little_tip", "little_pip", "ring_tip")
    assert names("nyu14")[8:] == ("thumb_tip", "thumb_ip", "thumb_mcp", "wrist_little_side", "wrist_thumb_side", "palm")
    assert names("nyu36")[5] == "little_mcp" and names("nyu36")[29] == "thumb_cmc" and names("nyu36")[35] == "wrist"


@pytest.mark.parametrize("name", "hand21 nyu14 nyu36 icvl16 msra21 hands2017_21 freihand21 ho3d21 rhd21 stb21".split())
def test_every_skeleton_is_a_tree(name):
    found = skeleton(name)
    children = [child for _, child in found.bones]
    assert len(set(found.joint_names)) == len(found) == len(children) + 1
    assert len(set(children)) == len(children)
    assert {finger_of(joint) for joint in found.joint_names} >= {"thumb", "index", "middle", "ring", "little"}


def test_remap_goes_by_name_and_leaves_what_is_missing_nan():
    hand = np.arange(63, dtype=float).reshape(21, 3)
    msra = remap(hand, HAND21, skeleton("msra21"))
    np.testing.assert_array_equal(msra[17], hand[1])  # the thumb's first point
    np.testing.assert_array_equal(remap(msra, skeleton("msra21"), HAND21), hand)
    nyu = remap(np.stack([hand, hand + 1]), HAND21, skeleton("nyu14"))
    assert nyu.shape == (2, 14, 3)
    np.testing.assert_array_equal(nyu[1, 1], hand[HAND21.index("little_pip")] + 1)
    assert np.isnan(nyu[0, 11:]).all() and np.isfinite(nyu[0, :11]).all()
    assert np.isnan(remap(np.zeros((16, 3)), skeleton("icvl16"), HAND21)).all()


def test_a_dataset_s_own_points_are_not_taken_for_another_s():
    nyu36 = np.arange(108, dtype=float).reshape(36, 3)
    nyu14 = remap(nyu36, skeleton("nyu36"), skeleton("nyu14"))
    np.testing.assert_array_equal(nyu14[13], nyu36[32])  # the palm of both
    icvl, stb = (remap(nyu36, skeleton("nyu36"), skeleton(name)) for name in ("icvl16", "stb21"))
    assert np.isnan(icvl[0]).all() and np.isnan(stb[0]).all()  # palms elsewhere
    assert np.isfinite(stb[1:]).all()


def test_icvl_points_are_the_middles_of_bones():
    hand = np.zeros((21, 3))
    hand[HAND21.indices("index_mcp", "index_pip")] = [[0.0, 0.0, 0.5], [0.04, 0.0, 0.5]]
    icvl = remap(hand, HAND21, skeleton("icvl16"))
    np.testing.assert_allclose(icvl[skeleton("icvl16").index("index_proximal")], [0.02, 0.0, 0.5])
    assert names("icvl16")[:5] == ("palm", "thumb_metacarpal", "thumb_proximal", "thumb_distal", "index_proximal")
    assert names("icvl16")[-1] == "little_distal" and np.isnan(icvl[0]).all()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no published labels in {PUBLISHED}")
def test_published_icvl_labels_are_spaced_as_bone_centres():
    uvd = np.loadtxt(PUBLISHED / "icvl/groundtruth.txt").reshape(-1, 16, 3)
    points = np.concatenate([(uvd[..., :2] - (160, 120)) * uvd[..., 2:] / (240.99, 240.96), uvd[..., 2:]], -1)
    middle = points[:, skeleton("icvl16").indices("middle_proximal", "middle_intermediate", "middle_distal")]
    lengths = np.median(np.linalg.norm(np.diff(middle, axis=1), axis=-1), axis=0)
    # Half a proximal and half a middle phalanx, then half a middle and half a distal one; joints would be some 45 and 28 apart.
    assert 30 < lengths[0] < 38 and 19 < lengths[1] < 25


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no published labels in {PUBLISHED}")
def test_published_nyu_labels_have_the_wrist_points_on_their_sides():
    uvd = np.loadtxt(PUBLISHED / "nyu/groundtruth.txt").reshape(-1, 14, 3)
    points = np.concatenate([(uvd[..., :2] - (320, 240)) * uvd[..., 2:] / (588.03, 587.07), uvd[..., 2:]], -1)

    def apart(one, other):
        a, b = skeleton("nyu14").indices(one, other)
        return np.median(np.linalg.norm(points[:, a] - points[:, b], axis=-1))

    assert apart("little_pip", "wrist_little_side") < apart("little_pip", "wrist_thumb_side") - 5
    assert apart("thumb_ip", "wrist_thumb_side") < apart("thumb_ip", "wrist_little_side") - 5
    assert 15 < apart("thumb_tip", "thumb_ip") < 25 and 40 < apart("index_tip", "index_pip") < 50
