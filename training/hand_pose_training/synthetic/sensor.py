"""What a depth sensor makes of a perfect depth image: a camera of a random model, and what it reports.

Networks are trained with the sensors of `sensors.faults` and measured with those of `sensors.matching`, `sensors.dots` and
`sensors.phasors`, which come to their faults by other ways: they measure as such a camera does.
"""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensors.dots import DotPattern, sample_dot_pattern
from hand_pose_training.synthetic.sensors.faults import Sensor as Faults
from hand_pose_training.synthetic.sensors.kinds import training_sensor
from hand_pose_training.synthetic.sensors.matching import WindowMatcher, sample_window_matcher
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.sensors.phasors import PhasorCamera, sample_phasor_camera

Sensor = Faults | WindowMatcher | DotPattern | PhasorCamera
PERFECT = Faults()
FARTHEST_M = 100.0
HELD_OUT = {
    SensorKind.STRUCTURED_LIGHT: sample_dot_pattern,
    SensorKind.STEREO: sample_window_matcher,
    SensorKind.TIME_OF_FLIGHT: sample_phasor_camera,
}


def sample_sensor(rng: np.random.Generator, fx: float, kind: SensorKind | None = None, held_out: bool = False) -> Sensor:
    """A random sensor for a camera of this focal length in pixels.

    :param kind: None: any, all as likely
    :param held_out: of the models that training never draws
    """
    kind = SensorKind(rng.integers(len(SensorKind))) if kind is None else kind
    return HELD_OUT[kind](rng, fx) if held_out else training_sensor(rng, fx, kind)


def sense(
    inverse_depth: np.ndarray,
    window: Window,
    columns: np.ndarray,
    rows: np.ndarray,
    sensor: Sensor,
    rng: np.random.Generator,
    far_m: float = FARTHEST_M,
) -> np.ndarray:
    """What the sensor reports at some pixels of its image.

    :param inverse_depth: (h, w) rendered 1/m over `window`, 0 = nothing seen; `sensor.reach_px` wider than what is asked for
    :param columns, rows: (C,), (R,) pixels of the image; those outside the window read 0
    :param far_m: pixels whose surroundings lie beyond may read 0, which is quicker
    :return: (R, C) float32 metres, 0 = no depth
    """
    return sensor.sense(inverse_depth, (window.x0, window.y0), columns, rows, rng, far_m)
