import logging
import shlex
import shutil
import sqlite3
from contextlib import closing

import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from small_bags import FRAME_ID, HANDS, IMAGE, IMAGE_TOPIC, INFO_TOPIC, TRUTH_TOPIC, camera_yaml, color_message, stamp, write_bag

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.source import open_source, playable
from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.library import stamp_ns as stamp_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary


def stamps(source):
    return [stamp_of(frame.image.header) for frame in source.frames()]


def the_file(bag, suffix=".mcap"):
    return next(bag.glob(f"*{suffix}"))


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("as_file", [False, True])
def test_mcap_and_sqlite_give_every_frame_with_its_camera(tmp_path, library, plugin, as_file):
    path = write_bag(tmp_path / "bag", library, 6, plugin=plugin)
    source = open_source(the_file(path, ".*3" if plugin == StoragePlugin.SQLITE3 else ".mcap") if as_file else path, library)
    assert source.count == 6
    frames = list(source.frames())
    assert [stamp_of(f.image.header) for f in frames] == [stamp(i) for i in range(6)]
    assert {f.info.width for f in frames} == {160} and {f.sequence for f in frames} == {""}
    source.close()


def test_a_bag_written_by_humble_is_read(tmp_path):
    humble = RosbagsLibrary("humble")
    path = write_bag(tmp_path / "bag", humble, 3, plugin=StoragePlugin.SQLITE3)
    assert len(stamps(open_source(path, RosbagsLibrary("jazzy")))) == 3


def test_known_joints_are_kept_by_stamp(tmp_path, library):
    truth = {i: library.make(HANDS, header=make_header(library, stamp(i), "c"), model_id="truth", hands=[]) for i in (1, 2)}
    source = open_source(write_bag(tmp_path / "bag", library, 4, truth=truth), library, truth_topic=TRUTH_TOPIC)
    for index, frame in enumerate(source.frames()):
        assert stamp_of(frame.image.header) == stamp(index)
        assert (stamp(index) in source.truth) == (index in truth)  # although they are recorded after their image
    assert index == 3
    assert sorted(source.truth) == [stamp(1), stamp(2)]
    assert source.truth[stamp(1)].model_id == "truth"


# -- which topics


def test_no_depth_topic_lists_what_there_is(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 2, depth_topics=())
    with pytest.raises(BagError, match=f"no depth image topic.*{INFO_TOPIC}"):
        open_source(path, library)


def test_compressed_depth_alone_is_said(tmp_path, library):
    typename = "sensor_msgs/msg/CompressedImage"
    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/depth/image/compressedDepth", typename, typestore=library.typestore)
        writer.write(connection, 0, library.serialize(library.make(typename), typename))
    with pytest.raises(BagError, match="compressed depth alone .*/depth/image/compressedDepth.*image_transport republish"):
        open_source(tmp_path / "bag", library)


def test_a_topic_without_messages_is_said(tmp_path, library):
    with pytest.raises(BagError, match=f"{IMAGE_TOPIC} of .* has no messages"):
        open_source(write_bag(tmp_path / "bag", library, 0), library, image_topic=IMAGE_TOPIC, camera_info_topic=INFO_TOPIC)


def test_two_depth_topics_ask_for_one(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 2, depth_topics=("/left/depth", "/right/depth"))
    with pytest.raises(BagError, match="/left/depth, /right/depth.*--image-topic"):
        open_source(path, library)
    assert open_source(path, library, image_topic="/right/depth").count == 2


def test_a_topic_that_is_not_there_lists_the_image_topics(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 2)
    with pytest.raises(BagError, match=f"no topic /nowhere.*{IMAGE_TOPIC}.*--image-topic"):
        open_source(path, library, image_topic="/nowhere")
    with pytest.raises(BagError, match=f"{INFO_TOPIC} of .* is sensor_msgs/msg/CameraInfo"):
        open_source(path, library, image_topic=INFO_TOPIC)


def test_no_camera_info_asks_for_a_camera_file(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 2, info=False)
    with pytest.raises(BagError, match="no camera info.*--camera-file"):
        open_source(path, library)
    camera = tmp_path / "camera.yaml"
    camera.write_text(camera_yaml())
    frames = list(open_source(path, library, camera_file=camera).frames())
    assert [f.info.k[0] for f in frames] == [150.0, 150.0]
    assert stamp_of(frames[1].info.header) == stamp(1)


