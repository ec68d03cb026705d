"""Replay of recordings with image_transport's compressedDepth."""

import json

import pytest
import small_bags
from small_bags import COMPRESSED, COMPRESSED_TOPIC, IMAGE, IMAGE_TOPIC, write_bag

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.cli import main
from hand_pose_ros.live.topics import TRANSPORTS


def replay(recording, out, model, *more):
    return main(["replay", str(recording), "--out", str(out), "--model", str(model), "--no-video", *more])


def lines(out):
    return [json.loads(line) for line in (out / "joints.jsonl").read_text().splitlines()]


def test_the_same_joints_as_of_the_raw_images(tmp_path, library, model):
    assert replay(write_bag(tmp_path / "a", library, 3), tmp_path / "raw", model) == 0
    packed = write_bag(tmp_path / "b", library, 3, depth_topics=(), compressed=True)
    assert replay(packed, tmp_path / "packed", model) == 0
    assert lines(tmp_path / "packed") == lines(tmp_path / "raw") and len(lines(tmp_path / "raw")) == 3


def test_images_are_copied_as_they_were_recorded_and_can_be_replayed_again(tmp_path, library, model):
    packed = write_bag(tmp_path / "b", library, 3, depth_topics=(), compressed=True)
    assert replay(packed, tmp_path / "first", model, "--with-images") == 0
    with BagReader(packed) as given, BagReader(tmp_path / "first/bag") as copied:
        topic = "/depth/image_rect/compressedDepth"
        assert copied.types[topic] == COMPRESSED and "/depth/image_rect" not in copied.types
        cdr = [bytes(m.cdr) for m in copied.messages({topic})]
        assert cdr == [bytes(m.cdr) for m in given.messages({COMPRESSED_TOPIC})] and len(cdr) == 3
    assert replay(tmp_path / "first/bag", tmp_path / "second", model) == 0
    assert lines(tmp_path / "second") == lines(tmp_path / "first")


def test_depth_transport_chooses_where_there_are_both(tmp_path, library, model):
    both = write_bag(tmp_path / "both", library, 2, compressed=True)
    expected = [("/depth/image_rect", IMAGE), ("/depth/image_rect/compressedDepth", COMPRESSED)]
    for transport, (topic, typename) in zip(TRANSPORTS, expected):
        out = tmp_path / transport
        assert replay(both, out, model, "--set", f"depth_transport:={transport}", "--with-images") == 0
        with BagReader(out / "bag") as bag:
            assert bag.types[topic] == typename and bag.counts[topic] == 2


def test_a_named_topic_is_read_as_its_type_says(tmp_path, library):
    both = write_bag(tmp_path / "both", library, 2, compressed=True)

    def topic(image_topic, *transports):
        source = open_source(both, library, image_topic=image_topic, transports=transports)
        source.close()
        return source.image_topic, source.camera_info_topic

    assert topic(COMPRESSED_TOPIC, *TRANSPORTS) == (COMPRESSED_TOPIC, small_bags.INFO_TOPIC)
    assert topic(IMAGE_TOPIC, *TRANSPORTS)[0] == IMAGE_TOPIC
    assert topic(IMAGE_TOPIC, "compressedDepth")[0] == COMPRESSED_TOPIC  # below the image, as the node takes it


def test_a_damaged_image_does_not_cost_the_others(tmp_path, library, model, monkeypatch):
    good = small_bags.compressed_message

    def one_cut(lib, index):
        message = good(lib, index)
        message.data = message.data[: {0: 5, 2: 200}.get(index)]
        return message

    monkeypatch.setattr(small_bags, "compressed_message", one_cut)
    packed = write_bag(tmp_path / "b", library, 4, depth_topics=(), compressed=True)
    assert replay(packed, tmp_path / "out", model) == 0
    assert ["error" in line for line in lines(tmp_path / "out")] == [True, False, True, False]
    assert "shorter than its header" in lines(tmp_path / "out")[0]["error"]


def test_what_is_not_there_or_not_read_is_named(tmp_path, library):
    packed = write_bag(tmp_path / "packed", library, 2, depth_topics=(), compressed=True)
    with pytest.raises(BagError, match=r"compressed depth alone \(.*/compressedDepth\): `hand-pose replay` reads it"):
        open_source(packed, library)
    with pytest.raises(BagError, match="is sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image: give another"):
        open_source(packed, library, image_topic=COMPRESSED_TOPIC)
    raw = write_bag(tmp_path / "raw", library, 2)
    with pytest.raises(BagError, match="raw depth alone .*: set depth_transport to raw"):
        open_source(raw, library, transports=("compressedDepth",))
    with pytest.raises(BagError, match=f"no topic {IMAGE_TOPIC}/compressedDepth"):
        open_source(raw, library, image_topic=IMAGE_TOPIC, transports=("compressedDepth",))
