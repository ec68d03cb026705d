"""What the sensor models share: the kinds of camera, look-ups in a rendered window, smooth noise, and the projector's shadow."""

from __future__ import annotations

from enum import IntEnum

from numba import njit

FIELD_SIZE = 32  # nodes an edge of a periodic field, a power of two
_FIELD_MASK = FIELD_SIZE - 1


class SensorKind(IntEnum):
    """How a depth camera measures."""

    STRUCTURED_LIGHT = 0  # coded light (SR300, SR305) and projected dots (Kinect, PrimeSense, Astra)
    STEREO = 1  # with projected texture (D4xx)
    TIME_OF_FLIGHT = 2  # Azure Kinect, Kinect v2, L515


@njit(cache=True, nogil=True, fastmath=True)
def field_value(field, x, y):
    """A periodic field (FIELD_SIZE, FIELD_SIZE) between its nodes, bilinear; x and y are not negative."""
    i, j = int(x), int(y)
    a, b = x - i, y - j
    i, j = i & _FIELD_MASK, j & _FIELD_MASK
    i1, j1 = (i + 1) & _FIELD_MASK, (j + 1) & _FIELD_MASK
    return (1 - b) * ((1 - a) * field[j, i] + a * field[j, i1]) + b * ((1 - a) * field[j1, i] + a * field[j1, i1])


@njit(cache=True, nogil=True, fastmath=True)
def look(image, x, y):
    """Inverse depth at the window's pixel nearest to (x, y); beyond the window that of its border."""
    i, j = int(max(x + 0.5, 0.0)), int(max(y + 0.5, 0.0))
    return image[min(j, image.shape[0] - 1), min(i, image.shape[1] - 1)]


@njit(cache=True, nogil=True, fastmath=True)
def rise(before, after, jump):
    """Difference in depth between two pixels of a surface, 0 across an edge."""
    if before == 0 or after == 0:
        return 0.0
    difference = 1 / after - 1 / before
    return difference if abs(difference) < 2 * jump else 0.0


@njit(cache=True, nogil=True, fastmath=True)
def mark_hidden(row, focal_baseline, side, hidden):
    """Which pixels of a window's row (W,) of inverse depth the projector, or the second camera, cannot see; into hidden (W,).

    A pixel is hidden where some nearer surface, k pixels towards that device, has at least k pixels more disparity: so what lies
    between a thin thing and its shadow is lost, too, as to a matcher that takes pixels in the same order in both views.

    :param focal_baseline: px m
    :param side: 1: the device is on the right of the camera, -1: on the left
    """
    width = len(row)
    highest = -1e9  # fast arithmetic knows no infinity
    for k in range(width):
        x = width - 1 - k if side > 0 else k
        disparity = focal_baseline * row[x]
        hidden[x] = row[x] > 0 and highest >= disparity + k
        if row[x] > 0:
            highest = max(highest, disparity + k)
