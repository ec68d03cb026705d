"""A training recipe: plain YAML into nested frozen dataclasses, with `--set key.subkey=value` on top."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hand_pose_training.methods.awr import AwrSettings
from hand_pose_training.synthetic.dataset import SyntheticSettings


class RecipeError(ValueError):
    """A recipe that cannot be used; the text names the file or key and the remedy."""


@dataclass(frozen=True)
class OptimSettings:
    """How the weights are found.

    :param learning_rate: at its peak; warmed up linearly, then down to 0 by a cosine that ends with the budget
    :param weight_decay: decoupled (AdamW)
    :param warmup: share of the budget
    :param dense_only: share of the budget, at the start, with dense supervision alone (AWR section 2.3: works better
        than both from the start)
    :param joint_weight: of the joint loss against the dense loss
    :param hand_weight: of the loss of the hand head against the dense loss
    :param huber_beta: where smooth L1 turns from square to absolute, normalised units (0.01 in AWR's released code)
    :param average_decay: per step, of the exponential average of the weights, which is what is evaluated and exported
    """

    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    warmup: float = 0.02
    dense_only: float = 0.15
    joint_weight: float = 10.0
    hand_weight: float = 0.1
    huber_beta: float = 0.01
    average_decay: float = 0.998


@dataclass(frozen=True)
class BudgetSettings:
    """When training ends: after so many samples or so many minutes, whichever is given (0: not given)."""

    samples: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        if (self.samples > 0) == (self.minutes > 0):
            raise RecipeError("give one of budget.samples and budget.minutes (the other 0)")


@dataclass(frozen=True)
class LoopSettings:
    """:param batch_size: crops a step, over all processes
    :param processes: data-parallel processes, one thread each (0: one a CPU core)
    :param bf16: bfloat16 autocast (faster where the CPU has AVX512-BF16 or AMX, or on a GPU)
    :param checkpoint_minutes: between checkpoints
    :param log_steps: between lines of the log
    """

    batch_size: int = 64
    processes: int = 0
    bf16: bool = True
    checkpoint_minutes: float = 3.0
    log_steps: int = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    :param name: of the model; the run's folder and the model card take it
    :param skeleton: whose joints are learned
    :param seed: of the training samples and the first weights
    :param side: "right": the joints of right hands are learned, a left one is its mirrored crop, and left hands teach the
        hand head alone; "unknown": both sides are learned
    """

    name: str
    skeleton: str = "hand21"
    seed: int = 1
    side: str = "unknown"
    model: AwrSettings = field(default_factory=AwrSettings)
    data: SyntheticSettings = field(default_factory=SyntheticSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    budget: BudgetSettings = field(default_factory=lambda: BudgetSettings(samples=1_000_000))
    loop: LoopSettings = field(default_factory=LoopSettings)

    def __post_init__(self) -> None:
        if self.side not in ("unknown", "right"):
            raise RecipeError(f"side {self.side!r}: one of unknown, right")


def load_recipe(path: Path, overrides: list[str] = ()) -> Recipe:
    """Recipe of a YAML file; `overrides` are "a.b=value" with YAML values.

    :raises RecipeError: missing file, unknown key, wrong type
    """
    if not path.is_file():
        raise RecipeError(f"recipe {path}: no such file; recipes are under training/configs")
    tree = yaml.safe_load(path.read_text()) or {}
    for override in overrides:
        key, found, value = override.partition("=")
        if not found:
            raise RecipeError(f"--set {override}: write key.subkey=value")
        node, *_, last = tree, *(parts := key.split("."))
        for part in parts[:-1]:
            node = node.setdefault(part, {})
        node[last] = yaml.safe_load(value)
    return build(Recipe, tree, str(path))


def build(cls: type, tree: Any, where: str) -> Any:
    """Nested dicts into the dataclass `cls`; RecipeError names the key."""
    if not isinstance(tree, dict):
        raise RecipeError(f"{where}: expected keys of {cls.__name__}, found {tree!r}")
    hints = typing.get_type_hints(cls)
    known = {f.name for f in dataclasses.fields(cls)}
    if unknown := sorted(set(tree) - known):
        raise RecipeError(f"{where}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        return cls(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in tree.items()})
    except TypeError as error:
        raise RecipeError(f"{where}: {error}") from None


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return build(kind, value, where)
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML takes 1e-3 for a text
        except ValueError:
            pass
    origin = typing.get_origin(kind)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(value)
    if origin in (typing.Union, types.UnionType):
        return value
    if isinstance(kind, type) and not isinstance(value, kind):
        raise RecipeError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
