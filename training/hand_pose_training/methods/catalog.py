"""The methods by name, as recipes and model cards call them."""

from __future__ import annotations

from hand_pose_training.methods.awr import Awr
from hand_pose_training.methods.awr_points import AwrPoints
from hand_pose_training.methods.awr_voxels import AwrVoxels
from hand_pose_training.methods.center import HandCenter
from hand_pose_training.methods.densereg import DenseReg
from hand_pose_training.methods.densereg_baselines import CoordinateRegression, DetectionRegression
from hand_pose_training.methods.densereg_detector import JointDetector
from hand_pose_training.methods.densereg_offsets import OffsetRegression
from hand_pose_training.methods.jar import Jar
from hand_pose_training.methods.jar_baselines import FeatureRegression, HeatDepth
from hand_pose_training.methods.jgr_p2o import JgrP2o
from hand_pose_training.methods.method import Method
from hand_pose_training.methods.regression import Regression
from hand_pose_training.methods.residual_attention import ResidualAttentionRegression

METHODS: dict[str, type[Method]] = {
    "awr": Awr,
    "awr_voxels": AwrVoxels,
    "awr_points": AwrPoints,
    "center": HandCenter,
    "regression": Regression,
    "densereg": DenseReg,
    "densereg_coordinates": CoordinateRegression,
    "densereg_detection": DetectionRegression,
    "densereg_offsets": OffsetRegression,
    "densereg_detector": JointDetector,
    "residual_attention": ResidualAttentionRegression,
    "jgr_p2o": JgrP2o,
    "jar": Jar,
    "feature_regression": FeatureRegression,
    "heat_depth": HeatDepth,
}
