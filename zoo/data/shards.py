"""Features of a corpus in files, for corpora that do not fit into memory.

A shard holds the features of some hundred clips, one behind the other, then a CRC-32 of each and of
all of these. It appears under its name only when it is complete, so whatever ends a computation
early, the next one goes on behind the last complete shard.

Planned for 10^6 clips of 5 s, 250 frames of 64 bands, float16: 32 kB a clip, 32 GB, 1,954 shards of
16 MB.
"""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from zoo.files import write_bytes, writing

SHARD_CLIPS = 512
_FORMAT = 1  # raised when the same settings would write other bytes
_MAGIC = b"zoo shard 1\n"
_ABOUT = "about.json"
_FOOTER = struct.Struct(f"<{len(_MAGIC)}sQII")  # magic, clips, bytes of a clip, CRC-32 of CRCs
_STALE_S = 3600.0  # age of a file that nobody is writing any more
_SPARE = 1.02  # of the free space that features may take


@dataclass(frozen=True)
class ShardSettings:
    """Where and how features are kept.

    Attributes:
        folder: of all features; those of other clips or settings have other folders in it.
        key: whatever the features depend on besides the clips: settings of the front end, seed.
        dtype: "float16" keeps 11 bits, which of levels between 64 and 128 dB is 0.06 dB.
        clips: in a shard; a multiple of the batch size.
    """

    folder: Path
    key: str
    dtype: Literal["float16", "float32"] = "float16"
    clips: int = SHARD_CLIPS


