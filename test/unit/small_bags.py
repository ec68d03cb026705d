"""Recordings small enough to build in a test: a moving blob that the pipeline takes for a hand."""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

WIDTH, HEIGHT, FOCAL = 160, 120, 150.0
FRAME_ID = "depth_optical"
PERIOD_NS = 33_333_333
START_NS = 1_700_000_000_000_000_000
IMAGE_TOPIC, INFO_TOPIC, TRUTH_TOPIC = "/camera/depth/image_rect", "/camera/depth/camera_info", "/ground_truth/hands"
COMPRESSED_TOPIC, COMPRESSED = IMAGE_TOPIC + "/compressedDepth", "sensor_msgs/msg/CompressedImage"
IMAGE, INFO, HANDS = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo", "hand_pose_ros/msg/HandPoseArray"


def stamp(index: int) -> int:
    return START_NS + index * PERIOD_NS


def depth_counts(index: int) -> np.ndarray:
    """(H, W) uint16 millimetres: a palm with fingers at 0.5 m, moving a pixel a frame, before a wall at 1.5 m."""
    counts = np.full((HEIGHT, WIDTH), 1500, np.uint16)
    u, v = 60 + index, 70
    cv2.ellipse(counts, (u, v), (13, 14), 0, 0, 360, 500, -1)
    for finger, angle in enumerate((-150, -112, -95, -78, -60)):
        length = 20 if finger == 0 else 29
        tip = (round(u + length * np.cos(np.radians(angle))), round(v + length * np.sin(np.radians(angle))))
        cv2.line(counts, (u, v), tip, 500, 5)
    return counts


def image_message(library: RosbagsLibrary, index: int, encoding: str = "16UC1") -> Any:
    counts = depth_counts(index)
    pixels = counts if encoding == "16UC1" else counts.astype(np.float32) / 1000
    return library.make(
        IMAGE,
        header=make_header(library, stamp(index), FRAME_ID),
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=0,
        step=WIDTH * pixels.itemsize,
        data=np.ascontiguousarray(pixels).reshape(-1).view(np.uint8),
    )


def compressed_message(library: RosbagsLibrary, index: int) -> Any:
    """The same counts as image_transport's compressedDepth sends them: a header of 12 bytes, then a PNG."""
    png = cv2.imencode(".png", depth_counts(index))[1].tobytes()
    data = np.frombuffer(struct.pack("<iff", 0, 0.0, 0.0) + png, np.uint8)
    header = make_header(library, stamp(index), FRAME_ID)
    return library.make(COMPRESSED, header=header, format="16UC1; compressedDepth png", data=data)


def info_message(library: RosbagsLibrary, index: int, frame_id: str = FRAME_ID) -> Any:
    k = [FOCAL, 0, (WIDTH - 1) / 2, 0, FOCAL, (HEIGHT - 1) / 2, 0, 0, 1]
    p = [*k[:3], 0, *k[3:6], 0, *k[6:], 0]
    header = make_header(library, stamp(index), frame_id)
    return library.make(INFO, header=header, width=WIDTH, height=HEIGHT, distortion_model="plumb_bob", k=k, p=p)


def detections_message(
    library: RosbagsLibrary, index: int, *boxes: tuple[float, float, float, float], frame_id: str = FRAME_ID
) -> Any:
    """vision_msgs/Detection2DArray of boxes (left, top, width, height), pixels from the image's corner."""

    def detection(left: float, top: float, width: float, height: float) -> Any:
        point = library.make("vision_msgs/msg/Point2D", x=left + width / 2, y=top + height / 2)
        center = library.make("vision_msgs/msg/Pose2D", position=point, theta=0.0)
        bbox = library.make("vision_msgs/msg/BoundingBox2D", center=center, size_x=width, size_y=height)
        return library.make("vision_msgs/msg/Detection2D", bbox=bbox)

    header = make_header(library, stamp(index), frame_id)
    return library.make("vision_msgs/msg/Detection2DArray", header=header, detections=[detection(*box) for box in boxes])


