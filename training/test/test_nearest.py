"""Aggregation that is not learned, by hand."""

import pytest
import torch

from hand_pose_training.aggregation.nearest import nearest_candidates

VOTES = torch.tensor([[[[0.0, 1.0, 2.0, 9.0]] * 3]])
SCORES = torch.tensor([[[0.1, 0.6, 0.2, 0.9]]])
ALLOWED = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (1, 1.0),  # the highest that is allowed
        (2, (0.6 * 1 + 0.2 * 2) / 0.8),
        (0, 1.0),  # mean of 0, 1 and 2
    ],
)
def test_the_best_candidates_decide(candidates: int, expected: float):
    found = nearest_candidates(VOTES, SCORES, ALLOWED, candidates)
    assert found.joints[0, 0].tolist() == pytest.approx([expected] * 3, abs=1e-6)
    assert found.weights.sum().item() == pytest.approx(1)
    assert found.weights[0, 0, 3] == 0


def test_without_any_cell_the_answer_is_finite():
    assert nearest_candidates(VOTES, SCORES, torch.zeros(1, 1, 4), 2).joints.isfinite().all()
