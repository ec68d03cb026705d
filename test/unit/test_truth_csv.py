import re

import numpy as np
import pytest

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.truth_csv import csv_frames

HEADER = "stamp_ns,hand,side,wrist_x,wrist_y,wrist_z,index_tip_x,index_tip_y,index_tip_z"


def frames(tmp_path, *lines, header=HEADER):
    path = tmp_path / "truth.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return list(csv_frames(path, "camera"))


def test_lines_of_one_time_are_one_moment(tmp_path):
    found = frames(
        tmp_path,
        "1700000000123456789,1,right,0.1,0.2,0.5,,,",
        "1700000000123456789,2,Left,-0.1,0.2,0.5,0,0,0.4",
        "1700000000200000000,,,,,,,,",
        "",
        "1700000000300000000,1,,0.1,0.2,0.5,0,0,0.4",
    )
    assert [f.stamp_ns for f in found] == [1700000000123456789, 1700000000200000000, 1700000000300000000]
    assert [[(h.id, h.side) for h in f.hands] for f in found] == [[(1, 2), (2, 1)], [], [(1, 0)]]
    assert all(f.frame_id == "camera" for f in found)
    right = found[0].hands[0]
    assert right.names == ("wrist", "index_tip")
    assert right.joints[0] == pytest.approx([0.1, 0.2, 0.5]) and np.isnan(right.joints[1]).all()


def test_seconds_keep_their_nanoseconds_and_columns_any_order(tmp_path):
    found = frames(tmp_path, "0.5,7,0.2,1700000000.123456789,0.1", header="wrist_z,hand,wrist_y,stamp_s,wrist_x")
    assert found[0].stamp_ns == 1700000000123456789
    assert found[0].hands[0].joints == pytest.approx(np.array([[0.1, 0.2, 0.5]]))


GOOD = "1000,1,,0,0,0.5,0,0,0.4"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["1000,1,,0,0,0.5,0,0"], "line 2: 8 cells, but the first line names 9 columns"),
        ([GOOD, "900,1,,0,0,0.5,0,0,0.4"], "line 3: its time is 0.0001 ms before that of the line above: sort"),
        ([GOOD, GOOD], "line 3: hand 1 is there twice"),
        (["soon,1,,0,0,0.5,0,0,0.4"], "line 2: time 'soon' is no number"),
        (["1000,thumb,,0,0,0.5,0,0,0.4"], "line 2: hand 'thumb' is no whole number"),
        (["1000,1,up,0,0,0.5,0,0,0.4"], "line 2: side 'up' is neither left nor right nor empty"),
        (["1000,1,,0,0,0.5,0,,0.4"], "line 2: joint index_tip is 0, , 0.4: three numbers in metres, or all empty"),
        (["1000,1,,0,0,nan,0,0,0.4"], "line 2: joint wrist is 0, 0, nan: three numbers in metres"),
        (["1000,1,,12,-33,512,0,0,0.4"], "line 2: joint wrist is at 12, -33, 512 m: write metres, not millimetres"),
        ([], "has no line below the names of its columns"),
    ],
)
def test_a_bad_line_is_named(tmp_path, lines, said):
    with pytest.raises(EvaluationError, match=re.escape(said)) as caught:
        frames(tmp_path, *lines)
    assert "truth.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("hand,wrist_x,wrist_y,wrist_z", "line 1: columns stamp_ns (or stamp_s) and hand are needed; it has hand, wrist_x"),
        ("stamp_ns,stamp_s,hand,wrist_x,wrist_y,wrist_z", "line 1: columns stamp_ns (or stamp_s)"),
        ("stamp_ns,hand,wrist_x,wrist_y", "unknown or missing: wrist_z"),
        ("stamp_ns,hand,wrist_x,wrist_y,wrist_z,quality", "unknown or missing: quality"),
        ("stamp_ns,hand", "unknown or missing: all of them"),
        ("stamp_ns,hand,wrist_x,wrist_x,wrist_y,wrist_z", "line 1: column 'wrist_x' is there twice"),
    ],
)
def test_bad_columns_are_named(tmp_path, header, said):
    with pytest.raises(EvaluationError, match=re.escape(said)):
        frames(tmp_path, header=header)


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "truth.csv").write_bytes(b"")
    with pytest.raises(EvaluationError, match="is empty: its first line has the names"):
        list(csv_frames(tmp_path / "truth.csv", ""))
    (tmp_path / "truth.csv").write_bytes(b"\xff\xfe\x00\x01,\x80")
    with pytest.raises(EvaluationError, match="truth.csv cannot be read"):
        list(csv_frames(tmp_path / "truth.csv", ""))
