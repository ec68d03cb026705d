"""The package's synthetic recording as a camera, the hand pose node, and RViz: `ros2 launch hand_pose_ros demo.launch.py`."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

REPLAY = Path(get_package_share_directory("hand_pose_ros")) / "launch/replay.launch.py"

ARGUMENTS = [
    DeclareLaunchArgument(
        "model", default_value="", description="Model file (.onnx) or hand21_accurate. Empty: hand21_fast, the package's own."
    ),
    DeclareLaunchArgument("loop", default_value="true", choices=["true", "false"], description="Play again and again."),
    DeclareLaunchArgument(
        "rviz", default_value="auto", choices=["auto", "true", "false"], description="Start RViz. auto: if it is installed."
    ),
]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs: a replay whose frames are stamped when they are sent, as a camera does."""
    fixed = {"recording": "", "recorded_time": "false", "rate": "1.0", "params_file": ""}
    given = {argument.name: LaunchConfiguration(argument.name) for argument in ARGUMENTS}
    replay = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(REPLAY)), launch_arguments={**fixed, **given}.items())
    return LaunchDescription([*ARGUMENTS, replay])
