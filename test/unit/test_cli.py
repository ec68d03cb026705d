import argparse
import subprocess
import sys
import types
from pathlib import Path

import pytest

from hand_pose_ros import cli
from hand_pose_ros.geometry.camera import CameraError

ROOT = Path(__file__).parents[2]
ENGINE = [["engine"], *(["engine", verb] for verb in ("build", "list", "info", "clear"))]


@pytest.fixture
def command(monkeypatch):
    """A command "try" that does what the test says."""
    module = types.ModuleType("a_command")

    def install(run):
        module.add_arguments = lambda parser: parser.add_argument("--number", type=int, default=1)
        module.run = run
        monkeypatch.setitem(sys.modules, "a_command", module)
        monkeypatch.setattr(
            cli, "COMMANDS", {("try",): ("a_command", "a trial"), ("group", "try"): ("a_command", "one of a group")}
        )

    return install


def fail_with(error):
    def run(arguments: argparse.Namespace) -> int:
        raise error

    return run


@pytest.mark.parametrize("words", [["try"], ["group", "try"]])
def test_a_command_gets_its_arguments_and_gives_the_status(command, words):
    command(lambda arguments: arguments.number)
    assert cli.main(words) == 1
    assert cli.main([*words, "--number", "3"]) == 3


def test_errors_a_user_can_mend_are_one_line(command, capsys):
    for error in (CameraError("file x is bad: mend it"), FileNotFoundError("file x is bad: mend it")):
        command(fail_with(error))
        assert cli.main(["try"]) == 1
        assert capsys.readouterr().err == "hand-pose try: file x is bad: mend it\n"


def test_faults_of_ours_keep_their_traceback(command):
    command(fail_with(ValueError("shapes differ")))
    with pytest.raises(ValueError, match="shapes differ"):
        cli.main(["try"])


@pytest.mark.parametrize(("module", "package"), [("no_such_package.part", "no_such_package"), ("cv2", "opencv-python-headless")])
def test_a_package_that_is_not_installed_is_named(monkeypatch, capsys, tmp_path, module, package):
    (tmp_path / "needy_command.py").write_text(f"import {module}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not there
    monkeypatch.setattr(cli, "COMMANDS", {("try",): ("needy_command", "a trial")})
    assert cli.main(["try"]) == 1
    assert capsys.readouterr().err == f"hand-pose try: needs the Python package {package}: pip install {package}\n"


def test_a_module_of_ours_that_is_missing_is_a_fault(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", {("try",): ("hand_pose_ros.no_such_module", "a trial")})
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        cli.main(["try"])


def test_ctrl_c_is_130(command):
    command(fail_with(KeyboardInterrupt()))
    assert cli.main(["try"]) == 130


@pytest.mark.parametrize("words", [[], ["nothing"], ["model"], ["replay"], ["try", "--wrong"]])
def test_what_cannot_be_understood_is_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: hand-pose" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["node"], ["replay"], ["record"], ["view"], ["demo"], ["bench"], ["model"], ["model", "info"], *ENGINE]
)
def test_every_command_explains_itself(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*words, "--help"])
    assert caught.value.code == 0
    assert f"usage: hand-pose {' '.join(words)}" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom hand_pose_ros.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'cv2', 'rosbags', 'onnxruntime') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_python_m_is_the_command():
    done = subprocess.run([sys.executable, "-m", "hand_pose_ros", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "replay" in done.stdout
