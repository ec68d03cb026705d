"""Depth, hands and joint angles in the Rerun viewer, or in a file for it: for machines without RViz.

Rerun is an optional package (rerun-sdk); nothing of it is imported before a view is made. Everything is on the timeline "stamp",
the images' own. What is in one TF frame is below one entity: `<frame_id>/depth` (pinhole camera and image),
`<frame_id>/hand_<id>/joints`, `bones` and `covariance`; joint angles in degrees are `angles/<side>_<joint>_<flexion|abduction>`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.geometry.crop import unpack_symmetric
from hand_pose_ros.hand.frames import quaternion_from_matrix
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.markers import BONE_WIDTH_M, FINGER_COLOURS, JOINT_DIAMETER_M
from hand_pose_ros.messages.read_hands import frame_result
from hand_pose_ros.perception.types import DepthFrame, Hand
from hand_pose_ros.skeleton import finger_of

SPAWN = "spawn"
APPLICATION = "hand_pose_ros"
TIMELINE = "stamp"
DEVIATIONS = 2.0  # of the ellipsoids
_MILLIMETRE = 1000.0  # depth is stored in whole millimetres, half the size of metres in float32


class RerunView:
    """Shows frames one after the other. Not thread safe; close it, or use it in a with statement.

    :param target: file to write (.rrd), "spawn" for a viewer of its own, or the address of one that runs ("rerun+http://...")
    :raises ModuleNotFoundError: rerun-sdk is not installed
    :raises OSError: the file cannot be written
    """

    def __init__(self, target: str) -> None:
        import rerun

        self._rerun = rerun
        self._stream = rerun.RecordingStream(APPLICATION)
        self._shown: dict[str, set[str]] = {}
        self._angles: set[str] = set()
        if target == SPAWN:
            self._stream.spawn()
        elif "://" in target:
            self._stream.connect_grpc(target)
        else:
            file = Path(target)
            file.touch()  # an error of the system's here, with the file's name, not one of a writer's thread later
            self._stream.save(file)
        self._arranged = False

    def __enter__(self) -> RerunView:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Hand over what is left."""
        self._stream.flush()
        self._stream.disconnect()

    def depth(self, frame: DepthFrame) -> None:
        """A depth image and its camera. A distorted camera is shown as a pinhole."""
        rr, camera = self._rerun, frame.camera
        root = _entity(frame.frame_id)
        entity = f"{root}/depth"
        if not self._arranged:
            self._arranged = True
            self._stream.send_blueprint(_blueprint(root, entity))
            self._stream.log(root, rr.ViewCoordinates.RDF, static=True)
        self._at(frame.stamp_ns)
        pinhole = rr.Pinhole(
            focal_length=[camera.fx, camera.fy],
            principal_point=[camera.cx + 0.5, camera.cy + 0.5],  # Rerun has (0, 0) at the pixel's corner
            resolution=[camera.width, camera.height],
            camera_xyz=rr.ViewCoordinates.RDF,
        )
        self._stream.log(entity, pinhole)
        counts = np.clip(np.rint(frame.depth * _MILLIMETRE), 0, np.iinfo(np.uint16).max).astype(np.uint16)
        self._stream.log(f"{entity}/image", rr.DepthImage(counts, meter=_MILLIMETRE))

    def hands(self, message: Any) -> None:
        """A HandPoseArray; those of its frame that are gone disappear."""
        result = frame_result(message)
        self._at(result.stamp_ns)
        root = _entity(result.frame_id)
        now = {f"{root}/hand_{hand.id}" for hand in result.hands}
        for gone in sorted(self._shown.get(root, set()) - now):
            self._stream.log(gone, self._rerun.Clear(recursive=True))
        self._shown[root] = now
        for hand in result.hands:
            self._hand(f"{root}/hand_{hand.id}", hand)

    def joint_states(self, message: Any) -> None:
        """A JointState with the hands' angles."""
        self._at(stamp_ns(message.header))
        now = set(message.name)
        for gone in sorted(self._angles - now):
            self._stream.log(f"angles/{gone}", self._rerun.Clear(recursive=False))
        self._angles = now
        for name, angle in zip(message.name, message.position):
            self._stream.log(f"angles/{name}", self._rerun.Scalars(np.degrees(angle)))

    def _at(self, stamp: int) -> None:
        self._stream.set_time(TIMELINE, timestamp=np.datetime64(stamp, "ns"))

    def _hand(self, entity: str, hand: Hand) -> None:
        rr, names = self._rerun, hand.skeleton.joint_names
        colours = np.array([FINGER_COLOURS.get(finger_of(name), FINGER_COLOURS["wrist"]) for name in names], np.uint8)
        bones = np.array(hand.skeleton.bone_indices).reshape(-1, 2)
        joints = hand.joints
        self._stream.log(
            f"{entity}/joints",
            rr.Points3D(joints, colors=colours, radii=JOINT_DIAMETER_M / 2, labels=list(names), show_labels=False),
        )
        self._stream.log(f"{entity}/bones", rr.LineStrips3D(joints[bones], colors=colours[bones[:, 1]], radii=BONE_WIDTH_M / 2))
        known = np.isfinite(joints).all(axis=1) & (np.asarray(hand.covariance)[:, 0] >= 0)
        half_sizes, quaternions = ellipsoids(np.asarray(hand.covariance)[known])
        self._stream.log(
            f"{entity}/covariance",
            rr.Ellipsoids3D(half_sizes=half_sizes, centers=joints[known], quaternions=quaternions, colors=colours[known]),
        )


def ellipsoids(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half axes (N, 3) of `DEVIATIONS` standard deviations, metres, and quaternions (N, 4) x y z w; covariance (N, 6)."""
    variances, axes = np.linalg.eigh(unpack_symmetric(covariance))
    axes[np.linalg.det(axes) < 0, :, 0] *= -1  # a rotation, not a mirror
    return DEVIATIONS * np.sqrt(np.clip(variances, 0, None)), np.array([quaternion_from_matrix(a) for a in axes]).reshape(-1, 4)


def _entity(frame_id: str) -> str:
    """The entity of a TF frame; its slashes are no levels of entities."""
    return frame_id.strip("/").replace("/", "_") or "camera"


def _blueprint(root: str, camera: str) -> Any:
    """The scene beside the picture, and the angles below."""
    import rerun.blueprint as rrb

    scene = rrb.Spatial3DView(origin="/", name="hands")
    picture = rrb.Spatial2DView(origin=camera, contents=[f"{root}/**"], name="picture")
    angles = rrb.TimeSeriesView(origin="angles", name="joint angles (degrees)")
    return rrb.Blueprint(rrb.Vertical(rrb.Horizontal(scene, picture), angles, row_shares=[3, 1]), collapse_panels=True)
