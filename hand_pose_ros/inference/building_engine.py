"""Answers through one engine while a faster one is being built, and then through that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.engine_builder import PlanBuild
from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.inference.model_kinds import HAND_POSE

log = logging.getLogger(__name__)


class BuildingEngine(Engine):
    """Serves every batch, whatever becomes of the build. Path, card and backend are those of the engine that answers now.

    The new engine is made inside `infer`, since one thread must own the GPU.

    :param serving: answers until the plan is there, and after it if the plan is of no use
    :param build: under way
    :param finish: makes the new engine when `build` is done; ModelError if it cannot be had
    """

    def __init__(self, serving: Engine, build: PlanBuild, finish: Callable[[PlanBuild], Engine]) -> None:
        self._engine = serving
        self._build: PlanBuild | None = build
        self._finish = finish
        self._failure = ""

    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See `Engine.infer`. The call that finds the plan ready takes as long as loading it takes."""
        answer = self._engine.infer(inputs)
        if self._build is not None and self._build.done:
            answer = self._swap(inputs, answer)
        return answer

    def close(self) -> None:
        """See `Engine.close`; ends the build."""
        if self._build is not None:
            self._build.cancel()
            self._build = None
        self._engine.close()

    @property
    def status(self) -> str:
        """How far the build is, why it failed, or ""."""
        if self._build is None:
            return self._failure
        return "TensorRT build ended" if self._build.done else f"building TensorRT plan: {self._build.progress}"

    @property
    def path(self) -> Path:
        return self._engine.path

    @property
    def card(self) -> ModelCard:
        return self._engine.card

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def input_shapes(self) -> dict[str, str]:
        return self._engine.input_shapes

    @property
    def output_shapes(self) -> dict[str, str]:
        return self._engine.output_shapes

    def _swap(self, inputs: dict[str, np.ndarray], answer: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Take the new engine if it answers this batch; else stay, and say why once."""
        began = time.monotonic()
        build, self._build = self._build, None
        try:
            new = self._finish(build)
            try:
                new_answer = new.infer(inputs)
            except Exception:
                new.close()
                raise
        except Exception as error:  # the node serves on, whatever is wrong with the plan
            expected = isinstance(error, ModelError)
            self._failure = f"no TensorRT plan, {self._engine.backend} goes on: {error if expected else repr(error)}"
            log.error("%s", self._failure, exc_info=not expected)
            return answer
        log.info(
            "%s takes over from %s after %.2f s of loading; on this batch %s",
            new.backend, self._engine.backend, time.monotonic() - began, _difference(new.card, new_answer, answer),
        )  # fmt: skip
        self._engine.close()
        self._engine = new
        return new_answer


def _difference(card: ModelCard, new: dict[str, np.ndarray], old: dict[str, np.ndarray]) -> str:
    """How far two answers are apart, in words."""
    name = "joints" if card.answer is HAND_POSE else "score"
    difference = float(np.abs(new[name] - old[name]).max(initial=0.0))
    if card.answer is HAND_POSE:
        return f"their joints differ by at most {1e3 * difference * card.cube_m / 2:.2f} mm"
    return f"their scores differ by at most {difference:.2g}"
