"""The hand pose node for any depth camera: `ros2 launch hand_pose_ros hand_pose.launch.py camera:=realsense rviz:=true`.

`--show-args` lists the arguments. With autostart the node is configured and activated; if its configuration fails (the log
says why), it stays unconfigured and can be set right and configured with `ros2 param` and `ros2 lifecycle`.
"""

import os
from pathlib import Path

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, ExecuteProcess, LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.descriptions import Parameter
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.utilities import make_namespace_absolute, prefix_namespace
from lifecycle_msgs.msg import Transition

from hand_pose_ros.bags.offline import not_repeated, sees_color
from hand_pose_ros.live.parameter_file import read_values
from hand_pose_ros.live.topics import ALL_OUTPUTS
from hand_pose_ros.share import model_file

CONFIG = Path(get_package_share_directory("hand_pose_ros")) / "config"
CAMERAS = sorted(file.stem for file in (CONFIG / "cameras").glob("*.yaml"))
TRUE_OR_FALSE = ["true", "false"]
TOPICS = {
    "depth/image_rect": "depth_image",
    "depth/camera_info": "camera_info",
    "detections": "detections",
    "color/image_rect": "color_image",
    "color/camera_info": "color_camera_info",
}
OUTPUTS = ("hand_markers", "palm_poses", "grasp_pose", "right_hand_description", "left_hand_description", "overlay")
LEVELS = ["debug", "info", "warn", "error", "fatal"]

ARGUMENTS = [
    DeclareLaunchArgument(
        "camera",
        default_value="none",
        choices=["none", *CAMERAS],
        description="Whose default topics and parameters to use (config/cameras). none: depth/image_rect, depth/camera_info.",
    ),
    DeclareLaunchArgument("depth_image", default_value="", description="Topic of the depth image, over the camera's."),
    DeclareLaunchArgument(
        "camera_info", default_value="", description="Topic of its camera info. Empty: the camera's, or beside depth_image."
    ),
    DeclareLaunchArgument(
        "detections",
        default_value="",
        description="Topic of vision_msgs/Detection2DArray in whose boxes new hands are looked for. Empty: look everywhere.",
    ),
    DeclareLaunchArgument(
        "color_image",
        default_value="",
        description="Topic of a colour image: the overlay is drawn on it, a model of colour sees it.",
    ),
    DeclareLaunchArgument(
        "color_camera_info",
        default_value="",
        description="Topic of its camera info. Empty: beside color_image.",
    ),
    DeclareLaunchArgument(
        "target_frame", default_value="", description="TF frame to publish the hands in. Empty: the depth image's own."
    ),
    DeclareLaunchArgument(
        "frame_prefix", default_value="", description="Before the names of the TF frames; two nodes must not share them."
    ),
    DeclareLaunchArgument(
        "model", default_value="", description="Model file (.onnx) or hand21_accurate. Empty: hand21_fast, the package's own."
    ),
    DeclareLaunchArgument(
        "params_file",
        default_value="",
        description="ROS 2 parameter file, over the camera's parameters, below these arguments. Empty: none.",
    ),
    DeclareLaunchArgument("name", default_value="hand_pose", description="The node's name."),
    DeclareLaunchArgument("namespace", default_value="", description="Its namespace; the topics that it publishes are below."),
    DeclareLaunchArgument("autostart", default_value="true", choices=TRUE_OR_FALSE, description="Configure and activate it."),
    DeclareLaunchArgument("use_sim_time", default_value="false", choices=TRUE_OR_FALSE, description="Time is that of /clock."),
    DeclareLaunchArgument("log_level", default_value="info", choices=LEVELS, description="Least severity that it logs."),
    DeclareLaunchArgument(
        "record",
        default_value="",
        description="Folder, a new one, to record what the node takes in and gives out, so that it can be repeated (hand-pose "
        "replay FOLDER --as-recorded; not with target_frame or detections). Empty: nothing is recorded.",
    ),
    DeclareLaunchArgument(
        "rviz", default_value="false", choices=["auto", *TRUE_OR_FALSE], description="Start RViz. auto: if it is installed."
    ),
]


def read_camera(name: str) -> dict:
    """Topics and parameters of a camera."""
    if name == "none":
        return {"frame": "", "topics": {}, "parameters": {}}
    return yaml.safe_load((CONFIG / "cameras" / f"{name}.yaml").read_text(encoding="utf-8"))


def asked_for(value: dict[str, str]) -> dict:
    """The parameters that arguments stand for; an argument that is empty, or false, stands for none."""
    parameters: dict = {name: value[name] for name in ("model", "target_frame", "frame_prefix") if value[name]}
    parameters.update({"use_detections": True} if value["detections"] else {})
    parameters.update({"overlay_color": True} if value["color_image"] else {})
    parameters.update({"use_sim_time": True} if value["use_sim_time"] == "true" else {})
    return parameters


def topics_of(value: dict[str, str], camera: dict) -> dict[str, str]:
    """What the node's topics are remapped to; where only the image is named, its camera info is the one beside it."""
    topics = {**camera["topics"], **{topic: value[name] for topic, name in TOPICS.items() if value[name]}}
    for image, info in (("depth/image_rect", "depth/camera_info"), ("color/image_rect", "color/camera_info")):
        if (named := value[TOPICS[image]]) and not value[TOPICS[info]]:
            topics[info] = f"{named.rpartition('/')[0]}/camera_info".removeprefix("" if named.startswith("/") else "/")
    return topics


