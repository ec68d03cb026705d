"""Messages for controllers, and what the node remembers of each hand for them."""

import json

import numpy as np
import pytest
from test_grasp import CASES, TIPS
from test_kinematics import mirrored, posed

from hand_pose_ros.hand.bone_file import bones_from_json
from hand_pose_ros.hand.bones import ADULT
from hand_pose_ros.hand.grasp_label import LABELS
from hand_pose_ros.hand.kinematics import ANGLE_NAMES
from hand_pose_ros.live.outputs import OutputBuilder
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.live.topics import GRASP_POSE, HAND_BONES, HAND_GRASPS, HAND_JOINT_STATES, HANDS
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21, remap, skeleton

LIBRARY = RosbagsLibrary("jazzy")
STAMP = 1_700_000_000_000_000_123
SIX = [9e-6, 0, 0, 9e-6, 0, 9e-6]
BENT = posed(index_mcp_flexion=30, index_pip_flexion=50, thumb_cmc_abduction=40)


def hand(local: np.ndarray, number: int = 1, side: Side = Side.RIGHT, **changes) -> Hand:
    joints = (mirrored(local) if side is Side.LEFT else local) + [0.1, 0.2, 0.5]
    values = {"presence": 0.9, "covariance": np.tile(SIX, (21, 1)), "confidence": np.ones(21), "skeleton": HAND21}
    values = {**values, "joints": joints, **changes}
    return Hand(number, number - 1, side, np.nan if side is Side.UNKNOWN else 0.9, **values)


def built(builder: OutputBuilder, *hands: Hand) -> dict:
    frame = FrameResult(STAMP, "depth_optical", hands)
    return {spec.name: message for spec, message in builder.build(builder.stabilized(frame))}


def builder(**parameters) -> OutputBuilder:
    return OutputBuilder(LIBRARY, Parameters(**parameters), "awr")


def angles_of(message, prefix: str) -> dict[str, float]:
    got = dict(zip(message.name, np.degrees(message.position)))
    return {name.removeprefix(prefix): value for name, value in got.items() if name.startswith(prefix)}


def test_joint_states_of_two_hands_in_one_message():
    message = built(builder(), hand(BENT), hand(BENT, 2, Side.LEFT))[HAND_JOINT_STATES.name]
    assert (stamp_ns(message.header), message.header.frame_id) == (STAMP, "depth_optical")
    assert sorted(message.name) == sorted(f"{side}_{name}" for side in ("left", "right") for name in ANGLE_NAMES)
    right, left = angles_of(message, "right_"), angles_of(message, "left_")
    assert right["index_pip_flexion"] == pytest.approx(50) and right["index_mcp_flexion"] == pytest.approx(30)
    assert left == pytest.approx(right)
    assert len(message.velocity) == len(message.effort) == 0


def test_without_hands_it_comes_and_is_empty():
    got = built(builder())
    assert got[HAND_JOINT_STATES.name].name == [] and len(got[HAND_JOINT_STATES.name].position) == 0
    assert got[HAND_GRASPS.name].hands == []
    assert GRASP_POSE.name not in got and HAND_BONES.name not in got


def test_a_hand_of_unknown_side_is_called_by_its_slot_and_bends_into_its_palm():
    for local in (BENT, BENT * (1, 1, -1)):  # of a right hand, and of a left
        message = built(builder(), hand(local, 3, Side.UNKNOWN))[HAND_JOINT_STATES.name]
        got = angles_of(message, "hand_2_")
        assert len(got) == 26
        assert got["index_pip_flexion"] == pytest.approx(50)


def test_of_two_hands_of_one_side_the_surer_has_its_name():
    message = built(builder(), hand(BENT, 1, presence=0.5), hand(posed(), 2))[HAND_JOINT_STATES.name]
    assert angles_of(message, "right_")["index_pip_flexion"] == pytest.approx(0, abs=1e-6)
    assert angles_of(message, "hand_0_")["index_pip_flexion"] == pytest.approx(50)


def test_the_name_of_a_side_stays_with_its_hand():
    outputs = builder()
    for first, second, right in [(0.5, 0.9, 2), (0.9, 0.5, 2), (0.9, 0.4, 1)]:
        bent, straight = hand(BENT, 1, presence=first), hand(posed(), 2, presence=second)
        got = angles_of(built(outputs, bent, straight)[HAND_JOINT_STATES.name], "right_")
        assert got["index_pip_flexion"] == pytest.approx(50 if right == 1 else 0, abs=1e-6)


