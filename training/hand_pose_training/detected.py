"""The figures of a model with the centres of the runtime's own detector: what a user of the whole pipeline gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.metrics import joint_errors
from hand_pose_ros.perception.inputs import crop_kind, crop_size, network_inputs
from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.data import Batch, fixed_crops, joints_m, relabelled
from hand_pose_training.detection import Finder, detected_centers, found_slices, frame_figures
from hand_pose_training.evaluate import measured_model
from hand_pose_training.exams import Exam, synthetic_exam
from hand_pose_training.figures import slice_figures, slices
from hand_pose_training.sides import answers

SET, NEGATIVES = "heldout", "negatives"


def evaluate_detected(model: Path, detector: Path | None, crops: int | None = None, frames: int | None = None) -> dict[str, Any]:
    """Figures of a model of depth crops: errors over the hands that the pipeline found in whole frames, those that it did
    not find apart, presence over `negatives`, and recall and false hands.

    :param detector: a detector's model file; None: the finder of limbs' ends
    :param crops, frames: how many of the held-out crops (and of the negatives), and of the whole frames (default: all)
    :raises ValueError: a model that cannot be used, or that finds no hand at all
    """
    engine = load_engine(model, "onnxruntime")
    card, kind = engine.card, crop_kind(engine.card)
    size = crop_size(card)
    finder = Finder(engine, detector)
    held_out = fixed_crops(SET, size, card.cube_m, crops)
    batch, centers = detected_centers(held_out, finder)
    batch = relabelled(batch, HAND21, skeleton(card.skeleton))
    if not centers.found.any():
        raise ValueError(f"{model}: with {finder.name} none of {len(held_out)} hands was found, so there is nothing to measure")
    located = np.isfinite(centers.centers).all(axis=1)

    def errors(rows: np.ndarray) -> np.ndarray:
        chosen = _rows(batch, rows)
        if not rows.any():
            return np.zeros((0, len(skeleton(card.skeleton).joint_names)))
        found = answers(lambda chunk: engine.infer(network_inputs(card, chunk)), chosen[kind], card.side)
        return joint_errors(joints_m(chosen, found["joints"]), joints_m(chosen, chosen["joints"]))

    center = f"{finder.name} and the pipeline's refinement"
    exam = Exam(SET, center, _rows(batch, centers.found), held_out.quotas.counts())  # the quotas of all, found or not
    figures = measured_model(model, exam)
    figures["recall"] = round(float(centers.found.mean()), 4)
    figures["recall_by_slice"] = found_slices(list(slices(batch)), centers.found)
    figures["false_hands_per_100_frames"] = round(100 * float(centers.false_hands.mean()), 2)
    figures["not_found"] = {
        "crops": int((~centers.found).sum()),
        "without_candidate": int((~located).sum()),
        "at_nearest_candidate": slice_figures(errors(located & ~centers.found)),
    }
    figures["found_or_candidate"] = slice_figures(errors(located))
    figures["whole_frames"] = frame_figures(finder, frames)
    displaced = synthetic_exam(SET, size, card.cube_m, card.skeleton, kind, crops)
    known = measured_model(model, displaced)
    figures["displaced_center"] = {
        "center": displaced.center,
        **{key: known[key] for key in ("mean_error_mm", "median_error_mm")},
    }
    presence = measured_model(model, synthetic_exam(NEGATIVES, size, card.cube_m, card.skeleton, kind, crops))
    figures |= {key: presence[key] for key in ("presence_auc", "presence_right_share") if key in presence}
    figures["presence_crops"] = {
        "hands": presence["crops"] - presence["crops_without_hand"],
        "others": presence["crops_without_hand"],
    }
    return figures


def _rows(batch: Batch, rows: np.ndarray) -> Batch:
    return {key: values[rows] for key, values in batch.items()}
