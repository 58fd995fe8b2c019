"""Faults of files and disks: each is set up, entered by the process of the job, and undone."""

import contextlib
import ctypes
import errno
import os
import resource
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.benchmarks.faults.jobs import Job

_NEW_MOUNTS, _RECURSIVE, _PRIVATE, _READ_ONLY, _REMOUNT = 0x20000, 0x4000, 0x40000, 1, 32
_CAPABILITIES = 0x20080522  # version 3 of linux/capability.h
_OVERRIDES = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
DISK_BYTES = 4 << 20


def _nothing(job: Job, out: Path) -> None:
    del job, out


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: for the table.
        prepare: sets it up, after the job has run once.
        enter: in the process of the job only.
        undo: makes the job possible again.
        fits: whether it suits a job.
        on_disk: whether the folder has to be a file system of its own.
        place: folder of the job -> the one that it is given.
    """

    name: str
    prepare: Callable[[Job, Path], None] = _nothing
    enter: Callable[[Job, Path], None] = _nothing
    undo: Callable[[Job, Path], None] = _nothing
    fits: Callable[[Job], bool] = lambda job: not job.reads
    on_disk: bool = False
    place: Callable[[Path], Path] = lambda out: out


class NotPossible(Exception):
    """The system does not allow a fault."""


def mount_disk(folder: Path) -> None:
    """Make a small file system in memory at a folder, for this process and its children only.

    Raises:
        NotPossible: the system does not allow it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    size = f"size={DISK_BYTES}".encode()
    if (
        library.unshare(_NEW_MOUNTS)
        or library.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
        or library.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, size)
    ):
        raise NotPossible(os.strerror(ctypes.get_errno()))


def _remount(out: Path, flags: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(b"none", os.fsencode(out), None, _REMOUNT | flags, None):
        raise NotPossible(os.strerror(ctypes.get_errno()))


def _fill(out: Path) -> None:
    """Fill the disk to the last page; the file that does is not counted."""
    with (out / ".filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def drop_overrides() -> None:
    """Let file modes hold for root too: give up the capabilities that override them.

    Raises:
        NotPossible: the system does not allow it.
    """
    if os.geteuid():
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    library = ctypes.CDLL(None, use_errno=True)
    if library.capget(header, sets):
        raise NotPossible(os.strerror(ctypes.get_errno()))
    for capability in _OVERRIDES:
        sets[0] &= ~(1 << capability)
    if library.capset(header, sets):
        raise NotPossible(os.strerror(ctypes.get_errno()))


def _limit_file_size(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _fail_call(name: str, number: int) -> None:
    """Let the n-th call of a function of `os` fail as on a full disk."""
    original, calls = getattr(os, name), [0]

    def failing(*words: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            path = words[0] if isinstance(words[0], str | os.PathLike) else None
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path and str(path))
        return original(*words, **more)

    setattr(os, name, failing)


def _change_mode(mode: int) -> Callable[[Job, Path], None]:
    return lambda job, out: out.chmod(mode)


def _change_target_mode(mode: int) -> Callable[[Job, Path], None]:
    return lambda job, out: (out / job.target).chmod(mode)


def _move_away(out: Path, job: Job) -> Path:
    kept = out.parent / "kept-target"
    os.rename(out / job.target, kept)
    return kept


def _put_back(job: Job, out: Path) -> None:
    target = out / job.target
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    os.rename(out.parent / "kept-target", target)


def _replace_target(make: Callable[[Path], Any]) -> Callable[[Job, Path], None]:
    def replace(job: Job, out: Path) -> None:
        _move_away(out, job)
        make(out / job.target)

    return replace


def _make_folder(path: Path) -> None:
    path.mkdir()
    (path / "somebody's").write_text("file")


def _replace_folder(job: Job, out: Path) -> None:
    os.rename(out, out.parent / "kept-folder")
    out.write_text("a file")


def _put_folder_back(job: Job, out: Path) -> None:
    out.unlink()
    os.rename(out.parent / "kept-folder", out)


def _leave_folder(job: Job, out: Path) -> None:
    """Work in a folder that is removed meanwhile."""
    gone = out.parent / "gone"
    gone.mkdir(exist_ok=True)
    os.chdir(gone)
    gone.rmdir()


def _writes_file(job: Job) -> bool:
    return not job.reads and not job.is_folder


def _writes_folder(job: Job) -> bool:
    return not job.reads and job.is_folder


def _reads(job: Job) -> bool:
    return job.reads


def _reads_file(job: Job) -> bool:
    return job.reads and not job.is_folder


FAULTS = (
    Fault(
        "full disk",
        lambda job, out: _fill(out),
        undo=lambda job, out: (out / ".filler").unlink(),
        on_disk=True,
    ),
    Fault(
        "read-only file system",
        lambda job, out: _remount(out, _READ_ONLY),
        undo=lambda job, out: _remount(out, 0),
        on_disk=True,
    ),
    Fault("quota of 0 bytes a file", enter=lambda job, out: _limit_file_size(0)),
    Fault("quota of 300 bytes a file", enter=lambda job, out: _limit_file_size(300)),
    *(
        Fault(
            f"no space at {name}, call {number}",
            enter=lambda job, out, n=name, k=number: _fail_call(n, k),
        )
        for name, number in (
            ("replace", 1),
            ("replace", 2),
            ("fsync", 1),
            ("mkdir", 1),
            ("rename", 1),
        )
    ),
    Fault(
        "folder may not be written",
        _change_mode(0o555),
        lambda j, o: drop_overrides(),
        _change_mode(0o755),
    ),
    Fault(
        "folder may not be searched",
        _change_mode(0o000),
        lambda j, o: drop_overrides(),
        _change_mode(0o755),
    ),
    Fault("target is a folder", _replace_target(_make_folder), undo=_put_back, fits=_writes_file),
    Fault(
        "target is a file",
        _replace_target(lambda path: path.write_text("somebody's")),
        undo=_put_back,
        fits=_writes_folder,
    ),
    Fault("folder is a file", _replace_folder, undo=_put_folder_back),
    Fault("name too long", place=lambda out: out / ("x" * 300)),
    Fault("folder below a file", place=lambda out: out.parent / "plain" / "below"),
    Fault("working folder is removed", enter=_leave_folder),
    Fault(
        "target may not be read",
        _change_target_mode(0o000),
        lambda j, o: drop_overrides(),
        _change_target_mode(0o755),
        _reads,
    ),
    Fault(
        "folder may not be searched, to read",
        _change_mode(0o000),
        lambda j, o: drop_overrides(),
        _change_mode(0o755),
        _reads,
    ),
    Fault(
        "target is gone",
        lambda job, out: (_move_away(out, job), None)[1],
        undo=_put_back,
        fits=_reads,
    ),
    Fault(
        "target is an empty file",
        _replace_target(lambda path: path.write_bytes(b"")),
        undo=_put_back,
        fits=_reads,
    ),
    Fault(
        "target is a folder, to read",
        _replace_target(_make_folder),
        undo=_put_back,
        fits=_reads_file,
    ),
    Fault("target is a pipe", _replace_target(os.mkfifo), undo=_put_back, fits=_reads),
    Fault(
        "target is a link to itself",
        _replace_target(lambda path: path.symlink_to(path)),
        undo=_put_back,
        fits=_reads,
    ),
)
