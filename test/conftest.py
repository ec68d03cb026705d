"""What every test needs before anything of the package is imported."""

import logging
import sys
from pathlib import Path

# With ROS sourced, pytest loads launch's plug-in, whose logger class does not propagate: caplog would see nothing.
logging.setLoggerClass(logging.Logger)

# The tests' own helpers (unit/tiny_model.py, unit/small_bags.py, ...): pytest's importlib mode does not find them.
sys.path.insert(0, str(Path(__file__).parent / "unit"))
