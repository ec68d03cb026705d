import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import Reader

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.writer import QUEUE_LENGTH, BagWriter
from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

TEXT, HANDS = "std_msgs/msg/String", "hand_pose_ros/msg/HandPoseArray"


def text(library, value):
    return library.serialize(library.make(TEXT, data=value), TEXT)


def written(path, library, count=5, **options):
    with BagWriter(path, library, **options) as writer:
        writer.add_topic("/text", TEXT)
        for i in range(count):
            writer.write("/text", 1000 + i, text(library, str(i)))
    return path


def texts(path, library):
    with BagReader(path) as bag:
        return [library.deserialize(m.cdr, TEXT).data for m in bag.messages({"/text"})]


@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
def test_rosbags_reads_what_was_written(tmp_path, library, compression):
    with Reader(written(tmp_path / "bag", library, compression=compression)) as bag:
        assert [(c.topic, c.msgtype, c.msgcount) for c in bag.connections] == [("/text", TEXT, 5)]
        assert [stamp for _, stamp, _ in bag.messages()] == [1000, 1001, 1002, 1003, 1004]
        assert bag.duration == 4 + 1


def test_own_messages_carry_their_definition(tmp_path, library):
    message = library.make(HANDS, header=make_header(library, 7, "camera"), model_id="m", hands=[])
    with BagWriter(tmp_path / "bag", library) as writer:
        writer.add_topic("/hands", HANDS)
        writer.write("/hands", 7, library.serialize(message, HANDS))
    with (tmp_path / "bag/bag_0.mcap").open("rb") as stream:
        summary = make_reader(stream).get_summary()
    schema = next(iter(summary.schemas.values()))
    assert (schema.name, schema.encoding) == (HANDS, "ros2msg")
    assert b"float64[36] palm_covariance" in schema.data and b"MSG: geometry_msgs/Point" in schema.data


def test_metadata_is_of_version_8(tmp_path, library):
    path = written(tmp_path / "bag", library)
    information = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert information["version"] == 8 and information["storage_identifier"] == "mcap"
    topic = information["topics_with_message_count"][0]["topic_metadata"]
    assert topic["type_description_hash"].startswith("RIHS01_")
    qos = yaml.safe_load(topic["offered_qos_profiles"])[0]  # a text in the text, in this version
    assert (qos["history"], qos["depth"], qos["reliability"], qos["durability"]) == (1, 10, 1, 2)


def test_each_file_says_what_it_holds(tmp_path, library):
    """ROS 2 reads the version, and with it how QoS is written, from the file when it is opened alone."""
    with (written(tmp_path / "bag", library) / "bag_0.mcap").open("rb") as stream:
        (record,) = [m for m in make_reader(stream).iter_metadata() if m.name == "rosbag2"]
    information = yaml.safe_load(record.metadata["serialized_metadata"])
    assert information["version"] == 8 and information["relative_file_paths"] == ["bag_0.mcap"]
    assert information["topics_with_message_count"][0]["message_count"] == information["message_count"] == 5


def test_large_recordings_are_split_and_read_as_one(tmp_path, library):
    blob = "x" * 200_000
    with BagWriter(tmp_path / "bag", library, max_file_bytes=3_000_000) as writer:
        writer.add_topic("/text", TEXT)
        for i in range(60):  # 12 MB
            writer.write("/text", i, text(library, f"{i:02d}" + blob))
    files = sorted(p.name for p in (tmp_path / "bag").glob("*.mcap"))
    assert len(files) >= 3
    assert [t[:2] for t in texts(tmp_path / "bag", library)] == [f"{i:02d}" for i in range(60)]


def test_a_recording_without_messages_opens(tmp_path, library):
    with Reader(written(tmp_path / "bag", library, count=0)) as bag:
        assert bag.message_count == 0


def test_an_exception_in_the_block_loses_nothing(tmp_path, library):
    with pytest.raises(KeyboardInterrupt), BagWriter(tmp_path / "bag", library) as writer:
        writer.add_topic("/text", TEXT)
        for i in range(3):
            writer.write("/text", i, text(library, str(i)))
        raise KeyboardInterrupt
    assert (tmp_path / "bag/metadata.yaml").exists()
    assert texts(tmp_path / "bag", library) == ["0", "1", "2"]


