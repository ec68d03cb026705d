"""A recording, the hand pose node in the recording's time, and RViz.

`ros2 launch hand_pose_ros replay.launch.py recording:=/path/to/bag`; ends with the recording. For hands of every frame, also on
a slow machine, use `hand-pose replay`, which does not drop any.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = Path(get_package_share_directory("hand_pose_ros"))
TRUE_OR_FALSE = ["true", "false"]

ARGUMENTS = [
    DeclareLaunchArgument(
        "recording",
        default_value="",
        description="rosbag2 folder, .mcap or .db3 file, or folder of depth PNGs with a camera.yaml. Empty: the package's own.",
    ),
    DeclareLaunchArgument("rate", default_value="1.0", description="2.0 plays twice as fast."),
    DeclareLaunchArgument(
        "recorded_time",
        default_value="true",
        choices=TRUE_OR_FALSE,
        description="Keep the recorded stamps, publish them on /clock and let the node use them. false: stamp when sent.",
    ),
    DeclareLaunchArgument("loop", default_value="false", choices=TRUE_OR_FALSE, description="Play again and again."),
    DeclareLaunchArgument(
        "model", default_value="", description="Model file (.onnx) or hand21_accurate. Empty: hand21_fast, the package's own."
    ),
    DeclareLaunchArgument("params_file", default_value="", description="ROS 2 parameter file of the node. Empty: none."),
    DeclareLaunchArgument("name", default_value="hand_pose", description="The node's name."),
    DeclareLaunchArgument("namespace", default_value="", description="That of the node and of the played topics."),
    DeclareLaunchArgument(
        "rviz", default_value="auto", choices=["auto", "true", "false"], description="Start RViz. auto: if it is installed."
    ),
]


def start(context: LaunchContext) -> list:
    """Node, player, RViz."""
    value = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / "launch/hand_pose.launch.py")),
        launch_arguments={
            "model": value["model"],
            "params_file": value["params_file"],
            "use_sim_time": value["recorded_time"],
            "name": value["name"],
            "namespace": value["namespace"],
            "rviz": value["rviz"],
            # What is given here would go to the node, which has to listen to the player.
            "camera": "none",
            "depth_image": "",
            "camera_info": "",
        }.items(),
    )
    valued = ["--recording", value["recording"], "--rate", value["rate"], "--listener", value["name"]]
    switches = {"--clock": value["recorded_time"], "--loop": value["loop"]}
    player = Node(
        package="hand_pose_ros",
        executable="depth_player",
        namespace=value["namespace"],
        arguments=[*valued, *(option for option, on in switches.items() if on == "true")],
        output="screen",
        on_exit=end,
    )
    return [node, player]


def end(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """The player has ended; after Ctrl-C, which ends all anyway, a second shutdown would be an error of launch_ros."""
    return None if context.is_shutdown else Shutdown(reason="the recording is at its end")


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])
