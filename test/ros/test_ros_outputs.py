"""What the lifecycle node makes of its optional inputs: TF, a region box, detections, colour images; with numbers."""

import threading
import time

import numpy as np
import pytest
from parity import node_pipeline
from small_bags import FRAME_ID, color_message, detections_message, image_message, info_message, stamp

from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.live.topics import COLOR_IMAGE, DETECTIONS, OVERLAY, SENSOR_DATA, TF, QosProfile
from hand_pose_ros.messages.color_input import color_image
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import make_header, stamp_ns
from hand_pose_ros.viz.overlay import overlay_picture

ros = pytest.importorskip("ros_node", reason="ROS 2, or this package built by colcon, is not sourced here")

STATIC_TF = QosProfile(depth=1, transient_local=True)
# base: x forward, y left, z up; the camera looks along base's x.
OPTICAL = (-0.5, 0.5, -0.5, 0.5)
SHOWN = (30.0, 30.0, 100.0, 70.0)  # left, top, width and height of a box around the hand
AWAY = (100.0, 10.0, 50.0, 50.0)


def node_and_client(model, *settings: str):
    return ros.node_and_client("-p", f"model:={model}", *(word for setting in settings for word in ("-p", setting)))


def transform(nanoseconds: int, translation, rotation=OPTICAL, *, parent="base", child=FRAME_ID):
    make = ros.LIBRARY.make
    x, y, z = translation
    qx, qy, qz, qw = rotation
    stamped = make(
        "geometry_msgs/msg/TransformStamped",
        header=make_header(ros.LIBRARY, nanoseconds, parent),
        child_frame_id=child,
        transform=make(
            "geometry_msgs/msg/Transform",
            translation=make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
            rotation=make("geometry_msgs/msg/Quaternion", x=qx, y=qy, z=qz, w=qw),
        ),
    )
    return make("tf2_msgs/msg/TFMessage", transforms=[stamped])


def frame(index: int):
    return depth_frame(image_message(ros.LIBRARY, index), info_message(ros.LIBRARY, index))


def expected(model, *indices: int):
    """The last frame's result, in the camera's frame."""
    pipeline = node_pipeline(model)
    return [pipeline.process(frame(index)) for index in indices][-1]


def connected(client, publisher) -> None:
    client.wait_until(publisher.get_subscription_count, f"listening to {publisher.topic_name}")
    time.sleep(0.3)  # the other side has to match, too, and rclpy cannot tell


def wait_for_diagnostics(client, key: str, value: str):
    deadline = time.monotonic() + ros.WAIT_S
    while ros.diagnostic_values(message := client.next("/diagnostics")).get(key) != value:
        assert time.monotonic() < deadline, message
    return message.status[0]


def test_target_frame_with_a_static_transform(model):
    with node_and_client(model, "target_frame:=base", "transform_timeout_s:=2.0") as (node, client):
        static = client.publisher("/tf_static", "tf2_msgs/msg/TFMessage", STATIC_TF)
        static.publish(transform(0, (1.0, 2.0, 3.0)))
        client.activate()
        connected(client, static)
        client.send(0)
        got = client.next("hands")
        result = expected(model, 0).transformed(RigidTransform.from_quaternion(OPTICAL, (1.0, 2.0, 3.0)), "base")
        assert (got.header.frame_id, stamp_ns(got.header)) == ("base", stamp(0))
        (hand,), (wanted,) = got.hands, result.hands
        assert np.allclose(ros.positions(hand), wanted.joints, atol=1e-9)
        assert np.allclose(np.reshape(hand.covariance, (21, 6)), wanted.covariance, rtol=1e-5, atol=1e-12)
        x, y, _ = ros.positions(hand).mean(axis=0)  # the hand is 0.5 m ahead of the camera and left of its middle
        assert abs(x - 1.5) < 0.01 and 2.04 < y < 2.1
        markers = client.next("hand_markers").markers
        assert {m.header.frame_id for m in markers} == {"base"}
        assert np.allclose([[p.x, p.y, p.z] for p in markers[0].points], wanted.joints, atol=1e-9)
        assert client.next("palm_poses").header.frame_id == "base"
        joints = [t for t in client.next("/tf").transforms if t.child_frame_id.startswith("hand_0/")]
        assert {t.header.frame_id for t in joints} == {"base"} and len(joints) == 21
        moved = [[t.transform.translation.x, t.transform.translation.y, t.transform.translation.z] for t in joints]
        assert np.allclose(moved, wanted.joints, atol=1e-9)
        assert wait_for_diagnostics(client, "transform", "found").level == b"\x00"
        assert not node.warnings()


