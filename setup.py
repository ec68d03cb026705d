"""The runtime as a pip package, for machines without ROS. In a colcon workspace CMakeLists.txt installs the same files."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).parent
SHARED_FOLDERS = ("config", "examples", "models", "msg", "recordings", "urdf")


def shared_files() -> list[tuple[str, list[str]]]:
    """Everything that lies in share/hand_pose_ros of a ROS workspace, for the same place below the environment's prefix."""
    files: dict[str, list[str]] = {}
    for top in SHARED_FOLDERS:
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:  # examples leave it when they are run
                relative = path.relative_to(ROOT)
                files.setdefault(f"share/hand_pose_ros/{relative.parent}", []).append(str(relative))
    return list(files.items())


setup(
    name="hand_pose_ros",
    version="0.1.0",
    description="3D hand pose from depth cameras for ROS 2, and without it",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_namespace_packages(include=["hand_pose_ros", "hand_pose_ros.*"]),
    data_files=shared_files(),
    install_requires=[
        "numpy>=1.21",
        "onnxruntime>=1.19",
        "opencv-python-headless>=4.5",
        "PyYAML>=5.4",
        "tqdm>=4.57",
        "rosbags>=0.11.9,<0.12",
        "mcap>=1.5",
        "imageio-ffmpeg>=0.4.9",
        'cyclonedds==11.0.1; platform_machine == "x86_64" and sys_platform == "linux" and python_version < "3.14"',
    ],
    # rerun: for `hand-pose view` and `hand-pose replay --rerun`; 170 MB, and NumPy 2.
    # tensorrt: one of these for `backend: tensorrt`, see docs/deployment.md. Full TensorRT comes with JetPack, not from pip.
    extras_require={
        "rerun": ["rerun-sdk>=0.39"],
        "tensorrt-cuda12": ["cuda-bindings>=12.8,<13"],
        "tensorrt-cuda13": ["cuda-bindings>=13,<14"],
        "tensorrt-rtx": ["tensorrt-rtx>=1.4,<2", "cuda-bindings>=13,<14"],
    },
    entry_points={"console_scripts": ["hand-pose = hand_pose_ros.cli:main"]},
)
