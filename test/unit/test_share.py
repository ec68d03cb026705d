import sys
import sysconfig
from pathlib import Path

import pytest

from hand_pose_ros import share

CHECKOUT = Path(share.__file__).resolve().parents[1]


def workspace(prefix: Path, *, indexed: bool = True) -> Path:
    """An ament install prefix with models/m.onnx of the package, and the package in its index."""
    if indexed:
        index = prefix / "share/ament_index/resource_index/packages"
        index.mkdir(parents=True)
        (index / "hand_pose_ros").touch()
    model = prefix / "share/hand_pose_ros/models/m.onnx"
    model.parent.mkdir(parents=True)
    model.touch()
    return model


@pytest.fixture
def no_ament(monkeypatch):
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)


@pytest.mark.skipif(not (CHECKOUT / "package.xml").is_file(), reason="runs from an install, not from a checkout")
def test_the_checkout_is_found(no_ament):
    assert share.find("msg/HandPose.msg").read_text().startswith("#")


def test_a_sourced_workspace_comes_first(tmp_path, monkeypatch):
    empty, model = tmp_path / "empty", workspace(tmp_path / "ws")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{empty}:{tmp_path / 'ws'}")
    assert share.find("models/m.onnx") == model


def test_a_workspace_without_the_package_in_its_index_is_left_out(tmp_path, monkeypatch):
    workspace(tmp_path / "ws", indexed=False)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "ws"))
    assert tmp_path / "ws/share/hand_pose_ros" not in share.roots()


def test_the_wheel_s_data_comes_before_the_checkout(no_ament):
    assert share.roots()[0] == Path(sysconfig.get_path("data")) / "share/hand_pose_ros"
    assert share.roots()[-1] == CHECKOUT


def test_the_error_names_every_place(no_ament):
    with pytest.raises(share.ShareError) as caught:
        share.find("models/none.onnx")
    text = str(caught.value)
    assert "models/none.onnx" in text and "install the package again" in text
    for root in (CHECKOUT, Path(sys.prefix) / "share/hand_pose_ros"):
        assert str(root / "models/none.onnx") in text
