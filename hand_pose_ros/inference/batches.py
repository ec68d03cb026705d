"""Which batches a plan is run with, and how large its tensors are then. Arithmetic only: no GPU is touched here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# TensorRT's names of the types that inputs and outputs here may have
_NUMPY = {"FLOAT": np.float32, "HALF": np.float16, "INT32": np.int32, "INT64": np.int64, "BOOL": np.bool_}


@dataclass(frozen=True)
class Slot:
    """One input or output of a plan.

    :param row: shape without the batch
    """

    name: str
    is_input: bool
    dtype: np.dtype
    row: tuple[int, ...]

    def nbytes(self, batch: int) -> int:
        """Bytes of a batch."""
        return batch * int(np.prod(self.row, dtype=np.int64)) * self.dtype.itemsize


def make_slot(name: str, is_input: bool, dtype: str, shape: Sequence[int]) -> Slot:
    """A slot from what TensorRT says of a tensor.

    :param dtype: TensorRT's name, for example "FLOAT"
    :param shape: with -1 for what varies, which may be the first dimension only
    :raises ValueError: another type, or another dimension that varies
    """
    if dtype not in _NUMPY:
        raise ValueError(f"{name} is {dtype}, which is none of {', '.join(_NUMPY)}")
    if not shape or shape[0] != -1 or any(d < 0 for d in shape[1:]):
        raise ValueError(f"{name} is {tuple(shape)}, where the batch and nothing else must be dynamic (-1)")
    return Slot(name, is_input, np.dtype(_NUMPY[dtype]), tuple(shape[1:]))


def run_batches(max_batch: int) -> tuple[int, ...]:
    """The batch sizes that are prepared: powers of two and the largest, so that few contexts and CUDA graphs serve all."""
    powers = [1 << i for i in range(max_batch.bit_length()) if 1 << i < max_batch]
    return (*powers, max_batch)


def run_batch(count: int, prepared: Sequence[int]) -> int:
    """The smallest prepared batch that takes `count` rows; what is left over in it is padding."""
    return min(batch for batch in prepared if batch >= count)


def parts(count: int, max_batch: int) -> list[slice]:
    """The rows of `count` in runs of at most `max_batch`."""
    return [slice(start, min(start + max_batch, count)) for start in range(0, count, max_batch)]


def batch_problem(slots: Sequence[Slot], inputs: dict[str, np.ndarray]) -> str:
    """Why these arrays are no batch for these slots, "" if they are one."""
    expected = {slot.name: slot for slot in slots if slot.is_input}
    if set(inputs) != set(expected):
        return f"its inputs are {', '.join(sorted(expected))}, given were {', '.join(sorted(inputs)) or 'none'}"
    for name, slot in expected.items():
        array = inputs[name]
        if array.dtype != slot.dtype or array.shape[1:] != slot.row or array.ndim == 0:
            row = "".join(f", {d}" for d in slot.row)
            return f"{name} is {array.dtype} {array.shape}, it must be {slot.dtype} (N{row})"
    if len({len(array) for array in inputs.values()}) > 1:
        return "its inputs differ in length: " + ", ".join(f"{name} {len(array)}" for name, array in inputs.items())
    return "" if all(len(array) for array in inputs.values()) else "it is empty"
