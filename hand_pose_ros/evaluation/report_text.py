"""The words of a report: what its rows are called, what the figures mean, how it looks."""

from __future__ import annotations

# Key of the figures, name, and whether more (1) or less (-1) is better; 0 where neither is.
ROWS = (
    ("recordings", "recordings", 0),
    ("recordings_failed", "recordings that could not be evaluated", 0),
    ("frames", "frames scored", 0),
    ("frames_without_known_truth", "frames without known truth (not scored)", 0),
    ("true_hands", "true hands", 0),
    ("mean_error_mm", "mean error [mm]", -1),
    ("median_error_mm", "median error [mm]", -1),
    ("p95_error_mm", "95th percentile of the error [mm]", -1),
    ("good_frame_auc_0_80mm", "AUC of good hands, 0 to 80 mm", 1),
    ("good_frame_auc_with_missed_hands", "the same, missed hands never good", 1),
    ("good_frames_20mm", "hands with every joint within 20 mm", 1),
    ("detection_rate", "detection rate", 1),
    ("false_hands_per_frame", "false hands a frame", -1),
    ("side_right_rate", "left and right told correctly", 1),
    ("id_switches", "id switches", -1),
    ("fragmentations", "fragmentations", -1),
    ("jitter_at_rest_mm", "jitter at rest [mm]", -1),
    ("lag_ms", "lag [ms]", 0),
)

# Of the settings whose keys do not say it, with their units.
SETTINGS = {
    "clock_offset_s": "clock offset of the ground truth [s]",
    "max_offset_s": "greatest clock offset looked at [s]",
    "tolerance_s": "tolerance of the nearest moment [s]",
    "max_gap_s": "largest gap in the ground truth [s]",
    "gate_m": "gate [m]",
    "rest_speed_m_s": "rest speed [m/s]",
}

DEFINITIONS = """
<h3>What the figures mean</h3>
<dl>
<dt>Pairs</dt><dd>In each frame, found and true hands are paired so that as many as can be are within the gate (the distance
between the means of the joints that both know), and the total distance is least. A true hand without a pair is missed, a found
one is false. Errors are of pairs alone; the second AUC counts missed hands as never good.</dd>
<dt>Known truth</dt><dd>At a frame's stamp, the ground truth is taken between its two neighbouring moments, if they are no further
apart than the largest gap and list the same hands; else the nearest moment within the tolerance. Other frames are counted, not
scored. A true hand none of whose joints is known is not scored, nor are found hands without a pair in its frame.</dd>
<dt>Error</dt><dd>Euclidean distance of a joint. Median and percentiles are exact to 0.1 mm.</dd>
<dt>Id switches, fragmentations</dt><dd>A true hand is paired with another id than when it was last paired, also where it left
the view in between; a true hand is paired again after frames in which it was missed.</dd>
<dt>Jitter at rest</dt><dd>Over three frames in a row in which the true joints move, on average, no faster than the rest speed:
root mean square over joints of |x[k] - (x[k-1] + x[k+1]) / 2| / sqrt(1.5). For independent trembling, the RMS distance of a joint
from where it rests. A dash: too little rest.</dd>
<dt>Lag</dt><dd>The shift of the ground truth in time that the middles of the found hands fit best, each hand's constant
difference taken out; positive: answers are late. A dash: too little motion, or the clock offset was estimated, which takes the
lag out.</dd>
</dl>
"""

STYLE = """
body { font: 15px/1.45 Helvetica, Arial, sans-serif; color: #222; max-width: 1240px; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { padding: .2em .8em; border-bottom: 1px solid #e4e4e4; text-align: right; vertical-align: top; }
th:first-child { text-align: left; font-weight: normal; } tr:first-child th { font-weight: bold; }
.words td { text-align: left; overflow-wrap: anywhere; } .words th:first-child { white-space: nowrap; }
.wide { overflow-x: auto; } .remark { background: #fff4d6; padding: .5em .8em; border-left: 4px solid #e69f00; }
.columns { display: flex; gap: 1em; flex-wrap: wrap; } .side { flex: 1 1 420px; min-width: 0; }
figure { margin: 0 0 1em; } img { max-width: 100%; height: auto; } figcaption { font-size: .85em; color: #555; }
svg { max-width: 100%; height: auto; } dt { font-weight: bold; } dd { margin: 0 0 .5em 1.5em; }
"""
