"""Clips of any length, end to end in one array, in memory or in a file.

A cached file is named by a hash of the recordings and settings that it was computed from. It is
read, never mapped into memory: a mapped file that another process cuts, or that does not fit on the
disk while it is written, ends the process. Each clip has a checksum.
"""

import hashlib
import json
import os
import shutil
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import soundfile
import soxr

from zoo.files import remove_leftovers, replacing_folder
from zoo.progress import say, track

_FORMAT = 3  # raised when the same settings would write other bytes
_SAMPLES, _CLIPS, _ABOUT = "samples.f32", "clips.npy", "about.json"


class Sink(Protocol):
    """Place that takes the samples of clips, in any order and from several threads."""

    def put(self, row: int, samples: np.ndarray) -> None:
        """Keep the samples of one clip."""
        ...


class ClipStore:
    """Clips in one array; `store[row]` is a view of one clip, (length, ...).

    Args:
        data: (total length, ...), the clips end to end.
        lengths: (clips,) length of each.
    """

    def __init__(self, data: np.ndarray, lengths: np.ndarray) -> None:
        self.data = data
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.ends = np.cumsum(self.lengths)

    @property
    def trailing(self) -> tuple[int, ...]:
        """Shape of a sample or frame."""
        return self.data.shape[1:]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        end = int(self.ends[row])
        return self.data[end - int(self.lengths[row]) : end]

    def put(self, row: int, samples: np.ndarray) -> None:
        """Copy the samples of one clip to their place."""
        self[row][:] = samples


