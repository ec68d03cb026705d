"""Alignments that benchmarks do before they measure: each moves predicted joints onto the true ones, frame by frame.

Shapes: predicted and true joints (N, J, 3) in one unit; joints that are not known (NaN in either) take no part in finding the
transform. Predicted joints are moved whether their truth is known or not.
"""

from __future__ import annotations

import numpy as np

NONE, ROOT, SCALE_TRANSLATION, PROCRUSTES = "none", "root", "scale_translation", "procrustes"
ALIGNMENTS = (NONE, SCALE_TRANSLATION, PROCRUSTES, ROOT)


def procrustes(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Least-squares similarity: rotation, scale and translation (Umeyama, PAMI 1991, equations 39 to 42).

    The rotation is a proper one (equation 39): a mirrored hand is not turned into the true one. FreiHAND's and HO-3D's scripts
    allow mirrors (scipy's orthogonal_procrustes), which fit better only where a hand is predicted inside out.
    """
    weights = _weights(predicted, truth)
    (from_mean, moved), (to_mean, fixed) = _centred(predicted, weights), _centred(truth, weights)
    covariance = fixed.transpose(0, 2, 1) @ moved
    u, sizes, vt = np.linalg.svd(covariance)
    signs = np.ones_like(sizes)
    signs[:, 2] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rotation = (u * signs[:, None, :]) @ vt
    scale = _ratio((sizes * signs).sum(axis=1), _dot(moved, moved))
    turned = (predicted - from_mean) @ rotation.transpose(0, 2, 1)
    return scale[:, None, None] * turned + to_mean


def scale_translation(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Least-squares scale and translation, no rotation: the scale is <p, t> / <p, p> of the centred joints."""
    weights = _weights(predicted, truth)
    (from_mean, moved), (to_mean, fixed) = _centred(predicted, weights), _centred(truth, weights)
    scale = _ratio(_dot(moved, fixed), _dot(moved, moved))
    return scale[:, None, None] * (predicted - from_mean) + to_mean


def scale_translation_by_bone(predicted: np.ndarray, truth: np.ndarray, root: int, bone: tuple[int, int]) -> np.ndarray:
    """Scale so that one bone has its true length, then move the root joint onto the true one, as HO-3D's evaluation does.

    A predicted bone of length 0 leaves the scale at the bone's true length.
    """
    predicted_length, true_length = bone_lengths(predicted, bone), bone_lengths(truth, bone)
    scale = true_length / np.where(predicted_length > 0, predicted_length, 1.0)
    return root_translation(scale[:, None, None] * predicted, truth, root)


def root_translation(predicted: np.ndarray, truth: np.ndarray, root: int) -> np.ndarray:
    """Move each frame so that its root joint lies on the true one."""
    return predicted - predicted[:, root : root + 1] + truth[:, root : root + 1]


def bone_lengths(joints: np.ndarray, bone: tuple[int, int]) -> np.ndarray:
    """Length of one bone in each frame, (N, J, 3) -> (N,)."""
    return np.linalg.norm(joints[:, bone[1]] - joints[:, bone[0]], axis=-1)


def _centred(joints: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean (N, 1, 3) and the joints about it (N, J, 3), 0 where the weight is 0."""
    counted = weights[..., None] > 0
    mean = np.where(counted, joints, 0.0).sum(axis=1, keepdims=True) / np.maximum(weights.sum(axis=1), 1.0)[:, None, None]
    return mean, np.where(counted, joints - mean, 0.0)


def _weights(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """1.0 for joints known in both, else 0.0: (N, J)."""
    return (np.isfinite(predicted).all(axis=-1) & np.isfinite(truth).all(axis=-1)).astype(float)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of the products over a frame's joints and axes, (N, J, 3) twice -> (N,)."""
    return np.einsum("nja,nja->n", a, b)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 1 where b is 0: a hand predicted as one point has no size to change."""
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), 1.0)
