"""Checkpoints: arrays of a run with a checksum, in two generations.

A checkpoint is an `.npz` file with the SHA-256 of its bytes behind it, written aside, synced and
renamed; the one before it is kept as NAME.previous.npz. It holds a description of its run, and only
that run is continued from it.
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.files import read_regular, write_bytes
from zoo.progress import say

VERSION = 3  # of what a checkpoint means; raised when older ones cannot be continued exactly
_RUN = "run"  # entry with the description of the run
_DIGEST_BYTES = 64  # SHA-256 in hexadecimal digits
_DAMAGE = (ValueError, KeyError, OSError, EOFError, NotImplementedError, MemoryError)

Arrays = dict[str, np.ndarray]


class CheckpointFile:
    """The checkpoint of one run, and the one before it.

    Attributes:
        path: of the newest checkpoint.
        previous: of the one before it.
        run: description of the run; what is continued must have the same.
    """

    def __init__(self, path: str | os.PathLike[str], run: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.previous = previous_path(self.path)
        self.run: dict[str, Any] = json.loads(json.dumps({**run, "version": VERSION}))
        self._is_newest_good = False

    def read(self) -> Arrays | None:
        """Arrays of the newest checkpoint that is whole; None where there is none.

        Raises:
            ValueError: another run wrote it, or there is one and it is damaged like the one before.
            OSError: it cannot be read.
        """
        damaged = []
        for path in (self.path, self.previous):
            if not path.exists():
                continue
            arrays = _parse(read_regular(path))
            if arrays is None:
                damaged.append(path)
                continue
            self._require_same_run(path, json.loads(str(arrays.pop(_RUN))))
            self._is_newest_good = path == self.path
            if not self._is_newest_good:
                what = "is damaged" if damaged else "is missing"
                say(f"the checkpoint {self.path} {what}: continuing from the one before it, {path}")
            return arrays
        if damaged:
            raise ValueError(
                f"{damaged[0]}: damaged, or no checkpoint of this release, and there is no whole "
                "one before it. Remove it to start anew, or give another file."
            )
        return None

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a checkpoint that survives a power cut; the newest one becomes the previous one.

        Args:
            arrays: name -> values.

        Raises:
            OSError: it cannot be written; the newest one there is can then still be read.
        """
        buffer = io.BytesIO()
        named: dict[str, Any] = {_RUN: np.array(json.dumps(self.run)), **arrays}
        np.savez(buffer, **named)
        content = buffer.getvalue()
        write_bytes(
            self.path,
            content + hashlib.sha256(content).hexdigest().encode(),
            durable=True,
            previous=self.previous if self._is_newest_good else None,
        )
        self._is_newest_good = True

    def _require_same_run(self, path: Path, run: dict[str, Any]) -> None:
        if differences := list(_differences(run, self.run)):
            raise ValueError(
                f"The checkpoint {path} belongs to another run: {'; '.join(differences)}. Remove "
                "it to start anew, or give the options that it was made with."
            )


def previous_path(path: Path) -> Path:
    """Path of the checkpoint before the one at `path`: run.npz -> run.previous.npz."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def hash_arrays(*arrays: np.ndarray | None) -> str:
    """Hash of the values, shapes and types of arrays, 16 hexadecimal digits.

    Args:
        arrays: of the data that a run is trained on; None: there is none.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _parse(content: bytes) -> Arrays | None:
    """Arrays of a checkpoint; None where its bytes are not those that were written."""
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        return arrays if isinstance(json.loads(str(arrays[_RUN])), dict) else None
    except (*_DAMAGE, zipfile.BadZipFile, zlib.error):
        return None


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What differs between the descriptions of two runs, a clause each."""
    for name in sorted({*there, *here}):
        one, other = there.get(name), here.get(name)
        if one == other:
            continue
        if name in ("data", "model"):  # hashes
            yield f"other {name}"
        elif isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other)
        else:
            yield f"{name.replace('_', ' ')} {one} there, {other} here"
