"""What pip installs into a ROS workspace's environment is what the pip package asks for, without what rosdep installs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="runs from an install, not from a checkout")
def test_of_a_workspace_are_those_of_the_package():
    asked = set(re.findall(r'^ +[\'"]([^\'"\s]+>=[^\'";\s]*)[\'"],$', (ROOT / "setup.py").read_text(), re.MULTILINE))
    lines = (ROOT / "requirements-ros.txt").read_text().splitlines()
    given = {line for line in lines if line and not line.startswith("#")}
    by_rosdep = ("numpy", "opencv-python-headless", "PyYAML", "tqdm")
    of_workspaces_alone = {'numpy<2; python_version < "3.13"', "onnx"}
    assert {requirement for requirement in asked if not requirement.startswith(by_rosdep)} == given - of_workspaces_alone
