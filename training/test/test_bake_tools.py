"""The geometry behind the baked hands and people: cutting, closing, simplifying, frames."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import body_parts
import hand_rig
from decimate import decimate

from hand_pose_training.synthetic.primitives import box, ellipsoid


def test_half_a_box_has_one_opening_and_is_closed_again():
    vertices, faces = box(np.array([2.0, 2.0, 2.0]))
    # Without one corner, the faces at it are gone.
    ids, kept, loops = body_parts.cut(faces, np.arange(8) != 7)
    assert 7 not in ids and len(loops) == 1
    closed, faces = body_parts.close(vertices[None, ids], kept, loops)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert set(map(tuple, edges)) == set(map(tuple, edges[:, ::-1]))
    np.testing.assert_allclose(closed[0, -1], vertices[ids[loops[0]]].mean(axis=0))


def test_simplified_sphere_is_still_a_closed_sphere_of_old_vertices():
    vertices, faces = ellipsoid(np.full(3, 0.1), rings=19, sides=32)
    kept, fewer = decimate(vertices, faces, 150, np.ones(len(vertices)))
    assert len(kept) == 150 and len(fewer) == 2 * 150 - 4  # Euler
    a, b, c = vertices[kept][fewer].transpose(1, 0, 2)
    assert np.einsum("fi,fi->", a, np.cross(b, c)) / 6 == pytest.approx(4 / 3 * np.pi * 0.001, rel=0.1)


def test_what_matters_more_keeps_more_vertices():
    vertices, faces = ellipsoid(np.full(3, 0.1), rings=19, sides=32)
    above = vertices[:, 1] > 0
    kept, _ = decimate(vertices, faces, 150, np.where(above, 30.0, 1.0))
    assert above[kept].mean() > 0.6


def test_packed_rows_come_back():
    rows = np.random.default_rng(0).normal(size=(12, 3)) @ np.random.default_rng(1).normal(size=(3, 30))
    packed = body_parts.packed(rows, 3)
    back = packed["mean"] + packed["coefficients"] @ (packed["basis"] * packed["basis_step"][:, None])
    np.testing.assert_allclose(back, rows, atol=2e-3)


def test_hand_frame_of_a_hand_that_points_up():
    wrist, index, middle, little = (np.array([p], float) for p in ((0, 0, 0), (-1, 0, 5), (0, 0, 5), (2, 0, 5)))
    frame = hand_rig.hand_frames(wrist, index, middle, little)[0]
    np.testing.assert_allclose(frame @ (0, 0, 1), (0, -1, 0), atol=1e-12)  # fingers along -y
    np.testing.assert_allclose(frame @ (-1, 0, 0), (0, 0, -1), atol=1e-12)  # the thumb's side is -z
    assert np.linalg.det(frame) == pytest.approx(1)


def test_common_rest_turns_a_bone_and_its_flesh():
    heads = np.zeros((1, hand_rig.BONES, 3))
    heads[0, 6], heads[0, 7] = (0, -0.09, 0), (0, -0.13, 0)
    frames = np.tile(hand_rig.WRIST_FRAME, (1, hand_rig.BONES, 1, 1))
    rest = frames[0].copy()
    rest[6] = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]) @ rest[6]  # by -90 degrees about z: -y to -x
    weights = np.eye(hand_rig.BONES)[[6]]
    vertices, posed = hand_rig.common_rest(np.array([[[0.01, -0.11, 0.0]]]), heads, frames, weights, rest)
    np.testing.assert_allclose(vertices[0, 0], (-0.02, -0.10, 0), atol=1e-12)
    np.testing.assert_allclose(posed[0, 7], (-0.04, -0.09, 0), atol=1e-12)
