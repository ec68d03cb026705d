"""Parameters: values, settings, files."""

import argparse
import dataclasses
import math

import pytest
import yaml

from hand_pose_ros.inference.engine import BACKENDS, EngineSettings
from hand_pose_ros.live.parameter_arguments import add_parameter_arguments, parse_settings, read_parameters
from hand_pose_ros.live.parameter_file import default_yaml, read_values
from hand_pose_ros.live.parameters import LIVE_SMOOTHING, ParameterError, Parameters
from hand_pose_ros.perception.pipeline import PipelineSettings
from hand_pose_ros.share import ShareError, find


def set_(*settings: str) -> Parameters:
    return Parameters().with_values(parse_settings(list(settings)))


def test_settings_have_their_type():
    got = set_(
        "max_hands:=2", "max_depth_m:=2", "publish_tf:=false", "model:=~/m.onnx", 'frame_prefix:="left/"', "min_depth_m := 0.2"
    )
    assert (got.max_hands, got.max_depth_m, got.publish_tf, got.frame_prefix, got.min_depth_m) == (2, 2.0, False, "left/", 0.2)
    assert isinstance(got.max_depth_m, float)
    assert not got.model_path().as_posix().startswith("~")


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("[0, -1, 0.5, 1, 1.5, 2]", (0.0, -1.0, 0.5, 1.0, 1.5, 2.0)),
        ("[-.inf, -.inf, 1e-1, .inf, .inf, .inf]", (-math.inf, -math.inf, 0.1, math.inf, math.inf, math.inf)),
        ("[0, 0, 0, 0, 0, 0]", ()),
        ("[]", ()),
    ],
)
def test_lists_of_numbers(tmp_path, text, box):
    got = set_(f"workspace_box:={text}")
    assert got.box() == box and len(got.workspace_box) == 6 and {type(v) for v in got.workspace_box} == {float}
    path = tmp_path / "p.yaml"
    path.write_text(f"/**:\n  ros__parameters:\n    workspace_box: {text}\n")
    assert Parameters().with_values(read_values(path, "/hand_pose")) == got


@pytest.mark.parametrize("text", ["1e-1", "1E-1", ".1e0", "10e-2", "0.1", "+0.1"])
def test_numbers_as_ros_reads_them(tmp_path, text):
    assert set_(f"min_depth_m:={text}").min_depth_m == 0.1
    path = tmp_path / "p.yaml"
    path.write_text(f"/**:\n  ros__parameters:\n    min_depth_m: {text}\n    model: '1e-1'\n")
    assert read_values(path, "/hand_pose") == {"min_depth_m": 0.1, "model": "1e-1"}


def test_simulated_time_is_every_nodes_and_nothing_to_this_one():
    assert set_("use_sim_time:=true") == Parameters()


def test_a_command_line_has_files_and_settings_over_them(tmp_path):
    for name, hands in (("a", 2), ("b", 3)):
        (tmp_path / name).write_text(f"/**:\n  ros__parameters:\n    max_hands: {hands}\n    lost_frames: {hands}\n")
    parser = argparse.ArgumentParser()
    add_parameter_arguments(parser)
    files = ["--params-file", str(tmp_path / "a"), "--params-file", str(tmp_path / "b")]
    got = read_parameters(parser.parse_args([*files, "-p", "max_hands:=4", "--set", "max_hands:=5"]), "/hand_pose")
    assert (got.max_hands, got.lost_frames) == (5, 3)
    assert read_parameters(parser.parse_args([]), "/hand_pose") == Parameters()


def test_text_stays_text():
    assert set_("frame_prefix:=1").frame_prefix == "1"
    assert set_("frame_prefix:=on").frame_prefix == "on"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("max_hand:=2", "unknown parameter 'max_hand': did you mean max_hands"),
        ("zzz:=2", "unknown parameter 'zzz': known are model, detector, backend"),
        ("max_hands:=two", "max_hands is 'two', but it is a whole number: Most hands at once"),
        ("max_hands:=1.5", "max_hands is 1.5, but it is a whole number"),
        ("max_hands:=true", "max_hands is True, but it is a whole number"),
        ("max_hands:=0", "max_hands is 0, but it is from 1 to 8"),
        ("publish_tf:=1", "publish_tf is 1, but it is true or false"),
        ("max_depth_m:=.nan", "max_depth_m is nan, which is no number"),
        ("backend:=cuda", "backend is 'cuda', but it is one of auto, onnxruntime"),
        ("min_depth_m:=1.6", "min_depth_m is 1.6 and max_depth_m 1.5: the first must be less"),
        ("keep_confidence:=0.9", "keep_confidence is 0.9 and min_confidence 0.5: the first must be less"),
        ("frame_prefix:=/left/", "frame_prefix is '/left/', but names of TF frames do not begin with a slash"),
        ("target_frame:=/base", "target_frame is '/base', but names of TF frames do not begin with a slash"),
        ("workspace_box:=1.0", "workspace_box is 1.0, but it is a list of 6 numbers: Where hands count"),
        ("workspace_box:=[0, 0, 0, 1, 1]", "workspace_box is [0, 0, 0, 1, 1], but it is a list of 6 numbers"),
        ("workspace_box:=[0, 0, 0, 1, 1, true]", "but it is a list of 6 numbers"),
        ("workspace_box:=[0, 0, 0, 1, 1, .nan]", "with something that is no number"),
        ("workspace_box:=[0, 1, 0, 1, 1, 1]", "workspace_box goes from y 1.0 to 1.0: y_min"),
        ("max_hands=2", "'max_hands=2' is no setting: write name:=value"),
        ("max_hands:=[", "is no value that YAML reads"),
    ],
)
def test_bad_settings_say_why(setting, text):
    with pytest.raises(ParameterError) as error:
        set_(setting)
    assert text in str(error.value)


