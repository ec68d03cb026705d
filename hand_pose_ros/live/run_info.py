"""What a run of the node was made with: parameters, model and detector by their hash, back end, topics after remapping.

The node publishes it, latched, on `run_info`. With it a recording of the node's inputs says how its hands came about, and
`hand-pose replay --as-recorded` repeats them.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.plan_key import file_sha256
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import ALL_OUTPUTS, INPUTS, depth_input

_SCHEMA = 1


class RunInfoError(ValueError):
    """A run that cannot be understood or repeated here; the text says why and what to do."""


@dataclass(frozen=True)
class RunInfo:
    """One run.

    :param node: the node's full name without the first slash
    :param parameters: as it ran with them
    :param model, backend: name in the model's card, and what ran it
    :param model_sha256, detector_sha256: of the files, "" without one
    :param needs_color: the model sees colour images
    :param topics: of inputs and outputs: the name in `live.topics` -> the full name after remapping
    """

    node: str
    parameters: Parameters
    model: str
    backend: str
    model_sha256: str
    detector_sha256: str
    needs_color: bool
    topics: dict[str, str]

    def to_json(self) -> str:
        """As on the topic."""
        values = {name: _plain(value) for name, value in dataclasses.asdict(self.parameters).items()}
        return json.dumps({"schema": _SCHEMA, **dataclasses.asdict(self), "parameters": values})

    @classmethod
    def from_json(cls, text: str, where: str) -> RunInfo:
        """From the topic's text.

        :param where: file and topic that it comes from
        :raises RunInfoError: it is not one that this version reads
        :raises ParameterError: a parameter that this version does not know, or a value that it does not take
        """
        try:
            content = json.loads(text)
            if content.pop("schema") != _SCHEMA:
                raise KeyError("schema")
            values = {name: _number(value) for name, value in content.pop("parameters").items()}
            return cls(parameters=Parameters().with_values(values), **content)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise RunInfoError(
                f"{where}: this is no description of a run that this version reads ({error!r}): repeat it with the version that "
                "recorded it, or replay it without --as-recorded"
            ) from error


def describe_run(
    parameters: Parameters, engine: Engine, *, needs_color: bool, node: str, topic_name: Callable[[str], str]
) -> RunInfo:
    """The run that a node with these parameters and this engine is at.

    :param topic_name: what a topic is called after remapping
    """
    topics = {spec.name: topic_name(spec.name) for spec in (*INPUTS, *ALL_OUTPUTS)}
    image = depth_input(parameters.depth_transport, topic_name)
    topics[image.name] = topic_name(image.name)
    return RunInfo(
        node=node,
        parameters=parameters,
        model=engine.card.name,
        backend=engine.backend,
        model_sha256=digest(parameters.model_path()),
        detector_sha256=digest(parameters.detector_path()),
        needs_color=needs_color,
        topics=topics,
    )


def digest(path: Path | None) -> str:
    """SHA-256 of a file; "" where there is none."""
    return file_sha256(path) if path is not None and path.is_file() else ""


def _plain(value: Any) -> Any:
    """JSON has no infinity."""
    return [str(v) if math.isinf(v) else v for v in value] if isinstance(value, tuple) else value


def _number(value: Any) -> Any:
    return [float(v) for v in value] if isinstance(value, list) else value
