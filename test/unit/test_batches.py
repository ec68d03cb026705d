"""Which batches a plan is run with, and the size of its tensors."""

import numpy as np
import pytest

from hand_pose_ros.inference.batches import batch_problem, make_slot, parts, run_batch, run_batches


@pytest.mark.parametrize("most, prepared", [(1, (1,)), (2, (1, 2)), (8, (1, 2, 4, 8)), (6, (1, 2, 4, 6)), (9, (1, 2, 4, 8, 9))])
def test_prepared_batches(most, prepared):
    assert run_batches(most) == prepared


def test_the_smallest_that_fits_is_run():
    assert [run_batch(count, (1, 2, 4, 6)) for count in range(1, 7)] == [1, 2, 4, 4, 6, 6]


def test_rows_are_split():
    assert parts(19, 8) == [slice(0, 8), slice(8, 16), slice(16, 19)]
    assert parts(8, 8) == [slice(0, 8)]
    assert parts(0, 8) == []


def test_bytes():
    crop = make_slot("depth_crop", True, "FLOAT", (-1, 1, 96, 96))
    assert (crop.row, crop.dtype, crop.nbytes(3)) == ((1, 96, 96), np.float32, 3 * 96 * 96 * 4)
    assert make_slot("presence", False, "FLOAT", (-1,)).nbytes(8) == 32
    assert make_slot("group", True, "INT64", (-1, 64)).nbytes(2) == 2 * 64 * 8


@pytest.mark.parametrize(
    "dtype, shape, said",
    [
        ("UINT8", (-1, 4), "is UINT8, which is none of FLOAT, HALF, INT32, INT64, BOOL"),
        ("FLOAT", (1, 4), r"is \(1, 4\), where the batch and nothing else"),
        ("FLOAT", (-1, -1), "is .*, where the batch and nothing else must be dynamic"),
        ("FLOAT", (), r"is \(\), where the batch and nothing else must be dynamic"),
    ],
)
def test_tensors_that_cannot_be_run(dtype, shape, said):
    with pytest.raises(ValueError, match=f"joints {said}"):
        make_slot("joints", False, dtype, shape)


def test_arrays_that_are_no_batch():
    slots = [
        make_slot("points", True, "FLOAT", (-1, 5, 3)),
        make_slot("group", True, "INT64", (-1, 4)),
        make_slot("o", False, "FLOAT", (-1,)),
    ]
    points, group = np.zeros((2, 5, 3), np.float32), np.zeros((2, 4), np.int64)
    assert batch_problem(slots, {"points": points, "group": group}) == ""
    assert batch_problem(slots, {"points": points}) == "its inputs are group, points, given were points"
    assert batch_problem(slots, {"points": points.astype(float), "group": group}) == (
        "points is float64 (2, 5, 3), it must be float32 (N, 5, 3)"
    )
    assert "group is int64 (2, 3), it must be int64 (N, 4)" in batch_problem(slots, {"points": points, "group": group[:, :3]})
    assert batch_problem(slots, {"points": points, "group": group[:1]}) == "its inputs differ in length: points 2, group 1"
    assert batch_problem(slots, {"points": points[:0], "group": group[:0]}) == "it is empty"