class ShardStore:
    """Features in shards; `store[row]` reads one clip, (frames, ...) float32, and checks it.

    Args:
        folder: of the shards.
        rows: number of clips.
        clips: in a shard.
        shape: of the features of a clip.
        dtype: of the file.

    Raises:
        ValueError: a shard that is missing or damaged.
    """

    def __init__(
        self, folder: Path, rows: int, clips: int, shape: tuple[int, ...], dtype: str
    ) -> None:
        self.folder, self.clips, self.shape = folder, clips, shape
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self.lengths = np.full(rows, shape[0], np.int64)
        self.size = self.dtype.itemsize * int(np.prod(shape))
        self.checksums = np.concatenate(
            [
                _checksums(self.folder / _name(k), count, self.size)
                for k, count in enumerate(_counts(rows, clips))
            ]
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def trailing(self) -> tuple[int, ...]:
        """Shape of a frame."""
        return self.shape[1:]

    @property
    def content(self) -> str:
        """Hash of all features."""
        return hashlib.sha256(self.checksums.tobytes()).hexdigest()

    def __getitem__(self, row: int) -> np.ndarray:
        number, place = divmod(int(row), self.clips)
        path = self.folder / _name(number)
        handle = os.open(path, os.O_RDONLY)
        try:
            content = os.pread(handle, self.size, place * self.size)
        finally:
            os.close(handle)
        if len(content) != self.size or zlib.crc32(content) != int(self.checksums[row]):
            raise ValueError(
                f"{path} is damaged: clip {row} is not the one that was kept. Delete that file and "
                "run again: it alone is computed anew."
            )
        return np.frombuffer(content, self.dtype).reshape(self.shape).astype(np.float32)


def missing_rows(settings: ShardSettings, place: Path, rows: int) -> np.ndarray:
    """Rows of the clips whose shards are missing or incomplete, (n,).

    Args:
        settings: of the shards.
        place: their folder, see `shard_folder`.
        rows: number of clips.
    """
    about = _read_about(place)
    size = 0 if about is None else int(np.prod(about[0])) * np.dtype(settings.dtype).itemsize
    missing = []
    for number, count in enumerate(_counts(rows, settings.clips)):
        try:
            if not size:
                raise ValueError
            _checksums(place / _name(number), count, size)
        except ValueError:
            first = number * settings.clips
            missing.append(np.arange(first, first + count))
    return np.concatenate(missing) if missing else np.arange(0)


def write_shards(
    settings: ShardSettings,
    place: Path,
    rows: np.ndarray,
    total: int,
    batches: Iterable[np.ndarray],
) -> None:
    """Write the features of `rows`, whole shards in rising order.

    Args:
        settings: of the shards.
        place: their folder.
        rows: of `missing_rows`.
        total: number of all clips.
        batches: features (clips, frames, ...) of these rows, in order.

    Raises:
        ValueError: too little free space, or values that float16 cannot hold.
        OSError: a file cannot be written.
    """
    place.mkdir(parents=True, exist_ok=True)
    _remove_stale(place)
    numbers = list(dict.fromkeys((rows // settings.clips).tolist()))
    counts = _counts(total, settings.clips)
    parts = _regrouped(batches, [counts[number] for number in numbers])
    for number, features in zip(numbers, parts, strict=True):
        if _read_about(place) is None:
            _require_space(settings, place, features, len(rows))
            about = {"shape": features.shape[1:], "dtype": settings.dtype}
            write_bytes(place / _ABOUT, json.dumps(about).encode())
        with writing(place / _name(number)) as path:
            _write(path, _as(features, settings.dtype))


def open_shards(settings: ShardSettings, place: Path, rows: int) -> ShardStore:
    """The features of `rows` clips, all of them complete.

    Raises:
        ValueError: one that is missing or damaged.
    """
    about = _read_about(place)
    if about is None:
        raise ValueError(f"{place} holds no features: {_ABOUT} is missing or damaged.")
    return ShardStore(place, rows, settings.clips, about[0], about[1])


def shard_folder(settings: ShardSettings, clips_key: str, **facts: object) -> Path:
    """Folder of the shards of some clips: a hash of them and of all settings.

    Args:
        settings: of the shards.
        clips_key: hash of the clips, see `zoo.data.cache.cache_key`.
        facts: what else the features depend on.
    """
    own = _FORMAT, clips_key, settings.key, settings.dtype, settings.clips, sorted(facts.items())
    return settings.folder / hashlib.sha256(repr(own).encode()).hexdigest()[:24]


def _remove_stale(place: Path) -> None:
    """Remove what killed processes were writing; a running one writes a shard in less time."""
    for path in place.glob(".*.shard"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()


def _name(number: int) -> str:
    return f"{number:06d}.shard"


def _counts(rows: int, clips: int) -> list[int]:
    """Clips of each shard."""
    return [min(clips, rows - first) for first in range(0, rows, clips)]


def _read_about(place: Path) -> tuple[tuple[int, ...], str] | None:
    """Shape and type of the features in a folder; None where they are not known."""
    try:
        about = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        return tuple(int(n) for n in about["shape"]), str(np.dtype(about["dtype"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _regrouped(batches: Iterable[np.ndarray], counts: Iterable[int]) -> Iterator[np.ndarray]:
    """Batches joined and cut to parts of these lengths."""
    batch = iter(batches)
    kept: list[np.ndarray] = []
    for count in counts:
        while sum(map(len, kept)) < count:
            kept.append(next(batch))
        joined = np.concatenate(kept)
        kept = [joined[count:]]
        yield joined[:count]


def _as(features: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "float16" and np.abs(features).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError(
            f"A feature of {np.abs(features).max():.3g} does not fit into float16. Take dtype="
            '"float32".'
        )
    return features.astype(np.dtype(dtype).newbyteorder("<"))


def _write(path: Path, features: np.ndarray) -> None:
    content = features.reshape(len(features), -1)
    checksums = np.array([zlib.crc32(row.tobytes()) for row in content], "<u4")
    size = content.dtype.itemsize * content.shape[1]
    footer = _FOOTER.pack(_MAGIC, len(content), size, zlib.crc32(checksums.tobytes()))
    path.write_bytes(content.tobytes() + checksums.tobytes() + footer)


def _checksums(path: Path, clips: int, size: int) -> np.ndarray:
    """Checksums of the clips of a complete shard, (clips,).

    Raises:
        ValueError: there is none, or it is not complete.
    """
    tail = 4 * clips + _FOOTER.size
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == clips * size + tail:
                file.seek(clips * size)
                content = file.read(tail)
                footer = _MAGIC, clips, size, zlib.crc32(content[: 4 * clips])
                if len(content) == tail and _FOOTER.unpack(content[4 * clips :]) == footer:
                    return np.frombuffer(content[: 4 * clips], "<u4")
    except OSError:
        pass
    raise ValueError(f"{path} is missing or damaged. Compute the features again.")


def _require_space(settings: ShardSettings, place: Path, part: np.ndarray, rows: int) -> None:
    itemsize = np.dtype(settings.dtype).itemsize
    needed = _SPARE * rows * itemsize * int(np.prod(part.shape[1:]))
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ValueError(
            f"The features take {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free in "
            f"{settings.folder}. Give another folder."
        )
