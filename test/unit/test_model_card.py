"""The card goes through JSON unchanged, and what cannot be used is refused with a remedy."""

import json

import pytest
from tiny_model import tiny_card

from hand_pose_ros.inference.model_card import ModelCard, ModelError


def changed(**changes) -> str:
    return json.dumps({**json.loads(tiny_card().to_json()), **changes})


def test_round_trip():
    card = tiny_card(errors={"mean_error_mm": 9.5, "by_slice": {"object": {"mean_error_mm": 12.0}}}, limits="one hand a crop")
    again = ModelCard.from_json(card.to_json())
    assert again == card
    assert again.outputs == ("joints", "covariance", "confidence")
    assert again.schema_version == 1


def test_cards_from_before_there_was_a_precision_are_fp32():
    values = json.loads(tiny_card(precision="fp16").to_json())
    del values["precision"]
    assert ModelCard.from_json(json.dumps(values)).precision == "fp32"


def test_unknown_keys_are_left_out():
    assert ModelCard.from_json(changed(colour="blue")) == tiny_card()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"schema_version": 2}, "schema version 2"),
        ({"name": ""}, "name is empty"),
        ({"input_kind": "smell"}, "input_kind 'smell'"),
        ({"input_size": 0}, "input_size 0"),
        ({"input_size": "96"}, "input_size '96'"),
        ({"cube_m": 250}, "cube_m 250"),
        ({"skeleton": "octopus"}, "unknown skeleton 'octopus'"),
        ({"outputs": ["joints", "confidence"]}, "outputs lack covariance"),
        ({"outputs": ["joints", "covariance", "confidence", "mood"]}, "outputs mood"),
        ({"side": "top"}, "side 'top'"),
        ({"precision": "int3"}, "precision 'int3' is none of fp32, fp16"),
        ({"outputs": 3}, "'int'"),
    ],
)
def test_wrong_values_are_refused_with_the_file(changes, said):
    with pytest.raises(ModelError) as error:
        ModelCard.from_json(changed(**changes), "model hand.onnx")
    assert said in str(error.value)
    assert "model hand.onnx" in str(error.value)


def test_missing_fields_are_named():
    values = json.loads(tiny_card().to_json())
    del values["cube_m"], values["skeleton"]
    with pytest.raises(ModelError, match="lacks cube_m, skeleton: export the model again"):
        ModelCard.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_no_json_object(text):
    with pytest.raises(ModelError, match="model hand.onnx: its model card is no JSON.*hand-pose-train export"):
        ModelCard.from_json(text, "model hand.onnx")
