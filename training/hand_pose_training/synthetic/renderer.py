"""A z-buffer for triangle meshes and planes that renders any window of an image exactly as the whole image has it.

The buffer holds inverse depth (1/m, 0 = nothing seen), which is linear in the image, so the nearest surface is the maximum.
Pixels are sampled at their centres, which have whole coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from hand_pose_ros.geometry.camera import Camera

NEAR_M = 0.05


@dataclass(frozen=True)
class Window:
    """A part of an image: columns x0..x0+width-1, rows y0..y0+height-1."""

    x0: int
    y0: int
    width: int
    height: int

    @classmethod
    def of_image(cls, camera: Camera) -> Window:
        """The whole image."""
        return cls(0, 0, camera.width, camera.height)

    @classmethod
    def around(cls, columns: np.ndarray, rows: np.ndarray, margin: int, camera: Camera) -> Window:
        """The part of the image that holds these columns and rows and `margin` pixels more; at least one pixel."""
        x0 = min(max(int(columns[0]) - margin, 0), camera.width - 1)
        y0 = min(max(int(rows[0]) - margin, 0), camera.height - 1)
        x1 = min(max(int(columns[-1]) + margin + 1, x0 + 1), camera.width)
        y1 = min(max(int(rows[-1]) + margin + 1, y0 + 1), camera.height)
        return cls(x0, y0, x1 - x0, y1 - y0)


class ZBuffer:
    """Renders into one window of one camera's image; `inverse_depth` is the (height, width) float32 result."""

    def __init__(self, camera: Camera, window: Window) -> None:
        self.camera, self.window = camera, window
        self.inverse_depth = np.zeros((window.height, window.width), np.float32)

    def draw_mesh(self, vertices: np.ndarray, faces: np.ndarray, cull: int = 0) -> None:
        """Draw triangles, metres in the camera optical frame; what is nearer than `NEAR_M` is cut off.

        :param cull: 1 leaves out faces that are clockwise seen from the camera, -1 the others, 0 draws all
        """
        c, w = self.camera, self.window
        _draw_mesh(self.inverse_depth, w.x0, w.y0, vertices, faces, c.fx, c.fy, c.cx, c.cy, cull)

    def draw_plane(self, normal: np.ndarray, distance: float) -> None:
        """Draw the endless plane of points p with normal . p = distance."""
        c, w = self.camera, self.window
        _draw_plane(self.inverse_depth, w.x0, w.y0, normal / distance, c.fx, c.fy, c.cx, c.cy)

    def depth(self) -> np.ndarray:
        """(height, width) float32 metres, 0 where nothing is seen."""
        seen = self.inverse_depth > 0
        return np.where(seen, 1 / np.where(seen, self.inverse_depth, np.float32(1)), np.float32(0))


@njit(cache=True, nogil=True)
def _draw_mesh(buffer, x0, y0, vertices, faces, fx, fy, cx, cy, cull):
    height, width = buffer.shape
    count = len(vertices)
    px, py, inverse = np.empty(count), np.empty(count), np.empty(count)
    left, right, top, bottom, behind = np.inf, -np.inf, np.inf, -np.inf, 0
    for i in range(count):
        z = vertices[i, 2]
        if z > NEAR_M:
            inverse[i] = 1 / z
            px[i] = fx * vertices[i, 0] / z + cx
            py[i] = fy * vertices[i, 1] / z + cy
            left, right = min(left, px[i]), max(right, px[i])
            top, bottom = min(top, py[i]), max(bottom, py[i])
        else:
            inverse[i] = 0
            behind += 1
    if behind == 0 and (right < x0 or left > x0 + width - 1 or bottom < y0 or top > y0 + height - 1):
        return
    cut = np.empty((4, 3))  # what is before the near plane of a triangle that reaches through it, in the image
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ia, ib, ic = inverse[a], inverse[b], inverse[c]
        if ia > 0 and ib > 0 and ic > 0:
            _draw_triangle(buffer, x0, y0, px[a], py[a], ia, px[b], py[b], ib, px[c], py[c], ic, cull)
        elif ia > 0 or ib > 0 or ic > 0:
            corners = _cut(vertices, faces[f], fx, fy, cx, cy, cut)
            for k in range(1, corners - 1):
                p, q, r = cut[0], cut[k], cut[k + 1]
                _draw_triangle(buffer, x0, y0, p[0], p[1], p[2], q[0], q[1], q[2], r[0], r[1], r[2], cull)


