"""Algorithm 1 of DenseReg step by step, with values computed by hand."""

import math

import pytest
import torch

from hand_pose_training.aggregation.mean_shift import at_projections, mean_shift, select


def on_x(*values: float) -> torch.Tensor:
    """Votes (1, 1, 3, K) along u."""
    return torch.tensor([[list(values), [0.0] * len(values), [0.0] * len(values)]])[None]


def test_the_best_cells_of_the_foreground_are_selected():
    scores = torch.tensor([[[0.1, 0.9, 0.5, 0.7]]])
    found = select(on_x(1, 2, 3, 4), scores, torch.tensor([[[1.0, 0.0, 1.0, 1.0]]]), candidates=2)
    assert found.cells.tolist() == [[[3, 2]]]
    assert found.votes[0, 0, 0].tolist() == [4, 3]
    assert found.scores[0, 0].tolist() == pytest.approx([0.7, 0.5])
    assert found.seen.tolist() == [[[1, 1]]]


def test_cells_beyond_the_foreground_are_told():
    found = select(on_x(1, 2, 3), torch.tensor([[[0.1, 0.9, 0.5]]]), torch.tensor([[[1.0, 0.0, 0.0]]]), candidates=2)
    assert found.cells[0, 0, 0] == 0
    assert found.seen.tolist() == [[[1, 0]]]


def test_a_map_is_read_where_votes_project_to():
    """2 x 2 maps have their cells' centres at +-0.5. Each joint has its own map."""
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[10.0, 20.0], [30.0, 40.0]]]])
    uv = [(-0.5, -0.5), (0.5, -0.5), (0.0, 0.5), (0.0, 0.0), (3.0, 0.0)]
    votes = torch.tensor([[u for u, _ in uv], [v for _, v in uv], [9.0] * 5]).expand(1, 2, 3, 5)
    assert at_projections(maps, votes)[0, 0].tolist() == pytest.approx([1, 2, 3.5, 2.5, 0])
    assert at_projections(maps, votes)[0, 1].tolist() == pytest.approx([10, 20, 35, 25, 0])


def test_one_step_is_the_mean_weighted_by_kernel_and_weight():
    """From the vote at 0, whose density is highest: w K = 2 and exp(-1/2) = 0.6065."""
    found = mean_shift(on_x(0, 1), torch.tensor([[[2.0, 1.0]]]), sigma=1.0, iterations=1)
    pull = math.exp(-0.5)
    assert found[0, 0].tolist() == pytest.approx([pull / (2 + pull), 0, 0], abs=1e-6)


def test_a_wide_kernel_gives_the_weighted_mean():
    found = mean_shift(on_x(0, 1), torch.tensor([[[3.0, 1.0]]]), sigma=100.0, iterations=10)
    assert found[0, 0, 0].item() == pytest.approx(0.25, abs=1e-4)


def test_votes_far_from_the_mode_are_left_out():
    found = mean_shift(on_x(0.1, 0.2, 0.3, 5, 9), torch.ones(1, 1, 5), sigma=0.3, iterations=10)
    assert found[0, 0, 0].item() == pytest.approx(0.2, abs=1e-4)


def test_a_heavy_vote_outweighs_two_light_ones():
    found = mean_shift(on_x(0, 0.01, 5), torch.tensor([[[0.2, 0.2, 0.9]]]), sigma=0.3, iterations=10)
    assert found[0, 0, 0].item() == pytest.approx(5, abs=1e-4)


def test_one_candidate_is_the_answer():
    assert mean_shift(on_x(0.7), torch.zeros(1, 1, 1), sigma=0.3, iterations=10)[0, 0, 0].item() == pytest.approx(0.7)


def test_without_any_weight_the_answer_is_finite():
    assert mean_shift(on_x(-50, 0, 50), torch.zeros(1, 1, 3), sigma=0.01, iterations=10).isfinite().all()


def test_stays_in_float32_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        found = mean_shift(on_x(0, 1).bfloat16(), torch.ones(1, 1, 2), sigma=1.0, iterations=2)
    assert found.dtype == torch.float32
