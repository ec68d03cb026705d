"""One thread, as tests run beside each other; helper modules beside the tests; a small trained network."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In several processes (-n 2 --dist loadgroup) a file's tests stay together, and so do those that share exported models;
    those of `make test-full` go where there is room."""
    for item in items:
        if item.get_closest_marker("full") is None:
            together = "exports" if item.path.stem in ("test_small_methods", "test_tensorrt_gate") else item.path.stem
            item.add_marker(pytest.mark.xdist_group(together))


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small right-hand network after a few steps, in a finished run's folder."""
    from small import small_recipe

    from hand_pose_training.fit import fit

    out = tmp_path_factory.mktemp("run")
    fit(small_recipe(samples=32), out)
    return out / "final.ckpt"


@pytest.fixture
def few_crops(monkeypatch):
    """Two dozen crops a set, not thousands."""
    import hand_pose_training.data as data

    sets = {name: replace(fixed, count=24) for name, fixed in data._FIXED_SETS.items()}
    monkeypatch.setattr(data, "_FIXED_SETS", sets)
