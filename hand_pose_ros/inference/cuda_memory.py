"""Memory that the CPU and the GPU hand batches over in, allocated once: pinned on the host, and its counterpart on the device."""

from __future__ import annotations

import ctypes
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import numpy as np

from hand_pose_ros.inference.batches import Slot
from hand_pose_ros.inference.cuda_device import checked


class TransferBuffer:
    """Room for the largest batch of one input or output.

    :ivar host: (max_batch, *row), pinned, so that copies run beside the CPU and can be part of a CUDA graph
    :ivar device: address on the GPU
    """

    def __init__(self, cuda: ModuleType, slot: Slot, max_batch: int, resources: ExitStack) -> None:
        self._cuda, self.slot = cuda, slot
        nbytes = slot.nbytes(max_batch)
        pinned = checked(cuda, "cudaHostAlloc", nbytes, cuda.cudaHostAllocDefault)
        resources.callback(checked, cuda, "cudaFreeHost", pinned)
        self.host = np.frombuffer((ctypes.c_ubyte * nbytes).from_address(int(pinned)), slot.dtype).reshape(max_batch, *slot.row)
        self.host[...] = 0  # padding must be finite, too
        self.device = device_memory(cuda, nbytes, resources)

    def enqueue_copy(self, batch: int, stream: Any) -> None:
        """Copy a batch to where it is used: inputs to the GPU, outputs to the host."""
        host, nbytes, kind = self.host.ctypes.data, self.slot.nbytes(batch), self._cuda.cudaMemcpyKind
        if self.slot.is_input:
            checked(self._cuda, "cudaMemcpyAsync", self.device, host, nbytes, kind.cudaMemcpyHostToDevice, stream)
        else:
            checked(self._cuda, "cudaMemcpyAsync", host, self.device, nbytes, kind.cudaMemcpyDeviceToHost, stream)


def device_memory(cuda: ModuleType, nbytes: int, resources: ExitStack) -> int:
    """The address of fresh memory on the GPU, given back when `resources` are closed."""
    address = checked(cuda, "cudaMalloc", nbytes)
    resources.callback(checked, cuda, "cudaFree", address)
    return int(address)


def new_stream(cuda: ModuleType, resources: ExitStack) -> Any:
    """A stream that does not wait for the default one, destroyed when `resources` are closed."""
    stream = checked(cuda, "cudaStreamCreateWithFlags", cuda.cudaStreamNonBlocking)
    resources.callback(checked, cuda, "cudaStreamDestroy", stream)
    return stream
