"""Scenes: what was asked for is what is there, hands touch and do not sink, labels lie in their hand, negatives hold no hand."""

from dataclasses import replace

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.dataset import MAX_HIDDEN_JOINTS
from hand_pose_training.synthetic.hand_mesh import hand_faces, posed_hand
from hand_pose_training.synthetic.negatives import LEAST_OFFSET_M
from hand_pose_training.synthetic.poses import ANCHORS, bone_angles
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.scene import Companion, Scene, SceneSettings, sample_frame_scene, sample_scene
from hand_pose_training.synthetic.shape import mean_shape
from hand_pose_training.synthetic.stage import HIDDEN_M, SceneHand
from hand_pose_training.synthetic.views import View, turning

HANDS = SceneSettings(negatives=0.0)


def scenes(count: int, settings: SceneSettings = HANDS, seed: int = 0) -> list[Scene]:
    return [sample_scene(np.random.default_rng((seed, i)), settings) for i in range(count)]


@pytest.fixture(scope="module")
def many() -> list[Scene]:
    return scenes(120)


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("companion", Companion)
def test_view_and_companion_are_those_asked_for(view: View, companion: Companion):
    for scene in scenes(6, replace(HANDS, view=view, companion=companion)):
        assert scene.view is view and scene.companion is companion and scene.present
        assert scene.holds_object == (companion is Companion.OBJECT)
        assert len(scene.hands) == (2 if companion is Companion.SECOND_HAND else 1)


def test_distances_fill_their_range_evenly():
    found = np.array([s.joints[:, 2].mean() for s in scenes(150, replace(HANDS, distance_m=(0.5, 0.9), uniform_distance=True))])
    assert found.min() > 0.5 - 1e-9 and found.max() < 0.9 + 1e-9
    np.testing.assert_allclose(np.quantile(found, [0.25, 0.5, 0.75]), [0.6, 0.7, 0.8], atol=0.05)


def test_sides_and_negatives_are_those_asked_for():
    assert all(s.right for s in scenes(8, replace(HANDS, right_hands=1.0)))
    assert not any(s.right for s in scenes(8, replace(HANDS, right_hands=0.0)))
    assert not any(s.present for s in scenes(8, replace(HANDS, negatives=1.0)))


def test_held_out_scenes_show_other_hands():
    for seen, unseen in zip(scenes(5), scenes(5, replace(HANDS, held_out=True))):
        assert not np.allclose(seen.joints - seen.joints[0], unseen.joints - unseen.joints[0], atol=1e-3)


def test_directions_of_any_view_are_even_over_the_sphere():
    """The camera's direction in the hand's frame: no octant is empty, none has twice its share."""
    directions = []
    for scene in scenes(400, replace(HANDS, view=View.ANY, companion=Companion.NONE, distance_m=(0.6, 1.2))):
        joints = scene.joints
        fingers = joints[9] - joints[0]
        side = (joints[5] - joints[17]) * (1 if scene.right else -1)
        frame = np.linalg.qr(np.stack([fingers, side, np.cross(fingers, side)], axis=1))[0]
        frame *= np.sign(np.sum(frame * np.stack([fingers, side, np.cross(fingers, side)], axis=1), axis=0))
        directions.append(-scene.focus @ frame)
    octants = np.bincount((np.array(directions) > 0) @ [1, 2, 4], minlength=8)
    assert octants.min() > 25 and octants.max() < 90


@pytest.mark.parametrize("sample", [sample_scene, sample_frame_scene])
def test_a_scene_depends_on_its_seed_alone(sample):
    for seed in range(4):
        one, two = (sample(np.random.default_rng(seed), SceneSettings(negatives=0.3)) for _ in range(2))
        window = Window.of_image(one.camera)
        np.testing.assert_array_equal(one.render(window).inverse_depth, two.render(window).inverse_depth)
        np.testing.assert_array_equal(one.focus, two.focus)


def test_hands_touch_what_they_rest_on_and_do_not_sink():
    resting = [s for s in scenes(120, replace(HANDS, view=View.OVERHEAD, companion=Companion.NONE)) if s.on_surface]
    assert 35 < len(resting) < 85
    gaps = []
    for scene in resting:
        vertices = scene.meshes[scene.hands[0].occupies][0]
        for normal, distance in scene.planes:
            assert (vertices @ normal).max() < distance + 1e-6
        if scene.planes:
            gaps.append(min(distance - (vertices @ normal).max() for normal, distance in scene.planes))
    assert np.mean(np.array(gaps) < 0.002) > 0.35  # the others rest on a box or a thigh, before a wall, or on their sleeve


def test_nothing_of_a_hand_lies_behind_a_plane(many):
    for scene in many:
        for hand in scene.hands:
            for normal, distance in scene.planes:
                assert (scene.meshes[hand.occupies][0] @ normal).max() < distance + 1e-6


