"""Recordings of a corpus as clips at one sample rate, with a line on what is left out."""

from pathlib import Path
from typing import Literal

import pandas as pd

from zoo.data import pipeline
from zoo.data.clips import Clips
from zoo.data.inspection import read_headers
from zoo.progress import say


def sample_rates(index: pd.DataFrame) -> list[int]:
    """Sample rates of the recordings of an index, ascending [Hz].

    Args:
        index: as `zoo.data.corpora.read` makes it.
    """
    return sorted({header.sample_rate_hz for header in read_headers(index).headers.values()})


def load_clips(
    index: pd.DataFrame,
    *,
    sample_rate_hz: int,
    cache: Literal["memory"] | Path | None = "memory",
) -> Clips:
    """Load clips with `pipeline.load` and report damaged ones on standard error.

    Args:
        index: as `zoo.data.corpora.read` makes it.
        sample_rate_hz: everything is resampled to this [Hz].
        cache: as in `pipeline.load`.

    Raises:
        ValueError: as in `pipeline.load`.
    """
    clips = pipeline.load(index, sample_rate_hz=sample_rate_hz, cache=cache)
    if len(clips.damaged):
        first = clips.damaged.iloc[0]
        say(f"{len(clips.damaged)} damaged clips are left out, the first: {first['path']}")
    return clips
