"""Which faults a camera of a kind has: ranges that hold the published figures of common models.

At 1 m, on a wall: SR300 and SR305 0.3 to 2 mm, smooth from their own filters (Zabatani et al. 2020; frames of an SR305 have
0.1 mm between neighbours at 0.6 m); Kinect 1.4 to 2 mm and steps of 1/8 pixel (Khoshelham & Elberink 2012; Nguyen et al. 2012,
lateral 0.8 px); D4xx 0.05 to 0.15 px of disparity, in blobs as large as the matcher's window (Keselman et al. 2017;
Grunnet-Jepsen et al., "Tuning depth cameras for best performance"); Azure Kinect and Kinect v2 1 to 3 mm, mixed pixels at
edges and up to some millimetres of slow error (Tolgyessy et al. 2021; Sarbolandi et al. 2015).
"""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.sensors.faults import Sensor
from hand_pose_training.synthetic.sensors.optics import SensorKind


def training_sensor(rng: np.random.Generator, fx: float, kind: SensorKind) -> Sensor:
    """A random sensor of a kind for a camera of this focal length."""
    holes = rng.uniform(2.2, 3.4) if rng.random() < 0.4 else 0.0
    common = {"holes": holes, "holes_pitch_px": rng.uniform(4, 12), "focal_px": fx, "kind": kind}
    if kind is SensorKind.STEREO:
        return _stereo(rng, fx, common)
    if kind is SensorKind.TIME_OF_FLIGHT:
        return _time_of_flight(rng, common)
    return _coded_light(rng, fx, common) if rng.random() < 0.6 else _projected_dots(rng, fx, common)


def _coded_light(rng: np.random.Generator, fx: float, common: dict) -> Sensor:
    """SR300, SR305: very smooth surfaces, a ragged empty band around what is in front, a short range."""
    return Sensor(
        lateral_px=rng.uniform(0.1, 0.7),
        lateral_pitch_px=rng.uniform(1.5, 4),
        disparity_px=0.001 * 10 ** rng.uniform(0, 1.3),
        smooth_px=rng.uniform(0.002, 0.03),
        smooth_pitch_px=rng.uniform(3, 12),
        focal_baseline=fx * rng.uniform(0.022, 0.03),
        edge_px=rng.uniform(1, 4.5),
        edge_jump_m=rng.uniform(0.008, 0.02),
        ragged=rng.uniform(0.4, 1.0),
        ragged_pitch_px=rng.uniform(1.5, 3.5),
        drop_behind=rng.uniform(0.6, 1.0),
        drop_front=rng.uniform(0, 0.6) ** 2,
        stray=rng.uniform(0, 0.03),
        shadow=rng.choice((-1, 1)) if rng.random() < 0.85 else 0.0,
        range_m=rng.uniform(1.6, 2.6),
        albedo=rng.uniform(0, 0.4),
        grazing_tan=rng.uniform(3, 8),
        step_m=0.000125 if rng.random() < 0.8 else 0.001,
        **common,
    )


def _projected_dots(rng: np.random.Generator, fx: float, common: dict) -> Sensor:
    """Kinect, PrimeSense, Astra: steps, a wide shadow on one side, edges of several pixels."""
    return Sensor(
        lateral_px=rng.uniform(0.4, 1.3),
        lateral_pitch_px=rng.uniform(1.5, 4),
        disparity_px=rng.uniform(0.01, 0.07),
        disparity_step_px=1 / 8 if rng.random() < 0.8 else 1 / 16,
        smooth_px=rng.uniform(0.0, 0.06),
        smooth_pitch_px=rng.uniform(3, 9),
        focal_baseline=fx * rng.uniform(0.055, 0.08),
        edge_px=rng.uniform(1, 2.5),
        ragged=rng.uniform(0.2, 0.9),
        ragged_pitch_px=rng.uniform(1, 4),
        drop_behind=rng.uniform(0, 0.4),
        drop_front=rng.uniform(0, 0.35),
        fatten_px=rng.uniform(0, 1.8),
        shadow=rng.choice((-1, 1)) if rng.random() < 0.9 else 0.0,
        range_m=rng.uniform(2.2, 4),
        albedo=rng.uniform(0, 0.4),
        grazing_tan=rng.uniform(3, 7),
        step_m=0.001,
        **common,
    )


def _stereo(rng: np.random.Generator, fx: float, common: dict) -> Sensor:
    """D4xx: blobs of noise, fattened and ragged outlines that join fingers far away, an empty band at one side."""
    return Sensor(
        lateral_px=rng.uniform(0.4, 1.4),
        lateral_pitch_px=rng.uniform(1.5, 5),
        disparity_px=rng.uniform(0.01, 0.06),
        disparity_step_px=1 / 32 if rng.random() < 0.7 else 1 / 8,
        smooth_px=rng.uniform(0.03, 0.16),
        smooth_pitch_px=rng.uniform(3, 10),
        focal_baseline=fx * rng.uniform(0.045, 0.075),
        bias_m=rng.uniform(0, 0.002),
        edge_px=rng.uniform(1, 3),
        ragged=rng.uniform(0.3, 1.0),
        ragged_pitch_px=rng.uniform(1.5, 6),
        drop_behind=rng.uniform(0, 0.5),
        drop_front=rng.uniform(0, 0.3),
        stray=rng.uniform(0, 0.05),
        stray_m=rng.uniform(0.01, 0.05),
        fatten_px=rng.uniform(0, 4.0),
        shadow=rng.choice((-1, 1)) if rng.random() < 0.7 else 0.0,
        grazing_tan=rng.uniform(4, 10),
        step_m=0.001 if rng.random() < 0.8 else 0.0001,
        **common,
    )


def _time_of_flight(rng: np.random.Generator, common: dict) -> Sensor:
    """Azure Kinect, Kinect v2, L515: sharp outlines with mixed pixels or without, late light in inner corners."""
    filtered = rng.random() < 0.4  # mixed pixels are found and left out
    return Sensor(
        lateral_px=rng.uniform(0, 0.4),
        lateral_pitch_px=rng.uniform(1, 2),
        axial_m=rng.uniform(0.0005, 0.004),
        bias_m=rng.uniform(0, 0.004),
        edge_px=rng.uniform(1, 1.8),
        edge_jump_m=0.02,
        ragged=rng.uniform(0, 0.5),
        drop_behind=rng.uniform(0, 0.3) ** 2,
        drop_front=rng.uniform(0.2, 0.8) if filtered else rng.uniform(0, 0.4) ** 2,
        fly=rng.uniform(0, 0.1) if filtered else rng.uniform(0.1, 0.7),
        range_m=rng.uniform(2, 5),
        albedo=rng.uniform(0, 0.5),
        grazing_tan=rng.uniform(6, 14),
        multipath=rng.uniform(0, 0.3) if rng.random() < 0.7 else 0.0,
        step_m=0.001 if rng.random() < 0.8 else 0.00025,
        **common,
    )
