"""Which of a model's two files runs."""

import pytest
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_choice import choose_model
from hand_pose_ros.live.parameters import DEFAULT_MODEL
from hand_pose_ros.share import find


def write(path, precision="fp32", **card):
    return write_tiny_model(path, card=tiny_card(precision=precision, **card).to_json())


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "a.onnx"), write(tmp_path / "a_fp16.onnx", "fp16", errors={"mean_error_mm": 30.1}, revision="b")


def test_auto_takes_half_precision_where_it_is_faster(pair):
    full, half = pair
    assert choose_model(full, "auto", prefer_half=True) == half
    assert choose_model(full, "auto", prefer_half=False) == full
    # A file that was named is meant, unless it has a faster twin.
    assert choose_model(half, "auto", prefer_half=False) == half
    assert choose_model(half, "auto", prefer_half=True) == half


def test_the_model_that_comes_with_the_package_has_its_twin():
    full = find(DEFAULT_MODEL)
    assert choose_model(full, "auto", prefer_half=True) == full.with_name(f"{full.stem}_fp16.onnx")
    assert choose_model(full, "auto", prefer_half=False) == full


def test_a_precision_that_is_asked_for(pair):
    full, half = pair
    for named in pair:
        for prefer_half in (False, True):
            assert choose_model(named, "fp32", prefer_half=prefer_half) == full
            assert choose_model(named, "fp16", prefer_half=prefer_half) == half


def test_only_one_file(tmp_path):
    full = write(tmp_path / "a.onnx")
    assert choose_model(full, "auto", prefer_half=True) == full
    assert choose_model(full, "fp32", prefer_half=True) == full
    with pytest.raises(
        ModelError, match="precision fp16 needs .*a_fp16.onnx, which does not exist: export it with .*--precision fp16"
    ):
        choose_model(full, "fp16", prefer_half=True)
    half = write(tmp_path / "b_fp16.onnx", "fp16")
    with pytest.raises(ModelError, match="precision fp32 needs .*b.onnx, which does not exist"):
        choose_model(half, "fp32", prefer_half=True)


def test_a_half_precision_file_with_a_name_of_its_own(tmp_path):
    path = write(tmp_path / "quick.onnx", "fp16")
    assert choose_model(path, "fp16", prefer_half=True) == path
    with pytest.raises(ModelError, match="quick.onnx computes in fp16, and fp32 was asked for"):
        choose_model(path, "fp32", prefer_half=True)


def test_a_twin_of_another_model_is_not_taken_and_said(tmp_path, caplog):
    full = write(tmp_path / "a.onnx")
    write(tmp_path / "a_fp16.onnx", "fp16", cube_m=0.3)
    assert choose_model(full, "auto", prefer_half=True) == full
    assert "a_fp16.onnx is not used, since its card is another model's than that of" in caplog.text


def test_a_twin_that_cannot_be_read_is_not_taken_and_said(tmp_path, caplog):
    full = write(tmp_path / "a.onnx")
    (tmp_path / "a_fp16.onnx").write_bytes(b"cut short")
    assert choose_model(full, "auto", prefer_half=True) == full
    assert "a_fp16.onnx is not used: " in caplog.text