def test_target_frame_that_moves_is_taken_at_the_images_stamp(model):
    with node_and_client(model, "target_frame:=base", "transform_timeout_s:=5.0", "publish_tf:=false") as (_, client):
        moving = client.publisher("/tf", "tf2_msgs/msg/TFMessage", TF)
        client.activate()
        connected(client, moving)
        for index, x in ((0, 0.0), (10, 1.0)):
            moving.publish(transform(stamp(index), (x, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)))
        client.send(4)
        joints = expected(model, 4).hands[0].joints
        assert np.allclose(ros.positions(client.next("hands").hands[0]), np.add(joints, (0.4, 0, 0)), atol=1e-6)
        client.send(14)  # of a time that TF has not reached yet: it is waited for
        threading.Timer(0.5, lambda: moving.publish(transform(stamp(20), (3.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)))).start()
        joints = expected(model, 4, 14).hands[0].joints
        assert np.allclose(ros.positions(client.next("hands").hands[0]), np.add(joints, (1.8, 0, 0)), atol=1e-6)


def test_transforms_are_heard_again_when_time_was_set_back(model):
    """As when a bag without /clock is played in a loop."""
    with node_and_client(model, "target_frame:=base", "transform_timeout_s:=2.0", "publish_tf:=false") as (node, client):
        moving = client.publisher("/tf", "tf2_msgs/msg/TFMessage", TF)
        client.activate()
        connected(client, moving)
        for first in (3000, 0):  # 100 s earlier; tf2 keeps 10 s
            client.send(first + 1)
            ended = threading.Event()

            def publish(first=first, ended=ended) -> None:
                while not ended.wait(0.1):
                    for index in (first, first + 2):
                        moving.publish(transform(stamp(index), (float(first), 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)))

            thread = threading.Thread(target=publish)
            thread.start()
            try:
                got = client.next("hands")
            finally:
                ended.set()
                thread.join()
            assert (got.header.frame_id, stamp_ns(got.header)) == ("base", stamp(first + 1))
        assert np.allclose(ros.positions(got.hands[0]), expected(model, 1).hands[0].joints, atol=1e-6)
        node.wait_for_log("time went back by 100.0 s")


def test_without_the_transform_no_hand_is_published_in_another_frame(model):
    with node_and_client(model, "target_frame:=base", "diagnostics_period_s:=0.2") as (node, client):
        client.activate()
        client.send(0)
        got = client.next("hands")
        assert (got.header.frame_id, got.hands) == ("base", [])
        assert client.next("palm_poses").poses == [] and client.outputs["/tf"].empty()
        text = "no transform from 'depth_optical' to 'base' within transform_timeout_s (0.1): "
        node.wait_for_log(text)
        assert '"base" passed to lookupTransform argument target_frame does not exist' in node.log  # tf2's reason
        status = wait_for_diagnostics(client, "transform", "missing")
        assert status.level == b"\x01" and status.message.startswith(f"1 of 1 images: {text}")
        assert ros.diagnostic_values(client.next("/diagnostics"))["hands"] == "0"
        static = client.publisher("/tf_static", "tf2_msgs/msg/TFMessage", STATIC_TF)
        static.publish(transform(0, (0.0, 0.0, 0.0)))
        connected(client, static)
        client.send(1)
        assert [hand.id for hand in client.next("hands").hands] == [1]  # it was followed meanwhile


def test_tf_is_listened_to_while_the_node_is_configured(model):
    with node_and_client(model, "target_frame:=base") as (node, client):
        for _ in range(2):
            assert client.transition("configure")
            client.wait_until(lambda: client.node.count_subscribers("/tf_static") == 1, "listening to TF")
            assert client.transition("cleanup")
            client.wait_until(lambda: client.node.count_subscribers("/tf_static") == 0, "deaf to TF")
        assert not node.warnings() and "Traceback" not in node.log