def test_a_hand_without_a_palm_has_no_angles_and_no_grasp():
    line = np.linspace([0, 0, 0], [0.1, 0.1, 0], 21)
    got = built(builder(), hand(line))
    assert got[HAND_JOINT_STATES.name].name == [] and got[HAND_GRASPS.name].hands == []
    assert not got[HANDS.name].hands[0].grasp_valid


def test_a_skeleton_of_other_order_has_the_same_angles_and_one_of_fewer_joints_none():
    msra, nyu = skeleton("msra21"), skeleton("nyu14")
    mixed = hand(remap(BENT, HAND21, msra), skeleton=msra, joints=remap(BENT, HAND21, msra))
    got = angles_of(built(builder(), mixed)[HAND_JOINT_STATES.name], "right_")
    assert got["index_pip_flexion"] == pytest.approx(50)
    few = hand(BENT, skeleton=nyu, joints=BENT[:14], covariance=np.tile(SIX, (14, 1)), confidence=np.ones(14))
    assert built(builder(), few)[HAND_JOINT_STATES.name].name == []


def test_grasps_in_both_messages_and_as_a_pose():
    got = built(builder(), hand(CASES["pinch"]))
    (pose,), (grasp,) = got[HANDS.name].hands, got[HAND_GRASPS.name].hands
    assert pose.grasp_valid and pose.grasp_label == "pinch" and 0.6 < pose.grasp_confidence <= 1
    assert (grasp.id, grasp.side) == (pose.id, pose.side) == (1, 2)
    assert list(grasp.fingers) == ["index", "middle", "ring", "little"]
    assert grasp.openings[0] == pytest.approx(0.014, abs=1e-6) and list(grasp.pinching) == [True, False, False, False]
    assert list(grasp.labels) == list(LABELS)
    assert grasp.probabilities[LABELS.index("pinch")] == pytest.approx(pose.grasp_confidence)
    assert pose.grasp_width == pytest.approx(0.014, abs=0.004)
    stamped = got[GRASP_POSE.name]
    assert (stamp_ns(stamped.header), stamped.header.frame_id) == (STAMP, "depth_optical")
    assert stamped.pose == pose.grasp
    tips = hand(CASES["pinch"]).joints[[TIPS["thumb"], TIPS["index"]]]
    assert [stamped.pose.position.x, stamped.pose.position.y] == pytest.approx(tips.mean(axis=0)[:2].tolist(), abs=0.003)


def test_messages_survive_the_wire():
    got = built(builder(), hand(CASES["pinch"]))
    for spec in (HAND_JOINT_STATES, HAND_GRASPS, GRASP_POSE, HAND_BONES):
        again = LIBRARY.deserialize(bytes(LIBRARY.serialize(got[spec.name], spec.typename)), spec.typename)
        assert bytes(LIBRARY.serialize(again, spec.typename)) == bytes(LIBRARY.serialize(got[spec.name], spec.typename))
    grasps = LIBRARY.deserialize(bytes(LIBRARY.serialize(got[HAND_GRASPS.name], HAND_GRASPS.typename)), HAND_GRASPS.typename)
    assert grasps.hands[0].pinching.tolist() == [True, False, False, False]


def test_the_grasp_pose_is_of_the_surest_hand_and_stays_with_it():
    """Until it goes, or another is twice as sure."""
    outputs, poses = builder(), []
    for first, second in [(0.5, 0.9), (0.9, 0.5), (0.9, 0.4), (0.4, 0.7), (0.9, None), (None, 0.8), (0.7, 0.8)]:
        hands = [] if first is None else [hand(CASES["pinch"], 1, presence=first)]
        hands += [] if second is None else [hand(CASES["tripod"], 2, Side.LEFT, presence=second)]
        got = built(outputs, *hands)
        ids = {h.id for h in got[HANDS.name].hands if h.grasp == got[GRASP_POSE.name].pose}
        poses.append(ids.pop())
    assert poses == [2, 2, 1, 1, 1, 2, 2]
    outputs.reset()
    got = built(outputs, hand(CASES["pinch"], 1, presence=0.9), hand(CASES["tripod"], 2, Side.LEFT, presence=0.8))
    assert got[GRASP_POSE.name].pose == got[HANDS.name].hands[0].grasp


