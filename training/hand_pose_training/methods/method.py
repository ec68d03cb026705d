"""What every method is: a network, its losses, and its decoding to joints, which all go into one exported graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from torch import Tensor, nn

from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.data import Crops


class Prediction(NamedTuple):
    """What a method says of N crops; float32.

    :param joints: (N, J, 3) normalised
    :param covariance: (N, J, 6) normalised, xx xy xz yy yz zz, from the spread of the votes; None for a method without votes
    :param support: (N, J) how much the votes agree with what decided them, larger is surer; None for a method without votes
    :param hand: (N, 2) logits of presence and right side; None for a network that does not tell
    """

    joints: Tensor
    covariance: Tensor | None = None
    support: Tensor | None = None
    hand: Tensor | None = None


class Losses(NamedTuple):
    """Weighted terms by name, whose sum is minimised; the joints (N, J, 3) that the network finds now, detached, for the log."""

    terms: dict[str, Tensor]
    joints: Tensor


class Method(nn.Module, ABC):
    """One of the papers' systems for the joints of one skeleton.

    A batch is a dict of tensors: the inputs by name (`input_names`), and the labels of `synthetic.dataset` with
    joint_weight (N, J), 0 for joints without a label, and teaches (N,), 0 for crops whose joints and maps teach nothing.

    :cvar Settings: frozen dataclass of the method's own settings, the `model` part of a recipe
    :cvar input_kind: one of `model_card.INPUT_KINDS`
    :cvar crop_kind: the crop that the inputs are made of: "depth_crop" or "rgb_crop"
    :ivar joints: J
    """

    Settings: ClassVar[type]
    input_kind: ClassVar[str] = "depth_crop"
    crop_kind: ClassVar[str] = "depth_crop"

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.joints = joints

    @classmethod
    def for_skeleton(cls, settings: Any, skeleton: Skeleton) -> Method:
        """The network with fresh weights for the joints of a skeleton."""
        return cls(settings, len(skeleton))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the network's inputs, in the order of the exported graph."""
        return (self.input_kind,)

    def inputs_of(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """The network's inputs by name, for crops (N, C, S, S) of `crop_kind`; as `perception.inputs` makes them in the node."""
        return {self.input_kind: crops}

    def card_input(self, crop_size: int) -> dict[str, Any]:
        """What the model card says of the input, for crops of S pixels an edge."""
        return {"input_kind": self.input_kind, "input_size": crop_size}

    @property
    def half_modules(self) -> tuple[nn.Module, ...]:
        """The parts that an fp16 export computes in half precision; the rest, decoding and aggregation, stays float32."""
        return (self.backbone,)

    @property
    def tells_hand(self) -> bool:
        """Whether `Prediction.hand` is there."""
        return False

    @property
    def picks_cells(self) -> bool:
        """Whether the cells with the best scores alone decide, so that rounding decides between two that are nearly as good."""
        return False

    def prepare_training(self, crops: Crops) -> None:
        """Takes from the training crops what the network must know of them before it learns.

        Called once when a run starts afresh, in every process, each of which must come to the same.
        """

    def stage(self, progress: float) -> int:
        """Which step of the supervision this share of the budget lies in. At a new one a learning rate that falls at plateaus
        starts afresh, and no run ends early before the last."""
        return 0

    @abstractmethod
    def forward(self, inputs: dict[str, Tensor]) -> Any:
        """What the network says, not decoded: what `losses` needs."""

    @abstractmethod
    def losses(self, output: Any, batch: dict[str, Tensor], progress: float) -> Losses:
        """The training losses of one batch.

        :param output: of `forward`
        :param progress: share of the training budget that is spent, for supervision in steps
        """

    @abstractmethod
    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        """Inputs to joints, by the last stage. This is what is exported: no branches on values, no loops over batches."""
