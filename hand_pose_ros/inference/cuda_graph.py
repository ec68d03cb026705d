"""Work that was put on a stream once, recorded, and launched again as a whole: one call for the CPU instead of dozens."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from hand_pose_ros.inference.cuda_device import checked


class CudaGraph:
    """A recorded run. Addresses and sizes in it are fixed.

    :param work: puts the run on the stream; it is recorded, not executed
    :raises CudaError: it cannot be recorded; whatever `work` raises, too. The stream is usable afterwards.
    """

    def __init__(self, cuda: ModuleType, stream: Any, work: Callable[[], None]) -> None:
        self._cuda, self._stream = cuda, stream
        # Other threads (another model, a build) may allocate meanwhile; only this thread's calls are restricted.
        checked(cuda, "cudaStreamBeginCapture", stream, cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
        try:
            work()
        except Exception:
            code, graph = cuda.cudaStreamEndCapture(stream)
            if code == cuda.cudaError_t.cudaSuccess:
                cuda.cudaGraphDestroy(graph)
            cuda.cudaGetLastError()
            raise
        graph = checked(cuda, "cudaStreamEndCapture", stream)
        try:
            self._executable = checked(cuda, "cudaGraphInstantiate", graph, 0)
        finally:
            checked(cuda, "cudaGraphDestroy", graph)

    def launch(self) -> None:
        """Put the run on its stream."""
        checked(self._cuda, "cudaGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        """Give it back; its stream must be idle."""
        checked(self._cuda, "cudaGraphExecDestroy", self._executable)
