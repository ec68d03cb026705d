"""The node without ROS 2: a DDS participant that ROS 2 machines see as a node. Only these files import cyclonedds."""
