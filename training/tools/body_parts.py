"""Bodies of anny, parts cut out of them, and parts of many bodies packed as mean and principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

BODIES, HELD_OUT_EVERY, SEED = 128, 4, 7
AGES = (10.0, 85.0)
# anny's targets of hand and forearm and the spread (1 sigma, cut at 2) they are drawn with.
TARGETS = {
    "r-hand-fingers-length-incr": 0.25,
    "r-hand-fingers-diameter-incr": 0.35,
    "r-hand-fingers-distance-incr": 0.3,
    "r-hand-scale-incr": 0.1,
    "r-lowerarm-scale-depth-incr": 0.3,
    "r-lowerarm-scale-horiz-incr": 0.3,
    "r-lowerarm-fat-incr": 0.3,
    "r-lowerarm-muscle-incr": 0.3,
    "measure-wrist-circ-incr": 0.3,
}


@dataclass(frozen=True)
class Bodies:
    """Bodies at rest, metres: vertices (B, V, 3), the rig's bone heads (B, R, 3), faces, weights (V, R), bone names, ages."""

    vertices: np.ndarray
    heads: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    labels: list[str]
    ages: np.ndarray

    def columns(self, labels: list[str]) -> np.ndarray:
        """(V,) summed weights of these bones."""
        return self.weights[:, [self.labels.index(label) for label in labels]].sum(axis=1)

    @property
    def held_out(self) -> np.ndarray:
        """(B,) bodies whose shapes training never draws."""
        return np.arange(len(self.ages)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1

    def head(self, label: str) -> np.ndarray:
        """(B, 3) where a bone begins."""
        return self.heads[:, self.labels.index(label)]


def sample_bodies() -> Bodies:
    """Draw the bodies."""
    import anny
    import torch
    from anny.shape_distribution import SimpleShapeDistribution

    torch.manual_seed(SEED)
    model = anny.Anny(local_changes="all", phenotypes="all").to(dtype=torch.float32)
    shapes = SimpleShapeDistribution(model, morphological_age_distribution=torch.distributions.Uniform(*AGES))
    ages, phenotypes = shapes.sample(BODIES)
    targets = {label: torch.randn(BODIES).clamp(-2, 2) * sigma for label, sigma in TARGETS.items()}
    pose = torch.eye(4).repeat(BODIES, model.bone_count, 1, 1)
    with torch.no_grad():
        out = model(pose_parameters=pose, phenotype_kwargs=phenotypes, local_changes_kwargs=targets)
    ids, shares = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    weights = np.zeros((len(ids), len(model.bone_labels)))
    np.add.at(weights, (np.arange(len(ids))[:, None], ids), shares)
    vertices, heads = (out[key].numpy().astype(float) for key in ("rest_vertices", "rest_bone_heads"))
    return Bodies(vertices, heads, model.faces.numpy().astype(np.int32), weights, list(model.bone_labels), ages.numpy())


def cut(faces: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The part of a mesh whose faces have kept vertices only: vertex numbers, faces, openings (loops), largest first."""
    faces = faces[keep[faces].all(axis=1)]
    ids, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    parts = _components(faces, len(ids))
    faces = faces[parts[faces[:, 0]] == np.bincount(parts).argmax()]
    used, faces = np.unique(faces, return_inverse=True)
    ids, faces = ids[used], faces.reshape(-1, 3)
    edges = {tuple(e) for f in faces for e in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))}
    following = {b: a for a, b in edges if (b, a) not in edges}
    loops = []
    while following:
        loop = [next(iter(following))]
        while following[loop[-1]] != loop[0]:
            loop.append(following[loop[-1]])
        loops.append(loop)
        for vertex in loop:
            del following[vertex]
    return ids, faces, [np.array(loop) for loop in sorted(loops, key=len, reverse=True)]


def _components(faces: np.ndarray, count: int) -> np.ndarray:
    """(V,) number of the connected part of each vertex."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(ends)), ends.T), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def close(vertices: np.ndarray, faces: np.ndarray, loops: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (B, V, 3) and faces with every opening closed by a fan around its middle."""
    for loop in loops:
        middle = vertices.shape[1]
        vertices = np.concatenate([vertices, vertices[:, loop].mean(axis=1, keepdims=True)], axis=1)
        fan = np.stack([loop, np.roll(loop, -1), np.full(len(loop), middle)], axis=1)
        faces = np.concatenate([faces, fan])
    return vertices, faces.astype(np.int32)


def packed(rows: np.ndarray, components: int) -> dict[str, np.ndarray]:
    """Mean (D,), principal components (K, D) as 16-bit numbers with their steps (K,), coefficients (N, K) of rows (N, D)."""
    mean = rows.mean(axis=0)
    u, s, vt = np.linalg.svd(rows - mean, full_matrices=False)
    coefficients, basis = u[:, :components] * s[:components], vt[:components]
    left = np.abs(rows - mean - coefficients @ basis)
    print(f"{components} components: {1000 * left.max():.2f} mm largest, {1000 * left.mean():.3f} mm mean difference")
    step = np.abs(basis).max(axis=1) / 32767
    return {
        "mean": mean.astype(np.float32),
        "basis": np.round(basis / step[:, None]).astype(np.int16),
        "basis_step": step.astype(np.float32),
        "coefficients": coefficients.astype(np.float32),
    }