def test_the_wrong_camera_info_topic_is_named(tmp_path, library):
    with pytest.raises(BagError, match=f"no camera info topic /other/camera_info.*{INFO_TOPIC}"):
        open_source(write_bag(tmp_path / "bag", library, 2), library, camera_info_topic="/other/camera_info")


def test_images_before_the_first_camera_info_have_that_one(tmp_path, library):
    frames = list(open_source(write_bag(tmp_path / "bag", library, 5, info_from=3), library).frames())
    assert [(f.name, stamp_of(f.image.header)) for f in frames] == [(f"{i:06d}", stamp(i)) for i in range(5)]
    assert [stamp_of(f.info.header) for f in frames] == [stamp(i) for i in (3, 3, 3, 3, 4)]


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_also_when_it_comes_long_after_them(tmp_path, library, plugin):
    bag = write_bag(tmp_path / "bag", library, 130, info_from=125, plugin=plugin)
    frames = list(open_source(bag, library).frames())
    assert [stamp_of(f.image.header) for f in frames] == [stamp(i) for i in range(130)]
    assert [stamp_of(f.info.header) for f in frames] == [stamp(max(i, 125)) for i in range(130)]


def test_the_colour_images_of_such_frames_are_not_lost(tmp_path, library):
    colors = {"/color": {i: color_message(library, i % 10) for i in range(70)}}
    for i, message in colors["/color"].items():
        message.header = make_header(library, stamp(i), FRAME_ID)
    bag = write_bag(tmp_path / "bag", library, 70, info_from=65, colors=colors)
    frames = list(open_source(bag, library, color_topic="/color").frames())
    assert [stamp_of(f.color.header) for f in frames] == [stamp(i) for i in range(70)]


@pytest.mark.parametrize("frames", [5, 120])
def test_camera_info_of_another_frame_is_said(tmp_path, library, frames):
    source = open_source(write_bag(tmp_path / "bag", library, frames, info_frame_id="other"), library)
    with pytest.raises(BagError, match="160x120 in frame 'depth_optical', .* in frame 'other': give another --camera-info-topic"):
        list(source.frames())


# -- damaged recordings


def test_a_damaged_message_costs_what_it_holds_and_is_named(tmp_path, library, caplog):
    truth = {i: library.make(HANDS, header=make_header(library, stamp(i), "c"), hands=[]) for i in range(4)}
    colors = {"/color": {i: color_message(library, i) for i in range(4)}}
    damaged = [(IMAGE_TOPIC, 0), (IMAGE_TOPIC, 2), (INFO_TOPIC, 1), (TRUTH_TOPIC, 3), ("/color", 3)]
    path = write_bag(tmp_path / "bag", library, 4, truth=truth, colors=colors, damaged=damaged)
    source = open_source(path, library, truth_topic=TRUTH_TOPIC, color_topic="")
    frames = list(source.frames())
    assert [bool(frame.error) for frame in frames] == [True, False, True, False]
    assert "damaged in the recording: " in frames[2].error and " bytes are no sensor_msgs/msg/Image" in frames[2].error
    assert [stamp_of(frame.image.header) for frame in frames] == [stamp(i) for i in range(4)]  # of the recording where damaged
    assert stamp_of(frames[1].info.header) == stamp(0)
    assert sorted(source.truth) == [stamp(0), stamp(1), stamp(2)]
    assert [frame.color is not None for frame in frames] == [True, True, True, False]
    for topic in (INFO_TOPIC, TRUTH_TOPIC, "/color"):
        assert f"{path}: a message on {topic} is damaged and left out: " in caplog.text
    assert [frame.name for frame in playable(source)] == ["000001", "000003"]
    assert f"{path}: frame 000002 is left out: damaged in the recording" in caplog.text


def test_a_topic_of_damaged_messages_alone_is_said(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 2, damaged=[(IMAGE_TOPIC, 0), (IMAGE_TOPIC, 1)])
    with pytest.raises(BagError, match=f"bag: not one message on {IMAGE_TOPIC} can be read: copy the recording again"):
        open_source(path, library)


@pytest.mark.parametrize("keep_metadata", [True, False])
def test_a_cut_mcap_is_read_as_far_as_it_goes(tmp_path, library, caplog, keep_metadata):
    path = write_bag(tmp_path / "bag", library, 100)  # 38 kB a frame: 4 chunks of 1 MB
    file = the_file(path)
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size * 6 // 10)
    if not keep_metadata:
        (path / "metadata.yaml").unlink()
    with caplog.at_level(logging.WARNING):
        read = stamps(open_source(path, library))
    assert 25 <= len(read) < 100 and read == [stamp(i) for i in range(len(read))]
    assert f"{file} is cut off or damaged" in caplog.text and "messages before that place" in caplog.text


