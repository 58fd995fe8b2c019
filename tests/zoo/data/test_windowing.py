"""Long recordings become windows that cover them and stay in one group."""

import numpy as np
import pandas as pd
import pytest

from zoo.data.folds import group_keys, make_folds
from zoo.data.windowing import split_into_windows


def index_of(starts, ends, groups=None):
    count = len(starts)
    return pd.DataFrame(
        {
            "path": [f"{k}.wav" for k in range(count)],
            "start_s": starts,
            "end_s": ends,
            "label": list("ab" * count)[:count],
            "fold": None,
            "group": groups or [None] * count,
        }
    )


def test_windows_cover_a_recording_and_end_with_it():
    index = index_of([np.nan, np.nan, 10.0], [np.nan, np.nan, 22.0])
    split = split_into_windows(index, np.array([4.0, 17.5, 12.0]), 5.0)
    assert split["path"].tolist() == ["0.wav"] + ["1.wav"] * 4 + ["2.wav"] * 3
    assert np.isnan(split["start_s"][0]) and np.isnan(split["end_s"][0])
    assert split["start_s"].tolist()[1:] == [0, 5, 10, 12.5, 10, 15, 17]
    np.testing.assert_allclose(split["end_s"][1:] - split["start_s"][1:], 5.0)
    assert split["label"].tolist() == list("abbbbaaa")


def test_windows_of_a_recording_are_on_one_side_of_every_fold():
    index = index_of([np.nan] * 6, [np.nan] * 6)
    split = split_into_windows(index, np.full(6, 60.0), 5.0)
    assert len(split) == 72 and len(set(group_keys(split))) == 6
    for fold in make_folds(split, count=3):
        assert not set(split["path"][fold.train]) & set(split["path"][fold.test])


def test_groups_that_are_known_stay_and_clips_a_little_longer_are_not_cut():
    index = index_of([np.nan] * 2, [np.nan] * 2, ["p", "q"])
    assert split_into_windows(index, np.array([7.4, 5.0]), 5.0) is index
    split = split_into_windows(index, np.array([15.0, 5.0]), 5.0)
    assert split["group"].tolist() == ["p", "p", "p", "q"]
    with pytest.raises(ValueError, match="must be positive"):
        split_into_windows(index, np.array([7.4, 5.0]), 0.0)


def test_a_bounded_number_of_windows_is_spread_over_a_recording():
    index = index_of([np.nan], [np.nan])
    split = split_into_windows(index, np.array([600.0]), 5.0, 12)
    assert split["start_s"].tolist() == list(range(0, 600, 50))
    assert len(split_into_windows(index, np.array([20.0]), 5.0, 12)) == 4
