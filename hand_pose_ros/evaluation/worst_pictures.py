"""Pictures of the worst frames: the depth image with the hands that were found and crosses at the true joints."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.source import SourceFrame
from hand_pose_ros.evaluation.bag_transforms import BagTransforms
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.inference import open_images, with_depth_scale
from hand_pose_ros.evaluation.settings import Job
from hand_pose_ros.evaluation.worst_frames import WorstFrame
from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.read_hands import frame_result
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.viz.overlay import overlay

log = logging.getLogger(__name__)
PICTURES = "worst"


def draw_worst(job: Job, frames: Sequence[WorstFrame], start_ns: int, library: RosbagsLibrary) -> list[dict[str, Any]]:
    """Draw the frames whose depth image the recording has, into the job's folder `worst`.

    :param start_ns: of the recording

    :return: of each picture its path in the job's folder, what it shows, and when
    """
    if not frames:
        return []
    try:
        with closing(open_images(job.bag, job.recordings, job.run.parameters, library)) as source:
            parameters = with_depth_scale(job.run.parameters, source)
            drawn = _draw(job, frames, source.frames(), parameters, library)
            return [{**picture, "seconds": round((picture["stamp_ns"] - start_ns) * 1e-9, 3)} for picture in drawn]
    except (BagError, EvaluationError) as error:
        log.warning("no pictures of the worst frames: %s", error)
        return []


def _draw(job: Job, frames: Sequence[WorstFrame], images: Any, parameters: Parameters, library: RosbagsLibrary) -> list[dict]:
    wanted: dict[int, list[int]] = {}
    for place, worst in enumerate(frames):
        wanted.setdefault(worst.frame.stamp_ns, []).append(place)
    (job.folder / PICTURES).mkdir(parents=True, exist_ok=True)
    drawn: dict[int, dict[str, Any]] = {}
    transforms: BagTransforms | None = None
    for image in images:
        at = stamp_ns(image.image.header)
        for place in wanted.pop(at, ()):
            worst = frames[place]
            hands_in, image_in = worst.frame.frame_id.lstrip("/"), image.image.header.frame_id.lstrip("/")
            transform = RigidTransform.identity()
            if hands_in != image_in:
                transforms = transforms or BagTransforms(job.bag, library, image_in, hands_in, "the depth images")
                transform = transforms.at(at)
            name = f"{PICTURES}/{worst.kind.replace(' ', '_')}_{place}.png"
            if transform is not None and _write(job.folder / name, image, worst, transform, parameters):
                drawn[place] = {"picture": name, "kind": worst.kind, "text": worst.text, "badness": worst.badness, "stamp_ns": at}
        if not wanted:
            break
    if transforms is not None:
        transforms.close()
    return [drawn[place] for place in sorted(drawn)]


def _write(path: Path, image: SourceFrame, worst: WorstFrame, transform: RigidTransform, parameters: Parameters) -> bool:
    """Whether the depth image could be read and drawn on."""
    if image.error:
        return False
    try:
        frame = depth_frame(image.image, image.info, rectified=parameters.rectified, depth_scale=parameters.depth_scale or None)
    except (DepthError, CameraError) as error:
        log.warning("no picture of the frame at %d: %s", worst.frame.stamp_ns, error)
        return False
    result = frame_result(worst.frame.message).transformed(transform, frame.frame_id)
    truth = [transform.points(joints) for joints in worst.truth]
    meant = truth[0] if worst.hand is None else result.hands[worst.hand].joints
    known = meant[np.isfinite(meant).all(axis=1)]
    label = f"{worst.kind}: {worst.text}"
    picture = overlay(frame.depth, frame.camera, result, truth=truth, label=label, look_at=known if len(known) else None)
    good, encoded = cv2.imencode(".png", picture)
    if good:
        np.asarray(encoded).tofile(path)
    return bool(good)
