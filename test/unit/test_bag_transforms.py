import numpy as np
import pytest
from hand_bags import stamp_of, transform_message, write_messages

from hand_pose_ros.evaluation.bag_transforms import BagTransforms, slerp
from hand_pose_ros.evaluation.errors import EvaluationError

HALF = np.sqrt(0.5)


def about_z(degrees):
    return (0, 0, np.sin(np.radians(degrees) / 2), np.cos(np.radians(degrees) / 2))


@pytest.fixture
def bag(tmp_path, library):
    """world -> base moves and turns, base -> camera is fixed, world -> mocap is fixed; other frames in between."""
    messages = [
        ("/tf_static", stamp_of(0), transform_message(library, 0, "base", "camera", (0, 0, 1), about_z(90))),
        ("/tf_static", stamp_of(0), transform_message(library, 0, "/world", "mocap", (10, 0, 0))),
        ("/tf_static", stamp_of(0), transform_message(library, 0, "elsewhere", "island", (0, 0, 0))),
    ]
    for k in range(11):
        at = stamp_of(0.1 * k)
        messages.append(("/tf", at, transform_message(library, at, "camera", "hand_0/wrist", (5, 5, 5))))
        messages.append(("/tf", at, transform_message(library, at, "world", "base", (k, 0, 0), about_z(9 * k))))
    return write_messages(tmp_path / "bag", library, messages)


def test_a_chain_is_composed_at_the_stamp(bag, library):
    transforms = BagTransforms(bag, library, "camera", "mocap", "truth")
    # At 0.2 s: base is at x = 2, turned by 18 degrees; the camera is 1 above and turned by 108 in all.
    turn = np.radians(108)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    in_world = rotation @ np.array([0.3, 0.2, 0.5]) + (2, 0, 1)
    found = transforms.at(stamp_of(0.2)).points(in_world - (10, 0, 0))
    assert found == pytest.approx([0.3, 0.2, 0.5])
    # Between 0.2 and 0.3 s, half of both.
    turn = np.radians(90 + 22.5)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    in_world = rotation @ np.array([0.3, 0.2, 0.5]) + (2.5, 0, 1)
    assert transforms.at(stamp_of(0.25)).points(in_world - (10, 0, 0)) == pytest.approx([0.3, 0.2, 0.5])
    transforms.close()


def test_beyond_the_recorded_transforms_nothing_is_known(bag, library):
    transforms = BagTransforms(bag, library, "camera", "mocap", "truth")
    assert transforms.at(stamp_of(-0.01)) is None
    assert transforms.at(stamp_of(1.0)) is not None
    assert transforms.at(stamp_of(1.01)) is None
    fixed = BagTransforms(bag, library, "base", "camera", "truth")
    assert fixed.at(stamp_of(99)).translation == pytest.approx([0, 0, 1])


def test_a_gap_in_tf_is_not_bridged(tmp_path, library):
    messages = [("/tf", stamp_of(s), transform_message(library, stamp_of(s), "world", "camera", (s, 0, 0))) for s in (0, 0.4, 1)]
    transforms = BagTransforms(write_messages(tmp_path / "bag", library, messages), library, "world", "camera", "truth")
    assert transforms.at(stamp_of(0.3)).translation == pytest.approx([0.3, 0, 0])
    assert transforms.at(stamp_of(0.7)) is None and transforms.at(stamp_of(1)) is not None


def test_frames_that_nothing_joins(bag, library, tmp_path):
    with pytest.raises(
        EvaluationError, match="bag: the hands are in frame 'camera', truth X in 'island', .* do not join the two"
    ):
        BagTransforms(bag, library, "camera", "island", "truth X")
    bare = write_messages(tmp_path / "bare", library, [("/elsewhere", 0, transform_message(library, 0, "a", "b", (0, 0, 0)))])
    with pytest.raises(EvaluationError, match="the recording has no /tf and no /tf_static, .*record /tf and /tf_static"):
        BagTransforms(bare, library, "camera", "mocap", "truth")


def test_a_broken_transform_matters_where_it_is_between_the_frames_and_is_named_there(tmp_path, library):
    messages = [
        ("/tf_static", 0, transform_message(library, 0, "base", "camera", (0, 0, 1))),
        ("/tf_static", 0, transform_message(library, 0, "base", "gripper", (0, 0, 0), (0, 0, 0, 0))),
    ]
    path = write_messages(tmp_path / "bag", library, messages)
    assert BagTransforms(path, library, "base", "camera", "truth").at(0).translation == pytest.approx([0, 0, 1])
    with pytest.raises(EvaluationError, match="bag: the recorded transform to 'gripper': quaternion .* mend who publishes it"):
        BagTransforms(path, library, "camera", "gripper", "truth").at(0)


def test_slerp_turns_evenly_the_short_way():
    a, b = np.array([0, 0, 0, 1.0]), -np.array([0, 0, HALF, HALF])
    third = slerp(a, b, 1 / 3)
    assert np.abs(third @ np.array(about_z(30))) == pytest.approx(1)
    assert slerp(a, a, 0.3) == pytest.approx(a)
