"""Messages in and out: the same builders and readers for every message library (rosbags, or rclpy in a ROS 2 installation)."""
