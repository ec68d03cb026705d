"""The URDF of the hand: its forward kinematics against the joints, and the xacro against it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from test_kinematics import mirrored, random_angles, turned
from urdf_forward import link_frames, numbers, read_joints

from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.cli import main
from hand_pose_ros.hand.bone_file import bones_from_json, bones_to_json, read_bones
from hand_pose_ros.hand.bones import ADULT, HandBones, HandGeometryError, measured_bones, palm_coordinates
from hand_pose_ros.hand.frames import palm_axes
from hand_pose_ros.hand.kinematics import ANGLE_NAMES, hand_angles, hand_joints
from hand_pose_ros.hand.urdf import hand_urdf, limits
from hand_pose_ros.live.topics import HANDS
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.share import find
from hand_pose_ros.skeleton import HAND21, PALM_JOINTS

# The link whose origin is a joint of hand21.
LINKS = {
    "wrist": "hand",
    "thumb_cmc": "thumb_metacarpal",
    "thumb_mcp": "thumb_proximal",
    "thumb_ip": "thumb_distal",
    "thumb_tip": "thumb_tip",
    **{
        f"{finger}_{joint}": f"{finger}_{link}"
        for finger in ("index", "middle", "ring", "little")
        for joint, link in (("mcp", "proximal"), ("pip", "intermediate"), ("dip", "distal"), ("tip", "tip"))
    },
}


def other_hand(scale: float) -> HandBones:
    """A hand of another size and with fingers of other proportions."""
    return HandBones(ADULT.bases * scale, ADULT.lengths * scale * np.linspace(0.9, 1.1, 15).reshape(5, 3))


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("bones", [ADULT, other_hand(0.8)], ids=["adult", "other"])
def test_forward_kinematics_of_the_urdf_gives_the_joints(side, bones):
    """Joints somewhere in space -> angles -> the URDF's links, placed by the palm's frame, within 2 mm of the joints."""
    rng = np.random.default_rng(5)
    xml = hand_urdf(bones, side)
    for _ in range(40):
        joints = turned(hand_joints(random_angles(rng), bones), rng)
        joints = joints if side == "right" else mirrored(joints)
        angles = hand_angles(palm_coordinates(joints, right=side == "right"))
        frames = link_frames(xml, {f"{side}_{name}": value for name, value in zip(ANGLE_NAMES, angles)})
        axes = palm_axes(joints[HAND21.indices(*PALM_JOINTS)])  # as the TF frame of the wrist
        for name, link in LINKS.items():
            at = axes @ frames[f"{side}_{link}"][:3, 3] + joints[HAND21.index("wrist")]
            assert np.linalg.norm(at - joints[HAND21.index(name)]) < 2e-3, (name, link)


@pytest.mark.parametrize("side", ["right", "left"])
def test_its_movable_joints_are_the_angles_within_their_ranges(side):
    joints = read_joints(hand_urdf(ADULT, side))
    movable = [name for name, joint in joints.items() if joint.get("type") == "revolute"]
    assert sorted(movable) == sorted(f"{side}_{name}" for name in ANGLE_NAMES)
    for name in ANGLE_NAMES:
        limit = joints[f"{side}_{name}"].find("limit")
        low, high = float(limit.get("lower")), float(limit.get("upper"))
        assert low < 0 < high and (low, high) == pytest.approx(limits(name), abs=1e-4)


def test_a_prefix_is_before_the_links_and_not_before_the_joints():
    plain, prefixed = (ElementTree.fromstring(hand_urdf(ADULT, "left", prefix)) for prefix in ("", "robot/"))
    names = [[link.get("name") for link in robot.iter("link")] for robot in (plain, prefixed)]
    assert names[1] == [f"robot/{name}" for name in names[0]]
    ends = [
        [joint.find(end).get("link") for joint in robot.iter("joint") for end in ("parent", "child")]
        for robot in (plain, prefixed)
    ]
    assert ends[1] == [f"robot/{name}" for name in ends[0]]
    assert [joint.get("name") for joint in prefixed.iter("joint")] == [joint.get("name") for joint in plain.iter("joint")]


def test_the_xacro_is_the_same_hand(tmp_path):
    xacro = pytest.importorskip("xacro")
    file = tmp_path / "bones.json"
    file.write_text(json.dumps(bones_to_json(other_hand(0.9))))
    path = str(find("urdf/hand.urdf.xacro"))
    for side in ("right", "left"):
        for mappings, bones in (({}, ADULT), ({"bones": str(file)}, other_hand(0.9))):
            theirs = xacro.process_file(path, mappings={"side": side, **mappings}).toxml()
            ours = hand_urdf(bones, side)
            assert described(theirs) == described(ours)


def described(xml: str) -> dict[str, list]:
    """Every joint's and every visual's numbers, to a hundredth of a millimetre or a thousandth of a radian."""
    out = {}
    for element in ElementTree.fromstring(xml):
        if element.tag not in ("link", "joint"):
            continue
        values = []
        for part in element.iter():
            for key, value in sorted(part.attrib.items()):
                try:
                    values.append((part.tag, key, [abs(round(v, 4)) if abs(v) < 1e-4 else round(v, 4) for v in numbers(value)]))
                except ValueError:
                    values.append((part.tag, key, value))
        out[element.tag, element.get("name")] = values
    return out


def test_bones_survive_their_file(tmp_path):
    file = tmp_path / "bones.json"
    file.write_text(json.dumps(bones_to_json(other_hand(0.9))))
    again = read_bones(file, "left")
    assert np.allclose(again.lengths, other_hand(0.9).lengths, atol=1e-5)
    shipped = read_bones(find("urdf/adult.json"), "right")
    assert np.array_equal(shipped.bases, ADULT.bases) and np.array_equal(shipped.lengths, ADULT.lengths)
    local = hand_joints(np.zeros(26), ADULT)
    assert np.allclose(measured_bones(local).bases, shipped.bases)


def test_of_a_topics_hands_the_one_of_the_side_is_taken(tmp_path):
    file = tmp_path / "hands.json"
    hands = [{"side": side, **bones_to_json(other_hand(scale))} for side, scale in (("left", 0.8), ("right", 1.0))]
    file.write_text(json.dumps({"hands": hands}))
    assert read_bones(file, "left").lengths[1, 0] == pytest.approx(other_hand(0.8).lengths[1, 0], abs=1e-5)
    file.write_text(json.dumps({"hands": hands[:1]}) + "\n---\n")  # as `ros2 topic echo` prints it
    assert read_bones(file, "left").lengths.shape == (5, 3)
    with pytest.raises(HandGeometryError, match=r"has no right hand \(it has: left\)"):
        read_bones(file, "right")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda d: d.pop("bases_m"), "has no 'bases_m' of a hand"),
        (lambda d: d["lengths_m"]["ring"].pop("distal"), "has no 'distal'"),
        (lambda d: d["lengths_m"]["ring"].update(distal="long"), "one number a bone"),
        (lambda d: d["bases_m"].update(ring=[0, 1]), "three numbers a finger"),
        (lambda d: d["bases_m"].update(ring=[0, 0, float("nan")]), "three finite numbers"),
        (lambda d: d["lengths_m"]["ring"].update(distal=20.0), "are they in millimetres"),
        (lambda d: d["lengths_m"]["ring"].update(distal=0.0), "have a length"),
        (lambda d: d["bases_m"].update(ring=[0, 0, 0]), "base in bases_m is the wrist"),
    ],
)
def test_what_is_no_hand_is_refused(change, text):
    data = bones_to_json(ADULT)
    change(data)
    with pytest.raises(HandGeometryError, match=text) as error:
        bones_from_json(data, "my_bones.json")
    assert "my_bones.json" in str(error.value)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    file = Path(tmp_path / "bones.json")
    file.write_text("data: '{")
    with pytest.raises(HandGeometryError, match=r"bones.json is no JSON .*hand-pose urdf"):
        read_bones(file, "right")
    file.write_bytes(b"\x89PNG\xff")
    with pytest.raises(HandGeometryError, match="bones.json is no JSON"):
        read_bones(file, "right")


@pytest.mark.parametrize("hands", [[], ["right"], 1])
def test_json_of_something_else_is_refused(tmp_path, hands):
    file = tmp_path / "bones.json"
    file.write_text(json.dumps({"hands": hands}))
    with pytest.raises(HandGeometryError, match=r"bones.json has no (right hand \(it has: none\)|'bases_m' of a hand)"):
        read_bones(file, "right")


def write_hands(path: Path, bones: HandBones, side: str, *topics: str) -> Path:
    """A recording of 30 frames with a hand of that side on each topic."""
    library, rng = RosbagsLibrary(), np.random.default_rng(6)
    with BagWriter(path, library) as writer:
        for topic in topics:
            writer.add_topic(topic, HANDS.typename)
        for k in range(30):
            joints = turned(hand_joints(random_angles(rng), bones) + rng.normal(size=(21, 3)) * 0.001, rng)
            joints = joints if side == "right" else mirrored(joints)
            covariance = np.tile([1e-6, 0, 0, 1e-6, 0, 1e-6], (21, 1))
            hand = Hand(1, 0, Side[side.upper()], 0.9, 0.9, joints, covariance, np.ones(21), HAND21)
            message = hand_pose_array(library, FrameResult(k, "camera", (hand,)), "m")
            for topic in topics:
                writer.write(topic, k, library.serialize(message, HANDS.typename))
    return path


def test_the_command_sizes_it_from_a_recording(tmp_path, capsys):
    bones = other_hand(0.9)
    bag = write_hands(tmp_path / "bag", bones, "left", "/hands", "/ground_truth/hands")
    out, saved = tmp_path / "hand.urdf", tmp_path / "bones.json"
    assert main(["urdf", "--side", "left", "--bones", str(bag), "--out", str(out), "--save-bones", str(saved)]) == 0
    assert capsys.readouterr().out == f"left hand: {out}\n"
    assert np.abs(read_bones(saved, "left").lengths - bones.lengths).max() < 1e-3
    assert main(["urdf", "--side", "left", "--bones", str(saved)]) == 0
    again, first = link_frames(capsys.readouterr().out, {}), link_frames(out.read_text(), {})
    assert all(np.allclose(again[link], first[link], atol=2e-5) for link in first)  # the file has a hundredth of a millimetre
    length = float(read_joints(out.read_text())["left_index_pip_flexion"].find("origin").get("xyz").split()[0])
    assert length == pytest.approx(bones.lengths[1, 0], abs=1e-3)


def test_recordings_without_such_a_hand_are_refused(tmp_path, capsys):
    bag = write_hands(tmp_path / "bag", ADULT, "left", "/a/hands", "/b/hands")
    assert main(["urdf", "--bones", str(bag), "--topic", "/a/hands"]) == 1
    assert "/a/hands of" in (error := capsys.readouterr().err) and "has no right hand" in error
    assert main(["urdf", "--bones", str(bag)]) == 1
    assert "has hands on /a/hands, /b/hands: name one with --topic" in capsys.readouterr().err
    assert main(["urdf", "--bones", str(tmp_path / "nothing.json")]) == 1
    assert "nothing.json" in capsys.readouterr().err
