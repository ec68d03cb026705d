"""Recipes: YAML to dataclasses, overrides, and errors that name the key."""

from pathlib import Path

import pytest

from hand_pose_training.recipe import RecipeError, load_recipe

CONFIGS = Path(__file__).parents[1] / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_is_named_as_its_file(path: Path):
    assert load_recipe(path).name == path.stem


def test_overrides_go_on_top(tmp_path: Path):
    path = write(tmp_path, "name: a\nbudget: {minutes: 3}\n")
    recipe = load_recipe(path, ["optim.learning_rate=1e-2", "model.backbone.channels=64", "data.cube_m=[0.2, 0.3]"])
    assert recipe.optim.learning_rate == 0.01
    assert recipe.model.backbone.channels == 64
    assert recipe.data.cube_m == (0.2, 0.3)
    assert recipe.budget.minutes == 3.0


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("name: a\noptim: {rate: 1}\n", [], "optim: unknown key rate; known: .*learning_rate"),
        ("name: a\noptim: {learning_rate: fast}\n", [], "learning_rate: expected float, found 'fast'"),
        ("name: a\nmodel: 3\n", [], "model: expected keys of AwrSettings"),
        ("name: a\n", ["optim.learning_rate"], "write key.subkey=value"),
        ("name: a\nside: up\n", [], "side 'up'"),
        ("name: a\nbudget: {samples: 5, minutes: 5}\n", [], "one of budget.samples and budget.minutes"),
        ("seed: 1\n", [], "name"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, overrides: list[str], message: str):
    with pytest.raises(RecipeError, match=message):
        load_recipe(write(tmp_path, text), overrides)


def test_a_missing_recipe_is_named(tmp_path: Path):
    with pytest.raises(RecipeError, match="nothing.yaml: no such file"):
        load_recipe(tmp_path / "nothing.yaml")
