"""A recording's frames answered anew, its hands recorded: every evaluation then reads recorded hands."""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from hand_pose_ros.bags.answer import answers
from hand_pose_ros.bags.offline import refuse_live_inputs, sees_color
from hand_pose_ros.bags.source import Source, SourceFrame, open_source
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.settings import Recordings, Run
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.inference.model_choice import choose_model
from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import HANDS, MODEL, TRANSPORTS
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.scoring.histogram import TIME_EDGES_MS, Histogram

log = logging.getLogger(__name__)
HANDS_BAG, HANDS_TOPIC = "hands", "/hands"


@dataclass
class Inferred:
    """What was answered.

    :param bag: the recording of its hands, on HANDS_TOPIC
    :param stage_ms: time of each stage of the frames that could be answered, by its name
    :param model, file, precision, backend: what ran: the model's name, its file's, what that computes in, and the library
    :param failed: frames that could not be; `first_error` says why the first could not
    :param complete: it was not interrupted
    :param starts_ns: moments from which on its sequences after the first one last, midway between two frames
    """

    bag: Path
    model: str
    file: str
    precision: str
    backend: str
    stage_ms: dict[str, Histogram]
    frames: int = 0
    failed: int = 0
    first_error: str = ""
    complete: bool = False
    starts_ns: list[int] = field(default_factory=list)


def infer(
    bag: Path,
    folder: Path,
    run: Run,
    recordings: Recordings,
    library: RosbagsLibrary,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Inferred:
    """Run a recording through the pipeline.

    :param folder: where the recording of the hands is made
    :param progress: is given frames done and frames there are
    :param stop: asked before each frame: True ends it early
    :raises BagError, ModelError, ParameterError, EvaluationError: it cannot be read or answered
    """
    refuse_live_inputs(run.parameters, "evaluate")
    color = recordings.color_topic if sees_color(run.parameters.model_path()) else None
    with closing(open_images(bag, recordings, run.parameters, library, color)) as source:
        parameters = with_depth_scale(run.parameters, source)
        path, engine_settings = parameters.model_path(), replace(parameters.engine_settings(), serve_while_building=False)
        if run.as_named and engine_settings.precision == "auto":
            engine_settings = replace(engine_settings, precision=read_model_file(path).card.precision)
        with closing(load_engine(path, parameters.backend, parameters.threads, engine_settings)) as engine:
            ran = engine.card.name, engine.path.name, engine.card.precision, engine.backend
            done = Inferred(folder / HANDS_BAG, *ran, defaultdict(lambda: Histogram(TIME_EDGES_MS)))
            shutil.rmtree(done.bag, ignore_errors=True)  # a process that was lost may have begun it
            with BagWriter(done.bag, library, compression="zstd") as writer:
                _answer_all(source, engine, parameters, run.tracking, library, writer, done, progress, stop)
    done.stage_ms = dict(done.stage_ms)
    if done.failed:
        log.warning("%s: %d of %d frames could not be answered, the first: %s", bag, done.failed, done.frames, done.first_error)
    if done.frames and done.failed == done.frames:
        raise EvaluationError(f"{bag}: not one of {done.frames} frames could be answered: {done.first_error}")
    return done


def check_models(runs: Iterable[Run]) -> None:
    """Read the model files that runs which answer anew will take.

    :raises ModelError: one is missing or cannot be used
    """
    for run in runs:
        if run.recorded is None:
            asked = run.parameters
            read_model_file(choose_model(asked.model_path(), asked.precision, prefer_half=False))
            if detector := asked.detector_path():
                read_model_file(detector)


def _answer_all(
    source: Source,
    engine: Engine,
    parameters: Parameters,
    tracking: bool,
    library: RosbagsLibrary,
    writer: BagWriter,
    done: Inferred,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> None:
    """Answer the frames until they end or `stop` says so; what was answered is in `done` and the recording."""
    model = "/" + MODEL.name
    writer.add_topic(HANDS_TOPIC, HANDS.typename)
    writer.add_topic(model, MODEL.typename, transient_local=True)
    before: SourceFrame | None = None
    for answer in answers(source, engine, parameters, library, tracking=tracking):
        if stop():
            return
        if before is not None and before.sequence != answer.frame.sequence:
            done.starts_ns.append((stamp_ns(before.image.header) + stamp_ns(answer.frame.image.header)) // 2)
        before = answer.frame
        if not done.frames:
            card = library.make(MODEL.typename, data=engine.card.to_json())
            writer.write(model, stamp_ns(answer.frame.image.header), library.serialize(card, MODEL.typename))
        done.frames += 1
        progress(done.frames, source.count)
        if answer.result is None:
            done.failed += 1
            done.first_error = done.first_error or answer.error
            continue
        for topic, message in answer.messages:
            if topic == HANDS:
                writer.write(HANDS_TOPIC, answer.result.stamp_ns, library.serialize(message, topic.typename))
        for stage, milliseconds in answer.result.stage_ms.items():
            done.stage_ms[stage].add(milliseconds)
    done.complete = True


def open_images(
    bag: Path, recordings: Recordings, parameters: Parameters, library: RosbagsLibrary, color_topic: str | None = None
) -> Source:
    """The depth images of a recording.

    :raises BagError: there are none, or which ones to take is not clear
    """
    chosen = parameters.depth_transport
    return open_source(
        bag,
        library,
        image_topic=recordings.image_topic,
        camera_info_topic=recordings.camera_info_topic,
        camera_file=recordings.camera_file,
        transports=TRANSPORTS if chosen == "raw" else (chosen,),
        color_topic=color_topic,
    )


def with_depth_scale(parameters: Parameters, source: Source) -> Parameters:
    """The parameters, with the scale that the recording's camera file asks for where they have none."""
    if source.depth_scale and not parameters.depth_scale:
        return parameters.with_values({"depth_scale": source.depth_scale})
    return parameters
