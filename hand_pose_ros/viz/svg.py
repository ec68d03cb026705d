"""Line and bar plots as SVG text, for reports of one file: no plotting library, no script, no font to fetch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

# Distinct to colour-blind readers, too (Okabe and Ito), each with a dash pattern of its own.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("", "7 3", "2 3", "8 3 2 3", "12 4", "4 2", "1 2")
Numbers = Sequence["float | None"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 34, 44
_LEGEND_ROW = 17


def line_plot(
    series: Mapping[str, tuple[Numbers, Numbers]],
    *,
    title: str,
    x: str,
    y: str,
    y_limits: tuple[float, float] | None = None,
    width: int = 640,
    height: int = 320,
) -> str:
    """Lines through points; None in a series' values breaks its line.

    :param series: name in the legend -> (x values, y values)
    :param y_limits: of the axis; default from 0 to the greatest value
    """
    known = [(a, b) for xs, ys in series.values() for a, b in zip(xs, ys) if a is not None and b is not None]
    low_x, high_x = _span([a for a, _ in known])
    low_y, high_y = y_limits or (0.0, _headroom([b for _, b in known]))
    frame = _Frame(title, x, y, width, height, len(series), (low_x, high_x), (low_y, high_y))
    parts = [frame.axes(ticks(low_x, high_x), ticks(low_y, high_y))]
    for i, (xs, ys) in enumerate(series.values()):
        for piece in _pieces(xs, ys):
            points = " ".join(f"{frame.across(a):.1f},{frame.up(min(max(b, low_y), high_y)):.1f}" for a, b in piece)
            style = f'fill="none" stroke="{_color(i)}" stroke-width="1.8" stroke-dasharray="{DASHES[i % len(DASHES)]}"'
            if len(piece) == 1:
                a, b = piece[0]
                parts.append(f'<circle cx="{frame.across(a):.1f}" cy="{frame.up(b):.1f}" r="2" fill="{_color(i)}"/>')
            else:
                parts.append(f'<polyline points="{points}" {style}/>')
    return frame.whole([*parts, frame.legend(list(series), DASHES)])


def bar_plot(
    names: Sequence[str], series: Mapping[str, Numbers], *, title: str, y: str, width: int = 900, height: int = 340
) -> str:
    """Groups of bars side by side, a bar of each series in each group; None leaves its place empty.

    :param names: of the groups
    :param series: name in the legend -> value of each group
    """
    high = _headroom([v for values in series.values() for v in values if v is not None])
    bottom = 24 + 6 * max((len(name) for name in names), default=0)
    frame = _Frame(title, "", y, width, height, len(series), (0.0, float(len(names) or 1)), (0.0, high), bottom=bottom)
    parts = [frame.axes([], ticks(0.0, high))]
    thick = 0.8 / max(1, len(series))
    for group, name in enumerate(names):
        for i, values in enumerate(series.values()):
            value = values[group]
            if value is None:
                continue
            left, right = (frame.across(group + 0.1 + thick * edge) for edge in (i, i + 1))
            top = frame.up(value)
            size = f'width="{right - left:.1f}" height="{frame.up(0.0) - top:.1f}"'
            parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{_color(i)}"><title>{value:g}</title></rect>')
        at = f"{frame.across(group + 0.5):.1f} {frame.up(0.0) + 12:.1f}"
        parts.append(f'<text transform="translate({at}) rotate(-55)" text-anchor="end" font-size="11">{escape(name)}</text>')
    return frame.whole([*parts, frame.legend(list(series), ("",))])


class _Frame:
    """A plot's rectangle and its scales."""

    def __init__(
        self,
        title: str,
        x: str,
        y: str,
        width: int,
        height: int,
        series: int,
        x_span: tuple[float, float],
        y_span: tuple[float, float],
        bottom: int = _BOTTOM,
    ) -> None:
        self._title, self._x, self._y = title, x, y
        self._legend_height = _LEGEND_ROW * series if series > 1 else 0
        self._width, self._plot_height = width, height
        self._height = height + self._legend_height
        self._x_span, self._y_span, self._bottom = x_span, y_span, bottom

    def across(self, value: float) -> float:
        low, high = self._x_span
        return _LEFT + (value - low) / ((high - low) or 1.0) * (self._width - _LEFT - _RIGHT)

    def up(self, value: float) -> float:
        low, high = self._y_span
        return (
            self._plot_height - self._bottom - (value - low) / ((high - low) or 1.0) * (self._plot_height - _TOP - self._bottom)
        )

    def axes(self, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> str:
        left, right, top, bottom = _LEFT, self._width - _RIGHT, _TOP, self._plot_height - self._bottom
        parts = []
        for value in y_ticks:
            at = self.up(value)
            parts.append(f'<line x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>')
            parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end" font-size="11">{value:g}</text>')
        for value in x_ticks:
            at = self.across(value)
            parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}" stroke="#eeeeee"/>')
            parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle" font-size="11">{value:g}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="none" stroke="#888888"/>')
        parts.append(f'<text x="{left}" y="20" font-size="13" font-weight="bold">{escape(self._title)}</text>')
        middle = (left + right) / 2
        parts.append(f'<text x="{middle:.0f}" y="{bottom + 34}" text-anchor="middle" font-size="12">{escape(self._x)}</text>')
        turned = f'transform="translate(15 {(top + bottom) / 2:.0f}) rotate(-90)"'
        parts.append(f'<text {turned} text-anchor="middle" font-size="12">{escape(self._y)}</text>')
        return "".join(parts)

    def legend(self, names: Sequence[str], dashes: Sequence[str]) -> str:
        """Below the plot, a row each; none for one series."""
        parts = []
        for i, name in enumerate(names if len(names) > 1 else ()):
            at = self._plot_height + _LEGEND_ROW * i + 4
            dash = dashes[i % len(dashes)]
            parts.append(
                f'<line x1="{_LEFT}" x2="{_LEFT + 28}" y1="{at}" y2="{at}" stroke="{_color(i)}" stroke-width="4" '
                f'stroke-dasharray="{dash}"/><text x="{_LEFT + 36}" y="{at + 4}" font-size="12">{escape(name)}</text>'
            )
        return "".join(parts)

    def whole(self, parts: Sequence[str]) -> str:
        size = f'width="{self._width}" height="{self._height}" viewBox="0 0 {self._width} {self._height}"'
        font = 'font-family="Helvetica, Arial, sans-serif" fill="#222222"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {font}>{"".join(parts)}</svg>'


def ticks(low: float, high: float, most: int = 8) -> list[float]:
    """At most so many round numbers from low to high."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _color(i: int) -> str:
    return COLORS[i % len(COLORS)]


def _span(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (0.0, 1.0)


def _headroom(values: Sequence[float]) -> float:
    """A little above the greatest value."""
    return 1.05 * max(values) if values and max(values) > 0 else 1.0


def _pieces(xs: Numbers, ys: Numbers) -> list[list[tuple[float, float]]]:
    """The points, parted where a value is None."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for a, b in zip(xs, ys):
        if a is None or b is None:
            pieces.append([])
        else:
            pieces[-1].append((float(a), float(b)))
    return [piece for piece in pieces if piece]
