"""Kills the process that evaluates with it; a module of its own, since those processes import it."""

import os
import signal


class LethalNames(dict):
    """Joint names whose reader is killed, as the system does where memory runs out; the first so many, as `file` counts."""

    def __init__(self, file, most):
        super().__init__()
        self.file, self.most = file, most

    def __reduce__(self):
        return LethalNames, (self.file, self.most)

    def get(self, name, default=None):
        if len(deaths := self.file.read_text()) < self.most:
            self.file.write_text(deaths + "x")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().get(name, default)
