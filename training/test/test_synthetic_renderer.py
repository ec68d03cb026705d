"""The z-buffer and the solids it draws, against values worked out by hand."""

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.renderer import Window, ZBuffer

CAMERA = Camera(64, 48, 100.0, 100.0, 31.5, 23.5)


def volume(mesh: primitives.Mesh) -> float:
    """Signed volume: positive where faces are counter-clockwise from outside."""
    corners = mesh[0][mesh[1]]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def test_facing_plane_is_its_distance_everywhere():
    buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
    buffer.draw_plane(np.array([0.0, 0.0, 1.0]), 0.8)
    np.testing.assert_allclose(buffer.depth(), 0.8, rtol=1e-6)


def test_tilted_plane():
    buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
    buffer.draw_plane(np.array([0.6, 0.0, 0.8]), 1.0)
    # Pixel (41, y) looks along x = 0.095 z, so z (0.6 0.095 + 0.8) = 1.
    assert buffer.depth()[10, 41] == pytest.approx(1 / (0.6 * 0.095 + 0.8), rel=1e-6)


def test_box_covers_the_pixels_of_its_front():
    vertices, faces = primitives.box(np.array([0.1, 0.06, 0.2]))
    buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
    buffer.draw_mesh(vertices + np.array([0, 0, 0.6]), faces, 1)
    depth = buffer.depth()
    # Front at 0.5 m, 20 by 12 pixels wide: columns 31.5 +- 10, rows 23.5 +- 6.
    rows, columns = np.nonzero(depth)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (22, 41, 18, 29)
    np.testing.assert_allclose(depth[18:30, 22:42], 0.5, rtol=1e-6)


def test_nearest_surface_wins_in_either_order():
    near, far = (primitives.box(np.full(3, 0.1)) for _ in range(2))
    drawn = [(near[0] + (0, 0, 0.5), near[1]), (far[0] + (0.01, 0, 0.9), far[1])]
    images = []
    for order in (drawn, drawn[::-1]):
        buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
        for mesh in order:
            buffer.draw_mesh(*mesh)
        images.append(buffer.depth())
    np.testing.assert_array_equal(*images)
    assert images[0][23, 31] == pytest.approx(0.45, rel=1e-6)


def test_window_is_exactly_that_part_of_the_image():
    vertices, faces = primitives.ellipsoid(np.array([0.05, 0.07, 0.04]))
    whole, part = (ZBuffer(CAMERA, w) for w in (Window.of_image(CAMERA), Window(20, 10, 25, 20)))
    for buffer in (whole, part):
        buffer.draw_mesh(vertices + np.array([0.01, 0.02, 0.5]), faces, 1)
        buffer.draw_plane(np.array([0.1, 0.2, 1.0]), 0.7)
    np.testing.assert_array_equal(whole.inverse_depth[10:30, 20:45], part.inverse_depth)


def test_window_around_is_clipped_to_the_image():
    window = Window.around(np.array([-30, 5]), np.array([40, 90]), 3, CAMERA)
    assert window == Window(0, 37, 9, 11)


def test_triangles_that_reach_behind_the_camera_are_cut_off_near_it():
    """A floor 0.2 m below the camera from far before it to behind it looks like the endless plane."""
    corners = np.array([[-3, 0.2, 9.0], [3, 0.2, 9.0], [3, 0.2, -2.0], [-3, 0.2, -2.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    floor, plane = ZBuffer(CAMERA, Window.of_image(CAMERA)), ZBuffer(CAMERA, Window.of_image(CAMERA))
    floor.draw_mesh(corners, faces)
    plane.draw_plane(np.array([0.0, 1.0, 0.0]), 0.2)
    np.testing.assert_allclose(floor.depth()[28:], plane.depth()[28:], rtol=1e-5)
    assert (floor.depth()[28:] > 0).all() and not floor.depth()[:24].any()


def test_a_mesh_behind_the_camera_is_not_seen():
    buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
    buffer.draw_mesh(np.array([[0, 0, -1.0], [0.1, 0, -1.0], [0, 0.1, -0.2]]), np.array([[0, 1, 2]], np.int32))
    assert not buffer.inverse_depth.any()


@pytest.mark.parametrize(
    ("mesh", "expected", "tolerance"),
    [
        (primitives.box(np.array([0.1, 0.2, 0.3])), 0.006, 1e-9),
        (primitives.cylinder(0.1, 0.4), np.pi * 0.01 * 0.4, 0.02),
        (primitives.ellipsoid(np.array([0.1, 0.2, 0.3])), 4 / 3 * np.pi * 0.006, 0.08),
        (primitives.tube(np.array([0.0, 0.5, 1.0]), np.full((3, 2), 0.2), sides=64), np.pi * 0.04, 0.01),
    ],
)
def test_solids_are_closed_outwards_and_of_their_volume(mesh, expected, tolerance):
    assert volume(mesh) == pytest.approx(expected, rel=tolerance)


def test_culling_changes_nothing_of_a_closed_solid():
    vertices, faces = primitives.cylinder(0.04, 0.1)
    images = []
    for cull in (0, 1):
        buffer = ZBuffer(CAMERA, Window.of_image(CAMERA))
        buffer.draw_mesh(vertices + np.array([0.02, 0.01, 0.5]), faces, cull)
        images.append(buffer.inverse_depth)
    np.testing.assert_array_equal(*images)