def start(context: LaunchContext) -> list:
    """The node and what starts it."""
    value = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    camera = read_camera(value["camera"])
    given = [camera["parameters"]] if camera["parameters"] else []
    if value["params_file"]:
        file = Path(value["params_file"]).expanduser()
        if not file.is_file():
            raise RuntimeError(f"params_file {file} does not exist: name a ROS 2 parameter file, or leave the argument out")
        given.append(str(file))
    asked = asked_for(value)
    topics = topics_of(value, camera)
    pushed = context.launch_configurations.get("ros_namespace")  # by PushRosNamespace around this file
    namespace = make_namespace_absolute(prefix_namespace(pushed, value["namespace"]))
    node = LifecycleNode(
        package="hand_pose_ros",
        executable="hand_pose_node",
        name=value["name"],
        namespace=value["namespace"],
        # A dictionary becomes a file that names this node, over which an entry /** of params_file would win.
        parameters=[*given, *(Parameter(name, wanted, value_type=type(wanted)) for name, wanted in asked.items())],
        remappings=list(topics.items()),
        ros_arguments=["--log-level", f"{logger_name(namespace, value['name'])}:={value['log_level']}"],
        output="screen",
    )
    shown = rviz(value, topics, namespace, value["target_frame"] or camera["frame"])
    recorder = record(value, topics, namespace, [*given, asked]) if value["record"] else []
    return [*recorder, *(autostart(node) if value["autostart"] == "true" else []), node, *shown]


def logger_name(namespace: str, name: str) -> str:
    """What rcl calls a node's logger: "robot1.hand_pose" for /robot1/hand_pose."""
    return ".".join(part for part in f"{namespace}/{name}".split("/") if part)


def record(value: dict[str, str], topics: dict[str, str], namespace: str, parameters: list) -> list:
    """`ros2 bag record` of the node's topics.

    :param topics: what the node's are remapped to
    :param namespace: the node's whole one
    :param parameters: dictionaries of values, and files
    """
    folder = Path(value["record"]).expanduser()
    if folder.exists():
        raise RuntimeError(f"record: {folder} exists: name a new folder")
    try:
        get_package_prefix("ros2bag")
    except PackageNotFoundError:
        raise RuntimeError("ros2 bag is not installed: install ros-$ROS_DISTRO-ros2bag, or leave record out") from None
    name = f"{namespace}/{value['name']}".replace("//", "/")
    values: dict = {}
    for given in parameters:
        values.update(given if isinstance(given, dict) else read_values(given, name))
    inputs = ["depth/image_rect", "depth/camera_info"]
    color = values.get("overlay_color") or (values.get("model") and sees_color(model_file(values["model"])))
    inputs += ["color/image_rect", "color/camera_info"] if color else []
    inputs += ["detections"] if values.get("use_detections") else []
    outputs = [spec.name for spec in ALL_OUTPUTS if spec.name != "overlay"]
    names = [topics.get(topic, topic) for topic in (*inputs, *outputs)]
    if values.get("depth_transport") == "compressedDepth":
        names[0] += "/compressedDepth"
    names += ["/tf_static"] if values.get("target_frame") else []
    absolute = [topic if topic.startswith("/") else f"{namespace}/{topic}".replace("//", "/") for topic in names]
    option = [] if os.environ.get("ROS_DISTRO") == "humble" else ["--topics"]  # Humble takes them without, Jazzy warns
    command = ["ros2", "bag", "record", "--output", str(folder), *option, *absolute]
    warning = not_repeated(values)
    return [*([LogInfo(msg=f"record: {warning}")] if warning else []), ExecuteProcess(cmd=command, output="screen")]


def rviz(value: dict[str, str], topics: dict[str, str], namespace: str, frame: str) -> list:
    """RViz with the node's topics, or a line that says that there is none.

    :param frame: its fixed frame, "" for that of its configuration
    """
    if value["rviz"] == "false":
        return []
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        if value["rviz"] == "true":
            raise RuntimeError("rviz2 is not installed: install ros-$ROS_DISTRO-rviz2, or leave it out (rviz:=false)") from None
        hands = f"{namespace}/hands".replace("//", "/")
        return [LogInfo(msg=f"rviz2 is not installed: nothing is shown; look at it with `ros2 topic echo {hands}`")]
    names = {name: topics.get(name, name) for name in ("depth/image_rect", "depth/camera_info", *OUTPUTS)}
    return [
        Node(
            package="rviz2",
            executable="rviz2",
            namespace=value["namespace"],
            arguments=["-d", str(CONFIG / "hand_pose.rviz"), *(["-f", frame] if frame else [])],
            parameters=[{"use_sim_time": value["use_sim_time"] == "true"}],
            remappings=[(f"/{name}", topic) for name, topic in names.items()],
            output="screen",
        )
    ]


def autostart(node: LifecycleNode) -> list:
    """Configure it when its process runs, activate it when it is configured."""

    def change(transition: int) -> EmitEvent:
        return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition))

    configured = {"start_state": "configuring", "goal_state": "inactive"}
    return [
        RegisterEventHandler(OnProcessStart(target_action=node, on_start=[change(Transition.TRANSITION_CONFIGURE)])),
        RegisterEventHandler(
            OnStateTransition(target_lifecycle_node=node, entities=[change(Transition.TRANSITION_ACTIVATE)], **configured)
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])
