"""3D hand pose from depth images, for ROS 2 and without it."""

from pkgutil import extend_path

# In a colcon workspace the generated messages (hand_pose_ros.msg) are installed elsewhere than a source checkout
# from which Python may be started; both parts belong to this one package.
__path__ = extend_path(__path__, __name__)

__version__ = "0.1.0"