def test_an_mcap_without_a_whole_chunk_is_refused(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 3)
    file = the_file(path)
    with file.open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(BagError, match=f"{file} cannot be read.*copy it again"):
        BagReader(file)


def test_damage_in_the_middle_ends_the_reading_there(tmp_path, library, caplog):
    path = write_bag(tmp_path / "bag", library, 100)
    file = the_file(path)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200_000] = b"\xff" * 200_000  # records' lengths among them
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING), BagReader(path) as bag:
        read = [m.stamp_ns for m in bag.messages({IMAGE_TOPIC})]
    assert 25 <= len(read) < 100
    assert "damaged" in caplog.text


def test_a_cut_sqlite_file_is_a_clear_error(tmp_path, library):
    path = write_bag(tmp_path / "bag", library, 3, plugin=StoragePlugin.SQLITE3)
    file = the_file(path, ".db3")
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(BagError, match=f"{file} cannot be read"):
        BagReader(path)


@pytest.mark.parametrize("as_file", [False, True])
def test_messages_in_a_log_of_sqlite_are_not_lost(tmp_path, library, as_file):
    bag = write_bag(tmp_path / "bag", library, 6, plugin=StoragePlugin.SQLITE3)
    written, killed = the_file(bag, ".db3"), tmp_path / "a recorder that was killed"
    with closing(sqlite3.connect(written)) as recorder:
        recorder.execute("PRAGMA journal_mode=WAL")
        recorder.execute("INSERT INTO messages (topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data FROM messages")
        recorder.commit()
        shutil.copytree(bag, killed)  # before the recorder ends and empties its log
    path = the_file(killed, ".db3") if as_file else killed
    with pytest.raises(BagError, match="bag.db3-wal holds messages that are not in .* yet: its recorder still runs") as caught:
        BagReader(path)
    _, file, command = shlex.split(str(caught.value).partition("put them there: ")[2])
    with closing(sqlite3.connect(file)) as remedy:
        remedy.execute(command)
    with BagReader(path) as reader:
        assert sum(1 for _ in reader.messages({IMAGE_TOPIC})) == 12


def test_one_missing_split_file_leaves_the_others(tmp_path, library, caplog):
    path = write_bag(tmp_path / "bag", library, 3)
    metadata = path / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("- bag.mcap", "- bag.mcap\n  - bag_1.mcap"))
    with caplog.at_level(logging.WARNING):
        assert len(stamps(open_source(path, library))) == 3
    assert "bag_1.mcap" in caplog.text and "one by one" in caplog.text


def test_files_without_metadata_are_read_in_numeric_order(tmp_path, library):
    whole = tmp_path / "whole"
    whole.mkdir()
    for number, name in ((0, "part_2.mcap"), (1, "part_10.mcap")):
        shutil.copy(the_file(write_bag(tmp_path / f"b{number}", library, 1 + number)), whole / name)
    with BagReader(whole) as bag:
        assert [m.stamp_ns for m in bag.messages({IMAGE_TOPIC})] == [stamp(0), stamp(0), stamp(1)]
        assert bag.counts[IMAGE_TOPIC] == 3 and bag.types[IMAGE_TOPIC] == IMAGE


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing", None, "does not exist"),
        ("old.bag", b"#ROSBAG V2.0", "ROS 1 recording.*rosbags-convert"),
        ("notes.txt", b"hello", "is no rosbag2 recording"),
        ("noise.mcap", bytes(range(256)) * 20, "cannot be read"),
        ("noise.db3", bytes(range(256)) * 20, "cannot be read"),
        ("empty.mcap", b"", "cannot be read"),
    ],
)
def test_what_is_no_recording_is_said(tmp_path, library, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BagError, match=said):
        open_source(path, library)


def test_a_metadata_file_that_is_no_yaml_is_a_clear_error(tmp_path, library):
    (tmp_path / "metadata.yaml").write_text("a: [b")
    with pytest.raises(BagError, match=f"recording {tmp_path} cannot be read"):
        open_source(tmp_path, library)


def test_an_empty_folder_is_no_recording(tmp_path, library):
    with pytest.raises(BagError, match="is no recording: give a rosbag2 folder"):
        open_source(tmp_path, library)
