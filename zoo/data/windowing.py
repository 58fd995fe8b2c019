"""Long clips of an index as windows: rows of one length that cover them, in the same group."""

import numpy as np
import pandas as pd

from zoo.data.clips import spread_rows
from zoo.data.folds import group_keys
from zoo.data.inspection import read_headers
from zoo.edge.windows import window_starts

MAX_SURPLUS = 1.5  # times the length of a window; a clip up to that is cut to its centre


def clip_lengths_s(index: pd.DataFrame) -> np.ndarray:
    """Length of each clip [s], (rows,), 0 where its recording is damaged.

    Args:
        index: of clips.
    """
    return read_headers(index).seconds()


def split_into_windows(
    index: pd.DataFrame, lengths_s: np.ndarray, window_s: float, max_windows: int | None = None
) -> pd.DataFrame:
    """The index with each long clip replaced by windows that cover it; the last ends with the clip.

    Windows of a clip share its group, or its recording where it has none, so that no split by
    group parts them.

    Args:
        index: of clips.
        lengths_s: of each clip [s], (rows,).
        window_s: length of a window [s]; clips up to 1.5 times as long stay as they are.
        max_windows: of a clip, evenly spaced; None: all.

    Raises:
        ValueError: a length that is not positive.
    """
    if not window_s > 0:
        raise ValueError(f"`window_s` must be positive. Received: {window_s}.")
    is_long = lengths_s > MAX_SURPLUS * window_s
    if not is_long.any():
        return index
    rows, starts_s, ends_s = [], [], []
    begins_s = index["start_s"].fillna(0.0).to_numpy()
    for row, (length_s, begin_s) in enumerate(zip(lengths_s, begins_s, strict=True)):
        if not is_long[row]:
            rows.append(row)
            starts_s.append(index["start_s"].iloc[row])
            ends_s.append(index["end_s"].iloc[row])
            continue
        milliseconds = window_starts(int(1000 * length_s), round(1000 * window_s))
        chosen = spread_rows(milliseconds, max_windows or len(milliseconds))
        for start_s in chosen / 1000:
            rows.append(row)
            starts_s.append(begin_s + start_s)
            ends_s.append(begin_s + start_s + window_s)
    has_groups = bool(index["group"].notna().to_numpy().all())
    group = index["group"] if has_groups else pd.Categorical(group_keys(index))
    split = index.assign(group=group).iloc[rows].reset_index(drop=True)
    return split.assign(start_s=starts_s, end_s=ends_s)
