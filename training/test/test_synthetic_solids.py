"""Solids: signed distances by hand, meshes that lie where the distances are zero; families of things."""

import numpy as np
import pytest

from hand_pose_training.synthetic import objects, primitives
from hand_pose_training.synthetic.solids import Body, Kind, Solid

CAN = np.array([(0, -2), (1, -2), (1, 2), (0, 2)], float)  # radius 1, from y -2 to 2
CUP = np.array([(0, 0), (2, 0), (2, 4), (1, 4), (1, 1), (0, 1)], float)  # walls and floor 1 thick
TRIANGLE = np.array([(1, 0), (-1, 1), (-1, -1)], float)
QUARTER = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # x to y


def volume(mesh: primitives.Mesh) -> float:
    corners = mesh[0][mesh[1]]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))) / 6


@pytest.mark.parametrize(
    ("solid", "point", "distance"),
    [
        (Solid(Kind.BOX, (1, 2, 3)), (1.01, 0, 0), 0.01),
        (Solid(Kind.BOX, (1, 2, 3)), (1.004, 2.003, 0), 0.005),
        (Solid(Kind.BOX, (1, 2, 3)), (0.75, 0, 0), -0.25),
        (Solid(Kind.REVOLVED, outline=CAN), (0.6, 0, 0.8), 0),
        (Solid(Kind.REVOLVED, outline=CAN), (0, 2.01, 0), 0.01),
        (Solid(Kind.REVOLVED, outline=CAN), (0, 0, 0), -1),
        (Solid(Kind.REVOLVED, outline=CUP), (0, 2, 0), 1),  # in the hollow, a metre from floor and wall
        (Solid(Kind.REVOLVED, outline=CUP), (0, 2.5, 1.5), -0.5),  # in the wall
        (Solid(Kind.EXTRUDED, (3,), TRIANGLE), (-1.02, 0, 0), 0.02),
        (Solid(Kind.EXTRUDED, (3,), TRIANGLE), (-0.9, 2.95, 0), -0.05),  # the end is nearer than the side
        (Solid(Kind.SUPERELLIPSOID, (2, 2, 2, 2)), (0, 1.8, 2.4), 1),
        (Solid(Kind.SUPERELLIPSOID, (1, 2, 3, 4)), (0, -2.01, 0), 0.01),
        (Solid(Kind.ARC, (5, 1, np.pi)), (-3, 4, 0), -1),
        (Solid(Kind.ARC, (5, 1, np.pi / 2)), (0, -5, 1.02), 0.02),
        (Solid(Kind.ARC, (5, 1, np.pi / 2)), (-1.01, 5, 0), 0.01),  # past its end
        (Solid(Kind.BOX, (1, 2, 3), rotation=QUARTER, center=np.array([5.0, 0, 0])), (5, 1.01, 0), 0.01),
        (Solid(Kind.BOX, (1, 2, 3), rotation=QUARTER, center=np.array([5.0, 0, 0])), (2.99, 0, 0), 0.01),
    ],
)
def test_distance_to_a_solid(solid, point, distance):
    assert Body((solid,)).distances(np.array([point], float))[0] == pytest.approx(distance, abs=1e-9)


def test_distance_to_a_body_is_that_to_its_nearest_solid_and_moves_with_it():
    body = Body((Solid(Kind.BOX, (1, 1, 1)), Solid(Kind.BOX, (1, 1, 1), center=np.array([5.0, 0, 0]))))
    np.testing.assert_allclose(body.distances(np.array([(1.02, 0, 0), (3.99, 0, 0)])), [0.02, 0.01])
    moved = body.moved(QUARTER, np.array([0, 0, 7.0]))
    np.testing.assert_allclose(moved.distances(np.array([(0, 1.02, 7), (0, 3.99, 7.0)])), [0.02, 0.01])


def test_a_far_point_gets_a_lower_bound():
    far = Body((Solid(Kind.BOX, (1, 1, 1)),)).distances(np.array([(9.0, 0, 0)]))[0]
    assert far == pytest.approx(9 - np.sqrt(3))  # from the ball around the box; the box itself is 8 away


@pytest.mark.parametrize("family", objects.FAMILIES, ids=lambda family: family.name)
def test_meshes_of_things_are_closed_and_lie_on_their_surface(family):
    rng = np.random.default_rng(7)
    for width in np.linspace(*family.width_m, 4):
        for solid in family.build(rng, width).solids:
            vertices, faces = solid.mesh()
            on_rings = vertices[:-2] if solid.kind is not Kind.BOX else vertices  # a tube's last two close its ends
            np.testing.assert_allclose(Body((solid,)).distances(on_rings), 0, atol=1e-9)
            assert Body((solid,)).distances(vertices[-2:]).max() < 1e-9
            assert volume((vertices, faces)) > 0  # faces look outside
            edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
            assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


@pytest.mark.parametrize("family", [f for f in objects.FAMILIES if f.name != "scissors"], ids=lambda family: family.name)
def test_the_width_at_the_grip_is_as_asked(family):
    """Scissors are taken around both loops, which lie beside the middle."""
    rng = np.random.default_rng(3)
    for width in np.linspace(*family.width_m, 4):
        tapers = family.name in ("cone", "glass", "wedge", "bowl", "plate")
        depth = np.mean(family.depth_m) if family.form is objects.Form.FLAT else 0.0
        sides = family.build(rng, width).distances(np.array([(width / 2, depth, 0), (-width / 2, depth, 0)]))
        tolerance = 0.15 * width + 0.003 if tapers else 0.02 * width
        # One side of a mug is inside its handle.
        assert np.abs(sides).min() < tolerance and sides.max() < tolerance


def test_held_out_families_are_others():
    train, unseen = ({f.name for f in objects.families(held_out)} for held_out in (False, True))
    builders = ({f.build for f in objects.families(held_out)} for held_out in (False, True))
    assert not train & unseen and not set.intersection(*builders)
    assert {"mug", "bottle", "scissors", "ring", "wedge"} <= unseen and len(train) >= 20


def test_things_that_lie_about_have_the_size_asked_for():
    rng = np.random.default_rng(5)
    halves = []
    for _ in range(200):
        vertices, faces = objects.sample_object(rng, held_out=bool(rng.integers(2)), low=0.03, high=0.06)
        np.testing.assert_allclose(vertices.min(axis=0), -vertices.max(axis=0), atol=1e-12)
        assert faces.max() < len(vertices) and volume((vertices, faces)) > 0
        halves.append(np.abs(vertices).max())
    assert min(halves) > 0.03 - 1e-9 and max(halves) < 0.06 + 1e-9
