import re
import xml.etree.ElementTree as ET

import pytest

from hand_pose_ros.viz.svg import bar_plot, line_plot, ticks

NS = "{http://www.w3.org/2000/svg}"


def points(element):
    return [tuple(map(float, p.split(","))) for p in element.get("points").split()]


def test_lines_go_through_their_points_and_break_where_none_is():
    svg = ET.fromstring(
        line_plot({"a & b": ([0, 1, 2, 3, 4], [0, 10, None, 10, 0])}, title="<t>", x="x", y="y", y_limits=(0, 10))
    )
    first, second = (points(e) for e in svg.iter(f"{NS}polyline"))
    frame = next(e for e in svg.iter(f"{NS}rect"))
    left, top = float(frame.get("x")), float(frame.get("y"))
    right, bottom = left + float(frame.get("width")), top + float(frame.get("height"))
    assert first == [(left, bottom), (pytest.approx(left + (right - left) / 4, abs=0.1), top)]
    assert second[-1] == (right, bottom)
    texts = [e.text for e in svg.iter(f"{NS}text")]
    assert "<t>" in texts and "a & b" not in texts  # one line needs no legend


def test_a_lone_point_is_a_dot_and_two_lines_have_a_legend():
    svg = ET.fromstring(line_plot({"a": ([0, 1], [1, 2]), "b": ([0], [1])}, title="", x="", y=""))
    assert len(list(svg.iter(f"{NS}circle"))) == 1
    assert {"a", "b"} <= {e.text for e in svg.iter(f"{NS}text")}


def test_bars_are_as_high_as_their_values():
    svg = ET.fromstring(bar_plot(["one", "two"], {"a": [2.0, 4.0], "b": [None, 1.0]}, title="", y=""))
    bars = [e for e in svg.iter(f"{NS}rect") if e.find(f"{NS}title") is not None]
    heights = [float(e.get("height")) for e in bars]
    assert [e.find(f"{NS}title").text for e in bars] == ["2", "4", "1"]
    assert heights == pytest.approx([heights[1] / 2, heights[1], heights[1] / 4], abs=0.15)


def test_plots_of_nothing_are_empty_axes():
    for svg in (line_plot({}, title="", x="", y=""), bar_plot([], {}, title="", y="")):
        assert not re.search("nan|inf", svg) and ET.fromstring(svg) is not None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 80, [0, 10, 20, 30, 40, 50, 60, 70, 80]), (0.5, 1.1, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]), (3, 3, [3])],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)
