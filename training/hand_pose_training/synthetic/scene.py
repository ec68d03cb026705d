"""Random scenes: a hand with its arm before a camera, what it holds, rests on and meets, its person, and the room around."""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import negatives, views
from hand_pose_training.synthetic.builder import SceneBuilder
from hand_pose_training.synthetic.stage import Companion, Scene, SceneSettings

OBJECT_SHARE, SECOND_HAND_SHARE = 0.28, 0.2
_HANDS_SHARES = np.cumsum([0.15, 0.42, 0.32, 0.07])  # of frames with none, one, two, three hands; the others have four
_FRAME_TRIES = 6
_FRAME_BACKGROUND_SHARE = 0.93


def sample_scene(rng: np.random.Generator, settings: SceneSettings) -> Scene:
    """A random scene around one focus: a hand, or something that is none."""
    camera, view = _camera_and_view(rng, settings)
    focus = views.sample_position(rng, camera, settings.distance_m, settings.uniform_distance)
    companion = _companion(rng, settings)
    if rng.random() >= settings.negatives:
        scene = Scene(camera, [], focus, True, view, companion)
        builder = SceneBuilder(scene, rng, settings)
        builder.add_subject(focus, companion)
        builder.finish()
        return scene
    kind = negatives.sample_negative(rng)
    with_hand = kind in negatives.WITH_HAND
    scene = Scene(camera, [], focus, False, view, companion if with_hand else Companion.NONE)
    builder = SceneBuilder(scene, rng, settings)
    if with_hand:
        shoulder = builder.add_subject(focus, companion)
        scene.focus = negatives.offset_focus(rng, scene.hands, shoulder, kind)
    else:
        negatives.add_negative(scene, rng, kind, focus, builder.up, settings.held_out)
    builder.finish()
    return scene


def sample_frame_scene(rng: np.random.Generator, settings: SceneSettings) -> Scene:
    """A random scene for those who look at the whole image: none to four hands anywhere in it, most often one or two.

    Every hand is in `Scene.hands`, also those that are cut by the border or hidden (`Scene.hidden_joints`).
    """
    camera, view = _camera_and_view(rng, settings)
    count = int(np.searchsorted(_HANDS_SHARES, rng.random()))
    focus = views.sample_position(rng, camera, settings.distance_m, settings.uniform_distance, spread=True)
    scene = Scene(camera, [], focus, count > 0, view)
    builder = SceneBuilder(scene, rng, settings)
    for _ in range(_FRAME_TRIES if count else 0):
        companion = _companion(rng, settings)
        if companion is Companion.SECOND_HAND and len(scene.hands) + 2 > count:
            companion = Companion.NONE
        first = not scene.hands
        middle = focus if first else views.sample_position(rng, camera, settings.distance_m, settings.uniform_distance, True)
        builder.add_subject(middle, companion)
        if first:
            scene.companion = companion
        if len(scene.hands) >= count:
            break
    for _ in range(rng.integers(0, 2 if count else 4)):
        kind, focus = negatives.sample_thing(rng), views.sample_position(rng, camera, settings.distance_m, spread=True)
        negatives.add_negative(scene, rng, kind, focus, builder.up, settings.held_out)
    builder.finish(_FRAME_BACKGROUND_SHARE)
    return scene


def _camera_and_view(rng: np.random.Generator, settings: SceneSettings) -> tuple[Camera, views.View]:
    camera, view = views.sample_camera(rng), views.sample_view(rng)
    return camera, view if settings.view is None else settings.view


def _companion(rng: np.random.Generator, settings: SceneSettings) -> Companion:
    draw = rng.random()
    if settings.companion is not None:
        return settings.companion
    if draw < OBJECT_SHARE:
        return Companion.OBJECT
    return Companion.SECOND_HAND if draw < OBJECT_SHARE + SECOND_HAND_SHARE else Companion.NONE
