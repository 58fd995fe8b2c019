"""Recordings of a corpus as clips at one sample rate, with a line on what is left out."""

from collections import Counter
from pathlib import Path
from typing import Literal

import pandas as pd

from zoo.data import pipeline
from zoo.data.clips import Clips
from zoo.data.copies import CONTRADICTION
from zoo.data.corpora import Corpus, folder
from zoo.data.corpora.index import display_name
from zoo.data.inspection import read_headers
from zoo.progress import say


def sample_rates(index: pd.DataFrame) -> list[int]:
    """Sample rates of the recordings of an index, ascending [Hz].

    Args:
        index: as `zoo.data.corpora.read` makes it.
    """
    return sorted({header.sample_rate_hz for header in read_headers(index).headers.values()})


def title_of(corpus: Corpus) -> str:
    """Title of a corpus, for pages and cards: a folder of class folders is called by its name.

    Args:
        corpus: as `zoo.data.corpora.read` reads it.
    """
    if corpus.title == folder.TITLE:
        return f"the folder {display_name(corpus.root.name)}"
    return corpus.title


def notes_of(corpus: Corpus, clips: Clips) -> tuple[str, ...]:
    """Remarks for a page: those of the corpus, and how many clips were left out or are unusual.

    Args:
        corpus: that was loaded.
        clips: of it.
    """
    notes = list(corpus.notes)
    if len(clips.damaged):
        notes.append(f"{_describe_damaged(clips)}.")
    kinds = Counter(remark.split(":")[0] for remark in clips.remarks["remark"])
    notes += [f"{count} clip{'s' * (count > 1)}: {kind}." for kind, count in kinds.most_common()]
    return tuple(notes)


def _describe_damaged(clips: Clips) -> str:
    """How many clips are left out, and the first of them with its reason."""
    first, count = clips.damaged.iloc[0], len(clips.damaged)
    what = (
        f"{count} damaged clips are left out, the first"
        if count > 1
        else "1 damaged clip is left out,"
    )
    return f"{what} {display_name(Path(first['path']).name)}: {str(first['reason']).strip(' .')}"


def load_clips(
    index: pd.DataFrame,
    *,
    sample_rate_hz: int,
    cache: Literal["memory"] | Path | None = "memory",
) -> Clips:
    """Load clips with `pipeline.load`; report damaged ones and labels that contradict each other.

    Args:
        index: as `zoo.data.corpora.read` makes it.
        sample_rate_hz: everything is resampled to this [Hz].
        cache: as in `pipeline.load`.

    Raises:
        ValueError: as in `pipeline.load`.
    """
    clips = pipeline.load(index, sample_rate_hz=sample_rate_hz, cache=cache)
    if len(clips.damaged):
        say(_describe_damaged(clips))
    pairs = zip(clips.remarks["path"], clips.remarks["remark"], strict=True)
    contradictory = [each for each in pairs if each[1].startswith(CONTRADICTION)]
    if contradictory:
        path, remark = contradictory[0]
        say(
            f"{len(contradictory)} clips: {remark} (the first "
            f"{display_name(Path(path).name)}). Delete those that are wrong; zoo data "
            "names them."
        )
    return clips
