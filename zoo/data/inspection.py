"""Check every recording of an index, on all processors, before anything is trained on it.

An index is a pandas table with one row a clip: at least `path`, `start_s`, `end_s` (both not a
number: from the start, to the end). `zoo.data.corpora` makes them.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd

from zoo.data.audio import Damaged, Header, check, decode, read_header, resampled_length
from zoo.progress import track

_OVERHANG_S = 0.1  # annotations may outlast their recording by this much: people round
Sink = Callable[[int, np.ndarray, Header], None]


class Span(NamedTuple):
    """The frames of a recording that a row of an index means; none of them if it is damaged."""

    start: int
    stop: int


@dataclass
class Findings:
    """What is wrong and what is odd: (row, text), in the order of rows."""

    damaged: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)

    def damaged_of(self, index: pd.DataFrame) -> pd.DataFrame:
        """Table of path, start_s, reason."""
        return _table(index, self.damaged, "reason")

    def remarks_of(self, index: pd.DataFrame) -> pd.DataFrame:
        """Table of path, start_s, remark."""
        return _table(index, self.remarks, "remark")


@dataclass(frozen=True)
class Listing:
    """An index whose headers have been read.

    headers: file -> Header, of the files that can be read. spans: one a row. findings: of headers.
    """

    index: pd.DataFrame
    headers: dict[str, Header]
    spans: list[Span]
    findings: Findings

    def lengths(self, sample_rate_hz: int) -> np.ndarray:
        """(rows,) samples of each clip at a rate, 0 where it is damaged."""
        return np.array(
            [
                resampled_length(stop - start, self.headers[path].sample_rate_hz, sample_rate_hz)
                if stop > start
                else 0
                for path, (start, stop) in zip(self.index["path"], self.spans, strict=True)
            ],
            dtype=np.int64,
        )

    def seconds(self) -> np.ndarray:
        """(rows,) length of each clip [s], 0 where it is damaged."""
        return np.array(
            [
                (stop - start) / self.headers[path].sample_rate_hz if stop > start else 0.0
                for path, (start, stop) in zip(self.index["path"], self.spans, strict=True)
            ]
        )


def look(index: pd.DataFrame, *, strict: bool = False) -> Listing:
    """Read every recording's header and place every clip in it.

    Raises:
        ValueError: `strict`, and something is damaged.
    """
    paths = list(index["path"].unique())
    results = dict(zip(paths, _in_parallel(_header, paths, "reading headers"), strict=True))
    headers = {path: found for path, found in results.items() if isinstance(found, Header)}
    spans, findings = [], Findings()
    rows = zip(index["path"], index["start_s"], index["end_s"], strict=True)
    for row, (path, start_s, end_s) in enumerate(rows):
        found = results[path]
        place = _place(start_s, end_s, found) if isinstance(found, Header) else found
        if isinstance(place, str):
            findings.damaged.append((row, place))
            place = Span(0, 0)
        spans.append(place)
    listing = Listing(index, headers, spans, findings)
    _stop_if(strict, listing, findings.damaged)
    return listing


def listen(listing: Listing, *, strict: bool = False, sink: Sink | None = None) -> Findings:
    """Decode and check every clip of a listing.

    Args:
        listing: what `look` returned.
        strict: raise on the first damaged clip.
        sink: called as sink(row, sound (frames, channels), header) with each good clip, from
            several threads at once.

    Returns:
        The findings, the listing's own included.

    Raises:
        ValueError: `strict`, and a clip is damaged.
    """
    files: dict[str, list[int]] = {}
    for row, (path, span) in enumerate(zip(listing.index["path"], listing.spans, strict=True)):
        if span.stop > span.start:
            files.setdefault(path, []).append(row)
    damaged, remarks = list(listing.findings.damaged), []

    def examine(item: tuple[str, list[int]]) -> Findings:
        path, rows = item
        return _examine(path, listing.headers[path], rows, listing.spans, sink)

    with closing(_in_parallel(examine, list(files.items()), "decoding")) as results:
        for findings in results:
            damaged += findings.damaged
            remarks += findings.remarks
            _stop_if(strict, listing, findings.damaged)
    return Findings(sorted(damaged), sorted(remarks))


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _header(path: str) -> Header | str:
    try:
        return read_header(path)
    except Damaged as damage:
        return str(damage)


def _place(start_s: float, end_s: float, header: Header) -> Span | str:
    """Where a clip lies, or why it does not."""
    rate, frames = header.sample_rate_hz, header.frames
    start = 0 if np.isnan(start_s) else round(start_s * rate)
    stop = frames if np.isnan(end_s) else round(end_s * rate)
    if 0 <= start < min(stop, frames) and stop <= frames + _OVERHANG_S * rate:
        return Span(start, min(stop, frames))
    return (
        f"annotated from {start / rate:.3f} to {stop / rate:.3f} s, "
        f"but the recording ends at {header.duration_s:.3f} s"
    )


def _examine(
    path: str, header: Header, rows: list[int], spans: list[Span], sink: Sink | None
) -> Findings:
    """Decode one file and check its clips."""
    findings = Findings()
    try:
        pieces = decode(path, header, [spans[row] for row in rows])
    except Damaged as damage:
        return Findings(damaged=[(row, str(damage)) for row in rows])
    for row, sound in zip(rows, pieces, strict=True):
        try:
            findings.remarks += [(row, text) for text in check(sound, header.sample_rate_hz)]
        except Damaged as damage:
            findings.damaged.append((row, str(damage)))
        else:
            if sink:
                sink(row, sound, header)
    return findings


def _in_parallel(function: Callable, jobs: list, what: str) -> Iterator:
    """Results in order. Threads do: libsndfile, soxr and numpy let go of Python while they work."""
    size = 1 + len(jobs) // 10_000  # a future is larger than a header
    chunks = [jobs[k : k + size] for k in range(0, len(jobs), size)]
    pool = ThreadPoolExecutor(processors())
    try:
        done = pool.map(lambda chunk: [function(job) for job in chunk], chunks)
        yield from track(chain.from_iterable(done), len(jobs), what)
    finally:
        pool.shutdown(cancel_futures=True)


def _stop_if(strict: bool, listing: Listing, damaged: list[tuple[int, str]]) -> None:
    if strict and damaged:
        row, reason = damaged[0]
        raise ValueError(
            f"{listing.index['path'].iloc[row]}: {reason}. "
            "Mend or remove it, or leave `strict` off to go on without it."
        )


def _table(index: pd.DataFrame, found: list[tuple[int, str]], name: str) -> pd.DataFrame:
    rows = [row for row, _ in found]
    table = index.iloc[rows][["path", "start_s"]].reset_index(drop=True)
    return table.assign(**{name: [text for _, text in found]})
