"""A hand whose frames are known by construction."""

import numpy as np

from hand_pose_ros.skeleton import FINGERS, HAND21

# A right hand seen from its back: fingers up (-y of the camera), thumb to the left (-x), back of the hand towards it (-z).
SIDE = {"thumb": -0.04, "index": -0.03, "middle": 0.0, "ring": 0.02, "little": 0.03}


def flat_hand(bend: float = 0.0) -> np.ndarray:
    """(21, 3): straight parallel fingers; each of the three bones of every finger but the thumb flexed by `bend` (rad)."""
    joints = np.zeros((21, 3))
    for finger in FINGERS:
        base = 0.03 if finger == "thumb" else 0.08
        at, angle = np.array([SIDE[finger], -base, 0.0]), 0.0
        names = [n for n in HAND21.joint_names if n.startswith(finger)]
        joints[HAND21.index(names[0])] = at
        for name in names[1:]:
            angle += 0.0 if finger == "thumb" else bend
            at = at + 0.03 * np.array([0.0, -np.cos(angle), np.sin(angle)])  # towards the palm: away from the camera
            joints[HAND21.index(name)] = at
    joints += [0.1, 0.05, 0.5]
    joints[0] = [0.1, 0.05, 0.5]
    return joints


def axes(q: np.ndarray) -> np.ndarray:
    """(3, 3) matrix of a quaternion, from its definition."""
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


PALM_AXES = np.array([[0, -1, 0], [-1, 0, 0], [0, 0, -1]]).T  # x up, y to the left, z out of the back: towards the camera
