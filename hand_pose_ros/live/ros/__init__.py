"""The lifecycle node of ROS 2: the only files that import rclpy and ROS packages."""
