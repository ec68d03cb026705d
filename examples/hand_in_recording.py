"""What the hand pose node publishes for a recording, without ROS 2: for examples that run on a recording as on a robot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.answer import answers
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary


def recorded_outputs(recording: Path, parameters: Parameters | None = None) -> Iterator[tuple[float, dict[str, Any]]]:
    """(stamp in seconds, messages by topic) of every frame that could be answered."""
    parameters, library = parameters or Parameters(), RosbagsLibrary()
    engine = load_engine(parameters.model_path(), parameters.backend, parameters.threads, parameters.engine_settings())
    with closing(open_source(recording, library)) as source:
        for answer in answers(source, engine, parameters, library):
            if answer.result is not None:
                yield answer.result.stamp_ns / 1e9, {topic.name: message for topic, message in answer.messages}
    engine.close()
