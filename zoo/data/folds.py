"""Cross-validation folds of an index: official ones, by group, or leave one device out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Fold:
    """Training and test rows of an index.

    Attributes:
        name: such as "fold 3" or "official".
        train: (rows,) bool.
        test: (rows,) bool.
        leaking: groups with rows in both parts, which only an official split can have.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    leaking: tuple[str, ...] = ()


def make_folds(
    index: pd.DataFrame, *, count: int = 5, seed: int = 0, leak_free: bool = False
) -> list[Fold]:
    """Official folds where the corpus has two or more, else `count` folds by group.

    A single official fold, such as a corpus of which one fold was copied, leaves no clip to train
    on; `describe_folds` describes the folds.

    Args:
        index: table with label, fold, group, path.
        count: number of folds, if there are no official ones.
        seed: of folds by group.
        leak_free: leave the rows of leaking groups out of train and test. In the official split of
            ICBHI 2017 these are the patients 156 and 218.

    Returns:
        One fold for each official number, or a single one where the corpus has train and test.

    Raises:
        ValueError: fewer than two official folds, and fewer groups than folds.
    """
    fold = index["fold"].astype(object).map(str, na_action="ignore")
    names = official_folds(index)
    if len(names) < 2:
        number = assign_folds(index, count=count, seed=seed)
        return [Fold(f"fold {k + 1}", number != k, number == k) for k in range(count)]
    if set(names) <= {"train", "test"}:
        parts = [("official", (fold == "train").to_numpy(), (fold == "test").to_numpy())]
    else:
        parts = [
            (f"fold {name}", (fold.notna() & (fold != name)).to_numpy(), (fold == name).to_numpy())
            for name in names
        ]
    result = []
    groups = group_keys(index)
    for name, train, test in parts:
        both = np.intersect1d(groups[train], groups[test])
        if leak_free:
            clean = ~np.isin(groups, both)
            train, test = train & clean, test & clean
        result.append(Fold(name, train, test, () if leak_free else tuple(both)))
    return result


def official_folds(index: pd.DataFrame) -> list[str]:
    """Names of the official folds of an index: numbers, or "test" and "train"; maybe one or none.

    Args:
        index: table with fold.
    """
    names = index["fold"].astype(object).dropna().unique()
    return sorted(map(str, names), key=lambda name: (len(name), name))


def describe_folds(index: pd.DataFrame, *, count: int = 5) -> str:
    """One line: the folds that `make_folds` returns, and why where it is not evident.

    Args:
        index: table with fold.
        count: as for `make_folds`.
    """
    names = official_folds(index)
    if len(names) > 1:
        return f"official folds: {', '.join(names)}"
    if names:
        return f"{count} folds by group: the corpus has one official fold only, {names[0]}"
    return f"{count} folds by group"


def device_folds(index: pd.DataFrame) -> list[Fold]:
    """Leave-one-device-out folds: train on all other devices, test on one.

    Groups of the test device are left out of training where other devices recorded them, too, so
    that neither group nor device is in both parts. Rows of unknown device are in neither part.

    Args:
        index: table with device, group, path.

    Returns:
        Folds named `without DEVICE`; none where fewer than two devices are known, and none for a
        device whose groups are all those of the other devices.
    """
    device, groups = index["device"].astype(object), group_keys(index)
    known = device.notna().to_numpy()
    result = []
    for name in sorted(device.dropna().unique()):
        test = (device == name).to_numpy()
        train = known & ~test & ~np.isin(groups, groups[test])
        if train.any():
            result.append(Fold(f"without {name}", train, test))
    return result


def assign_folds(index: pd.DataFrame, *, count: int, seed: int = 0) -> np.ndarray:
    """Stratified group k-fold: number of the fold, 0 to count - 1, of each row.

    Groups are kept whole. They are assigned, the least evenly labelled first, to the fold where
    the shares of the labels stay most equal; the seed decides between equals. A validation set of
    about a tenth: `assign_folds(rows, count=10) == 0`.

    Args:
        index: table with label, group, path.
        count: number of folds.
        seed: of the order of equals.

    Returns:
        (rows,) int64.

    Raises:
        ValueError: fewer groups than folds.
    """
    groups, of_row = np.unique(group_keys(index), return_inverse=True)
    if not 2 <= count <= len(groups):
        raise ValueError(
            f"`count` must lie between 2 and the number of groups. "
            f"Received: count={count}, {len(groups)} groups."
        )
    labels, label_of_row = np.unique(index["label"].astype(str), return_inverse=True)
    share = np.zeros((len(groups), len(labels)))
    np.add.at(share, (of_row, label_of_row), 1.0)
    share /= share.sum(axis=0)  # (groups, labels), share of each label
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    order = shuffled[np.argsort(-share[shuffled].max(axis=1), kind="stable")]
    held = np.zeros((count, len(labels)))
    fold_of_group = np.empty(len(groups), dtype=np.int64)
    for group in order:
        # the sum over folds of squares grows least where the group fits best
        growth = ((held + share[group]) ** 2 - held**2).sum(axis=1)
        best = int(np.lexsort((held.sum(axis=1), growth))[0])
        fold_of_group[group] = best
        held[best] += share[group]
    return fold_of_group[of_row]


def group_keys(index: pd.DataFrame) -> np.ndarray:
    """(rows,) key of what must not be split: the group, or the recording where none is known."""
    return index["group"].astype(object).fillna(index["path"]).astype(str).to_numpy()
