"""`hand-pose record` beside a live node, each a process of its own: what it records repeats, hand by hand."""

import json
import os
import signal
import sys

import pytest
from free_domain import free_domain
from live_node import ROOT, node_and_client
from live_process import LiveProcess
from parity import assert_same_hands, write_cut
from small_bags import FRAME_ID, image_message, stamp

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.record import summary
from hand_pose_ros.bags.recorder import Recorder
from hand_pose_ros.cli import main
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.dds.network import Discovery
from hand_pose_ros.live.dds.peer import DdsPeer
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.run_info import describe_run
from hand_pose_ros.live.topics import DEPTH_IMAGE, HANDS, RUN_INFO
from hand_pose_ros.messages.library import make_header, stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

SETTINGS = ("--set", "smoothing:=0.4", "--set", "max_hands:=3", "--set", "workspace_box:=[-.inf, -.inf, 0.1, .inf, .inf, 1.4]")


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    return write_cut(tmp_path_factory.mktemp("record") / "cut")


def recorder(out, domain, *arguments):
    command = [sys.executable, "-m", "hand_pose_ros", "record", "--out", str(out), "--domain-id", str(domain), *arguments]
    return LiveProcess(command, {k: v for k, v in os.environ.items() if not k.startswith(("CYCLONEDDS", "ROS_"))}, ROOT)


def recorded_hands(bag_path, topic):
    library = RosbagsLibrary()
    with BagReader(bag_path) as bag:
        messages = [library.deserialize(m.cdr, HANDS.typename) for m in bag.messages({topic})]
    return {stamp_ns(message.header): message for message in messages}


def test_a_recorded_run_repeats_hand_by_hand(cut, tmp_path, capsys):
    with node_and_client(*SETTINGS, "-r", "__ns:=/left", client={"namespace": "/left"}) as (node, client):
        process = recorder(tmp_path / "record", client.peer.domain_id, "-r", "__ns:=/left")
        try:
            process.wait_for_log("recording left/hand_pose")
            assert client.peer.wait_for(lambda: client.images.subscribers == 2 and client.infos.subscribers == 2)
            answered = {}
            for number, frame in enumerate(cut.frames):
                client.send(frame.image, frame.info)
                if number % 5 == 2:  # the next comes at once: the node may leave one out
                    continue
                message = client.next("hands")
                while stamp_ns(message.header) != stamp_ns(frame.image.header):
                    answered[stamp_ns(message.header)] = message
                    message = client.next("hands")
                answered[stamp_ns(message.header)] = message
            assert not [line for line in node.warnings() if "images 0" not in line]  # it waited for the recorder
        finally:
            status = process.stop(signal.SIGINT)
    assert status == 0 and "answered frames without" not in process.log, process.log
    told = recorded_hands(tmp_path / "record", "/left/hands")
    assert_same_hands(answered, {stamp: told[stamp] for stamp in answered})

    assert main(["replay", str(tmp_path / "record"), "--as-recorded", "--out", str(tmp_path / "again"), "--no-video"]) == 0
    figures = json.loads((tmp_path / "again/figures.json").read_text())
    assert figures["frames"] == len(told) and figures["as_recorded"]["frames"] == figures["as_recorded"]["alike"] == len(told)
    assert figures["as_recorded"]["max_joint_difference_mm"] < 1e-3
    assert f"{len(told)} of {len(told)} frames give the recorded hands" in capsys.readouterr().out
    assert_same_hands(told, recorded_hands(tmp_path / "again/bag", "/hands"))

    # It is the recorded parameters that do it: with the others of replay the filter is off.
    assert main(["replay", str(tmp_path / "record"), "--out", str(tmp_path / "other"), "--no-video"]) == 0
    with pytest.raises(AssertionError):
        assert_same_hands(told, recorded_hands(tmp_path / "other/bag", "/hands"))


def test_what_cannot_be_repeated_is_said(tmp_path, model):
    settings = ("--set", f"model:={model}", "--set", "use_detections:=true")
    with node_and_client(*settings) as (_, client):
        process = recorder(tmp_path / "record", client.peer.domain_id)
        process.wait_for_log("with use_detections `hand-pose replay --as-recorded` cannot repeat what is recorded")
        assert process.stop(signal.SIGINT) == 0 and "repeat it: " not in process.log


def test_without_a_node_nothing_is_recorded(tmp_path):
    process = recorder(tmp_path / "nothing", 77, "--seconds", "1")
    assert process.wait() == 1
    assert "no node was heard on /run_info (domain 77" in process.log and not (tmp_path / "nothing").exists()


def test_a_folder_that_exists_is_not_touched(tmp_path):
    process = recorder(tmp_path, 77)
    assert process.wait() == 1
    assert f"{tmp_path} exists: name a new folder" in process.log


def test_answers_whose_image_did_not_come_are_counted(tmp_path, model):
    run = describe_run(
        Parameters(model=str(model), detector="none"),
        load_engine(model),
        needs_color=False,
        node="hand_pose",
        topic_name=lambda name: "/" + name.lstrip("/"),
    )
    library = RosbagsLibrary()
    cdr = bytes(library.serialize(library.make(RUN_INFO.typename, data=run.to_json()), RUN_INFO.typename))
    with (
        free_domain() as domain,
        DdsPeer("node", domain, library=library, discovery=Discovery()) as node,
        DdsPeer("recorder", domain, library=library, discovery=Discovery()) as peer,
    ):
        images, hands = (node.publisher(spec.name, spec.typename) for spec in (DEPTH_IMAGE, HANDS))
        with Recorder(peer, tmp_path / "bag", run, cdr, 1) as recorder:
            assert node.wait_for(lambda: images.subscribers and hands.subscribers)
            for index in (0, 1, 2):
                if index != 1:
                    images.publish(image_message(library, index))
                    assert node.wait_for(lambda n=index: recorder.images == (1 if n == 0 else 2))
                hands.publish(library.make(HANDS.typename, header=make_header(library, stamp(index), FRAME_ID)))
            assert node.wait_for(lambda: recorder.hands == 3)
            assert recorder.unseen == 1 and "1 answered frames without their image" in summary(recorder, tmp_path)
            images.publish(image_message(library, 1))  # it was only late
            assert node.wait_for(lambda: recorder.images == 3)
            assert recorder.unseen == 0 and "without their image" not in summary(recorder, tmp_path)
        hands.publish(library.make(HANDS.typename))  # too late: nothing is written, and nothing fails
    with BagReader(tmp_path / "bag") as bag:
        assert (bag.counts["/run_info"], bag.counts["/depth/image_rect"], bag.counts["/hands"]) == (1, 3, 3)
