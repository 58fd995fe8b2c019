"""Recordings with the same samples under several names: leaks between the parts of a split."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zoo.data.corpora.index import display_name
from zoo.data.folds import group_keys

CONTRADICTION = "the same sound stands under two classes or more"


@dataclass(frozen=True)
class CopySet:
    """Clips of an index whose samples are the same.

    Attributes:
        rows: of the clips, two or more, ascending.
        paths: of their files, each once.
        labels: of the clips, each once, sorted.
        folds: official ones, each once, sorted; clips without one are left out.
    """

    rows: tuple[int, ...]
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    folds: tuple[str, ...]


def find_copies(index: pd.DataFrame, contents: Iterable[tuple[int, str]]) -> list[CopySet]:
    """Sets of clips with the same samples, in the order of their first clips.

    Args:
        index: of clips.
        contents: (row, hash of the samples), as `zoo.data.inspection.check_sound` computes them.
    """
    rows_of: dict[str, list[int]] = {}
    for row, digest in contents:
        rows_of.setdefault(digest, []).append(row)
    sets = []
    for rows in (sorted(each) for each in rows_of.values() if len(each) > 1):
        part = index.iloc[rows]
        sets.append(
            CopySet(
                rows=tuple(rows),
                paths=tuple(dict.fromkeys(part["path"])),
                labels=tuple(sorted(set(part["label"].astype(str)))),
                folds=tuple(sorted(map(str, set(part["fold"].astype(object).dropna()))))
                if "fold" in part
                else (),
            )
        )
    return sorted(sets, key=lambda each: each.rows)


def remarks_on_labels(copies: Iterable[CopySet]) -> Iterator[tuple[int, str]]:
    """(row, remark) of each clip whose samples stand under another class as well.

    Args:
        copies: as `find_copies` finds them.
    """
    for each in copies:
        if len(each.labels) > 1:
            remark = f"{CONTRADICTION}: {', '.join(map(display_name, each.labels))}"
            yield from ((row, remark) for row in each.rows)


def join_groups(index: pd.DataFrame, copies: Iterable[CopySet]) -> pd.DataFrame:
    """The index with one group for all clips that copies link, so that no split parts them.

    Args:
        index: of clips.
        copies: as `find_copies` finds them.

    Returns:
        The index, its column `group` changed where groups were joined.
    """
    copies = list(copies)
    if not copies:
        return index
    if "group" not in index:
        index = index.assign(group=None)
    keys = group_keys(index)
    parent = {key: key for key in keys}

    def first_of(key: str) -> str:
        while parent[key] != key:
            key = parent[key]
        return key

    linked: set[str] = set()
    for each in copies:
        roots = sorted({first_of(keys[row]) for row in each.rows})
        linked.update(keys[row] for row in each.rows)
        for root in roots[1:]:
            parent[root] = roots[0]
    rows = np.isin(keys, sorted(linked))
    group = index["group"].astype(object).to_numpy(copy=True)
    group[rows] = [display_name(first_of(key)) for key in keys[rows]]
    return index.assign(group=pd.Categorical(group))
