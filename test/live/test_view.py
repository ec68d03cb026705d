"""`hand-pose view` beside a live node, each a process of its own, into a file that is read back."""

import os
import signal
import sys
from contextlib import closing
from itertools import islice

import pytest
from live_node import ROOT, node_and_client
from live_process import LiveProcess
from rerun_file import rerun_reader

from hand_pose_ros.bags.source import open_source
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.share import DEMO_RECORDING, find

FRAMES = 8


def viewer(file, domain, *arguments):
    command = [sys.executable, "-m", "hand_pose_ros", "view", "--rerun", str(file), "--domain-id", str(domain), *arguments]
    return LiveProcess(command, {k: v for k, v in os.environ.items() if not k.startswith(("CYCLONEDDS", "ROS_"))}, ROOT)


def test_depth_hands_and_angles_of_a_live_node(tmp_path):
    read = rerun_reader()
    with closing(open_source(find(DEMO_RECORDING), RosbagsLibrary())) as source:
        frames = list(islice(source.frames(), FRAMES))
    with node_and_client() as (_, client):
        process = viewer(tmp_path / "live.rrd", client.peer.domain_id)
        try:
            process.wait_for_log("showing hand_pose")
            assert client.peer.wait_for(lambda: client.images.subscribers == 2 and client.infos.subscribers == 2)
            hands = {}
            for frame in frames:
                client.send(frame.image, frame.info)
                message = client.next("hands")
                hands[stamp_ns(message.header)] = message
        finally:
            status = process.stop(signal.SIGINT)
    assert status == 0, process.log
    entities = read(tmp_path / "live.rrd")
    [images] = [rows for entity, rows in entities.items() if entity.endswith("/depth/image")]
    first = next(iter(hands.values())).hands[0]
    [joints] = [rows for entity, rows in entities.items() if entity.endswith(f"/hand_{first.id}/joints")]
    # What comes last may still have been on its way when the viewer ended.
    assert len(images) >= FRAMES - 1 and len(joints) >= FRAMES - 1
    at, shown = joints[0]
    assert at == pytest.approx(next(iter(hands)) / 1e9, abs=1e-6)
    assert shown["positions"][0] == pytest.approx([first.positions[0].x, first.positions[0].y, first.positions[0].z], abs=1e-6)
    assert sum(entity.startswith("/angles/right_") for entity in entities) >= 20


def test_without_a_node_nothing_is_shown(tmp_path):
    rerun_reader()
    process = viewer(tmp_path / "none.rrd", 76, "--seconds", "1")
    assert process.wait() == 1
    assert "no node was heard on /run_info (domain 76" in process.log