def test_the_region_box_is_in_the_target_frame_and_can_be_changed(model):
    box = "workspace_box:=[1.4, 1.9, 2.8, 1.6, 2.2, 3.2]"
    with node_and_client(model, "target_frame:=base", "transform_timeout_s:=2.0", "lost_frames:=1", box) as (_, client):
        static = client.publisher("/tf_static", "tf2_msgs/msg/TFMessage", STATIC_TF)
        static.publish(transform(0, (1.0, 2.0, 3.0)))
        client.activate()
        connected(client, static)
        assert list(client.parameters()["workspace_box"][0]) == [1.4, 1.9, 2.8, 1.6, 2.2, 3.2]

        def hands(index: int) -> int:
            client.send(index)
            return len(client.next("hands").hands)

        assert hands(0) == 1
        assert client.set(workspace_box=[1.4, 1.9, 2.8, 1.6, 2.0, 3.2]) == [""]  # the hand is at y 2.07
        assert hands(1) == 0
        assert client.set(workspace_box=[-float("inf")] * 3 + [1.6, float("inf"), float("inf")]) == [""]
        assert hands(2) == 1
        assert client.set(workspace_box=[1.6, 1.9, 2.8, 1.9, 2.2, 3.2]) == [""]
        assert hands(3) == 0
        assert client.set(workspace_box=[0.0] * 6) == [""]
        assert hands(4) == 1
        (reason,) = client.set(workspace_box=[0.0, 0.0, 0.0, 1.0, 1.0, 0.0])
        assert "workspace_box goes from z 0.0 to 0.0: z_min" in reason
        (reason,) = client.set(workspace_box=[0.0, 1.0])
        assert "but it is a list of 6 numbers" in reason


@pytest.mark.skipif(not hasattr(ros.Node, "add_pre_set_parameters_callback"), reason="rclpy of Humble cannot convert lists")
def test_lists_of_whole_numbers_and_empty_ones(model):
    with node_and_client(model) as (_, client):
        assert client.set(workspace_box=[0, 0, 0, 1, 1, 1]) == [""]
        assert list(client.parameters()["workspace_box"][0]) == [0, 0, 0, 1, 1, 1]
        assert client.set(workspace_box=[]) == [""]
        assert list(client.parameters()["workspace_box"][0]) == [0.0] * 6


def test_detections(model):
    with node_and_client(model, "use_detections:=true", "diagnostics_period_s:=0.2") as (node, client):
        detections = client.publisher("/detections", DETECTIONS.typename, SENSOR_DATA)
        client.activate()
        connected(client, detections)

        def hands(index: int, *boxes, age: int | None = 0) -> list[int]:
            if age is not None:
                detections.publish(detections_message(ros.LIBRARY, index - age, *boxes))
                time.sleep(0.2)  # topics are not ordered among each other
            client.send(index)
            return [hand.id for hand in client.next("hands").hands]

        assert hands(0, age=None) == []
        node.wait_for_log("/detections: none has come: is it published? No new hand is taken up")
        status = wait_for_diagnostics(client, "detections", "missing")
        assert status.level == b"\x01" and status.message.startswith("1 of 1 images: /detections: none has come")
        assert hands(10, AWAY) == []
        assert hands(11, SHOWN, age=1) == [1]
        assert wait_for_diagnostics(client, "detections", "1, 0.03 s old").level == b"\x00"
        assert hands(26, age=None) == [1]  # followed, although there are none for it
        assert wait_for_diagnostics(client, "detections", "stale, 0.53 s").level == b"\x01"
        assert client.trigger("reset_tracking").success
        assert hands(27, age=None) == []
        assert client.set(detections_max_age_s=5.0) == [""]
        assert hands(28, age=None) == [2]


