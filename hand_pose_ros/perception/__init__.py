"""From a depth frame to hands: where they are, their joints, who is who over time."""
