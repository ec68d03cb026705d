"""What finds new hands in the whole image, as the parameters say: the detector, or none for the finder of limbs' ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.perception.detector import HandDetector


def load_detector(parameters: Parameters, cancelled: Callable[[], bool] = lambda: False) -> HandDetector | None:
    """The detector that the parameters name, by the back end that they name; None without one.

    A TensorRT plan of it is waited for: it is built in seconds, and the answers do not change between two frames.

    :param cancelled: asked several times a second while the plan is waited for; True gives it up
    :raises BuildCancelled: `cancelled` returned True
    :raises ModelError: it cannot be used, or is no detector
    :raises ShareError: the package has none
    """
    path = parameters.detector_path()
    if path is None:
        return None
    settings = replace(parameters.engine_settings(), serve_while_building=False, precision="auto")
    engine = load_engine(path, parameters.backend, parameters.threads, settings, cancelled)
    try:
        return HandDetector(engine)
    except BaseException:
        engine.close()
        raise
