"""A folder that is replaced as a whole or not at all."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A working folder beside `folder` whose `new/` takes its place when the block ends well.

    Whatever ends the block early, a kill included, leaves `folder` as it was. What a killed process
    left behind is swept away by the next one; a process that still runs holds a lock on its own.

    Args:
        folder: target, there or not; its parents are made.

    Yields:
        The working folder; fill `new/`, and use the rest of it as you like.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.partial-"
    with contextlib.ExitStack() as stack:
        with _lock(folder.parent):
            _sweep(folder, prefix)
            work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
            stack.enter_context(_lock(work))
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        (work / "new").mkdir()
        yield work
        with _lock(folder.parent):
            _put(work / "new", folder)


def _put(new: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(new, folder)
    elif not _exchange(new, folder):
        old = new.with_name("old")
        os.rename(folder, old)
        try:
            os.rename(new, folder)
        except BaseException:
            os.rename(old, folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except AttributeError:  # a C library from before 2018
        return False
    names = os.fsencode(one), os.fsencode(other)
    return renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what killed processes left; put back what one of them had moved aside."""
    for stale in [path for path in folder.parent.iterdir() if path.name.startswith(prefix)]:
        with contextlib.suppress(BlockingIOError), _lock(stale, wait=False):
            if (stale / "old").exists() and not folder.exists():
                os.rename(stale / "old", folder)
            shutil.rmtree(stale, ignore_errors=True)


@contextlib.contextmanager
def _lock(folder: Path, wait: bool = True) -> Iterator[None]:
    """Hold a folder; the system lets go of it when the process ends, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
