"""`hand-pose-train list` and `params`: the recipes, and the sizes that the papers print."""

import json
import re

import pytest

from hand_pose_training.cli import main
from hand_pose_training.datasets.catalog import entry
from hand_pose_training.methods.catalog import METHODS
from hand_pose_training.recipe import load_recipe
from hand_pose_training.recipes import CONFIGS, recipes

# Millions of parameters: AWR Table 2, JGR-P2O Table 3, JAR Table 2; 14 joints for depth, 21 for colour.
PRINTED = {
    "awr/resnet18": 15.38,
    "awr/resnet50": 34.0,
    "awr/resnet101": 53.0,
    "awr/hourglass1": 4.58,
    "awr/hourglass2": 8.7,
    "jgr_p2o/1": 0.72,
    "jgr_p2o/2": 1.37,
    "jgr_p2o/3": 2.02,
    "jar/resnet50": 28.9,
    "jar/resnet50_afr": 32.0,
    "jar/resnet50_25d": 34.0,
}

IMAGES = {"depth_crop": "depth", "rgb_crop": "colour"}


def test_the_printed_sizes_are_met_within_3_percent(capsys):
    assert main(["params", *PRINTED, "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["params_m"] for name, row in rows.items()} == pytest.approx(PRINTED, rel=0.03)
    # AWR Table 2 prints 7.6 for ResNet-18, a multiply-add counted twice.
    assert 2 * rows["awr/resnet18"]["gflops"] == pytest.approx(7.6, rel=0.03)


def test_every_recipe_is_listed_with_what_it_is(capsys):
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == sorted(
        path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob("*.yaml")
    )
    assert all(row["about"] and row["method"] and row["joints"] for row in rows)
    assert main(["list"]) == 0
    assert "awr/resnet18" in capsys.readouterr().out


def test_no_two_recipes_share_a_name():
    """Run folders and models are called by it."""
    names = [recipe.name for _, recipe in recipes()]
    assert len(set(names)) == len(names)


def test_mistakes_are_named(tmp_path, capsys):
    assert main(["params"]) == 2
    assert "give --all" in capsys.readouterr().err
    assert main(["params", "awr/huge"]) == 2
    assert "no recipe awr/huge" in capsys.readouterr().err
    assert main(["list", "--configs", str(tmp_path)]) == 2
    assert "no recipes there" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name, _ in recipes()])
def test_the_overrides_that_a_recipe_recommends_are_taken(name):
    """Options side by side in a comment belong together; after another word others begin."""
    comments = " ".join(line.partition("#")[2] for line in (CONFIGS / f"{name}.yaml").read_text().splitlines())
    option = r'"?--[\w.]+=(?:\{[^}]*\}|[\w.]*\w)"?'
    for together in re.findall(rf"{option}(?:\s+{option})*", comments):
        overrides = [text.strip('"').removeprefix("--") for text in re.findall(option, together)]
        recipe = load_recipe(CONFIGS / f"{name}.yaml", overrides)
        if recipe.data.source != "synthetic":  # which has both kinds of images
            assert IMAGES[METHODS[recipe.method].crop_kind] == entry(recipe.data.source).image


def test_recipes_of_papers_name_their_data():
    """So that nobody trains what is meant for NYU on synthetic crops without saying so."""
    assert [name for name, recipe in recipes() if recipe.skeleton != "hand21" and recipe.data.source == "synthetic"] == []
