"""Train on one part, test on another, no group on both sides."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Fold:
    """One division of an index.

    train, test: (rows,) True where a row belongs. leaking: groups that stand on both sides, which
    only an official division can have.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    leaking: tuple[str, ...] = ()


def folds(
    index: pd.DataFrame, *, count: int = 5, seed: int = 0, leak_free: bool = False
) -> list[Fold]:
    """The official folds where the corpus has them, else `count` folds by group.

    Args:
        index: table with label, fold, group, path.
        count: how many, if there are no official ones.
        seed: of those.
        leak_free: leave the rows of leaking groups out of train and test. In the official split of
            ICBHI 2017 these are the patients 156 and 218.

    Returns:
        One fold for each official number, or a single one where the corpus says train and test.
    """
    fold = index["fold"].astype(object)
    names = sorted(fold.dropna().unique(), key=lambda name: (len(str(name)), str(name)))
    if not names:
        number = grouped(index, count=count, seed=seed)
        return [Fold(f"fold {k + 1}", number != k, number == k) for k in range(count)]
    if set(names) <= {"train", "test"}:
        found = [("official", (fold == "train").to_numpy(), (fold == "test").to_numpy())]
    else:
        found = [
            (f"fold {name}", (fold.notna() & (fold != name)).to_numpy(), (fold == name).to_numpy())
            for name in names
        ]
    result = []
    groups = groups_of(index)
    for name, train, test in found:
        both = np.intersect1d(groups[train], groups[test])
        if leak_free:
            clean = ~np.isin(groups, both)
            train, test = train & clean, test & clean
        result.append(Fold(name, train, test, () if leak_free else tuple(both)))
    return result


def without_device(index: pd.DataFrame) -> list[Fold]:
    """One fold for each device: train on all others, test on it. How far does a model carry over?

    A group that was recorded on several devices is tested and not trained on, so that neither
    group nor device stands on both sides. Rows whose device is not known are in neither part.

    Args:
        index: table with device, group, path.

    Returns:
        Folds named `without DEVICE`; none where fewer than two devices are known, and none for a
        device all of whose peers share its groups.
    """
    device, groups = index["device"].astype(object), groups_of(index)
    known = device.notna().to_numpy()
    result = []
    for name in sorted(device.dropna().unique()):
        test = (device == name).to_numpy()
        train = known & ~test & ~np.isin(groups, groups[test])
        if train.any():
            result.append(Fold(f"without {name}", train, test))
    return result


def grouped(index: pd.DataFrame, *, count: int, seed: int = 0) -> np.ndarray:
    """Number of the fold, 0 to count - 1, of each row: groups whole, labels spread evenly.

    Groups go, the least evenly labelled first, to the fold where they leave the labels' shares most
    equal; the seed decides between equals. Take `grouped(rows, count=10) == 0` for a validation set
    of about a tenth.

    Raises:
        ValueError: fewer groups than folds.
    """
    groups, of_row = np.unique(groups_of(index), return_inverse=True)
    if not 2 <= count <= len(groups):
        raise ValueError(
            f"`count` must lie between 2 and the number of groups. "
            f"Received: count={count}, {len(groups)} groups."
        )
    labels, label_of_row = np.unique(index["label"].astype(str), return_inverse=True)
    share = np.zeros((len(groups), len(labels)))
    np.add.at(share, (of_row, label_of_row), 1.0)
    share /= share.sum(axis=0)  # of each label, which part is in a group
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


def groups_of(index: pd.DataFrame) -> np.ndarray:
    """What must stay together: the group, and where none is known the recording."""
    return index["group"].astype(object).fillna(index["path"]).astype(str).to_numpy()