def test_a_pinch_is_held_hand_by_hand_and_forgotten_with_the_hands():
    outputs = builder(pinch_enter_m=0.02, pinch_leave_m=0.05)
    wide, narrow = CASES["pinch"].copy(), CASES["pinch"]
    wide[TIPS["thumb"]] -= np.array([0, 0, 0.016])  # 3 cm apart

    def pinching(*hands: Hand) -> list[bool]:
        return [bool(g.pinching[0]) for g in built(outputs, *hands)[HAND_GRASPS.name].hands]

    assert pinching(hand(wide)) == [False]
    assert pinching(hand(narrow)) == [True]
    assert pinching(hand(wide), hand(wide, 2, Side.LEFT)) == [True, False]
    assert pinching() == []  # lost for a frame
    assert pinching(hand(wide)) == [True]
    outputs.reset()
    assert pinching(hand(wide)) == [False]


def test_bones_are_told_when_they_change():
    outputs = builder()
    message = built(outputs, hand(BENT))[HAND_BONES.name]
    (told,) = json.loads(message.data)["hands"]
    assert (told["id"], told["slot"], told["side"], told["frames"]) == (1, 0, "right", 1)
    assert np.allclose(bones_from_json(told, "topic").lengths, ADULT.lengths, atol=1e-5)
    assert HAND_BONES.name not in built(outputs, hand(BENT))
    assert HAND_BONES.name in built(outputs, hand(BENT * 1.2))
    assert HAND_BONES.name in built(outputs, hand(BENT), hand(BENT, 2, Side.LEFT))


def test_the_bones_of_a_hand_whose_side_changes_are_learned_anew():
    outputs = builder()
    built(outputs, hand(BENT))
    (told,) = json.loads(built(outputs, hand(BENT, 1, Side.LEFT))[HAND_BONES.name].data)["hands"]
    assert (told["side"], told["frames"]) == ("left", 1)
    assert np.allclose(bones_from_json(told, "topic").bases, ADULT.bases, atol=1e-5)


def test_stabilisation_is_off_unless_asked_for():
    frames = [FrameResult(STAMP, "depth_optical", (hand(BENT * scale),)) for scale in (1.0, 1.0, 1.3)]
    still, held = builder(), builder(bone_stabilization=1.0)
    assert all(np.array_equal(still.stabilized(f).hands[0].joints, f.hands[0].joints) for f in frames)
    last = [held.stabilized(f) for f in frames][-1].hands[0].joints
    size = np.linalg.norm(last[TIPS["index"]] - last[0]) / np.linalg.norm(BENT[TIPS["index"]])
    assert 1.0 < size < 1.27


def test_every_skeleton_with_the_joints_of_hand21_has_bones_and_is_stabilised():
    rhd = skeleton("rhd21")
    ours, theirs = builder(bone_stabilization=1.0), builder(bone_stabilization=1.0)
    for scale in (1.0, 1.0, 1.3):
        one = FrameResult(STAMP, "depth_optical", (hand(BENT * scale),))
        other = remap(one.hands[0].joints, HAND21, rhd)
        two = FrameResult(STAMP, "depth_optical", (hand(BENT, skeleton=rhd, joints=other),))
        held, as_well = ours.stabilized(one), theirs.stabilized(two)
    assert np.abs(as_well.hands[0].joints - other).max() > 0.005
    assert remap(as_well.hands[0].joints, rhd, HAND21) == pytest.approx(held.hands[0].joints)
    assert HAND_BONES.name in {spec.name for spec, _ in theirs.build(as_well)}


def test_outputs_can_be_switched_off():
    got = built(builder(publish_joint_states=False, publish_grasps=False), hand(CASES["pinch"]))
    assert not {HAND_JOINT_STATES.name, HAND_BONES.name, HAND_GRASPS.name, GRASP_POSE.name} & set(got)
    assert got[HANDS.name].hands[0].grasp_valid  # part of the hands


def test_how_far_the_angles_are_from_the_joints_is_known():
    outputs = builder()
    built(outputs, hand(BENT))
    assert outputs.angle_error_m < 1e-4
    built(outputs, hand(BENT + np.random.default_rng(0).normal(size=(21, 3)) * 0.005))
    assert 1e-4 < outputs.angle_error_m < 0.005
    built(outputs)
    assert np.isnan(outputs.angle_error_m)


def test_pinch_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(ParameterError, match="pinch_enter_m is 0.05 and pinch_leave_m 0.04"):
        Parameters(pinch_enter_m=0.05)