def color_message(
    library: RosbagsLibrary, index: int, *, frame_id: str = FRAME_ID, scale: int = 1, encoding: str = "rgb8"
) -> Any:
    """A colour image of the size of the depth image, or `scale` times that: a slope of colour, another in each frame."""
    width, height = scale * WIDTH, scale * HEIGHT
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = np.arange(width) % 256, np.arange(height)[:, None] % 256, 20 * index
    header = make_header(library, stamp(index), frame_id)
    data = pixels.reshape(-1)
    return library.make(IMAGE, header=header, height=height, width=width, encoding=encoding, step=3 * width, data=data)


def red_hand_message(library: RosbagsLibrary, index: int, **changes: Any) -> Any:
    """A colour image registered to the depth image: the hand is red before a dark wall."""
    message = color_message(library, index, **changes)
    pixels = np.full((message.height, message.width, 3), 10, np.uint8)
    if pixels.shape[:2] == (HEIGHT, WIDTH):
        pixels[..., 0] = np.where(depth_counts(index) < 1000, 250, 0)
    message.data = pixels.reshape(-1)
    return message


def write_bag(
    path: Path,
    library: RosbagsLibrary,
    frames: int = 6,
    *,
    plugin: StoragePlugin = StoragePlugin.MCAP,
    info: bool = True,
    info_from: int = 0,
    info_frame_id: str = FRAME_ID,
    depth_topics: tuple[str, ...] = (IMAGE_TOPIC,),
    compressed: bool = False,
    truth: dict[int, Any] | None = None,
    colors: dict[str, dict[int, Any]] | None = None,
    damaged: Collection[tuple[str, int]] = (),
) -> Path:
    """A recording by the rosbags library, camera info before its image; `truth` maps the frame to a HandPoseArray.

    :param compressed: the images as compressedDepth, too
    :param colors: colour images of frames by topic; written after the depth image of their frame
    :param damaged: topic and frame of messages of which the second half is missing
    """

    def cdr(topic: str, index: int, message: Any, typename: str) -> memoryview:
        data = library.serialize(message, typename)
        return data[: len(data) // 2] if (topic, index) in damaged else data

    with Writer(path, version=8, storage_plugin=plugin) as writer:
        store = library.typestore
        images = [writer.add_connection(topic, IMAGE, typestore=store) for topic in depth_topics]
        infos = writer.add_connection(INFO_TOPIC, INFO, typestore=store) if info else None
        packed = writer.add_connection(COMPRESSED_TOPIC, COMPRESSED, typestore=store) if compressed else None
        truths = writer.add_connection(TRUTH_TOPIC, HANDS, typestore=store) if truth else None
        pictures = {topic: writer.add_connection(topic, IMAGE, typestore=store) for topic in colors or {}}
        for index in range(frames):
            if infos and index >= info_from:
                info_cdr = cdr(INFO_TOPIC, index, info_message(library, index, info_frame_id), INFO)
                writer.write(infos, stamp(index), info_cdr)
            for connection in images:
                writer.write(connection, stamp(index), cdr(connection.topic, index, image_message(library, index), IMAGE))
            if packed:
                packed_cdr = cdr(COMPRESSED_TOPIC, index, compressed_message(library, index), COMPRESSED)
                writer.write(packed, stamp(index), packed_cdr)
            for topic, messages in (colors or {}).items():
                if index in messages:
                    writer.write(pictures[topic], stamp(index), cdr(topic, index, messages[index], IMAGE))
            if truths and index in truth:
                writer.write(truths, stamp(index), cdr(TRUTH_TOPIC, index, truth[index], HANDS))
    return path


def camera_yaml(width: int = WIDTH, height: int = HEIGHT, depth_scale: float | None = 0.001) -> str:
    """A camera file in the camera_info_manager format."""
    scale = "" if depth_scale is None else f"depth_scale: {depth_scale}\n"
    return (
        f"image_width: {width}\nimage_height: {height}\ncamera_name: test\n"
        f"camera_matrix: {{rows: 3, cols: 3, data: [{FOCAL}, 0, {(width - 1) / 2}, 0, {FOCAL}, {(height - 1) / 2}, 0, 0, 1]}}\n"
        "distortion_model: plumb_bob\ndistortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}\n" + scale
    )


def write_png_folder(path: Path, names: list[str], camera: str | None = "") -> Path:
    """Depth PNGs of those names (frame i of the blob each) and, unless None, a camera file."""
    for index, name in enumerate(names):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path / name), depth_counts(index))
    if camera is not None:
        (path / "camera.yaml").write_text(camera or camera_yaml())
    return path