@njit(cache=True, nogil=True)
def _cut(vertices, face, fx, fy, cx, cy, out):
    """The part of a triangle before the near plane (Sutherland & Hodgman 1974): how many corners, in `out` as u, v, 1/z."""
    corners = 0
    for k in range(3):
        this, following = vertices[face[k]], vertices[face[(k + 1) % 3]]
        if this[2] > NEAR_M:
            out[corners] = fx * this[0] / this[2] + cx, fy * this[1] / this[2] + cy, 1 / this[2]
            corners += 1
        if (this[2] > NEAR_M) != (following[2] > NEAR_M):
            share = (NEAR_M - this[2]) / (following[2] - this[2])
            x, y = this[0] + share * (following[0] - this[0]), this[1] + share * (following[1] - this[1])
            out[corners] = fx * x / NEAR_M + cx, fy * y / NEAR_M + cy, 1 / NEAR_M
            corners += 1
    return corners


@njit(cache=True, nogil=True, inline="always")
def _span(base, slope, origin, low, high):
    """The part of [low, high] where base + slope (x - origin) is not negative."""
    if slope > 0:
        low = max(low, origin - base / slope)
    elif slope < 0:
        high = min(high, origin - base / slope)
    return low, high


@njit(cache=True, nogil=True, inline="always")
def _draw_triangle(buffer, x0, y0, xa, ya, ia, xb, yb, ib, xc, yc, ic, cull):
    height, width = buffer.shape
    area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
    if area == 0 or area * cull > 0:
        return
    left = max(int(np.ceil(min(xa, xb, xc))), x0)
    right = min(int(np.floor(max(xa, xb, xc))), x0 + width - 1)
    top = max(int(np.ceil(min(ya, yb, yc))), y0)
    bottom = min(int(np.floor(max(ya, yb, yc))), y0 + height - 1)
    if left > right or top > bottom:
        return
    # Barycentric weights of b and c are linear in the pixel: w = w0 + wx * x + wy * y.
    bx, by = (yc - ya) / area, -(xc - xa) / area
    gx, gy = -(yb - ya) / area, (xb - xa) / area
    wide = right - left > 12
    for y in range(top, bottom + 1):
        row = buffer[y - y0]
        base_b, base_c = by * (y - ya), gy * (y - ya)
        first, last = left, right
        if wide:  # leave out most of the row that the triangle does not cover
            low, high = float(left), float(right)
            low, high = _span(base_b, bx, xa, low, high)
            low, high = _span(base_c, gx, xa, low, high)
            low, high = _span(1 - base_b - base_c, -bx - gx, xa, low, high)
            first, last = max(int(low) - 1, left), min(int(high) + 2, right)
        for x in range(first, last + 1):
            wb = base_b + bx * (x - xa)
            wc = base_c + gx * (x - xa)
            if wb >= 0 and wc >= 0 and wb + wc <= 1:
                value = np.float32(ia + wb * (ib - ia) + wc * (ic - ia))
                if value > row[x - x0]:
                    row[x - x0] = value


@njit(cache=True, nogil=True)
def _draw_plane(buffer, x0, y0, scaled_normal, fx, fy, cx, cy):
    height, width = buffer.shape
    for y in range(height):
        base = scaled_normal[2] + scaled_normal[1] * (y + y0 - cy) / fy
        for x in range(width):
            value = np.float32(base + scaled_normal[0] * (x + x0 - cx) / fx)
            if value > buffer[y, x] and value < 1 / NEAR_M:
                buffer[y, x] = value
