"""`hand-pose demo`: a live node as its own process, a camera that is a recording, a listener, and figures."""

from __future__ import annotations

import argparse
import logging
import os
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from hand_pose_ros.bags.replay import TRUTH_TOPIC
from hand_pose_ros.bags.results import BAG, DEMO, FIGURES, NODE_LOG, prepare_folder, write_figures
from hand_pose_ros.bags.source import Source, open_source, playable
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.demo.errors import DemoError
from hand_pose_ros.demo.figures import session_figures, table
from hand_pose_ros.demo.node_process import NodeProcess
from hand_pose_ros.demo.pictures import draw_session
from hand_pose_ros.demo.session import Player, Session
from hand_pose_ros.live.dds.network import Discovery
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.progress import log_above_bars
from hand_pose_ros.share import DEMO_RECORDING, find
from hand_pose_ros.viz.pictures import PICTURES, VIDEO

log = logging.getLogger(__name__)
# Domains that are rarely used and whose ports are below those that systems give to any program.
_FIRST_DOMAIN, _DOMAINS = 40, 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--out", type=Path, default=Path("demo_out"), help="folder for the results (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace results that are in the folder")
    parser.add_argument("--recording", type=Path, help="play this recording; default: the one that comes with the package")
    parser.add_argument(
        "--model", default="", help="model file (.onnx) or hand21_accurate; default: hand21_fast, the package's own"
    )
    parser.add_argument(
        "--set", "-p", dest="settings", action="append", default=[], metavar="NAME:=VALUE", help="one parameter of the node"
    )
    parser.add_argument("--domain-id", type=int, help="DDS domain; default: one that is rarely used")
    parser.add_argument("--no-video", action="store_true", help="write no overlay.mp4")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; nothing leaves this machine, and nothing is left running.

    :raises DemoError, BagError, ShareError: it cannot be run
    """
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
    library = RosbagsLibrary()
    recording = arguments.recording or find(DEMO_RECORDING)
    with closing(_open(recording, library)) as source:
        prepare_folder(arguments.out, DEMO, overwrite=arguments.overwrite, source=recording)
        domain_id = _FIRST_DOMAIN + os.getpid() % _DOMAINS if arguments.domain_id is None else arguments.domain_id
        settings = [*arguments.settings, *([f"model:={arguments.model}"] if arguments.model else [])]
        if source.depth_scale:
            settings.append(f"depth_scale:={source.depth_scale}")
        with BagWriter(arguments.out / BAG, library, compression="zstd") as writer, log_above_bars():
            try:
                session = _live(source, library, writer, domain_id, settings, arguments.out / NODE_LOG)
            except KeyboardInterrupt:
                log.warning("interrupted; what came back until then is in %s", arguments.out / BAG)
                raise
            figures = session_figures(session, source.rate_hz)
            write_figures(arguments.out, figures)
            _draw(session, recording, library, writer, arguments)
    names = {"hands, markers, TF, depth (MCAP)": BAG, "pictures": PICTURES, "figures": FIGURES, "what the node said": NODE_LOG}
    files = {what: arguments.out / name for what, name in names.items()}
    if not arguments.no_video:
        files["video"] = arguments.out / VIDEO
    print(table(figures, files))
    return 0


def _open(recording: Path, library: RosbagsLibrary) -> Source:
    return open_source(recording, library, truth_topic=TRUTH_TOPIC)


def _draw(session: Session, recording: Path, library: RosbagsLibrary, writer: BagWriter, arguments: argparse.Namespace) -> None:
    bar = tqdm(total=len(session.frames), unit="frame", desc="draw", disable=None)
    with closing(_open(recording, library)) as source, bar:
        for _ in draw_session(session, source, library, writer, arguments.out, video=not arguments.no_video):
            bar.update()


def _live(
    source: Source, library: RosbagsLibrary, writer: BagWriter, domain_id: int, settings: list[str], node_log: Path
) -> Session:
    """Start a node, play the recording to it, end it."""
    try:
        from hand_pose_ros.live.dds.peer import DdsPeer
    except ImportError as error:
        raise DemoError(f"the demo needs cyclonedds, which is not here ({error}): use `hand-pose replay` instead") from error
    first = next(playable(source), None)
    if first is None:
        raise DemoError(f"{source.path} has no frames")
    arguments = ["--domain-id", str(domain_id), "--discovery-range", "localhost"]
    for setting in settings:
        arguments += ["--set", setting]
    # The node first: threads of this process's own DDS must not be there yet when it forks.
    with (
        NodeProcess(arguments, node_log) as node,
        DdsPeer("demo", domain_id, library=library, discovery=Discovery("localhost")) as peer,
    ):
        log.info("node %d on DDS domain %d, this machine only; it says more in %s", node.process.pid, domain_id, node_log)
        player = Player(peer, node, writer)
        player.wait_until_ready(first)
        log.info("playing %s: %d frames at %.0f Hz", source.path, source.count, source.rate_hz)
        player.play(source, 1 / source.rate_hz)
    return player.session
