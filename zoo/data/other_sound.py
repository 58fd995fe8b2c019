"""Sound of other corpora, without the recordings or the classes of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.recordings import load_clips, title_of
from zoo.data.windowing import clip_lengths_s, split_into_windows
from zoo.progress import say


def index_other_recordings(
    folders: Sequence[Path], members: Clips
) -> tuple[pd.DataFrame, tuple[str, ...], int]:
    """Index of corpora without the recordings of `members`.

    A recording is known by its group: in ESC-50 and UrbanSound8K its number at freesound.org.

    Args:
        folders: of the corpora.
        members: clips whose recordings are left out.

    Returns:
        A row a clip; titles of the corpora; how many clips were left out.

    Raises:
        ValueError: a folder without a corpus.
    """
    parts = [corpora.read(folder) for folder in folders]
    index = pd.concat([corpus.index for corpus in parts], ignore_index=True)
    known = set(members.index["group"].dropna().astype(str))
    is_known = index["group"].astype(str).isin(list(known)).to_numpy()
    titles = tuple(dict.fromkeys(title_of(corpus) for corpus in parts))
    return index.loc[~is_known].reset_index(drop=True), titles, int(is_known.sum())


def load_windows(
    index: pd.DataFrame, members: Clips, duration_s: float, cache: Path | Literal["memory"]
) -> Clips:
    """Clips of an index at the rate of `members`, longer ones cut into windows.

    Args:
        index: a row a clip.
        members: waveforms.
        duration_s: of a window [s].
        cache: folder that keeps decoded clips, or "memory".

    Raises:
        ValueError: `members` are no waveforms.
    """
    if members.sample_rate_hz is None:
        raise ValueError("Expected waveforms. Received: clips without a sample rate.")
    index = split_into_windows(index, clip_lengths_s(index), duration_s)
    return load_clips(index, sample_rate_hz=members.sample_rate_hz, cache=cache)


def read_strangers(
    folders: Sequence[Path],
    members: Clips,
    duration_s: float,
    cache: Path | Literal["memory"] = "memory",
) -> tuple[Clips | None, tuple[str, ...]]:
    """Sounds of no class: other recordings under other labels; and the titles of their corpora.

    Args:
        folders: of corpora; none: no strangers.
        members: clips of the classes.
        duration_s: of a clip; longer ones are cut into windows [s].
        cache: folder that keeps decoded clips, or "memory".

    Raises:
        ValueError: a folder without a corpus, or nothing but members.
    """
    if not folders:
        return None, ()
    index, titles, left_out = index_other_recordings(folders, members)
    is_member = index["label"].astype(str).isin(list(members.classes)).to_numpy()
    index = index.loc[~is_member].reset_index(drop=True)
    left_out += int(is_member.sum())
    if index.empty:
        raise ValueError(
            f"--strangers: all {left_out} clips are of classes or recordings that --data holds. "
            "Give sounds of other classes."
        )
    say(f"{len(index)} strangers, without {left_out} clips of classes or recordings of --data")
    return load_windows(index, members, duration_s, cache), titles
