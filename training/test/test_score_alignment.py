import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hand_pose_training.score import alignment

NAN = float("nan")
# Six joints on the axes, 1, 2 and 3 from the middle.
AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 3], [0, 0, -3]], float)
QUARTER_TURN = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], float)


def test_procrustes_undoes_a_similarity_of_each_frame():
    predicted = np.stack([AXES + np.array([1, 2, 3]), AXES * 4])
    truth = np.stack([2 * AXES @ QUARTER_TURN.T + [5, 0, 0], AXES - [0, 0, 7]])
    assert alignment.procrustes(predicted, truth) == pytest.approx(truth, abs=1e-12)


def test_procrustes_does_not_mirror():
    mirrored = AXES * [-1, 1, 1]
    # The covariance of truth and prediction is 2 diag(-1, 4, 9). A proper rotation gets the most from the identity: scale
    # (-1 + 4 + 9) / (1 + 4 + 9) = 6 / 7.
    assert alignment.procrustes(mirrored[None], AXES[None])[0] == pytest.approx(mirrored * 6 / 7)


def test_procrustes_rotation_is_the_least_squares_one():
    rng = np.random.default_rng(3)
    predicted, truth = rng.normal(size=(2, 4, 21, 3))
    found = alignment.procrustes(predicted, truth)
    for p, t, f in zip(predicted, truth, found):
        p, t = p - p.mean(0), t - t.mean(0)
        turned = Rotation.align_vectors(t, p)[0].apply(p)
        scale = (turned * t).sum() / (p * p).sum()
        assert f - f.mean(0) == pytest.approx(scale * turned, abs=1e-9)


def test_scale_and_translation_by_least_squares():
    predicted = np.array([[[9, 5, 5], [11, 5, 5]]], float)
    truth = np.array([[[-2, -1, 0], [2, 1, 0]]], float)
    # Centred: <p, t> = 2 + 2, <p, p> = 1 + 1, so scale 2, and no turn.
    assert alignment.scale_translation(predicted, truth)[0] == pytest.approx(np.array([[-2, 0, 0], [2, 0, 0]]))


def test_scale_and_translation_by_a_bone():
    # Joints: root, end of the bone, another. The bone is 2 long, in truth 6.
    predicted = np.array([[[1, 0, 0], [1, 2, 0], [4, 0, 0]]], float)
    truth = np.array([[[0, 0, 10], [0, 0, 16], [1, 1, 1]]], float)
    expected = np.array([[0, 0, 10], [0, 6, 10], [9, 0, 10]])
    assert alignment.scale_translation_by_bone(predicted, truth, 0, (0, 1))[0] == pytest.approx(expected)


def test_root_translation():
    predicted = np.array([[[1, 1, 1], [2, 2, 2]]], float)
    truth = np.array([[[0, 0, 5], [9, 9, 9]]], float)
    assert alignment.root_translation(predicted, truth, 0)[0] == pytest.approx(np.array([[0, 0, 5], [1, 1, 6]]))


@pytest.mark.parametrize("align", [alignment.procrustes, alignment.scale_translation])
def test_unknown_joints_take_no_part(align):
    truth = 3 * AXES + [0, 0, 9]
    truth[4] = NAN
    found = align(AXES[None], truth[None])[0]
    assert found == pytest.approx(3 * AXES + [0, 0, 9])


@pytest.mark.parametrize("align", [alignment.procrustes, alignment.scale_translation])
def test_a_hand_predicted_as_one_point_goes_to_the_mean(align):
    found = align(np.ones((1, 6, 3)), AXES[None] + np.array([0, 0, 4]))[0]
    assert found == pytest.approx(np.tile([0.0, 0.0, 4.0], (6, 1)))


def test_bone_of_no_length_is_not_divided_by():
    truth = np.array([[[0, 0, 0], [0, 3, 0]]], float)
    assert np.isfinite(alignment.scale_translation_by_bone(np.zeros((1, 2, 3)), truth, 0, (0, 1))).all()
