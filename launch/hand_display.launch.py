"""The hand as a robot model, moved by the joint angles: `ros2 launch hand_pose_ros hand_display.launch.py side:=right`.

Beside the hand pose node: robot_state_publisher with the URDF of a hand, listening to hand_joint_states, and the transform that
hangs the hand on the wrist that the node finds. Look at it with RViz's RobotModel on <side>_hand_description, which
config/hand_pose.rviz has, switched off.
"""

import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from hand_pose_ros.hand.bone_file import read_bones
from hand_pose_ros.hand.bones import ADULT
from hand_pose_ros.hand.urdf import SIDES, hand_urdf

ARGUMENTS = [
    DeclareLaunchArgument("side", default_value="right", choices=list(SIDES), description="Which hand."),
    DeclareLaunchArgument("slot", default_value="0", description="Whose wrist it hangs on: of the TF frame hand_<slot>/wrist."),
    DeclareLaunchArgument(
        "bones",
        default_value="",
        description="JSON of its sizes: `hand-pose urdf --save-bones`, or what hand_bones said. Empty: an adult's.",
    ),
    DeclareLaunchArgument("frame_prefix", default_value="", description="That of the hand pose node."),
    DeclareLaunchArgument("namespace", default_value="", description="That of the hand pose node."),
    DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=["true", "false"], description="Time is that of /clock."
    ),
]


def start(context: LaunchContext) -> list:
    """The publisher of the hand's frames, and its place."""
    value = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    try:
        get_package_prefix("robot_state_publisher")
    except PackageNotFoundError:
        distro = os.environ.get("ROS_DISTRO", "$ROS_DISTRO")
        raise RuntimeError(f"robot_state_publisher is not installed: install ros-{distro}-robot-state-publisher") from None
    side, prefix = value["side"], value["frame_prefix"]
    bones = read_bones(Path(value["bones"]).expanduser(), side) if value["bones"] else ADULT
    sim_time = {"use_sim_time": value["use_sim_time"] == "true"}
    return [
        Node(
            package="robot_state_publisher",
            executable="robot_state_publisher",
            name=f"{side}_hand_state_publisher",
            namespace=value["namespace"],
            # The prefix is in the links' names: RViz, which has a parameter for it too, would put a / behind it. As often as a
            # fast camera: by default it leaves out what comes faster than 20 a second.
            parameters=[{"robot_description": hand_urdf(bones, side, prefix), "publish_frequency": 120.0, **sim_time}],
            remappings=[("joint_states", "hand_joint_states"), ("robot_description", f"{side}_hand_description")],
            output="screen",
        ),
        Node(
            package="tf2_ros",
            executable="static_transform_publisher",
            name=f"{side}_hand_place",
            namespace=value["namespace"],
            arguments=["--frame-id", f"{prefix}hand_{value['slot']}/wrist", "--child-frame-id", f"{prefix}{side}_hand"],
            parameters=[sim_time],
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])
