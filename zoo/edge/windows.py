"""Windows of one length over a stream of sound, in memory that does not grow with it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Window(NamedTuple):
    """A window of a stream.

    Attributes:
        start: its first sample, from the start of the stream.
        end: behind its last sample; of a stream shorter than a window, the end of the stream.
        samples: (length,) float32; a shorter stream is repeated.
    """

    start: int
    end: int
    samples: npt.NDArray[np.float32]


def sliding_windows(
    blocks: Iterable[npt.NDArray[np.float32]], length: int, hop: int | None = None
) -> Iterator[Window]:
    """Windows that cover a stream: at 0, hop, 2 hop, ...; the last one ends with the stream.

    Each comes as soon as its last sample is there.

    Args:
        blocks: of the stream, (samples,) each.
        length: of a window [samples].
        hop: from the start of one window to that of the next [samples]; None: `length`.

    Raises:
        ValueError: a length or a hop below 1.
    """
    hop = length if hop is None else hop
    if length < 1 or hop < 1:
        raise ValueError(
            f"Length and hop must be one sample or more. Received: {length} and {hop}."
        )
    recent = np.zeros(0, np.float32)  # the end of the stream: a window, and what is to come of it
    end = start = covered = 0  # of the stream, of the next window, of the last window
    for block in blocks:
        recent = np.concatenate([recent, block])
        end += len(block)
        while end - start >= length:
            first = start - (end - len(recent))
            yield Window(start, start + length, recent[first : first + length])
            covered, start = start + length, start + hop
        kept = max(length, end - start)  # the last window reaches back from the end
        recent = recent[-kept:]
    if end > covered:
        last = recent[-length:]
        yield Window(end - len(last), end, np.resize(last, length))


def window_starts(samples: int, length: int, hop: int | None = None) -> npt.NDArray[np.int64]:
    """Starts of the windows of `sliding_windows` over so many samples, (windows,).

    Args:
        samples: of the stream.
        length: as for `sliding_windows`.
        hop: as for `sliding_windows`.
    """
    last = max(0, samples - length)
    return np.array([*range(0, last, length if hop is None else hop), last], np.int64)
