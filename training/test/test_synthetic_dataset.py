"""The synthetic samples: reproducible, cut as the runtime cuts, labelled where the hand is."""

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.dataset import (
    MAX_HIDDEN_JOINTS,
    NO_SENSOR,
    SyntheticCrops,
    SyntheticSettings,
    joints_m,
    nearest_to_focus,
)
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.stage import Scene, SceneHand

SHAPES = {
    "depth_crop": (1, 96, 96),
    "joints": (21, 3),
    "present": (),
    "right_side": (),
    "cube_m": (),
    "half_uvd": (3,),
    "center": (3,),
    "camera": (4,),
    "distance_m": (),
    "object": (),
    "view": (),
    "companion": (),
    "on_surface": (),
    "sensor": (),
}


def test_sample_has_documented_shapes_and_ranges():
    for sample in (SyntheticCrops(3, 20)[i] for i in range(20)):
        assert {name: value.shape for name, value in sample.items()} == SHAPES
        assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in sample.values())
        assert sample["depth_crop"].min() >= -1 and sample["depth_crop"].max() <= 1
        assert 0.23 <= sample["cube_m"] <= 0.30
        assert sample["sensor"] in tuple(SensorKind)
    assert SyntheticCrops(3, 1, SyntheticSettings(noise=False))[0]["sensor"] == NO_SENSOR


def test_sample_depends_on_seed_and_number_alone():
    crops = SyntheticCrops(5, 100)
    first = crops[17]
    crops[3]
    for name, value in SyntheticCrops(5, 18)[17].items():
        np.testing.assert_array_equal(value, first[name])
    assert not np.array_equal(SyntheticCrops(6, 100)[17]["depth_crop"], first["depth_crop"])
    assert not np.array_equal(crops[18]["depth_crop"], first["depth_crop"])


def test_number_beyond_the_length_is_refused():
    with pytest.raises(IndexError, match="sample 4 of 4"):
        SyntheticCrops(1, 4)[4]


def test_crop_equals_the_runtime_crop_of_the_whole_image():
    crops = SyntheticCrops(11, 30, SyntheticSettings(noise=False))
    for i in range(len(crops)):
        crop, scene, _, _, _ = crops.scene(i)
        whole = scene.render(Window.of_image(scene.camera)).depth()
        assert whole.shape == (scene.camera.height, scene.camera.width)
        expected = CubeCrop(scene.camera, crop.center, crop.cube_m, crop.size).extract(whole)
        np.testing.assert_allclose(crops[i]["depth_crop"][0], expected, atol=1e-5)


def test_joints_m_is_the_exact_inverse():
    crops = SyntheticCrops(2, 40, SyntheticSettings(negatives=0.0))
    samples = [crops[i] for i in range(len(crops))]
    batch = {name: np.stack([s[name] for s in samples]) for name in samples[0]}
    truth = np.stack([crops.scene(i)[1].joints for i in range(len(crops))])
    np.testing.assert_allclose(joints_m(batch, batch["joints"]), truth, atol=2e-6)


def test_centre_error_stays_within_its_range():
    crops = SyntheticCrops(9, 60, SyntheticSettings(cube_m=(0.25, 0.25), center_tail=0.0, negatives=0.0))
    samples = [crops[i] for i in range(len(crops))]
    errors = np.stack([s["center"] - crops.scene(i)[1].joints.mean(axis=0) for i, s in enumerate(samples)])
    assert np.abs(errors).max() <= 0.015 + 1e-6
    assert np.abs(errors).max() > 0.012
    assert all(s["cube_m"] == np.float32(0.25) and s["present"] == 1 for s in samples)


def test_some_centres_are_as_far_off_as_a_detector_s_but_never_nearer_to_another_hand():
    settings = SyntheticSettings(center_tail=1.0, negatives=0.0)
    crops = SyntheticCrops(9, 150, settings)
    farthest = 0.0
    for crop, scene, *_ in (crops.scene(i) for i in range(len(crops))):
        off = np.linalg.norm(crop.center - scene.joints.mean(axis=0))
        assert all(off <= np.linalg.norm(crop.center - other.joints.mean(axis=0)) for other in scene.hands[1:])
        farthest = max(farthest, off)
    assert 0.05 < farthest <= 3**0.5 * 3 * settings.center_error_m + 1e-6


def test_a_centre_between_two_hands_moves_to_its_own():
    hands = [SceneHand(np.full((21, 3), z)) for z in (0.5, 0.6)]
    scene = Scene(Camera(64, 64, 60.0, 60.0, 32.0, 32.0), hands, np.full(3, 0.5))
    for at, moved in ((0.53, 0.53), (0.58, 0.54), (0.62, 0.53)):
        np.testing.assert_allclose(nearest_to_focus(scene, np.full(3, at)), np.full(3, moved))


