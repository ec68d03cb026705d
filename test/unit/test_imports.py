"""The runtime's modules import with everything heavy or ROS-only blocked, and imports run one way only."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "hand_pose_ros"
BLOCKED = (
    "rclpy rclpy_components ament_index_python cv_bridge tf2_ros tf2_py tf_transformations launch launch_ros std_msgs "
    "sensor_msgs geometry_msgs visualization_msgs diagnostic_msgs tensorrt tensorrt_rtx torch lightning hand_pose_training "
    "cyclonedds cuda"
).split()
# Each may import itself and those of the lines before it, not those beside it.
LAYERS = (
    ("skeleton", "share", "progress"),
    ("geometry", "metrics"),
    ("scoring",),
    ("hand",),
    ("inference",),
    ("perception",),
    ("messages",),
    ("viz",),
    ("live",),
    ("bags",),
    ("evaluation",),
    ("bench", "demo"),
)


def modules() -> list[str]:
    files = [f.relative_to(PACKAGE.parent).with_suffix("") for f in PACKAGE.rglob("*.py")]
    names = [".".join(f.parts).removesuffix(".__init__") for f in files]
    return sorted(n for n in names if not n.endswith("__main__"))


def test_every_module_outside_the_transports_imports_without_heavy_packages():
    free = [m for m in modules() if not m.startswith(("hand_pose_ros.live.dds", "hand_pose_ros.live.ros"))]
    assert len(free) > 20
    program = f"""
import importlib, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED!r}:
            raise ImportError(f"blocked: {{name}}")
sys.meta_path.insert(0, Block())
for name in {free!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def imported_names(file: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_lower_layers_do_not_import_higher_ones():
    height = {layer: i for i, layers in enumerate(LAYERS) for layer in layers}
    wrong = []
    for layer in height:
        files = [f for f in (PACKAGE / f"{layer}.py", *(PACKAGE / layer).rglob("*.py")) if f.exists()]
        assert files, f"no such layer: {layer}"
        for file in files:
            names = [name.split(".") for name in imported_names(file) if name.startswith("hand_pose_ros.")]
            other = [name for name in names if name[1] != layer and height.get(name[1], len(LAYERS)) >= height[layer]]
            wrong += [f"{file.relative_to(PACKAGE)} imports {'.'.join(name)}" for name in other]
    assert not wrong


def test_no_source_file_is_long():
    roots = (PACKAGE, PACKAGE.parent / "training")
    long = [f"{f}: {n}" for r in roots for f in r.rglob("*.py") if (n := len(f.read_text().splitlines())) > 400]
    assert not long
