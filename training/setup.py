"""The training package. It needs hand_pose_ros of the same checkout, which `pip install .` in the folder above installs."""

from setuptools import find_namespace_packages, setup

HAS_TENSORRT_RTX = (
    "sys_platform == 'linux' and (platform_machine == 'x86_64' or platform_machine == 'aarch64') and python_version < '3.15'"
)

setup(
    name="hand_pose_training",
    version="0.1.0",
    description="Trains, measures and exports the networks of hand_pose_ros",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_namespace_packages(include=["hand_pose_training", "hand_pose_training.*"]),
    package_data={"hand_pose_training.synthetic": ["assets/*"]},
    install_requires=[
        "hand_pose_ros==0.1.0",
        "numpy>=1.21",
        "torch>=2.13",
        "lightning>=2.5",
        "tensorboard>=2.10",
        "onnx>=1.16",
        "onnxscript>=0.3",
        "onnxruntime>=1.17",
        "numba>=0.60",
        "scipy>=1.11",  # numba compiles matrix products with its BLAS
        "opencv-python-headless>=4.5",
        "matplotlib>=3.7",
        "PyYAML>=5.4",
        "tqdm>=4.57",
    ],
    extras_require={
        "test": [
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.5",
            "ruff>=0.9",
            "xacro>=2.0",  # expands urdf/hand.urdf.xacro as ROS does
            # Parses and builds every exported model without a GPU. Where there is no wheel, those tests are skipped.
            f"tensorrt-rtx>=1.7,<2; {HAS_TENSORRT_RTX}",
            f"cuda-bindings>=13,<14; {HAS_TENSORRT_RTX}",
        ]
    },
    entry_points={"console_scripts": ["hand-pose-train = hand_pose_training.cli:main"]},
)