def test_pixels_of_another_hand_are_hidden_and_no_others():
    plain, hidden = (
        SyntheticSettings(negatives=0.0, noise=False),
        SyntheticSettings(negatives=0.0, noise=False, rivals_hidden=1.0),
    )
    taken = away = kept = 0
    for i in range(200):
        crop, scene, *_ = SyntheticCrops(12, 200, plain).scene(i)
        if len(scene.hands) < 2:
            continue
        was, now = (SyntheticCrops(12, 200, settings)[i]["depth_crop"][0] for settings in (plain, hidden))
        gone = was != now
        assert (now[gone] == BACKGROUND).all()
        rows, columns = np.nonzero(was < BACKGROUND)
        cells = (2 * np.arange(crop.size) + 1) / crop.size - 1
        points = np.stack([cells[columns], cells[rows], was[rows, columns]], axis=1) * crop.half_m
        own, other = (
            np.linalg.norm(points[:, None] - crop.normalize(hand.joints) * crop.half_m, axis=-1).min(axis=1)
            for hand in scene.hands[:2]
        )
        theirs, mine = (other < 0.008) & (own > 0.05), (own < 0.008) & (other > 0.06)
        taken, kept = taken + theirs.sum(), kept + mine.sum()
        away += gone[rows, columns][theirs].sum()
        assert not gone[rows, columns][mine].any()
    assert taken > 300 and kept > 300 and away > 0.97 * taken


def test_a_share_of_the_samples_is_processed():
    plain, half = (SyntheticCrops(12, 60, SyntheticSettings(processed=share)) for share in (0.0, 0.5))
    changed = [not np.array_equal(plain[i]["depth_crop"], half[i]["depth_crop"]) for i in range(60)]
    assert 0.3 < np.mean(changed) < 0.7
    assert all(np.array_equal(plain[i]["joints"], half[i]["joints"]) for i in range(60))


def test_joints_lie_just_under_the_skin_that_is_seen():
    """Of joints that nothing hides, the depth before them is the finger's half thickness."""
    crops = SyntheticCrops(4, 120, SyntheticSettings(noise=False, negatives=0.0))
    tips = HAND21.indices("index_tip", "middle_tip", "ring_tip", "little_tip")
    gaps = []
    for i in range(len(crops)):
        _, scene, buffer, _, _ = crops.scene(i)
        if scene.holds_object:
            continue
        pixels = np.round(scene.camera.project(scene.joints[tips])).astype(int) - (buffer.window.x0, buffer.window.y0)
        depth = buffer.depth()
        for (x, y), joint in zip(pixels, scene.joints[tips]):
            if 0 <= y < depth.shape[0] and 0 <= x < depth.shape[1]:
                gaps.append(joint[2] - depth[y, x])
    assert 0.003 < np.median(gaps) < 0.012
    assert np.mean(np.array(gaps) < -0.004) < 0.02  # hardly a tip floats before the surface


def test_hands_are_hidden_no_more_than_allowed():
    def most_hidden(allowed: int) -> int:
        crops = SyntheticCrops(14, 80, SyntheticSettings(negatives=0.0, max_hidden_joints=allowed))
        return max(scene.hidden_joints(buffer) for _, scene, buffer, _, _ in (crops.scene(i) for i in range(len(crops))))

    assert most_hidden(0) == 0 < most_hidden(MAX_HIDDEN_JOINTS) <= MAX_HIDDEN_JOINTS
    with pytest.raises(ValueError, match="max_hidden_joints -1"):
        SyntheticSettings(max_hidden_joints=-1)


def test_negatives_hold_no_hand():
    samples = [SyntheticCrops(8, 60, SyntheticSettings(negatives=1.0))[i] for i in range(60)]
    assert all(s["present"] == 0 and not s["joints"].any() for s in samples)
    shown = np.array([(s["depth_crop"] < BACKGROUND).mean() for s in samples])
    assert shown.min() > 0.005  # what is emptier the node never shows a network (MIN_FOREGROUND; noise takes a little)
    assert np.mean(shown > 0.02) > 0.8


def test_both_sides_and_objects_come_up():
    samples = [SyntheticCrops(8, 200)[i] for i in range(200)]
    assert 0.4 < np.mean([s["right_side"] for s in samples]) < 0.6
    only_right = SyntheticCrops(8, 20, SyntheticSettings(right_hands=1.0))
    assert all(only_right[i]["right_side"] for i in range(20))
    assert 0.12 < np.mean([s["object"] for s in samples]) < 0.33
    assert 0.01 < np.mean([s["present"] == 0 for s in samples]) < 0.1
