"""The optimal assignment: by hand, and against every way there is."""

from itertools import combinations, permutations

import numpy as np
import pytest

from hand_pose_ros.perception.assign import assign

INF = np.inf


@pytest.mark.parametrize(
    ("cost", "pairs"),
    [
        ([[1, 2], [2, 9]], [(0, 1), (1, 0)]),  # the nearest first would cost 1 + 9
        ([[4, 1, 3], [2, 0, 5], [3, 2, 2]], [(0, 1), (1, 0), (2, 2)]),  # 1 + 2 + 2
        ([[5, 1, 7]], [(0, 1)]),
        ([[5], [1], [7]], [(1, 0)]),
        ([[INF, 1], [INF, 2]], [(0, 1)]),
        ([[1, INF], [2, 50]], [(0, 0), (1, 1)]),  # two dear pairs rather than one cheap one
        ([[INF, INF]], []),
        ([[0, 0], [0, 0]], [(0, 0), (1, 1)]),
    ],
)
def test_known_costs(cost, pairs):
    assert assign(np.array(cost, float)) == pairs


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_assign(shape):
    assert assign(np.zeros(shape)) == []


def best(cost):
    """The most pairs and their least cost, by trying all."""
    rows, columns = cost.shape
    for count in range(min(rows, columns), 0, -1):
        sums = [
            sum(cost[r, c] for r, c in zip(chosen, order))
            for chosen in combinations(range(rows), count)
            for order in permutations(range(columns), count)
        ]
        if np.isfinite(min(sums)):
            return count, min(sums)
    return 0, 0.0


def test_no_other_way_is_better():
    rng = np.random.default_rng(0)
    for _ in range(300):
        cost = rng.random(rng.integers(1, 5, 2)) * rng.choice([1, 100])
        cost[rng.random(cost.shape) < rng.choice([0, 0.3, 0.7])] = INF
        pairs = assign(cost)
        count, total = best(cost)
        assert len(pairs) == count and sum(cost[p] for p in pairs) == pytest.approx(total)
        assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == count
