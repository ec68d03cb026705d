"""The upper bodies: closed, of people's size, the right way round."""

import numpy as np

from hand_pose_training.synthetic.person import SHOULDER_M, person_model, sample_person, with_elbows


def test_mesh_is_closed_and_faces_outwards():
    vertices, faces = sample_person(np.random.default_rng(0))
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = set(map(tuple, edges)), set(map(tuple, edges[:, ::-1]))
    assert there == back and len(there) == len(edges)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    assert 0.015 < np.einsum("fi,fi->", a, np.cross(b, c)) / 6 < 0.09  # m^3
    assert 1000 <= len(vertices) <= 1500


def test_head_is_above_and_looks_at_the_camera():
    for seed in range(20):
        vertices, _ = sample_person(np.random.default_rng(seed), held_out=seed % 2 == 1)
        top = vertices[:, 1].min()
        assert -0.62 < top < -0.40
        assert 0.30 < np.ptp(vertices[:, 0]) < 0.75  # across the upper arms
        head = vertices[vertices[:, 1] < top + 0.2]
        assert np.ptp(head[:, 0]) < 0.22
        nose = head[head[:, 2].argmin()]
        assert abs(nose[0]) < 0.02 and top + 0.08 < nose[1] < top + 0.2  # the foremost point, in the middle of the face
        np.testing.assert_allclose(vertices[:, 0].min(), -vertices[:, 0].max(), atol=0.03)


def test_held_out_people_are_others():
    model = person_model()
    assert 10 <= model.held_out.sum() <= len(model.held_out) / 3
    kept, _ = sample_person(np.random.default_rng(3))
    other, _ = sample_person(np.random.default_rng(3), held_out=True)
    assert np.abs(kept - other).max() > 0.005


def test_upper_arms_go_to_the_elbows_and_nothing_else_moves():
    model = person_model()
    vertices, _ = sample_person(np.random.default_rng(4))
    shoulders = SHOULDER_M * ((1, -1), (-1, -1))
    for ways in (((0.6, -0.5, -0.6), (-0.2, 0.9, 0.1)), ((0.1, 0.1, -0.9), (-0.9, -0.1, 0.3))):
        ways = np.array(ways) / np.linalg.norm(ways, axis=1, keepdims=True)
        elbows = np.concatenate([shoulders, np.zeros((2, 1))], axis=1) + 0.33 * ways
        moved = with_elbows(vertices, elbows)
        still = model.arm_shares.max(axis=0) == 0
        np.testing.assert_array_equal(moved[still], vertices[still])
        for elbow, way, share in zip(elbows, ways, model.arm_shares):
            far = (moved[share > 0.99] - elbow) @ way  # the arm ends at its elbow, and lies around the line to it
            assert far.min() > -0.34 and abs(far.max()) < 0.05
            beside = moved[share > 0.99] - elbow - far[:, None] * way
            assert np.linalg.norm(beside, axis=1).max() < 0.12


def test_hanging_arms_stay_when_their_elbows_do():
    vertices, _ = sample_person(np.random.default_rng(5))
    down = np.array([0.18, 0.98, -0.05]) / np.linalg.norm([0.18, 0.98, -0.05])
    elbows = np.array([(SHOULDER_M[0], -SHOULDER_M[1], 0), (-SHOULDER_M[0], -SHOULDER_M[1], 0)]) + 0.29 * down * (
        (1, 1, 1),
        (-1, 1, 1),
    )
    np.testing.assert_allclose(with_elbows(vertices, elbows), vertices, atol=1e-6)


def test_head_and_trunk_are_the_whole_body():
    model = person_model()
    faces = np.concatenate([model.head[model.head_faces], model.trunk[model.trunk_faces]])
    assert sorted(map(tuple, faces)) == sorted(map(tuple, model.faces))
    vertices, _ = sample_person(np.random.default_rng(6))
    assert np.abs(vertices[model.head, 0]).max() < 0.12 and vertices[model.head, 1].max() < -0.2