def test_pipeline_gets_the_values():
    assert Parameters(smoothing=0.0).pipeline_settings() == PipelineSettings()
    got = set_("max_hands:=2", "min_confidence:=0.6", "cube_m:=0.3", "lost_frames:=9").pipeline_settings()
    assert (got.max_hands, got.min_confidence, got.cube_m, got.lost_frames) == (2, 0.6, 0.3, 9)


def test_engines_get_the_values():
    assert Parameters().engine_settings() == EngineSettings(serve_while_building=True)
    got = set_("device:=1", "precision:=fp16", "engine_cache:=/var/plans", "serve_while_building:=false").engine_settings()
    assert got == EngineSettings(device=1, precision="fp16", cache="/var/plans", serve_while_building=False)
    for backend in BACKENDS:
        assert set_(f"backend:={backend}").backend == backend


def test_every_field_is_described():
    for field in dataclasses.fields(Parameters):
        assert field.metadata["description"].endswith(".")
        assert isinstance(field.metadata["read_only"], bool)
        if field.type in ("int", "float"):
            assert field.metadata["minimum"] <= field.default <= field.metadata["maximum"]


def test_smoothing_is_on_live_and_off_where_it_is_not_asked_for_otherwise(tmp_path):
    parser = argparse.ArgumentParser()
    add_parameter_arguments(parser)
    nothing, asked = (parser.parse_args(arguments) for arguments in ([], ["--set", "smoothing:=0.7"]))
    assert read_parameters(nothing, "/hand_pose").smoothing == LIVE_SMOOTHING > 0
    assert read_parameters(nothing, "/hand_pose", live=False) == Parameters(smoothing=0.0)
    assert read_parameters(asked, "/hand_pose", live=False).smoothing == 0.7
    assert Parameters(smoothing=0.7).pipeline_settings().smoothing == 0.7


def test_config_file_is_the_defaults():
    path = find("config/hand_pose.yaml")
    text = "make it with: python -c 'from hand_pose_ros.live.parameter_file import default_yaml as d; print(d(), end=\"\")'"
    assert path.read_text() == default_yaml(), text
    assert Parameters().with_values(read_values(path, "/hand_pose")) == Parameters()


def test_default_model_is_the_one_of_the_package():
    assert Parameters(model="a.onnx").model_path().name == "a.onnx"
    assert Parameters().model_path().name == "hand21_fast.onnx"
    assert Parameters(model="hand21_fast_fp16").model_path() == find("models/hand21_fast_fp16.onnx")
    assert Parameters(detector="hand_detector").detector_path() == find("models/hand_detector.onnx")
    with pytest.raises(ShareError, match=r"model 'hand21_fats' is no file and none of the package's .*hand21_fast, "):
        Parameters(model="hand21_fats").model_path()


FILE = {
    "/**": {"ros__parameters": {"max_hands": 2, "use_sim_time": True}},
    "robot1": {"hand_pose": {"ros__parameters": {"max_hands": 3, "min_depth_m": 0.3}}},
    "/*/other": {"ros__parameters": {"max_hands": 4}},
}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("/hand_pose", {"max_hands": 2}),
        ("/robot1/hand_pose", {"max_hands": 3, "min_depth_m": 0.3}),
        ("/a/other", {"max_hands": 4}),
        ("/a/b/other", {"max_hands": 2}),
    ],
)
def test_which_entries_of_a_file_hold(tmp_path, node, expected):
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(FILE, sort_keys=False))
    assert read_values(path, node) == expected


def test_groups_are_joined_with_dots(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("/**:\n  ros__parameters:\n    filter: {strength: 1.0}\n")
    assert read_values(path, "/hand_pose") == {"filter.strength": 1.0}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("other:\n  ros__parameters:\n    a: 1\n", "has nothing for /hand_pose (it names /other): begin the entry with /**"),
        ("max_hands: 2\n", "is no ROS 2 parameter file"),
        ("[1, 2]\n", "is no ROS 2 parameter file"),
        ("a: [\n", "is no YAML"),
        ("/**:\n  ros__parameters: 3\n", "ros__parameters of /** is 3"),
    ],
)
def test_bad_files_say_why(tmp_path, text, error):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError) as raised:
        read_values(path, "/hand_pose")
    assert error in str(raised.value) and str(path) in str(raised.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match="none.yaml cannot be read"):
        read_values(tmp_path / "none.yaml", "/hand_pose")
