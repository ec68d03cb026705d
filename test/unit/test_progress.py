import logging
import sys
from contextlib import contextmanager

import pytest
from tqdm import tqdm

from hand_pose_ros.progress import log_above_bars


@contextmanager
def root_logger():
    """The root logger with one handler on standard error, as after logging.basicConfig; without those of pytest."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, [logging.StreamHandler(sys.stderr)]
    root.handlers[0].setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    try:
        yield root
    finally:
        root.handlers = before


def test_a_line_stands_alone_above_the_bar(capsys):
    with root_logger() as root, log_above_bars(), tqdm(total=2, file=sys.stderr, desc="bar") as bar:
        bar.update()
        root.warning("one %s", "line")
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "[WARNING] one line" in [line.strip() for line in lines]


def test_handlers_are_as_before_afterwards_and_other_ones_stay(tmp_path):
    file = logging.FileHandler(tmp_path / "log.txt")
    with root_logger() as root:
        root.addHandler(file)
        handlers = list(root.handlers)
        with pytest.raises(RuntimeError), log_above_bars():
            assert root.handlers[1] is file and root.handlers[0] is not handlers[0]
            root.error("to the file")
            raise RuntimeError
        assert root.handlers == handlers
    file.close()
    assert "to the file" in (tmp_path / "log.txt").read_text()


def test_a_line_that_cannot_be_made_does_not_end_the_program(capsys):
    with root_logger() as root, log_above_bars():
        root.warning("%d", "no number")
    assert "no number" in capsys.readouterr().err