def test_the_overlay_is_made_only_when_someone_listens(model):
    with node_and_client(model, "diagnostics_period_s:=0.2") as (_, client):
        client.activate()
        client.send(0)
        client.next("hands")
        while (values := ros.diagnostic_values(client.next("/diagnostics")))["frames"] != "1":
            pass
        assert "overlay" not in values
        overlays = client.subscribe("/overlay", OVERLAY.typename, OVERLAY.qos)
        client.wait_until(lambda: client.node.count_publishers("/overlay"), "offering the overlay")
        time.sleep(0.5)
        client.send(1)
        message = overlays.get(timeout=ros.WAIT_S)
        assert (stamp_ns(message.header), message.header.frame_id, message.encoding) == (stamp(1), FRAME_ID, "bgr8")
        wanted = overlay_picture(expected(model, 0, 1), frame(1).camera, frame(1).depth)
        assert np.array_equal(color_image(message), wanted)
        wait_for_diagnostics(client, "overlay", "drawn")


def test_the_overlay_on_a_colour_image(model):
    with node_and_client(model, "overlay_color:=true") as (node, client):
        overlays = client.subscribe("/overlay", OVERLAY.typename, OVERLAY.qos)
        colors = client.publisher("/color/image_rect", COLOR_IMAGE.typename, SENSOR_DATA)
        client.activate()
        connected(client, colors)
        client.send(0)
        wanted = overlay_picture(expected(model, 0), frame(0).camera, frame(0).depth)
        assert np.array_equal(color_image(overlays.get(timeout=ros.WAIT_S)), wanted)
        node.wait_for_log("/color/image_rect: no image near the depth image's stamp (is it published?)")
        colors.publish(color_message(ros.LIBRARY, 5))
        time.sleep(0.3)
        client.send(5)
        wanted = overlay_picture(expected(model, 0, 5), frame(5).camera, None, color_image(color_message(ros.LIBRARY, 5)))
        assert np.array_equal(color_image(overlays.get(timeout=ros.WAIT_S)), wanted)
        # Of another camera 5 cm to the left of the depth camera, as TF says.
        static = client.publisher("/tf_static", "tf2_msgs/msg/TFMessage", STATIC_TF)
        infos = client.publisher("/color/camera_info", "sensor_msgs/msg/CameraInfo", SENSOR_DATA)
        static.publish(transform(0, (-0.05, 0, 0), (0, 0, 0, 1.0), parent=FRAME_ID, child="color_optical"))
        connected(client, static)
        connected(client, infos)
        infos.publish(info_message(ros.LIBRARY, 6, frame_id="color_optical"))
        colors.publish(color_message(ros.LIBRARY, 6, frame_id="color_optical"))
        time.sleep(0.3)
        client.send(6)
        message = overlays.get(timeout=ros.WAIT_S)
        moved = RigidTransform(np.eye(3), np.array([0.05, 0, 0]))
        color = color_image(color_message(ros.LIBRARY, 6))
        result = expected(model, 0, 5, 6)
        assert message.header.frame_id == "color_optical"
        wanted = overlay_picture(result, frame(6).camera, None, color, color_camera=frame(6).camera, depth_to_color=moved)
        assert np.array_equal(color_image(message), wanted)


def test_a_silent_camera_becomes_a_warning_and_then_an_error(model):
    with node_and_client(model, "diagnostics_period_s:=0.5") as (_, client):
        client.activate()
        client.send(0)
        levels, began = [], time.monotonic()
        while b"\x02" not in levels:
            assert time.monotonic() < began + ros.WAIT_S, levels
            message = client.next("/diagnostics")
            if levels or int(ros.diagnostic_values(message)["frames"]):
                levels.append(message.status[0].level)
        assert sorted(set(levels)) == [b"\x00", b"\x01", b"\x02"] and levels == sorted(levels)
        assert 4.5 <= levels.count(b"\x01") * 0.5 <= 6
        assert [s.level for s in message.status] == [b"\x02", b"\x02"]
        assert message.status[1].name == "hand_pose: /depth/image_rect topic status"


def test_of_two_rules_for_one_topic_the_first_holds(model):
    """As `hand-pose node` has it (test_names)."""
    with ros.node_and_client("-p", f"model:={model}", "-r", "hands:=/one", "-r", "hands:=/two") as (_, client):
        assert client.transition("configure")
        client.wait_until(lambda: client.node.count_publishers("/one"), "publishing on /one")
        assert client.node.count_publishers("/two") == 0
