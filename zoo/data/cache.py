"""Clips of any length, end to end in one array, in memory or in a file.

A cached file is named by a hash of the recordings and settings that it was computed from.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import soxr

from zoo.files import replacing_folder

_FORMAT = 2  # raised when the same settings would write other bytes


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

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        end = int(self.ends[row])
        return self.data[end - int(self.lengths[row]) : end]


Allocate = Callable[[np.ndarray], ClipStore]  # lengths of the clips -> an empty store


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
) -> tuple[ClipStore, dict[str, Any]]:
    """Open the store `key` in `folder`, or compute it and keep it there.

    A store appears under its name only when it is complete.

    Args:
        folder: of all stores; made if it does not exist.
        key: name of this one, see `cache_key`.
        compute: called if there is no such store: takes a function that allocates one, fills it,
            and returns facts to keep with it, plain JSON.

    Returns:
        The store, whose file is mapped into memory, and the facts.

    Raises:
        ValueError: a damaged store, or too little free space.
    """
    place = folder / key
    if not place.exists():
        # Where another process computes the same one in the meantime, the last of both stays.
        with replacing_folder(place) as work:
            facts = compute(lambda lengths: _in_file(work / "new", lengths))
            (work / "new" / "about.json").write_text(json.dumps(facts))
    try:
        samples = np.load(place / "samples.npy", mmap_mode="r")
        facts = json.loads((place / "about.json").read_text())
        return ClipStore(samples, np.load(place / "lengths.npy")), facts
    except (OSError, ValueError) as error:
        raise ValueError(f"{place} is a damaged cache: {error}. Delete it.") from None


def _in_file(folder: Path, lengths: np.ndarray) -> ClipStore:
    total = int(np.sum(lengths))
    _require(
        4 * total,
        shutil.disk_usage(folder).free,
        f"are free in {folder.parents[1]}. Give `cache` another folder",
    )
    np.save(folder / "lengths.npy", lengths)
    samples = np.lib.format.open_memmap(
        folder / "samples.npy", mode="w+", dtype=np.float32, shape=(total,)
    )
    return ClipStore(samples, lengths)


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
