"""Published predictions, where they are: they are not part of the repository."""

from pathlib import Path

import pytest

from hand_pose_training.score.measure import score

FOLDER = Path(__file__).parents[3] / "shared/published"
# Mean error in mm, and good frames by the worst joint within 10, 20, 30 and 40 mm in percent.
PUBLISHED = {
    "nyu/awr_hourglass1": (7.700, (34.1, 76.9, 86.5, 91.0)),
    "nyu/awr_resnet18": (7.754, (33.9, 77.2, 87.2, 91.3)),
    "nyu/a2j": (8.610, (24.0, 70.6, 85.2, 90.9)),
    "nyu/densereg": (10.214, (11.2, 56.4, 78.6, 85.8)),
    "nyu/v2v_posenet": (8.419, (30.5, 71.2, 83.1, 88.1)),
    "icvl/densereg": (7.239, (26.9, 79.6, 92.4, 97.1)),
    "icvl/a2j": (6.461, (46.2, 83.1, 93.3, 96.2)),
    "icvl/v2v_posenet": (6.284, None),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_predictions_give_their_published_figures(name):
    if not FOLDER.is_dir():
        pytest.skip(f"no published predictions in {FOLDER}")
    dataset = name.split("/")[0]
    mean, good = PUBLISHED[name]
    figures = score(FOLDER / f"{name}.txt", FOLDER / dataset / "groundtruth.txt", dataset)
    assert figures["complete"]
    assert figures["mean_error_mm"] == mean
    if good:
        assert [round(100 * share, 1) for share in figures["good_frames_by_worst_joint"].values()] == list(good)
