"""The topics of the node: names, types and quality of service, the same for both transports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class QosProfile:
    """Quality of service as ROS 2 speaks of it; history is keep last.

    :param depth: samples kept
    :param reliable: reliable, else best effort
    :param transient_local: late subscribers get the last `depth` samples ("latched"), else volatile
    """

    depth: int = 10
    reliable: bool = True
    transient_local: bool = False

    def __str__(self) -> str:
        reliability = "reliable" if self.reliable else "best effort"
        return f"{reliability}, {'transient local' if self.transient_local else 'volatile'}, keep last {self.depth}"


SENSOR_DATA = QosProfile(depth=5, reliable=False)
RELIABLE = QosProfile(depth=10)
LATCHED = QosProfile(depth=1, transient_local=True)
NEWEST = QosProfile(depth=1)
TF = QosProfile(depth=100)


@dataclass(frozen=True)
class TopicSpec:
    """One topic: its name before remapping, its type, its quality of service."""

    name: str
    typename: str
    qos: QosProfile


DEPTH_IMAGE = TopicSpec("depth/image_rect", "sensor_msgs/msg/Image", SENSOR_DATA)
COMPRESSED_DEPTH = TopicSpec("depth/image_rect/compressedDepth", "sensor_msgs/msg/CompressedImage", SENSOR_DATA)
CAMERA_INFO = TopicSpec("depth/camera_info", "sensor_msgs/msg/CameraInfo", SENSOR_DATA)
COLOR_IMAGE = TopicSpec("color/image_rect", "sensor_msgs/msg/Image", SENSOR_DATA)
COLOR_INFO = TopicSpec("color/camera_info", "sensor_msgs/msg/CameraInfo", SENSOR_DATA)
DETECTIONS = TopicSpec("detections", "vision_msgs/msg/Detection2DArray", SENSOR_DATA)

HANDS = TopicSpec("hands", "hand_pose_ros/msg/HandPoseArray", RELIABLE)
HAND_MARKERS = TopicSpec("hand_markers", "visualization_msgs/msg/MarkerArray", RELIABLE)
PALM_POSES = TopicSpec("palm_poses", "geometry_msgs/msg/PoseArray", RELIABLE)
HAND_JOINT_STATES = TopicSpec("hand_joint_states", "sensor_msgs/msg/JointState", RELIABLE)
HAND_GRASPS = TopicSpec("hand_grasps", "hand_pose_ros/msg/HandGraspArray", RELIABLE)
GRASP_POSE = TopicSpec("grasp_pose", "geometry_msgs/msg/PoseStamped", RELIABLE)
HAND_BONES = TopicSpec("hand_bones", "std_msgs/msg/String", LATCHED)
TRANSFORMS = TopicSpec("/tf", "tf2_msgs/msg/TFMessage", TF)
DIAGNOSTICS = TopicSpec("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", RELIABLE)
MODEL = TopicSpec("model", "std_msgs/msg/String", LATCHED)
RUN_INFO = TopicSpec("run_info", "std_msgs/msg/String", LATCHED)
OVERLAY = TopicSpec("overlay", "sensor_msgs/msg/Image", NEWEST)

# What follows from the hands of a frame, as far as it is switched on.
HAND_OUTPUTS = (HANDS, HAND_MARKERS, PALM_POSES, HAND_JOINT_STATES, HAND_GRASPS, GRASP_POSE, HAND_BONES, TRANSFORMS)
# What is published in any case, and with what is made only while someone listens.
OUTPUTS = (*HAND_OUTPUTS, DIAGNOSTICS, MODEL, RUN_INFO)
ALL_OUTPUTS = (*OUTPUTS, OVERLAY)
# What may come in; `depth_input` says which of the two kinds of depth images does.
INPUTS = (DEPTH_IMAGE, CAMERA_INFO, COLOR_IMAGE, COLOR_INFO, DETECTIONS)

TRANSPORTS = ("raw", "compressedDepth")


def depth_input(transport: str, topic_name: Callable[[str], str]) -> TopicSpec:
    """The topic that depth images come on, by the name to subscribe to: remapping is still to be applied to it, once.

    :param transport: one of `TRANSPORTS`
    :param topic_name: what a topic is called after remapping; as with image_transport, the compressed topic lies below what
        `DEPTH_IMAGE` is remapped to
    """
    if transport == "raw":
        return DEPTH_IMAGE
    suffix = COMPRESSED_DEPTH.name.removeprefix(DEPTH_IMAGE.name)
    return TopicSpec(topic_name(DEPTH_IMAGE.name) + suffix, COMPRESSED_DEPTH.typename, COMPRESSED_DEPTH.qos)
