"""A child that ends with its parent: one that is left behind would work on beside its successor.

The surprising truth: in a container the parent is process 1 itself, so a parent of that number does not
mean that the real one has died.
"""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def tie_to(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone (Linux's prctl)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died between fork and prctl, so no signal will ever come.
        os._exit(1)
