"""One thread, as tests run beside each other; helper modules beside the tests; a small trained network."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small right-hand network after a few steps, in a finished run's folder."""
    from small import small_recipe

    from hand_pose_training.fit import fit

    out = tmp_path_factory.mktemp("run")
    fit(small_recipe(samples=32), out)
    return out / "final.ckpt"
