"""The files of config/ fit the node."""

import pytest
import yaml

from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, GRASP_POSE, HAND_MARKERS, OVERLAY, PALM_POSES
from hand_pose_ros.share import find


@pytest.mark.parametrize("name", ["azure_kinect", "orbbec", "realsense"])
def test_camera_presets_name_both_topics_a_frame_and_known_parameters(name):
    camera = yaml.safe_load(find(f"config/cameras/{name}.yaml").read_text())
    assert set(camera) == {"topics", "frame", "parameters"} and camera["frame"]
    assert list(camera["topics"]) == [DEPTH_IMAGE.name, CAMERA_INFO.name]
    assert all(topic.startswith("/") for topic in camera["topics"].values())
    Parameters().with_values(camera["parameters"])


def test_rviz_shows_the_nodes_topics():
    displays = yaml.safe_load(find("config/hand_pose.rviz").read_text())["Visualization Manager"]["Displays"]
    topics = {d["Name"]: next((d[key]["Value"] for key in ("Topic", "Description Topic") if key in d), None) for d in displays}
    topics["Depth"] = displays[0]["Depth Map Topic"]
    expected = {
        "Depth": DEPTH_IMAGE.name,
        "Hands": HAND_MARKERS.name,
        "TF": None,
        "Palms": PALM_POSES.name,
        "Grasp": GRASP_POSE.name,
        "Right hand": "right_hand_description",  # of hand_display.launch.py
        "Left hand": "left_hand_description",
        "Overlay": OVERLAY.name,
        "Depth image": DEPTH_IMAGE.name,
    }
    assert topics == {name: topic and f"/{topic}" for name, topic in expected.items()}
    # The overlay is drawn only while someone listens, so RViz must not do so unasked.
    assert {d["Name"] for d in displays if not d["Enabled"]} == {"Palms", "Grasp", "Right hand", "Left hand", "Overlay"}
