"""Check every recording of an index in parallel, before training.

An index is a pandas table with one row per clip: at least `path`, `start_s`, `end_s` (NaN: from
the start, to the end). `zoo.data.corpora` makes them.
"""

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from zoo.data.audio import DamagedRecording, Header, decode, read_header, resampled_length
from zoo.data.fingerprints import fingerprint
from zoo.data.sound_checks import check
from zoo.progress import track

_MAX_TIME_S = 1e9  # of an annotation; anything beyond is behind the end of every recording
_MAX_OVERHANG_S = 0.1  # of a rounded annotation beyond the end of its recording
Sink = Callable[[int, np.ndarray, Header], None]  # row, sound (frames, channels), header


Job = TypeVar("Job")
Result = TypeVar("Result")


class Span(NamedTuple):
    """Frames of a recording that belong to a row of an index; none if it is damaged.

    Attributes:
        start: first frame.
        stop: behind the last frame.
    """

    start: int
    stop: int


@dataclass
class Findings:
    """Damaged clips, remarks and hashes.

    Attributes:
        damaged: (row, reason), in the order of rows.
        remarks: (row, remark), likewise.
        contents: (row, fingerprint of the samples) of decoded clips, likewise: equal ones are
            copies, which a file in another lossless format is as well.
    """

    damaged: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    contents: list[tuple[int, str]] = field(default_factory=list)

    def damaged_of(self, index: pd.DataFrame) -> pd.DataFrame:
        """Table of path, start_s, reason."""
        return _table(index, self.damaged, "reason")

    def remarks_of(self, index: pd.DataFrame) -> pd.DataFrame:
        """Table of path, start_s, remark."""
        return _table(index, self.remarks, "remark")


@dataclass(frozen=True)
class Listing:
    """An index whose headers have been read.

    Attributes:
        index: of clips.
        headers: path -> header, of the files that can be read.
        spans: one for each row.
        findings: of headers.
    """

    index: pd.DataFrame
    headers: dict[str, Header]
    spans: list[Span]
    findings: Findings

    def lengths(self, sample_rate_hz: int) -> np.ndarray:
        """(rows,) samples of each clip at a sample rate, 0 where it is damaged."""
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


def read_headers(index: pd.DataFrame, *, strict: bool = False) -> Listing:
    """Read the header of every recording and locate every clip in it.

    Args:
        index: of clips.
        strict: raise on the first damaged clip.

    Raises:
        ValueError: `strict`, and a clip is damaged.
    """
    paths = list(dict.fromkeys(index["path"]))  # `unique` takes names that are no UTF-8 for equal
    results = dict(zip(paths, _map_in_threads(_header, paths, "reading headers"), strict=True))
    headers = {path: header for path, header in results.items() if isinstance(header, Header)}
    spans, findings = [], Findings()
    rows = zip(index["path"], index["start_s"], index["end_s"], strict=True)
    for row, (path, start_s, end_s) in enumerate(rows):
        header = results[path]
        span = _locate(start_s, end_s, header) if isinstance(header, Header) else header
        if isinstance(span, str):
            findings.damaged.append((row, span))
            span = Span(0, 0)
        spans.append(span)
    listing = Listing(index, headers, spans, findings)
    _stop_if(strict, listing, findings.damaged)
    return listing


def check_sound(listing: Listing, *, strict: bool = False, sink: Sink | None = None) -> Findings:
    """Decode and check every clip of a listing.

    Args:
        listing: from `read_headers`.
        strict: raise on the first damaged clip.
        sink: called with each clip that can be used, from several threads at once.

    Returns:
        The findings, those of the headers included.

    Raises:
        ValueError: `strict`, and a clip is damaged.
    """
    files: dict[str, list[int]] = {}
    for row, (path, span) in enumerate(zip(listing.index["path"], listing.spans, strict=True)):
        if span.stop > span.start:
            files.setdefault(path, []).append(row)
    damaged, remarks, contents = list(listing.findings.damaged), [], []

    def check_rows(item: tuple[str, list[int]]) -> Findings:
        path, rows = item
        return _check_file(path, listing.headers[path], rows, listing.spans, sink)

    with closing(_map_in_threads(check_rows, list(files.items()), "decoding")) as results:
        for findings in results:
            damaged += findings.damaged
            remarks += findings.remarks
            contents += findings.contents
            _stop_if(strict, listing, findings.damaged)
    return Findings(sorted(damaged), sorted(remarks), sorted(contents))


def available_processors() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _header(path: str) -> Header | str:
    try:
        return read_header(path)
    except DamagedRecording as damage:
        return str(damage)


def _locate(start_s: float, end_s: float, header: Header) -> Span | str:
    """Frames of a clip, or the reason why it does not lie in its recording."""
    rate, frames = header.sample_rate_hz, header.frames
    start = 0 if np.isnan(start_s) else round(min(start_s, _MAX_TIME_S) * rate)
    stop = frames if np.isnan(end_s) else round(min(end_s, _MAX_TIME_S) * rate)
    if 0 <= start < min(stop, frames) and stop <= frames + _MAX_OVERHANG_S * rate:
        return Span(start, min(stop, frames))
    return (
        f"annotated from {start / rate:.3f} to {stop / rate:.3f} s, "
        f"but the recording ends at {header.duration_s:.3f} s"
    )


def _check_file(
    path: str, header: Header, rows: list[int], spans: list[Span], sink: Sink | None
) -> Findings:
    """Decode one file and check its clips."""
    findings = Findings()
    try:
        pieces = decode(path, header, [spans[row] for row in rows])
    except DamagedRecording as damage:
        return Findings(damaged=[(row, str(damage)) for row in rows])
    for row, sound in zip(rows, pieces, strict=True):
        try:
            remarks = check(sound, header.sample_rate_hz)
            findings.remarks += [(row, text) for text in (header.remark, *remarks) if text]
        except DamagedRecording as damage:
            findings.damaged.append((row, str(damage)))
        else:
            findings.contents.append((row, fingerprint(sound)))
            if sink:
                sink(row, sound, header)
    return findings


def _map_in_threads(
    function: Callable[[Job], Result], jobs: Sequence[Job], what: str
) -> Generator[Result, None, None]:
    """Results in order. libsndfile, soxr and NumPy release Python's lock while they compute."""
    size = 1 + len(jobs) // 10_000  # jobs of a future, which is larger than a header
    chunks = [jobs[k : k + size] for k in range(0, len(jobs), size)]
    pool = ThreadPoolExecutor(available_processors())
    try:
        results = pool.map(lambda chunk: [function(job) for job in chunk], chunks)
        yield from track(chain.from_iterable(results), len(jobs), what)
    finally:
        pool.shutdown(cancel_futures=True)


def _stop_if(strict: bool, listing: Listing, damaged: list[tuple[int, str]]) -> None:
    if strict and damaged:
        row, reason = damaged[0]
        raise ValueError(
            f"{listing.index['path'].iloc[row]}: {reason}. "
            "Repair or remove it, or leave `strict` off to go on without it."
        )


def _table(index: pd.DataFrame, entries: list[tuple[int, str]], name: str) -> pd.DataFrame:
    rows = [row for row, _ in entries]
    table = index.iloc[rows][["path", "start_s"]].reset_index(drop=True)
    return table.assign(**{name: [text for _, text in entries]})
