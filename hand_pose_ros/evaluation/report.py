"""report.html: one file with every figure, plot and picture in it, for one evaluation or several side by side."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from hand_pose_ros.evaluation import report_plots
from hand_pose_ros.evaluation.report_text import DEFINITIONS, ROWS, SETTINGS, STYLE

# Pictures of each run in the report; all lie in the folders.
MOST_PICTURES = 8
PICTURE_WIDTH = 900
JPEG_QUALITY = 82


class Column(NamedTuple):
    """One run in the report.

    :param figures: of the run, as in figures.json
    :param folder: that its pictures' paths begin at
    """

    name: str
    figures: Mapping[str, Any]
    folder: Path


def report(
    title: str, columns: Sequence[Column], settings: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], remarks: Sequence[str]
) -> str:
    """The page.

    :param settings: how it was made
    :param pairs: of `paired.compare_frames`, with the names of the runs as "first" and "second"
    :param remarks: to be read first
    """
    sections = [
        f"<h1>{escape(title)}</h1>",
        "".join(f'<p class="remark">{escape(remark)}</p>' for remark in remarks),
        "<h2>Figures</h2>" + _overall(columns),
        *([f"<h2>On the same hands</h2>{''.join(map(_pair, pairs))}"] if pairs else []),
        "<h2>Errors</h2>" + report_plots.good_frames(columns) + report_plots.joints(columns),
        "<h2>Latency</h2>" + _latency(columns, settings),
        "<h2>Recordings</h2>" + _recordings(columns) + report_plots.over_time(columns),
        "<h2>Worst frames</h2>" + _pictures(columns),
        "<h2>How this was measured</h2>" + _settings(columns, settings) + DEFINITIONS,
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(sections)}</body></html>\n'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table of texts that are HTML already; the first column is the rows' names."""
    lines = ["".join(f"<th>{cell}</th>" for cell in header)]
    lines += ["".join([f"<th>{row[0]}</th>", *(f"<td>{cell}</td>" for cell in row[1:])]) for row in rows]
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


def number(value: Any) -> str:
    """A figure as it is shown; a dash where there is none."""
    if value is None:
        return "&ndash;"
    return f"{value:g}" if isinstance(value, float) else escape(str(value))


def _overall(columns: Sequence[Column]) -> str:
    rows = []
    for key, name, better in ROWS:
        values = [column.figures["overall"].get(key) for column in columns]
        known = [value for value in values if value is not None]
        best = (min(known) if better < 0 else max(known)) if better and len(set(known)) > 1 else None
        if key == "lag_ms" and len(set(map(abs, known))) > 1:
            best = min(known, key=abs)
        cells = [f"<b>{number(v)}</b>" if best is not None and v == best else number(v) for v in values]
        rows.append([escape(name), *cells])
    return table(["", *(escape(column.name) for column in columns)], rows)


def _pair(pair: Mapping[str, Any]) -> str:
    first, second = escape(pair["first"]), escape(pair["second"])
    rows = [
        ["mean error [mm] where both found the hand", number(pair["first_mean_error_mm"]), number(pair["second_mean_error_mm"])],
        ["nearer on so many of them", number(pair["first_nearer"]), number(pair["second_nearer"])],
        ["found alone", number(pair["found_by_first_alone"]), number(pair["found_by_second_alone"])],
    ]
    text = f"<p>{pair['found_by_both']} hands found by both, {pair['found_by_neither']} by neither.</p>"
    differences = [
        [f"{escape(d['recording'])}, {d['stamp_ns']}", number(d["first_mm"]), number(d["second_mm"])]
        for d in pair["largest_differences"]
    ]
    details = "<details><summary>Where they differ most: mean error in mm</summary>"
    return table(["", first, second], rows) + text + details + table(["", first, second], differences) + "</details>"


def _latency(columns: Sequence[Column], settings: Mapping[str, Any]) -> str:
    stages = list(dict.fromkeys(stage for column in columns for stage in column.figures["overall"]["latency_ms"]))
    rows = [
        [escape(stage), *(_ranks(column.figures["overall"]["latency_ms"].get(stage)) for column in columns)] for stage in stages
    ]
    notes = [
        f"<p>{escape(column.name)}: {escape(column.figures['overall']['latency'] or 'not known')}.</p>" for column in columns
    ]
    if rows:
        at_a_time = escape(str(settings.get("side_by_side", "")))
        notes.append(f"<p>Recordings side by side slow each other down; here: {at_a_time}. --workers 1 leaves them alone.</p>")
        rows.insert(0, ["percentiles", *(["50 / 90 / 99"] * len(columns))])
    return (table(["milliseconds", *(escape(column.name) for column in columns)], rows) if rows else "") + "".join(notes)


