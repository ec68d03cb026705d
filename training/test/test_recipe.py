"""Recipes: YAML to dataclasses, overrides, and errors that name the key."""

from pathlib import Path

import pytest

from hand_pose_training.recipe import RecipeError, load_recipe

CONFIGS = Path(__file__).parents[1] / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_recipe_loads_and_is_named_as_its_file(path: Path):
    """With its folder's name before it; but for the shipped model's."""
    assert load_recipe(path).name == ("hand21" if path.stem == "hand21" else f"{path.parent.name}_{path.stem}")


def test_overrides_go_on_top(tmp_path: Path):
    path = write(tmp_path, "name: a\nmethod: awr\nbudget: {minutes: 3}\n")
    recipe = load_recipe(path, ["optim.learning_rate=1e-2", "model.backbone.channels=64", "data.synthetic.cube_m=[0.2, 0.3]"])
    assert recipe.optim.learning_rate == 0.01
    assert recipe.model.backbone.channels == 64
    assert recipe.data.synthetic.cube_m == (0.2, 0.3)
    assert recipe.budget.minutes == 3.0


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("optim: {rate: 1}", [], "optim: unknown key rate; known: .*learning_rate"),
        ("optim: {learning_rate: fast}", [], "learning_rate: expected float, found 'fast'"),
        ("optim: {schedule: slowly}", [], "optim.schedule 'slowly': one of cosine"),
        ("model: 3", [], "model: expected keys of AwrSettings"),
        ("", ["optim.learning_rate"], "write --key.subkey=value"),
        ("", ["name.first=a"], "name is 'a', which has no keys"),
        ("side: up", [], "side 'up'"),
        ("skeleton: hand99", [], "unknown skeleton 'hand99'"),
        ("budget: {samples: 5, minutes: 5}", [], "one of budget.samples, budget.epochs and budget.minutes"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, overrides: list[str], message: str):
    with pytest.raises(ValueError, match=message):
        load_recipe(write(tmp_path, f"name: a\nmethod: awr\n{text}\n"), overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method: awr\n", "name"),
        ("name: a\nmethod: magic\n", "method 'magic' is none of awr"),
        ("3", "expected keys"),
    ],
)
def test_what_every_recipe_needs(tmp_path: Path, text: str, message: str):
    with pytest.raises(RecipeError, match=message):
        load_recipe(write(tmp_path, text))


def test_an_override_fills_what_was_null(tmp_path: Path):
    path = write(tmp_path, "name: a\nmethod: awr\ndata: {augment: null}\n")
    assert load_recipe(path).data.augment is None
    assert load_recipe(path, ["data.augment.scale=0.2"]).data.augment.scale == 0.2


def test_one_side_needs_a_network_that_tells_sides(tmp_path: Path):
    path = write(tmp_path, "name: a\nmethod: awr\nside: right\nmodel: {backbone: {channels: 16, depth: 2, increase: 0}}\n")
    assert load_recipe(path, ["model.hand_head=true"]).network().tells_hand
    with pytest.raises(RecipeError, match="side right: this awr does not tell sides; .*hand_head"):
        load_recipe(path).network()


def test_a_missing_recipe_is_named(tmp_path: Path):
    with pytest.raises(RecipeError, match="nothing.yaml: no such file"):
        load_recipe(tmp_path / "nothing.yaml")
