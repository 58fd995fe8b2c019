"""Clips of any length, end to end in one array: in memory, or in a file named by what made it."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr

from zoo.files import replacing_folder

_FORMAT = 1  # raise it when the same settings would write other bytes


class Store:
    """`store[row]` is a view of one clip, (length, ...).

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


Allocate = Callable[[np.ndarray], Store]


def in_memory(lengths: np.ndarray) -> Store:
    """An empty float32 store in memory.

    Raises:
        ValueError: there is not enough of it.
    """
    total = int(np.sum(lengths))
    _require(4 * total, _free_memory(), "of memory are free. Give `cache` a folder")
    return Store(np.empty(total, np.float32), lengths)


def on_disk(folder: Path, key: str, make: Callable[[Allocate], dict]) -> tuple[Store, dict]:
    """Open what `key` names under `folder`, or have it made there.

    A store appears under its name only when it is whole; one left unfinished is never read.

    Args:
        folder: where stores are kept; made if it is not there.
        key: name of this one, see `key_of`.
        make: called if it must be made: takes a function from the clips' lengths to an empty store,
            fills one, and returns what is to be remembered with it, plain JSON.

    Returns:
        The store, read from its file as it is used, and what is remembered with it.
    """
    place = folder / key
    if not place.exists():
        # Where another process makes the same one in the meantime, the last of both stays.
        with replacing_folder(place) as work:
            about = make(lambda lengths: _in_file(work / "new", lengths))
            (work / "new" / "about.json").write_text(json.dumps(about))
    try:
        samples = np.load(place / "samples.npy", mmap_mode="r")
        about = json.loads((place / "about.json").read_text())
        return Store(samples, np.load(place / "lengths.npy")), about
    except (OSError, ValueError) as error:
        raise ValueError(f"{place} is a damaged cache: {error}. Delete it.") from None


def _in_file(folder: Path, lengths: np.ndarray) -> Store:
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
    return Store(samples, lengths)


def _require(needed: int, free: int | None, where: str) -> None:
    if free is not None and needed > free:
        raise ValueError(
            f"The clips take {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB {where}, "
            "or None to decode anew in each epoch."
        )


def key_of(index: pd.DataFrame, **settings: object) -> str:
    """Name of a store: a hash of the settings, the decoder's version, and each clip's file, size,
    time of change, start and end.
    """
    versions = (_FORMAT, soundfile.__libsndfile_version__, soxr.__version__)
    digest = hashlib.sha256(repr((versions, sorted(settings.items()))).encode())
    stamps = {path: _stamp(path) for path in index["path"].unique()}
    for path, start_s, end_s in zip(index["path"], index["start_s"], index["end_s"], strict=True):
        digest.update(repr((path, stamps[path], start_s, end_s)).encode())
    return digest.hexdigest()[:24]


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _free_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith("MemAvailable")), None)
