"""Checks of where a command is to write, before anything is computed for it.

Nothing that a user keeps is ever removed: an export replaces only a folder that an export wrote,
and a report goes to a folder of its own. Standard library only.
"""

import os
import shutil
import tempfile
from pathlib import Path

from zoo import folders, manifest

EXPORT_BYTES = 100_000_000  # that an export takes on the way, all formats of the largest network
OUTPUT_BYTES = 20_000_000  # of a report with its figures, or of C files


def check_export_target(folder: str | Path, needed_bytes: int = EXPORT_BYTES) -> None:
    """Check that an export may write a folder, and can.

    Args:
        folder: absent, empty, or one that an export wrote and nobody added files to.
        needed_bytes: estimate of the space that the export takes.

    Raises:
        ValueError: in one line, if it is anything else, cannot be written, or the disk is full.
    """
    path = Path(folder)
    _check_own_folder(path)
    if path.is_dir() and next(path.iterdir(), None) is not None:
        _check_written_by_export(path)
    _check_writable(path.absolute().parent, path, needed_bytes)


def check_output_folder(folder: str | Path, needed_bytes: int = OUTPUT_BYTES) -> None:
    """Check that files can be written into a folder, which is no saved model.

    Args:
        folder: absent or there; other files in it stay.
        needed_bytes: estimate of the space that they take.

    Raises:
        ValueError: in one line.
    """
    path = Path(folder)
    _check_own_folder(path)
    if (path / manifest.NAME).exists():
        raise ValueError(
            f"{path}: is a saved model, and files beside its own would spoil it. Give another "
            "folder."
        )
    _check_writable(path.absolute(), path, needed_bytes)


def check_output_file(file: str | Path, *inputs: str | Path | None) -> None:
    """Check that a file can be written and is none of the inputs.

    Args:
        file: absent, or to be replaced.
        *inputs: files and folders that the command reads; None: not given.

    Raises:
        ValueError: in one line.
    """
    path = Path(file)
    if path.is_dir():
        raise ValueError(f"{path}: is a folder, expected a file to write. Give another name.")
    for each in inputs:
        if each is not None and Path(each).exists() and path.resolve() == Path(each).resolve():
            raise ValueError(f"{path}: is the input, and would be replaced. Give another name.")
    if (path.parent / manifest.NAME).exists():
        raise ValueError(
            f"{path}: {path.parent} is a saved model, and a file beside its own would spoil it. "
            "Give another folder."
        )
    _check_writable(path.absolute().parent, path, 0)


def _check_own_folder(path: Path) -> None:
    """Refuse files, links, the working folder and what holds it, and folders of saved models."""
    if path.is_symlink():
        raise ValueError(f"{path}: is a link. Give the folder that it points to, or another one.")
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path}: is a file, expected a folder to write. Give another name.")
    resolved = path.resolve()
    if Path.cwd().is_relative_to(resolved):
        raise ValueError(
            f"{path}: is the working folder or holds it. Give a folder of its own, such as runs/a."
        )
    if resolved in [root.resolve() for root in folders.model_roots()]:
        raise ValueError(
            f"{path}: is the folder of all saved models. Give a folder of its own, such as "
            f"{path / 'a'}."
        )


def _check_written_by_export(path: Path) -> None:
    try:
        listed = {*manifest.read_manifest(path)["files"], manifest.NAME}
    except ValueError:
        raise ValueError(
            f"{path}: not replaced, because no export wrote it (it has no {manifest.NAME} of a "
            "saved model). Give another folder, or remove this one."
        ) from None
    for name in sorted(manifest.present_files(path)):
        if name not in listed:
            raise ValueError(
                f"{path}: not replaced, because no export wrote {name} in it. Move that file away, "
                "or give another folder."
            )


def _check_writable(folder: Path, path: Path, needed_bytes: int) -> None:
    """Write and remove a byte in the nearest folder that is there; compare its free space."""
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise ValueError(f"{path}: {folder} is a file, expected a folder. Give another one.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".write-test-", buffering=0) as probe:
            probe.write(b"0")
    except OSError as error:
        raise ValueError(
            f"{path}: {folder} cannot be written ({error.strerror}). Give another folder."
        ) from None
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise ValueError(
            f"{path}: needs about {needed_bytes / 1e6:.0f} MB, {free / 1e6:.0f} MB are free on its "
            "disk. Make room, or give a folder on another disk."
        )
