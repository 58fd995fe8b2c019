"""Load the clips of an index: decode and check in parallel, once, and keep the waveforms.

clips = load(corpus.index, sample_rate_hz=32_000)
train = clips[fold.train].dataset(32, seed=0, duration_s=5.0, augment=augment)
test = clips[fold.test].all_batches(32, duration_s=5.0)
"""

import warnings
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from zoo.containers import MAX_RATE_HZ, MIN_RATE_HZ
from zoo.data import audio, sound_checks
from zoo.data import cache as caches
from zoo.data.audio import Header, Mono
from zoo.data.clips import Clips, Source
from zoo.data.copies import find_copies, join_groups, remarks_on_labels
from zoo.data.inspection import Findings, Listing, check_sound, read_headers


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
        mono: mix several channels to their mean, or use the first.
        cache: "memory": keep the waveforms in memory; a folder: keep them in a file there, which
            later runs with the same recordings and settings open; None: decode in each epoch.
        strict: raise on the first damaged clip; otherwise it is left out and listed in `damaged`.

    Returns:
        The clips that can be used; those with the same samples are in one group.

    Raises:
        ValueError: no clip can be used, `strict` and one is damaged, or too little memory.
    """
    if mono not in ("first", "mean"):
        raise ValueError(f"`mono` must be 'first' or 'mean'. Received: {mono!r}.")
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        raise ValueError(
            f"`sample_rate_hz` must lie between {MIN_RATE_HZ} and {MAX_RATE_HZ}. "
            f"Received: {sample_rate_hz}."
        )

    def decode_into(allocate: caches.Allocate) -> Findings:
        listing = read_headers(index, strict=strict)
        store = allocate(listing.lengths(sample_rate_hz))

        def keep(row: int, sound: np.ndarray, header: Header) -> None:
            store.put(row, _prepare(sound, header, sample_rate_hz, mono))

        return check_sound(listing, strict=strict, sink=keep)

    source: Source
    if cache is None:
        listing = read_headers(index, strict=strict)
        source = DecodedSource(listing, sample_rate_hz, mono)
        findings = check_sound(listing, strict=strict)
    elif cache == "memory":
        stores: list[caches.ClipStore] = []

        def allocate(lengths: np.ndarray) -> caches.ClipStore:
            stores.append(caches.allocate_in_memory(lengths))
            return stores[0]

        findings = decode_into(allocate)
        (source,) = stores
    else:
        key = caches.cache_key(index, rate=sample_rate_hz, mono=mono, resampler=audio.RESAMPLER)
        source, facts = caches.load_or_compute(
            Path(cache), key, lambda allocate: asdict(decode_into(allocate))
        )
        findings = Findings(**facts)
    return _clips(index, source, findings, sample_rate_hz, mono, strict)


def _clips(
    index: pd.DataFrame,
    source: Source,
    findings: Findings,
    sample_rate_hz: int,
    mono: Mono,
    strict: bool,
) -> Clips:
    damaged_rows = [row for row, _ in findings.damaged]
    copies = find_copies(index, findings.contents)
    remarked = sorted([*findings.remarks, *remarks_on_labels(copies)], key=lambda each: each[0])
    damaged = findings.damaged_of(index)
    remarks = replace(findings, remarks=remarked).remarks_of(index)
    if damaged_rows and (strict or len(damaged_rows) == len(index)):
        raise ValueError(
            f"{len(damaged_rows)} of {len(index)} clips are damaged, the first: "
            f"{damaged['path'][0]}: {damaged['reason'][0]}."
        )
    cancelled = sum(text == sound_checks.CANCELS for _, text in findings.remarks)
    if mono == "mean" and cancelled:
        warnings.warn(
            f"The channels of {cancelled} clips cancel in their mean: of each the strongest is "
            "used alone. They are listed in `remarks`.",
            stacklevel=3,
        )
    index = join_groups(index, copies)
    rows = np.delete(np.arange(len(index)), damaged_rows)
    kept = index.iloc[rows].reset_index(drop=True)
    classes = tuple(sorted(kept["label"].astype(str).unique()))
    return Clips(kept, source, rows, classes, sample_rate_hz, damaged, remarks)


def _prepare(sound: np.ndarray, header: Header, sample_rate_hz: int, mono: Mono) -> np.ndarray:
    """Mix and resample decoded sound (frames, channels) to (samples,)."""
    return audio.resample(audio.mono(sound, mono), header.sample_rate_hz, sample_rate_hz)


@dataclass(frozen=True)
class DecodedSource:
    """Clips that are decoded each time they are read, equal bit for bit to kept ones.

    Attributes:
        listing: index with headers.
        sample_rate_hz: of the clips [Hz].
        mono: mix several channels to their mean, or use the first.
    """

    listing: Listing
    sample_rate_hz: int
    mono: Mono

    @property
    def trailing(self) -> tuple[int, ...]:
        """Of waveforms: none."""
        return ()

    @property
    def lengths(self) -> np.ndarray:
        """(rows,) samples of each clip."""
        return self._lengths

    @cached_property
    def _lengths(self) -> np.ndarray:
        return self.listing.lengths(self.sample_rate_hz)

    @cached_property
    def _paths(self) -> np.ndarray:
        return self.listing.index["path"].to_numpy(dtype=object)

    def __getitem__(self, row: int) -> np.ndarray:
        path = self._paths[row]
        header = self.listing.headers[path]
        try:
            (sound,) = audio.decode(path, header, [self.listing.spans[row]])
            sound_checks.check(sound, header.sample_rate_hz)
        except audio.DamagedRecording as damage:
            raise audio.DamagedRecording(
                f"{path} has changed since it was checked: {damage}"
            ) from None
        return _prepare(sound, header, self.sample_rate_hz, self.mono)