def _ranks(ranks: Mapping[str, Any] | None) -> str:
    return "" if ranks is None else " / ".join(map(number, ranks.values()))


def _recordings(columns: Sequence[Column]) -> str:
    keys = ("frames", "frames_without_known_truth", "detection_rate", "false_hands", "mean_error_mm", "id_switches", "lag_ms")
    heads = [
        "",
        "frames",
        "without known truth",
        "detection rate",
        "false hands",
        "mean error [mm]",
        "id switches",
        "lag [ms]",
        "",
    ]
    rows = []
    for column in columns:
        for label, figures in column.figures["recordings"].items():
            said = [figures.get("error", ""), *figures["notes"]]
            if not figures["complete"] and not figures.get("error"):
                said.append("not read to its end: the evaluation was interrupted")
            text = "<br>".join(escape(line) for line in said if line)
            rows.append([f"{escape(column.name)}: {escape(label)}", *(number(figures.get(key)) for key in keys), text])
    return table(heads, rows)


def _pictures(columns: Sequence[Column]) -> str:
    parts = ["<p>Crosses: ground truth. Lines: the hands that were found.</p>"]
    for column in columns:
        taken = worst_pictures(column)
        shown = "".join(
            _figure(
                column.folder / p["picture"],
                f"{p['recording']} at {p['seconds']:.2f} s (stamp {p['stamp_ns']}): {p['kind']}, {p['text']}",
            )
            for p in taken
        )
        parts.append(f'<div class="side"><h3>{escape(column.name)}</h3>{shown or "<p>No pictures.</p>"}</div>')
    return parts[0] + f'<div class="columns">{"".join(parts[1:])}</div>'


def worst_pictures(column: Column) -> list[dict[str, Any]]:
    """Pictures of a run, the worst of each kind in turn, MOST_PICTURES at most."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for label, figures in column.figures["recordings"].items():
        for picture in figures.get("pictures", ()):
            by_kind.setdefault(picture["kind"], []).append({**picture, "recording": label})
    queues = [sorted(pictures, key=lambda p: -p["badness"]) for pictures in by_kind.values()]
    taken: list[dict[str, Any]] = []
    while any(queues) and len(taken) < MOST_PICTURES:
        taken += [queue.pop(0) for queue in queues if queue]
    return sorted(taken[:MOST_PICTURES], key=lambda p: list(by_kind).index(p["kind"]))


def _figure(path: Path, caption: str) -> str:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.is_file() else None
    if picture is None:
        return f"<p>{escape(caption)}: its picture {escape(str(path))} is gone.</p>"
    height, width = picture.shape[:2]
    if width > PICTURE_WIDTH:
        picture = cv2.resize(picture, (PICTURE_WIDTH, round(height * PICTURE_WIDTH / width)), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    data = base64.b64encode(encoded.tobytes()).decode()
    return f'<figure><img alt="" src="data:image/jpeg;base64,{data}"><figcaption>{escape(caption)}</figcaption></figure>'


def _settings(columns: Sequence[Column], settings: Mapping[str, Any]) -> str:
    rows = [
        [escape(SETTINGS.get(key, key.replace("_", " "))), escape(str(value))]
        for key, value in settings.items()
        if value not in ("", {}, [], None)
    ]
    for column in columns:
        overall = column.figures["overall"]
        joints = dict.fromkeys(joint for one in column.figures["recordings"].values() for joint in one.get("joints", ()))
        rows.append([f"{escape(column.name)}: hands", escape(overall["hands"])])
        rows.append([f"{escape(column.name)}: centre source", escape(overall["centre_source"])])
        rows.append([f"{escape(column.name)}: joints scored", escape(f"{len(joints)}: {', '.join(joints)}")])
        for label, figures in column.figures["recordings"].items():
            if figures.get("clock_offset_correlation") is not None:
                text = f"{figures['clock_offset_s']} s, correlation {figures['clock_offset_correlation']}"
                rows.append([f"{escape(column.name)}, {escape(label)}: estimated clock offset", text])
    return f'<div class="words">{table(["", ""], rows)}</div>'
