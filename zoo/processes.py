"""Child processes that end with their parent, however that ends."""

import ctypes
import os
import sys
from collections.abc import Sequence

# Runs in the child before the command: PR_SET_PDEATHSIG (1) with SIGKILL (9) outlives `exec`. The
# parent may have ended before that.
_PREPARE = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)


def end_with_parent(parent: int) -> None:
    """Let the system kill this process as soon as its parent has ended: for workers of a pool.

    On Linux only. A pool's workers hold both ends of its queue and would wait at it for ever.

    Args:
        parent: process number, as the parent sees it.

    Raises:
        SystemExit: it has ended already.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, 9)
        if os.getppid() != parent:
            sys.exit(1)


def with_parent(command: Sequence[str]) -> list[str]:
    """Command line whose process the system kills as soon as its parent has ended.

    On Linux only; elsewhere the command as it is. The parent is the thread that starts it: start
    it in a thread that waits for it.

    Args:
        command: absolute path of a program, and its arguments.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _PREPARE, str(os.getpid()), *command]