class FileStore:
    """Clips in a file of float32; `store[row]` reads one clip, (length,), and checks it.

    Args:
        path: of the file.
        lengths: (clips,) length of each.
        checksums: (clips,) CRC-32 of the bytes of each.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, lengths: np.ndarray, checksums: np.ndarray) -> None:
        self.path, self.lengths, self.checksums = path, lengths, checksums
        self._starts = 4 * (np.cumsum(lengths) - lengths)
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)

    trailing = ()  # waveforms

    def __reduce__(self) -> tuple[Any, ...]:
        # another process opens the file itself: a handle is a number of this one
        return FileStore, (self.path.absolute(), self.lengths, self.checksums)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        size = 4 * int(self.lengths[row])
        content = os.pread(self._handle, size, int(self._starts[row]))
        if len(content) != size or zlib.crc32(content) != int(self.checksums[row]):
            raise ValueError(
                f"{self.path.parent} is a damaged cache: clip {row} is not the one that was kept. "
                "Delete that folder and run again."
            )
        return np.frombuffer(content, np.float32)


class _FileWriter:
    """A file of float32 that clips are written into, each with its checksum."""

    def __init__(self, path: Path, lengths: np.ndarray) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        self.checksums = np.full(len(self.lengths), -1, np.int64)  # of a clip that is left out
        self._starts = 4 * (np.cumsum(self.lengths) - self.lengths)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        self._close = weakref.finalize(self, os.close, self._handle)
        size = 4 * int(self.lengths.sum())
        if size and hasattr(os, "posix_fallocate"):  # a full disk is met here, not after hours
            os.posix_fallocate(self._handle, 0, size)

    def put(self, row: int, samples: np.ndarray) -> None:
        """Write the samples of one clip to their place."""
        content = memoryview(np.asarray(samples, np.float32).tobytes())
        start, done = int(self._starts[row]), 0
        while done < len(content):
            done += os.pwrite(self._handle, content[done:], start + done)
        self.checksums[row] = zlib.crc32(content)

    def close(self) -> None:
        """Close the file."""
        self._close()


Allocate = Callable[[np.ndarray], Sink]  # lengths of the clips -> an empty store


def allocate_in_memory(lengths: np.ndarray) -> ClipStore:
    """Allocate an empty float32 store in memory.

    Raises:
        ValueError: there is not enough memory.
    """
    total = int(np.sum(lengths))
    _require(4 * total, _free_memory(), "of memory are free. Give `cache` a folder")
    return ClipStore(np.empty(total, np.float32), lengths)


def load_or_compute(
    folder: Path, key: str, compute: Callable[[Allocate], dict[str, Any]]
) -> tuple[FileStore, dict[str, Any]]:
    """Open the store `key` in `folder`, or compute it and keep it there.

    A store appears under its name only when it is complete. One that is damaged is computed again,
    with a line on standard error; what killed processes left in the folder is removed.

    Args:
        folder: of all stores; made if it does not exist.
        key: name of this one, see `cache_key`.
        compute: called if there is no such store: takes a function that allocates one, fills it,
            and returns facts to keep with it, plain JSON.

    Returns:
        The store, and the facts.

    Raises:
        ValueError: too little free space.
        OSError: the folder cannot be read or written.
    """
    place = folder / key
    if place.is_dir():
        try:
            return _open_kept(place)
        except Exception as error:  # NumPy raises whatever its parts raise
            reason = str(error)[:200] or type(error).__name__
            say(f"{place} is a damaged cache ({reason}): it is computed again")
    remove_leftovers(folder)
    # Where another process computes the same one in the meantime, the last of both stays.
    with replacing_folder(place) as work:
        _compute_into(work / "new", compute)
    return _open_kept(place)


def _compute_into(folder: Path, compute: Callable[[Allocate], dict[str, Any]]) -> None:
    writers: list[_FileWriter] = []

    def allocate(lengths: np.ndarray) -> _FileWriter:
        free = shutil.disk_usage(folder).free
        where = f"are free in {folder.parents[1]}. Give `cache` another folder"
        _require(4 * int(np.sum(lengths)), free, where)
        writers.append(_FileWriter(folder / _SAMPLES, lengths))
        return writers[0]

    try:
        facts = compute(allocate)
    finally:
        for each in writers:
            each.close()
    (writer,) = writers
    clips = np.stack([writer.lengths, writer.checksums], axis=1)
    np.save(folder / _CLIPS, clips)
    about = {"facts": facts, "sha256": _digest(facts, clips)}
    (folder / _ABOUT).write_text(json.dumps(about))


def _open_kept(place: Path) -> tuple[FileStore, dict[str, Any]]:
    """The store in a folder, each of its clips compared with its checksum."""
    about = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
    clips = np.load(place / _CLIPS, allow_pickle=False)
    if about["sha256"] != _digest(about["facts"], clips):
        raise ValueError(f"{_CLIPS} and {_ABOUT} do not fit each other")
    lengths, checksums = clips.T
    store = FileStore(place / _SAMPLES, lengths, checksums)
    if (place / _SAMPLES).stat().st_size != 4 * int(lengths.sum()):
        raise ValueError(f"{_SAMPLES} has another size")
    kept = np.flatnonzero(checksums >= 0)
    for row in track(kept, len(kept), "checking the cache"):
        _ = store[row]
    return store, about["facts"]


def _digest(facts: dict[str, Any], clips: np.ndarray) -> str:
    text = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(
        text + f"{clips.dtype.str}{clips.shape}".encode() + clips.tobytes()
    ).hexdigest()


def _require(needed: int, free: int | None, where: str) -> None:
    if free is not None and needed > free:
        raise ValueError(
            f"The clips take {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB {where}, "
            "or None to decode in each epoch."
        )


def cache_key(index: pd.DataFrame, **settings: object) -> str:
    """Name of a store: hash of settings, versions of the decoder, and the clips of an index.

    Args:
        index: table of clips; of each, path, size and time of change of its file, start and end
            are part of the hash.
        settings: by name.
    """
    versions = (_FORMAT, soundfile.__libsndfile_version__, soxr.__version__)
    digest = hashlib.sha256(repr((versions, sorted(settings.items()))).encode())
    stamps = {path: _stamp(path) for path in dict.fromkeys(index["path"])}
    for path, start_s, end_s in zip(index["path"], index["start_s"], index["end_s"], strict=True):
        digest.update(repr((path, stamps[path], start_s, end_s)).encode())
    return digest.hexdigest()[:24]


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _free_memory() -> int | None:
    """Available memory without swapping [bytes]; None where the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith("MemAvailable")), None)