WRITES_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
library = RosbagsLibrary("jazzy")
writer = BagWriter(Path(sys.argv[1]), library)
writer.add_topic("/text", "std_msgs/msg/String")
for i in range(10_000):
    writer.write("/text", i, library.serialize(library.make("std_msgs/msg/String", data=str(i)), "std_msgs/msg/String"))
    print(i, flush=True)
    time.sleep(0.02)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_writer_leaves_what_is_older_than_its_flush(tmp_path, library, how):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, str(tmp_path / "bag")], stdout=subprocess.PIPE, env=environment
    )
    deadline, seen = time.monotonic() + 60, 0
    while seen < 150 and time.monotonic() < deadline:
        seen = int(process.stdout.readline())
    process.send_signal(how)
    assert process.wait(timeout=20) != 0
    read = texts(tmp_path / "bag", library)
    assert read == [str(i) for i in range(len(read))]
    # SIGINT is an exception that nobody catches here, outside of any `with`: all is written. SIGKILL loses a second (50
    # messages) and some.
    assert len(read) >= (seen - 110 if how == signal.SIGKILL else seen)


def test_an_existing_folder_is_refused(tmp_path, library):
    with pytest.raises(BagError, match="name a new folder"):
        BagWriter(tmp_path, library)


def test_an_unannounced_topic_is_refused(tmp_path, library):
    with BagWriter(tmp_path / "bag", library) as writer, pytest.raises(BagError, match="/text was not announced"):
        writer.write("/text", 0, b"")


def test_a_failing_disk_is_said(tmp_path, library, monkeypatch):
    writer = BagWriter(tmp_path / "bag", library)
    writer.add_topic("/text", TEXT)
    (tmp_path / "bag").rmdir()  # the folder goes away under it
    writer.write("/text", 0, text(library, "lost"))
    with pytest.raises(BagError, match="could not be written"):
        writer.close()


def test_any_fault_is_said_and_nobody_waits_for_ever(tmp_path, library, monkeypatch):
    add_message = McapWriter.add_message

    def failing(self, channel, log_time, *more):
        if log_time == 5:
            raise struct.error("of a kind that is no ValueError")
        return add_message(self, channel, log_time, *more)

    monkeypatch.setattr(McapWriter, "add_message", failing)
    writer = BagWriter(tmp_path / "bag", library)
    writer.add_topic("/text", TEXT)
    writer.write("/text", 1, text(library, "good"))
    writer.write("/text", 5, text(library, "bad"))
    began = time.monotonic()
    with pytest.raises(BagError, match="could not be written"):
        for i in range(10 * QUEUE_LENGTH):
            writer.write("/text", 10 + i, text(library, "more"))
    with pytest.raises(BagError, match="could not be written"):
        writer.close()
    assert time.monotonic() - began < 5
    assert texts(tmp_path / "bag", library) == ["good"] and (tmp_path / "bag/metadata.yaml").exists()


def test_a_time_that_mcap_cannot_hold_is_refused_and_the_rest_written(tmp_path, library):
    with BagWriter(tmp_path / "bag", library) as writer:
        writer.add_topic("/text", TEXT)
        writer.write("/text", 1, text(library, "good"))
        for stamp in (-5, 2**63):
            with pytest.raises(BagError, match=f"time {stamp} ns of a message on /text"):
                writer.write("/text", stamp, text(library, "bad"))
        writer.write("/text", 2, text(library, "good"))
    assert texts(tmp_path / "bag", library) == ["good", "good"]


def test_a_closed_recording_takes_nothing_more(tmp_path, library):
    writer = BagWriter(tmp_path / "bag", library)
    writer.add_topic("/text", TEXT)
    writer.close()
    with pytest.raises(BagError, match="is closed"):
        writer.write("/text", 1, text(library, "late"))


@pytest.mark.parametrize("distro", ["humble", "jazzy"])
def test_metadata_names_the_release_of_its_types(tmp_path, distro):
    path = written(tmp_path / "bag", RosbagsLibrary(distro))
    assert yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]["ros_distro"] == distro


def test_numpy_views_are_copied_at_once(tmp_path, library):
    data = np.frombuffer(bytes(text(library, "kept")), np.uint8).copy()
    with BagWriter(tmp_path / "bag", library) as writer:
        writer.add_topic("/text", TEXT)
        writer.write("/text", 0, memoryview(data))
        data[:] = 0
    assert texts(tmp_path / "bag", library) == ["kept"]
