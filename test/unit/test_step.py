"""The step that live node and replay share, with a real network."""

import numpy as np
import pytest
from small_bags import compressed_message, image_message, info_message, stamp
from tiny_model import write_tiny_model

from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.topics import HANDS
from hand_pose_ros.messages.depth_input import compressed_depth_image
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

STAGES = ["decode", "localize", "crop", "network", "track", "build"]


@pytest.fixture(scope="module")
def library():
    return RosbagsLibrary("jazzy")


@pytest.fixture
def step(library, tmp_path):
    return FrameStep(load_engine(write_tiny_model(tmp_path / "tiny.onnx")), library, Parameters())


def test_a_frame_gives_depth_hands_messages_and_times(step, library):
    depth, result, messages = step.run(image_message(library, 0), info_message(library, 0))
    assert depth.depth[70, 60] == np.float32(0.5) and (result.stamp_ns, len(result.hands)) == (stamp(0), 1)
    assert messages[0][0] is HANDS and messages[0][1].model_id == "tiny"
    assert list(result.stage_ms) == STAGES and all(ms >= 0 for ms in result.stage_ms.values())


def test_compressed_depth_gives_the_same(step, library):
    raw = step.run(image_message(library, 0), info_message(library, 0))
    step.reset()
    packed = step.run(compressed_depth_image(compressed_message(library, 0)), info_message(library, 0))
    assert (raw.depth.depth == packed.depth.depth).all()
    assert (raw.result.hands[0].joints == packed.result.hands[0].joints).all()


def test_parameters_hold_from_the_next_frame_on_and_reset_gives_other_ids(step, library):
    def run(index):
        depth, result, messages = step.run(image_message(library, index), info_message(library, index))
        return depth.depth[70, 60 + index], result.hands[0].id, len(messages)

    before = run(0)
    step.configure(Parameters(depth_scale=0.0009, publish_tf=False))
    after = run(1)
    assert after == (pytest.approx(0.45), before[1], before[2] - 1)
    step.reset()
    assert run(2)[1] != before[1]


def test_an_image_that_cannot_be_read_is_said(step, library):
    image = image_message(library, 0)
    image.encoding = "bgr8"
    with pytest.raises(DepthError, match="bgr8"):
        step.run(image, info_message(library, 0))
