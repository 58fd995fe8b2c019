"""Files and folders that are replaced as a whole or not at all: write beside the target, rename.

This is the only module that does so. A reader never sees half a file, a failure leaves the old file
as it was, and nothing is left behind.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_HELD: dict[Path, int] = {}  # folder that this process holds -> handle of its lock
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


@contextlib.contextmanager
def writing(
    path: str | Path, *, durable: bool = False, previous: Path | None = None
) -> Generator[Path, None, None]:
    """A temporary path beside `path`, renamed to it when the block ends without an exception.

    The temporary name ends as `path` does, so that writers that look at the suffix (matplotlib,
    numpy, Keras) write the same format.

    Args:
        path: of the file, there or not; missing parent folders are made.
        durable: wait until the file and its name are on the disk, so that they survive a power cut.
        previous: name that an existing file at `path` gets; None: it is replaced.

    Yields:
        The path to write to.

    Raises:
        OSError: if the file cannot be written or renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield temporary
        if durable:
            _sync(temporary)
        if previous is not None and path.exists():
            os.replace(path, previous)
        os.replace(temporary, path)
        if durable:
            _sync(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the first error is the one to report
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            _name_target(error, path, temporary)
        raise


@contextlib.contextmanager
def private_folder() -> Generator[Path, None, None]:
    """A temporary folder of this process, removed at the end; a full disk names it.

    Yields:
        The folder.

    Raises:
        OSError: it cannot be made, or a file in it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="zoo-") as name:
        try:
            yield Path(name)
        except OSError as error:
            if error.filename is None:
                _name_target(error, Path(name), Path(name))
            raise


def _name_target(error: OSError, target: Path, temporary: Path) -> None:
    """Let an error name the target: a full disk names no file, a temporary name does not help."""
    if error.errno is None:  # NumPy: "256 requested and 44 written"
        error.args = (f"{target}: {error}",)
    elif error.filename is None or str(error.filename).startswith(str(temporary)):
        error.filename, error.filename2 = str(target), None


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if sys.platform == "win32" and path.is_dir():  # folders cannot be synced there
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(
    path: str | Path, content: bytes, *, durable: bool = False, previous: Path | None = None
) -> None:
    """Write a file as a whole; `durable` and `previous` as in `writing`.

    Raises:
        OSError: if it cannot be written; an existing file is then as it was.
    """
    with writing(path, durable=durable, previous=previous) as temporary:
        temporary.write_bytes(content)


def read_regular(path: str | Path, limit: int | None = None, *, follow: bool = True) -> bytes:
    """Content of a file; anything else is refused, so that nobody waits for a pipe.

    Args:
        path: of the file.
        limit: most bytes that are read; None: all.
        follow: whether it may be a link.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with open(handle, "rb") as file:
        return file.read(-1 if limit is None else limit)


def write_text(path: str | Path, text: str, encoding: str = "utf-8") -> None:
    """Write a text file as a whole, line ends as they stand in `text`.

    Raises:
        OSError: if it cannot be written; an existing file is then as it was.
        UnicodeEncodeError: if `encoding` cannot express the text.
    """
    write_bytes(path, text.encode(encoding))


@contextlib.contextmanager
def replacing_folder(folder: str | Path) -> Generator[Path, None, None]:
    """A working folder beside `folder` whose `new/` takes its place when the block ends well.

    Whatever ends the block early, a kill included, leaves `folder` as it was. The next call removes
    what a killed process left behind; a running process holds a lock on its own working folder.

    Args:
        folder: target, there or not; missing parent folders are made.

    Yields:
        The working folder: fill `new/`; the rest of it is free for intermediate files.

    Raises:
        OSError: if the folder cannot be made or renamed, or there is a file in its place.
    """
    folder = Path(os.path.realpath(folder))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.partial-"
    with contextlib.ExitStack() as stack:
        with _lock(folder.parent):
            _remove_stale(folder, prefix)
            try:
                work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
            except OSError as error:
                _name_target(error, folder, folder.with_name(prefix))
                raise
            stack.enter_context(_lock(work))
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        (work / "new").mkdir()
        try:
            yield work
        except OSError as error:
            _name_target(error, folder, work)
            raise
        with _lock(folder.parent):
            _put(work / "new", folder)


def hold_folder(folder: str | Path) -> None:
    """Hold a folder for this process until it ends, so that no other one writes into it as well.

    The lock is a file in the system's folder for temporary files, so that nothing is left in
    `folder`, which need not exist. It holds on one machine.

    Args:
        folder: that this process is going to write.

    Raises:
        ValueError: another process holds it.
    """
    path = Path(os.path.realpath(folder))
    if sys.platform == "win32" or path in _HELD:
        return
    locks = Path(tempfile.gettempdir(), f"zoo-locks-{os.getuid()}")
    locks.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    handle = os.open(locks / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ValueError(
            f"{folder}: another run is writing there. Wait for it, or give another --out."
        ) from None
    _HELD[path] = handle


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


def remove_leftovers(folder: str | Path) -> None:
    """Remove what killed processes left of `replacing_folder`, for any target in a folder.

    Args:
        folder: that holds the targets, there or not.
    """
    folder = Path(os.path.realpath(folder))
    if not folder.is_dir():
        return
    with _lock(folder):
        for path in list(folder.iterdir()):
            target, mark, _ = path.name.removeprefix(".").partition(".partial-")
            if path.name.startswith(".") and mark and target:
                _remove_stale(folder / target, path.name)


def _remove_stale(folder: Path, prefix: str) -> None:
    """Remove what killed processes left; put back a target that one of them had moved away."""
    for stale in [path for path in folder.parent.iterdir() if path.name.startswith(prefix)]:
        # Another export may be done with its own folder, and remove it, at any time.
        with (
            contextlib.suppress(BlockingIOError, FileNotFoundError),
            _lock(stale, wait=False),
        ):
            if (stale / "old").exists() and not folder.exists():
                os.rename(stale / "old", folder)
            shutil.rmtree(stale, ignore_errors=True)


@contextlib.contextmanager
def _lock(folder: Path, wait: bool = True) -> Generator[None, None, None]:
    """Hold a folder; the system releases it when the process ends, however it ends."""
    if sys.platform == "win32":  # folders cannot be locked there
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
