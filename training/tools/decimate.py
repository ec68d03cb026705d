"""Fewer vertices for a mesh: half-edge collapses by the quadric error (Garland & Heckbert, SIGGRAPH 1997).

Vertices only go, none moves, so the result serves every mesh with the same vertices.
"""

from __future__ import annotations

import heapq

import numpy as np

_LENGTH_SHARE = 1e-4  # of an edge's squared length in its cost: flat parts lose their short edges first


def decimate(vertices: np.ndarray, faces: np.ndarray, target: int, importance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a closed mesh.

    :param vertices: (V, 3); faces: (F, 3)
    :param target: how many vertices to keep
    :param importance: (V,) factor of the cost of taking a vertex away
    :return: numbers of the kept vertices (K,), faces (G, 3) of those
    """
    alive = {number: tuple(face) for number, face in enumerate(faces.tolist())}
    around: list[set[int]] = [set() for _ in vertices]
    for number, face in alive.items():
        for vertex in face:
            around[vertex].add(number)
    quadrics = _quadrics(vertices, faces)
    heap: list[tuple[float, int, int]] = []

    def neighbours(vertex: int) -> set[int]:
        return {v for number in around[vertex] for v in alive[number]} - {vertex}

    def push(gone: int, kept: int) -> None:
        point = np.append(vertices[kept], 1.0)
        length = ((vertices[gone] - vertices[kept]) ** 2).sum()
        cost = importance[gone] * (point @ quadrics[gone] @ point + _LENGTH_SHARE * length * np.trace(quadrics[gone][:3, :3]))
        heapq.heappush(heap, (float(cost), gone, kept))

    for vertex in range(len(vertices)):
        for other in neighbours(vertex):
            push(vertex, other)
    left = sum(bool(faces_of) for faces_of in around)
    while left > target and heap:
        _, gone, kept = heapq.heappop(heap)
        if not around[gone] or kept not in (ring := neighbours(gone)) or len(ring & neighbours(kept)) != 2:
            continue
        moved = {n: tuple(kept if v == gone else v for v in alive[n]) for n in around[gone] if kept not in alive[n]}
        if any(_flips(vertices, alive[n], face) for n, face in moved.items()):
            continue
        for number in around[gone] - moved.keys():
            for vertex in alive.pop(number):
                around[vertex].discard(number)
        for number, face in moved.items():
            alive[number] = face
            around[kept].add(number)
        around[gone] = set()
        quadrics[kept] += quadrics[gone]
        left -= 1
        for other in neighbours(kept):
            push(kept, other)
            push(other, kept)
    kept_ids, kept_faces = np.unique(np.array(list(alive.values())), return_inverse=True)
    return kept_ids, kept_faces.reshape(-1, 3).astype(np.int32)


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 4, 4) summed squared distances from the planes of each vertex' faces, weighted by their areas."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    area = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    normal = normal / area
    plane = np.concatenate([normal, -(normal * a).sum(axis=1, keepdims=True)], axis=1)
    quadrics = np.zeros((len(vertices), 4, 4))
    np.add.at(quadrics, faces, (area[:, :, None] * plane[:, :, None] * plane[:, None])[:, None])
    return quadrics


def _flips(vertices: np.ndarray, before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a triangle turns by more than about 75 degrees."""
    normals = []
    for a, b, c in (before, after):
        q, r = vertices[b] - vertices[a], vertices[c] - vertices[a]
        normals.append((q[1] * r[2] - q[2] * r[1], q[2] * r[0] - q[0] * r[2], q[0] * r[1] - q[1] * r[0]))
    first, second = normals
    dot = sum(x * y for x, y in zip(first, second))
    return dot <= 0.25 * (sum(x * x for x in first) * sum(x * x for x in second)) ** 0.5
