"""`hand-pose node` as a process: detections, the overlay, the region box, a camera that falls silent."""

import queue
import time

import numpy as np
import pytest
from live_node import START_S, LiveNode, node_and_client
from parity import node_pipeline
from small_bags import FRAME_ID, color_message, detections_message, image_message, info_message, stamp

from hand_pose_ros.live.topics import COLOR_IMAGE, DETECTIONS, OVERLAY, SENSOR_DATA
from hand_pose_ros.messages.color_input import color_image
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.viz.overlay import overlay_picture

SHOWN = (30.0, 30.0, 100.0, 70.0)  # left, top, width and height of a box around the hand
AWAY = (100.0, 10.0, 50.0, 50.0)


def settings(model, *more: str) -> list[str]:
    return [word for setting in (f"model:={model}", *more) for word in ("--set", setting)]


def send(client, index: int):
    """The answer to one frame."""
    client.send(image_message(client.library, index), info_message(client.library, index))
    return client.next("hands")


def values(diagnostics) -> dict[str, str]:
    return {pair.key: pair.value for pair in diagnostics.status[0].values}


def wait_for_diagnostics(client, key: str, value: str):
    deadline = time.monotonic() + START_S
    while values(message := client.next("/diagnostics")).get(key) != value:
        assert time.monotonic() < deadline, message
    return message.status[0]


def drawn(library, model, indices, color=None) -> np.ndarray:
    """The overlay of the last of these frames."""
    pipeline = node_pipeline(model)
    frames = [depth_frame(image_message(library, index), info_message(library, index)) for index in indices]
    result = [pipeline.process(frame) for frame in frames][-1]
    return overlay_picture(result, frames[-1].camera, None if color is not None else frames[-1].depth, color)


def test_detections(model):
    with node_and_client(*settings(model, "use_detections:=true", "diagnostics_period_s:=0.2")) as (node, client):
        assert "listens to /depth/image_rect and /depth/camera_info and /detections" in node.log
        detections = client.peer.publisher("/detections", DETECTIONS.typename, SENSOR_DATA)
        assert client.peer.wait_for(lambda: detections.subscribers, START_S)
        assert send(client, 0).hands == []
        node.wait_for_log("/detections: none has come: is it published? No new hand is taken up (use_detections is on)")
        status = wait_for_diagnostics(client, "detections", "missing")
        assert status.level == 1 and status.message.startswith("1 of 1 images: /detections: none has come")

        def hands(index: int, box) -> list[int]:
            detections.publish(detections_message(client.library, index, box))
            time.sleep(0.2)  # topics are not ordered among each other
            return [hand.id for hand in send(client, index).hands]

        assert hands(10, AWAY) == []
        assert hands(11, SHOWN) == [1]
        assert wait_for_diagnostics(client, "detections", "1, 0.00 s old").level == 0
        assert [hand.id for hand in send(client, 27).hands] == [1]  # followed, although there are none for it
        assert wait_for_diagnostics(client, "detections", "stale, 0.53 s").level == 1


def test_the_overlay_is_made_only_when_someone_listens(model):
    with node_and_client(*settings(model, "diagnostics_period_s:=0.2")) as (_, client):
        send(client, 0)
        assert "overlay" not in values(wait_for_frames(client, 1))
        overlays = client.peer.subscribe("/overlay", OVERLAY.typename, qos=OVERLAY.qos)
        assert client.peer.wait_for(lambda: overlays.publishers, START_S)
        time.sleep(0.3)  # the node has to see this subscriber, too
        send(client, 1)
        message, _ = overlays.queue.get(timeout=START_S)
        assert (stamp_ns(message.header), message.header.frame_id, message.encoding) == (stamp(1), FRAME_ID, "bgr8")
        assert np.array_equal(color_image(message), drawn(client.library, model, (0, 1)))
        assert values(wait_for_frames(client, 2))["overlay"] == "drawn"


def wait_for_frames(client, frames: int):
    wait_for_diagnostics(client, "frames", str(frames))
    return client.next("/diagnostics")


def test_the_overlay_on_a_colour_image(model):
    with node_and_client(*settings(model, "overlay_color:=true")) as (node, client):
        overlays = client.peer.subscribe("/overlay", OVERLAY.typename, qos=OVERLAY.qos)
        colors = client.peer.publisher("/color/image_rect", COLOR_IMAGE.typename, SENSOR_DATA)
        assert client.peer.wait_for(lambda: overlays.publishers and colors.subscribers, START_S)
        time.sleep(0.3)  # the node has to see this subscriber, too
        colors.publish(color_message(client.library, 0))
        time.sleep(0.2)
        send(client, 0)
        wanted = drawn(client.library, model, (0,), color_image(color_message(client.library, 0)))
        assert np.array_equal(color_image(overlays.queue.get(timeout=START_S)[0]), wanted)
        send(client, 5)  # without a colour image of about its time
        assert np.array_equal(color_image(overlays.queue.get(timeout=START_S)[0]), drawn(client.library, model, (0, 5)))
        node.wait_for_log("/color/image_rect: no image near the depth image's stamp (is it published?)")
        with pytest.raises(queue.Empty):
            overlays.queue.get(timeout=0.2)


@pytest.mark.parametrize(("box", "hands"), [("[-0.2, -0.2, 0.4, 0.2, 0.2, 0.6]", 1), ("[-0.2, -0.2, 0.6, 0.2, 0.2, 1.0]", 0)])
def test_the_region_box(model, box, hands):
    with node_and_client(*settings(model, f"workspace_box:={box}")) as (_, client):
        assert len(send(client, 0).hands) == hands  # it is at 0.5 m


def test_target_frame_is_refused_and_the_node_that_has_it_is_named(model):
    node = LiveNode(*settings(model, "target_frame:=base"))
    assert node.wait() == 1
    assert "target_frame is 'base', but the node without ROS 2 does not follow TF: leave it empty, or run the node of" in node.log
    assert "executable hand_pose_node" in node.log and "Traceback" not in node.log


def test_a_silent_camera_becomes_a_warning_and_then_an_error(model):
    with node_and_client(*settings(model, "diagnostics_period_s:=0.5")) as (_, client):
        send(client, 0)
        levels, began = [], time.monotonic()
        while 2 not in levels:
            assert time.monotonic() < began + START_S, levels
            message = client.next("/diagnostics")
            if levels or int(values(message)["frames"]):
                levels.append(message.status[0].level)
        assert sorted(set(levels)) == [0, 1, 2] and levels == sorted(levels)
        assert 4.5 <= levels.count(1) * 0.5 <= 6
        assert message.status[1].name == "hand_pose: /depth/image_rect topic status" and message.status[1].level == 2
        send(client, 1)
        assert wait_for_diagnostics(client, "frames", "2").level == 0
