"""Which voxels a crop fills, by hand."""

import numpy as np

from hand_pose_ros.geometry.voxels import voxel_grid


def filled(grid: np.ndarray) -> list[list[int]]:
    """Crop, depth, row and column of the occupied voxels."""
    assert set(np.unique(grid)) <= {0, 1} and grid.dtype == np.float32
    return np.argwhere(grid[:, 0]).tolist()


def test_a_pixel_fills_the_voxel_that_holds_its_point():
    crops = np.ones((2, 1, 4, 4), np.float32)
    crops[0, 0, 0, 1] = -1.0  # the near face of the cube: layer 0
    crops[0, 0, 3, 2] = 0.0  # the middle plane is the near side of layer 2
    crops[1, 0, 2, 3] = 0.49  # (0.49 + 1) * 2 = 2.98
    crops[1, 0, 1, 0] = 0.5
    assert filled(voxel_grid(crops, 4)) == [[0, 0, 0, 1], [0, 2, 3, 2], [1, 2, 2, 3], [1, 3, 1, 0]]


def test_pixels_of_a_finer_crop_share_voxels():
    crop = np.ones((1, 1, 6, 6), np.float32)
    crop[0, 0, 2:4, 0] = -0.2  # rows 2 and 3 of 6 are row 1 of 3
    crop[0, 0, 4, 1:3] = -0.2  # columns 1 and 2 of 6 are columns 0 and 1 of 3
    assert filled(voxel_grid(crop, 3)) == [[0, 1, 1, 0], [0, 1, 2, 0], [0, 1, 2, 1]]


def test_a_coarser_crop_fills_the_voxel_at_its_pixels_centre():
    crop = np.full((1, 1, 2, 2), 0.9, np.float32)
    assert filled(voxel_grid(crop, 8)) == [[0, 7, 2, 2], [0, 7, 2, 6], [0, 7, 6, 2], [0, 7, 6, 6]]


def test_background_fills_nothing_even_after_half_precision():
    crop = np.ones((1, 1, 8, 8), np.float32)
    assert not voxel_grid(crop).any() and voxel_grid(crop).shape == (1, 1, 88, 88, 88)
    crop[0, 0, 0, 0] = np.float16(0.9996)
    assert not voxel_grid(crop, 8).any()


def test_the_mirrored_crop_has_the_mirrored_grid():
    crop = np.random.default_rng(0).uniform(-1, 1.2, (1, 1, 24, 24)).astype(np.float32).clip(max=1)
    assert np.array_equal(voxel_grid(crop[..., ::-1], 8), voxel_grid(crop, 8)[..., ::-1])
