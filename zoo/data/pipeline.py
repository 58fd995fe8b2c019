"""From an index to clips: decode and check once, on all processors, and keep what was decoded.

clips = load(corpus.index, sample_rate_hz=32_000)
train = clips[fold.train].dataset(32, seed=0, duration_s=5.0, augment=augment)
test = clips[fold.test].all_batches(32, duration_s=5.0)
"""

import warnings
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from zoo.data import audio
from zoo.data import cache as caches
from zoo.data.audio import Header, Mono
from zoo.data.clips import Clips, Source
from zoo.data.inspection import Findings, Listing, listen, look


def load(
    index: pd.DataFrame,
    *,
    sample_rate_hz: int,
    mono: Mono = "mean",
    cache: Literal["memory"] | Path | None = "memory",
    strict: bool = False,
) -> Clips:
    """Decode and check every clip of an index.

    Args:
        index: as `zoo.data.corpora.read` makes it: path, start_s, end_s, label and more.
        sample_rate_hz: everything is resampled to this [Hz].
        mono: several channels become their mean, or the first of them.
        cache: keep the waveforms in memory; or in this folder, from where a later run with the same
            files and settings takes them at once; or None: decode anew in each epoch.
        strict: raise on the first damaged clip; otherwise it is left out and named in `damaged`.

    Raises:
        ValueError: nothing can be used, `strict` and something is damaged, or too little room.
    """
    if mono not in ("first", "mean"):
        raise ValueError(f"`mono` must be 'first' or 'mean'. Received: {mono!r}.")
    if not audio.LOWEST_RATE_HZ <= sample_rate_hz <= audio.HIGHEST_RATE_HZ:
        raise ValueError(
            f"`sample_rate_hz` must lie between 1000 and 192000. Received: {sample_rate_hz}."
        )

    def decode_into(allocate: caches.Allocate) -> tuple[caches.Store, Findings]:
        listing = look(index, strict=strict)
        store = allocate(listing.lengths(sample_rate_hz))

        def keep(row: int, sound: np.ndarray, header: Header) -> None:
            store[row][:] = _prepare(sound, header, sample_rate_hz, mono)

        return store, listen(listing, strict=strict, sink=keep)

    source: Source
    if cache is None:
        listing = look(index, strict=strict)
        source, findings = Decoded(listing, sample_rate_hz, mono), listen(listing, strict=strict)
    elif cache == "memory":
        source, findings = decode_into(caches.in_memory)
    else:
        key = caches.key_of(index, rate=sample_rate_hz, mono=mono, resampler=audio.RESAMPLER)
        source, about = caches.on_disk(
            Path(cache), key, lambda allocate: asdict(decode_into(allocate)[1])
        )
        findings = Findings(**about)
    return _clips(index, source, findings, sample_rate_hz, mono, strict)


def _clips(
    index: pd.DataFrame,
    source: Source,
    findings: Findings,
    sample_rate_hz: int,
    mono: Mono,
    strict: bool,
) -> Clips:
    bad = [row for row, _ in findings.damaged]
    damaged, remarks = findings.damaged_of(index), findings.remarks_of(index)
    if bad and (strict or len(bad) == len(index)):
        raise ValueError(
            f"{len(bad)} of {len(index)} clips are damaged, the first: "
            f"{damaged['path'][0]}: {damaged['reason'][0]}."
        )
    cancelled = sum(text == audio.CANCELS for _, text in findings.remarks)
    if mono == "mean" and cancelled:
        warnings.warn(
            f"The channels of {cancelled} clips cancel in their mean: use mono='first'. "
            "They are named in `remarks`.",
            stacklevel=3,
        )
    rows = np.delete(np.arange(len(index)), bad)
    kept = index.iloc[rows].reset_index(drop=True)
    classes = tuple(sorted(kept["label"].astype(str).unique()))
    return Clips(kept, source, rows, classes, sample_rate_hz, damaged, remarks)


def _prepare(sound: np.ndarray, header: Header, sample_rate_hz: int, mono: Mono) -> np.ndarray:
    """(frames, channels) as decoded -> (samples,) as every model hears it."""
    return audio.resample(audio.mono(sound, mono), header.sample_rate_hz, sample_rate_hz)


@dataclass(frozen=True)
class Decoded:
    """Clips decoded anew each time they are asked for, bit for bit those that are kept."""

    listing: Listing
    sample_rate_hz: int
    mono: Mono

    @cached_property
    def lengths(self) -> np.ndarray:
        """(rows,) samples of each clip."""
        return self.listing.lengths(self.sample_rate_hz)

    @cached_property
    def _paths(self) -> np.ndarray:
        return self.listing.index["path"].to_numpy(dtype=object)

    def __getitem__(self, row: int) -> np.ndarray:
        path = self._paths[row]
        header = self.listing.headers[path]
        try:
            (sound,) = audio.decode(path, header, [self.listing.spans[row]])
            audio.check(sound, header.sample_rate_hz)
        except audio.Damaged as damage:
            raise audio.Damaged(f"{path} has changed since it was checked: {damage}") from None
        return _prepare(sound, header, self.sample_rate_hz, self.mono)
