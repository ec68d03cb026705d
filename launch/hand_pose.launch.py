"""The hand pose node for any depth camera: `ros2 launch hand_pose_ros hand_pose.launch.py camera:=realsense`.

`--show-args` lists the arguments. With autostart the node is configured and activated; if its configuration fails (the log
says why), it stays unconfigured and can be set right and configured with `ros2 param` and `ros2 lifecycle`.
"""

from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

CONFIG = Path(get_package_share_directory("hand_pose_ros")) / "config"
CAMERAS = sorted(file.stem for file in (CONFIG / "cameras").glob("*.yaml"))
TRUE_OR_FALSE = ["true", "false"]
LEVELS = ["debug", "info", "warn", "error", "fatal"]

ARGUMENTS = [
    DeclareLaunchArgument(
        "camera",
        default_value="none",
        choices=["none", *CAMERAS],
        description="Whose default topics and parameters to use (config/cameras). none: depth/image_rect, depth/camera_info.",
    ),
    DeclareLaunchArgument("depth_image", default_value="", description="Topic of the depth image, over the camera's."),
    DeclareLaunchArgument("camera_info", default_value="", description="Topic of its camera info, over the camera's."),
    DeclareLaunchArgument("model", default_value="", description="Model file (.onnx). Empty: the one of the package."),
    DeclareLaunchArgument(
        "params_file", default_value="", description="ROS 2 parameter file, over the camera's parameters. Empty: none."
    ),
    DeclareLaunchArgument("name", default_value="hand_pose", description="The node's name."),
    DeclareLaunchArgument("namespace", default_value="", description="Its namespace; the topics that it publishes are below."),
    DeclareLaunchArgument("autostart", default_value="true", choices=TRUE_OR_FALSE, description="Configure and activate it."),
    DeclareLaunchArgument("use_sim_time", default_value="false", choices=TRUE_OR_FALSE, description="Time is that of /clock."),
    DeclareLaunchArgument("log_level", default_value="info", choices=LEVELS, description="Least severity that it logs."),
]


def read_camera(name: str) -> dict:
    """Topics and parameters of a camera."""
    if name == "none":
        return {"topics": {}, "parameters": {}}
    return yaml.safe_load((CONFIG / "cameras" / f"{name}.yaml").read_text(encoding="utf-8"))


def start(context: LaunchContext) -> list:
    """The node and what starts it."""
    value = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    camera = read_camera(value["camera"])
    parameters = [{**camera["parameters"], "use_sim_time": value["use_sim_time"] == "true"}]
    if value["params_file"]:
        file = Path(value["params_file"]).expanduser()
        if not file.is_file():
            raise RuntimeError(f"params_file {file} does not exist: name a ROS 2 parameter file, or leave the argument out")
        parameters.append(str(file))
    if value["model"]:
        parameters.append({"model": value["model"]})
    topics = {**camera["topics"]}
    topics.update({"depth/image_rect": value["depth_image"]} if value["depth_image"] else {})
    topics.update({"depth/camera_info": value["camera_info"]} if value["camera_info"] else {})
    node = LifecycleNode(
        package="hand_pose_ros",
        executable="hand_pose_node",
        name=value["name"],
        namespace=value["namespace"],
        parameters=parameters,
        remappings=list(topics.items()),
        ros_arguments=["--log-level", f"{value['name']}:={value['log_level']}"],
        output="screen",
    )
    return [*(autostart(node) if value["autostart"] == "true" else []), node]


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
