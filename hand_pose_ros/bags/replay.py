"""`hand-pose replay`: a recording through the pipeline, into a recording of hands, pictures, video and figures."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hand_pose_ros.bags.answer import Answer, answers
from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.offline import refuse_live_inputs, sees_color
from hand_pose_ros.bags.output import ReplayOutput
from hand_pose_ros.bags.recorded_run import AnsweredFrames, RecordedRun, Repetition, read_recorded_run
from hand_pose_ros.bags.results import REPLAY, prepare_folder, write_figures
from hand_pose_ros.bags.source import Source, open_source
from hand_pose_ros.bags.tally import Tally, summary
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameter_arguments import add_parameter_arguments, read_parameters
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import CAMERA_INFO, COLOR_IMAGE, HAND_JOINT_STATES, HANDS, TRANSPORTS, TopicSpec
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.progress import log_above_bars
from hand_pose_ros.viz.rerun_view import RerunView

log = logging.getLogger(__name__)
TRUTH_TOPIC = "/ground_truth/hands"
NODE = "/hand_pose"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("recording", type=Path, help="rosbag2 folder, .mcap or .db3 file, or folder of 16-bit PNG depth images")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--overwrite", action="store_true", help="replace results that are in the folder")
    parser.add_argument(
        "--model", default="", help="model file (.onnx) or hand21_accurate; default: hand21_fast, the package's own"
    )
    add_parameter_arguments(parser)
    parser.add_argument(
        "--image-topic",
        default="",
        help="depth image topic of a bag, raw or compressedDepth; default: the only one, raw if there are both",
    )
    parser.add_argument("--camera-info-topic", default="", help="default: camera_info beside the image topic")
    parser.add_argument(
        "--color-topic", default="", help="for a model that sees colour: images registered to depth; default: the only ones"
    )
    parser.add_argument(
        "--truth-topic", default=TRUTH_TOPIC, help="HandPoseArray with known joints to score against (%(default)s)"
    )
    parser.add_argument(
        "--camera-file", type=Path, help="camera_info_manager YAML instead of the recorded camera info or camera.yaml"
    )
    parser.add_argument(
        "--rate", type=float, default=30.0, metavar="HZ", help="of a folder's images, which carry no time (%(default)s)"
    )
    parser.add_argument("--frame-id", default="camera", help="TF frame of a folder's images (%(default)s)")
    parser.add_argument(
        "--no-tracking", action="store_true", help="look at each frame alone, for frames that are far apart in time"
    )
    parser.add_argument("--no-video", action="store_true", help="write no overlay.mp4")
    parser.add_argument(
        "--as-recorded",
        nargs="?",
        const="",
        metavar="TOPIC",
        help="repeat the run that `hand-pose record` recorded: its parameters, the frames that it answered; says whether the "
        "hands are the same. TOPIC is its run_info, if there are several",
    )
    parser.add_argument(
        "--rerun",
        metavar="FILE.rrd|spawn",
        help="show depth, hands and angles in the Rerun viewer (pip install rerun-sdk): write a file for it, or start it",
    )
    parser.add_argument("--with-images", action="store_true", help="copy the depth images into the recording of hands")


def run(arguments: argparse.Namespace) -> int:
    """Replay; 0 when every frame was read, 130 after Ctrl-C (what was done until then is written).

    :raises BagError, ModelError, ParameterError, RunInfoError: and what is done until then is written
    """
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
    library = RosbagsLibrary()
    recorded = None
    if arguments.as_recorded is not None:
        recorded = read_recorded_run(arguments.recording, library, arguments.as_recorded)
    parameters = read_parameters(arguments, NODE, live=False, defaults=recorded and recorded.run.parameters)
    if arguments.model:
        parameters = parameters.with_values({"model": arguments.model})
    refuse_live_inputs(parameters, "replay")
    if recorded:
        recorded.check_files(parameters, strict=not arguments.model)
    with ExitStack() as stack:
        source = stack.enter_context(closing(_open(arguments, parameters, library, recorded)))
        if source.depth_scale and not parameters.depth_scale:
            parameters = parameters.with_values({"depth_scale": source.depth_scale})
        # One engine for the whole recording: else the figures would depend on when the plan was ready.
        settings = replace(parameters.engine_settings(), serve_while_building=False)
        engine = load_engine(parameters.model_path(), parameters.backend, parameters.threads, settings)
        if (detector := load_detector(parameters)) is not None:  # what is wrong with it is said before anything is written
            detector.engine.close()
        prepare_folder(arguments.out, REPLAY, overwrite=arguments.overwrite, source=arguments.recording)
        output = ReplayOutput(
            arguments.out,
            library,
            frames=source.count,
            rate_hz=source.rate_hz,
            model_card=engine.card.to_json(),
            video=not arguments.no_video,
            images=source.depth_input if arguments.with_images else None,
        )
        view = stack.enter_context(RerunView(arguments.rerun)) if arguments.rerun else None
        repetition = Repetition(recorded, library) if recorded else None
        figures = replay(
            source,
            engine,
            parameters,
            library,
            output,
            tracking=not arguments.no_tracking,
            repetition=repetition,
            view=view,
        )
    print(summary(figures, arguments.out, video=not arguments.no_video))
    if repetition:
        print(repetition.summary())
    return 0 if figures["complete"] else 130


def replay(
    source: Source,
    engine: Engine,
    parameters: Parameters,
    library: RosbagsLibrary,
    output: ReplayOutput,
    *,
    tracking: bool = True,
    repetition: Repetition | None = None,
    view: RerunView | None = None,
) -> dict[str, Any]:
    """Replay a recording into an output; returns the figures, which are in figures.json too.

    :param repetition: compares the hands with those that were recorded
    :param view: shows them
    Ctrl-C ends it early, with everything until then written and "complete": false.
    """
    tally = Tally(source, engine)
    try:
        with output, log_above_bars(), tqdm(total=source.count, unit="frame", desc=source.path.name, disable=None) as bar:
            for answer in answers(source, engine, parameters, library, tracking=tracking):
                output.add(answer, tally.true_joints(answer))
                tally.add(answer)
                if repetition:
                    repetition.add(_message(answer, HANDS))
                if view:
                    _show(answer, view)
                bar.update()
        tally.complete = True
    except KeyboardInterrupt:
        log.warning("interrupted after %d of %d frames; what was done is in %s", tally.frames, source.count, output.folder)
    finally:
        figures = {**tally.figures(), **({"as_recorded": repetition.figures()} if repetition else {})}
        write_figures(output.folder, figures)
    if tally.frames and tally.failed == tally.frames:
        raise BagError(f"not one of the {tally.frames} frames of {source.path} could be read: {tally.first_error}")
    return figures


def _open(arguments: argparse.Namespace, parameters: Parameters, library: RosbagsLibrary, recorded: RecordedRun | None) -> Source:
    chosen = parameters.depth_transport
    topics = recorded.run.topics if recorded else {}
    source = open_source(
        arguments.recording,
        library,
        image_topic=arguments.image_topic or (recorded.image_topic if recorded else ""),
        camera_info_topic=arguments.camera_info_topic or topics.get(CAMERA_INFO.name, ""),
        truth_topic=arguments.truth_topic,
        camera_file=arguments.camera_file,
        rate_hz=arguments.rate,
        frame_id=arguments.frame_id,
        transports=TRANSPORTS if chosen == "raw" else (chosen,),
        color_topic=(arguments.color_topic or topics.get(COLOR_IMAGE.name, "")) if sees_color(parameters.model_path()) else None,
    )
    return AnsweredFrames(source, recorded) if recorded else source


def _message(answer: Answer, topic: TopicSpec) -> Any | None:
    """What an answer has for a topic."""
    return next((message for spec, message in answer.messages if spec is topic), None)


def _show(answer: Answer, view: RerunView) -> None:
    if answer.depth is not None:
        view.depth(answer.depth)
    if (hands := _message(answer, HANDS)) is not None:
        view.hands(hands)
    if (angles := _message(answer, HAND_JOINT_STATES)) is not None:
        view.joint_states(angles)
