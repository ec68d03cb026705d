"""Recordings: rosbag2 in MCAP and SQLite, folders of depth images, and replaying them through the pipeline."""
