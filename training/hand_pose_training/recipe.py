"""A training recipe: plain YAML into nested frozen dataclasses, with `--key.subkey=value` on top."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.data import DataSettings
from hand_pose_training.methods.catalog import METHODS
from hand_pose_training.methods.method import Method
from hand_pose_training.optim import OptimSettings


class RecipeError(ValueError):
    """A recipe that cannot be used; the text names the file or key and the remedy."""


@dataclass(frozen=True)
class BudgetSettings:
    """When training ends: after so many samples, epochs or minutes, whichever is given (0: not given).

    :param plateau_epochs: end before that when the validation error has not fallen for so many epochs (0: never)
    """

    samples: int = 0
    epochs: int = 0
    minutes: float = 0.0
    plateau_epochs: int = 0

    def __post_init__(self) -> None:
        if (self.samples > 0) + (self.epochs > 0) + (self.minutes > 0) != 1:
            raise RecipeError("give one of budget.samples, budget.epochs and budget.minutes (the others 0)")


@dataclass(frozen=True)
class LoopSettings:
    """:param batch_size: crops a step, shared out evenly over all processes; batch norm sees the share of its process
    :param processes: data-parallel processes, one thread each (0: one a GPU, or one a CPU core, as far as the batch goes round)
    :param nodes: machines, each with that many processes, started as Lightning describes for its cluster environments
    :param workers: processes beside each training process that prepare crops (0: none; a GPU wants some)
    :param bf16: bfloat16 autocast (faster where the CPU has AVX512-BF16 or AMX, or on a GPU)
    :param checkpoint_minutes: between checkpoints
    :param log_steps: between lines of the log
    """

    batch_size: int = 64
    processes: int = 0
    nodes: int = 1
    workers: int = 0
    bf16: bool = True
    checkpoint_minutes: float = 3.0
    log_steps: int = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    :param name: of the model; the run's folder and the model card take it
    :param method: one of `methods.catalog.METHODS`
    :param skeleton: whose joints are learned
    :param seed: of the training samples and the first weights
    :param side: "right": the joints of right hands are learned, a left one is its mirrored crop, and left hands teach the
        hand head alone; "unknown": both sides are learned
    :param model: the method's own settings, `METHODS[method].Settings`
    """

    name: str
    method: str
    model: Any
    skeleton: str = "hand21"
    seed: int = 1
    side: str = "unknown"
    data: DataSettings = field(default_factory=DataSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    budget: BudgetSettings = field(default_factory=lambda: BudgetSettings(samples=1_000_000))
    loop: LoopSettings = field(default_factory=LoopSettings)

    def __post_init__(self) -> None:
        if self.side not in ("unknown", "right"):
            raise RecipeError(f"side {self.side!r}: one of unknown, right")
        try:
            skeleton(self.skeleton)
        except KeyError as error:
            raise RecipeError(f"skeleton: {error.args[0]}") from None

    def network(self, pretrained: bool = True) -> Method:
        """The method's network with fresh weights.

        :param pretrained: with those of the files that the settings name
        :raises RecipeError: side right for a network that does not tell sides, so that left hands could not be found
        """
        model = self.model if pretrained else _without_files(self.model)
        net = METHODS[self.method].for_skeleton(model, skeleton(self.skeleton))
        if self.side == "right" and not net.tells_hand:
            raise RecipeError(
                f"side right: this {self.method} does not tell sides; awr does with model.hand_head true, or give side unknown"
            )
        return net


def _without_files(settings: Any) -> Any:
    """Settings of a method or of its backbone without files of weights, whose field is called `weights` and empty by default."""
    changes = {}
    for field_ in dataclasses.fields(settings):
        value = getattr(settings, field_.name)
        if dataclasses.is_dataclass(value):
            changes[field_.name] = _without_files(value)
        elif field_.name == "weights" and field_.default == "":
            changes["weights"] = ""
    return dataclasses.replace(settings, **changes)


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Recipe of a YAML file; `overrides` are "a.b=value" with YAML values.

    :raises RecipeError: missing file, unknown key, wrong type
    """
    if not path.is_file():
        raise RecipeError(f"recipe {path}: no such file; recipes are under training/configs")
    return recipe_of(overridden(yaml.safe_load(path.read_text()) or {}, overrides), str(path))


def overridden(tree: Any, overrides: Sequence[str]) -> Any:
    """Nested dicts with "a.b=value" on top, values in YAML; what was null or missing on the way to a key becomes a dict.

    :raises RecipeError: no "=", or a key inside a plain value
    """
    for override in overrides:
        key, found, value = override.partition("=")
        if not found:
            raise RecipeError(f"--{override}: write --key.subkey=value")
        *above, last = key.split(".")
        node = tree
        for part in above:
            if node.get(part) is None:
                node[part] = {}
            node = node[part]
            if not isinstance(node, dict):
                raise RecipeError(f"--{override}: {part} is {node!r}, which has no keys")
        node[last] = yaml.safe_load(value)
    return tree


def recipe_of(tree: Any, where: str) -> Recipe:
    """Recipe of nested dicts; the `model` part is read as the settings of `method`.

    :param where: named in errors
    :raises RecipeError: unknown key or method, wrong type
    """
    if isinstance(tree, dict):
        method = tree.get("method")
        if method not in METHODS:
            raise RecipeError(f"{where}: method {method!r} is none of {', '.join(METHODS)}")
        tree = tree | {"model": build(METHODS[method].Settings, tree.get("model") or {}, f"{where}: model")}
    return build(Recipe, tree, where)


def build(cls: type, tree: Any, where: str) -> Any:
    """Nested dicts into the dataclass `cls`; RecipeError names the key."""
    if isinstance(tree, cls):
        return tree
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
    if kind is Any:
        return value
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML takes 1e-3 for a text
        except ValueError:
            pass
    origin = typing.get_origin(kind)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(value)
    if origin in (typing.Union, types.UnionType):
        return _one_of(typing.get_args(kind), value, where)
    if isinstance(origin or kind, type) and not isinstance(value, origin or kind):
        raise RecipeError(f"{where}: expected {(origin or kind).__name__}, found {value!r}")
    return value


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """A value of a union. Of several dataclasses `kind: NAME` in the recipe chooses the one whose field `kind` is NAME; the
    first one needs no naming."""
    classes = [cls for cls in kinds if dataclasses.is_dataclass(cls)]
    if not classes or value is None or isinstance(value, tuple(classes)):
        return value
    if len(classes) == 1:
        return build(classes[0], value, where)
    by_kind = {cls().kind: cls for cls in classes}
    chosen = value.get("kind", next(iter(by_kind))) if isinstance(value, dict) else None
    if chosen not in by_kind:
        raise RecipeError(f"{where}: give kind, one of {', '.join(by_kind)}")
    return build(by_kind[chosen], value, where)