def test_joints_lie_just_inside_their_own_mesh(many):
    """At nearly every joint's pixel the camera sees the hand's own surface, within 3 cm unless another part is in front."""
    before = []
    for scene in many:
        for hand in scene.hands:
            buffer = ZBuffer(scene.camera, Window.of_image(scene.camera))
            buffer.draw_mesh(*scene.meshes[hand.occupies])
            pixels = np.floor(scene.camera.project(hand.joints) + 0.5).astype(int)
            inside = ((pixels >= 0) & (pixels < (scene.camera.width, scene.camera.height))).all(axis=1) & (
                hand.joints[:, 2] > 0.1
            )
            depth = buffer.depth()[pixels[inside, 1], pixels[inside, 0]]
            before.append(np.where(depth > 0, hand.joints[inside, 2] - depth, np.nan))
    before = np.concatenate(before)
    seen = np.isfinite(before)
    assert seen.mean() > 0.97  # far away, a fingertip can fall between the pixels
    assert np.quantile(before[seen], 0.01) > -0.002
    assert np.median(before[seen]) < 0.014 and np.mean(before[seen] < 0.03) > 0.7


def fist(right: bool, forearm: np.ndarray, back: np.ndarray) -> Scene:
    """A fist half a metre before the camera whose forearm and back point so."""
    hand = posed_hand(bone_angles(ANCHORS["fist"]), mean_shape(), right=right)
    rotation = turning(np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]), forearm, back)
    middle = np.array([0.0, 0.0, 0.5])
    origin = middle - rotation @ hand.joints.mean(axis=0)
    scene = Scene(Camera(320, 240, 250.0, 250.0, 159.5, 119.5), [SceneHand(hand.joints @ rotation.T + origin)], middle)
    scene.add((hand.vertices, hand_faces()), rotation, origin, 1 if right else -1)
    return scene


def joints_deep(scene: Scene, buffer: ZBuffer) -> int:
    """How many joints of the first hand lie well behind the surface, be it their own hand's."""
    joints = scene.hands[0].joints
    pixels = np.floor(scene.camera.project(joints) + 0.5).astype(int) - (buffer.window.x0, buffer.window.y0)
    inside = ((pixels >= 0) & (pixels < (buffer.window.width, buffer.window.height))).all(axis=1)
    x, y = pixels[inside].T
    return int((buffer.inverse_depth[y, x] * (joints[inside, 2] - HIDDEN_M) > 1).sum())


@pytest.mark.parametrize("right", [True, False])
def test_a_fist_is_not_hidden_by_itself_but_by_what_is_before_it(right: bool):
    scene = fist(right, forearm=np.array([0.0, 0.8, -0.6]), back=np.array([0.0, -0.6, -0.8]))
    window = Window.of_image(scene.camera)
    assert joints_deep(scene, scene.render(window)) >= 5
    assert scene.hidden_joints(scene.render(window)) == 0
    scene.add(primitives.box(np.array([0.3, 0.3, 0.02])), np.eye(3), np.array([0.0, 0.0, 0.3]))
    assert scene.hidden_joints(scene.render(window)) == 21


def test_a_fist_behind_its_own_forearm_is_hidden():
    scene = fist(True, forearm=np.array([0.0, 0.0, -1.0]), back=np.array([0.0, -1.0, 0.0]))
    assert scene.hidden_joints(scene.render(Window.of_image(scene.camera))) > 10


def test_hands_are_drawn_from_behind_too(many):
    """Hands in full view whose fingers are behind their own flesh: a tenth of all."""
    deep = 0
    for scene in many:
        buffer = scene.render(Window.of_image(scene.camera))
        deep += joints_deep(scene, buffer) > MAX_HIDDEN_JOINTS >= scene.hidden_joints(buffer)
    assert 0.05 < deep / len(many) < 0.2


def test_second_hands_are_near_the_first(many):
    second = [s for s in many if s.companion is Companion.SECOND_HAND]
    near = [(np.abs(s.hands[1].joints - s.focus).max(axis=1) < 0.13).sum() >= 5 for s in second]
    assert len(second) >= 10 and np.mean(near) > 0.8


def test_the_subject_is_centred_and_its_elbow_a_forearm_away(many):
    for scene in many:
        np.testing.assert_allclose(scene.joints.mean(axis=0), scene.focus, atol=1e-9)
        assert 0.17 < np.linalg.norm(scene.hands[0].elbow - scene.joints[0]) < 0.36


def test_no_hand_is_near_the_focus_of_a_negative():
    found = scenes(150, replace(HANDS, negatives=1.0))
    with_hands = [s for s in found if s.hands]
    assert 25 < len(with_hands) < 100
    for scene in with_hands:
        middles = np.stack([hand.joints.mean(axis=0) for hand in scene.hands])
        assert np.linalg.norm(middles - scene.focus, axis=1).min() > LEAST_OFFSET_M - 1e-9
        assert scene.subject is None and not scene.joints.any()


def test_frames_have_none_to_four_hands_anywhere_in_a_filled_image():
    found = [sample_frame_scene(np.random.default_rng(i), SceneSettings()) for i in range(150)]
    counts = np.bincount([len(s.hands) for s in found], minlength=5)
    assert (counts[:3] > 10).all() and counts[3:5].sum() > 3 and len(counts) == 5
    assert all(s.present == bool(s.hands) for s in found)
    share = np.concatenate(
        [s.camera.project(h.joints.mean(axis=0)[None]) / (s.camera.width, s.camera.height) for s in found for h in s.hands]
    )
    inside = share[((share > 0) & (share < 1)).all(axis=1)]
    assert len(inside) > 0.85 * len(share) and (np.histogram2d(*inside.T, bins=3)[0] > 4).all()
    filled = [(s.render(Window.of_image(s.camera)).inverse_depth > 0).mean() for s in found[:40]]
    assert np.median(filled) > 0.9
