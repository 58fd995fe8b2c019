"""Choose a head by cross-validation over recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.teaching.heads import Head, HeadKind, class_shares, extend_head, fit_head
from zoo.teaching.parts import split_parts
from zoo.teaching.unknown import familiarity_of

PENALTIES = (1e-3, 1e-2, 1e-1)  # of the weights of a linear head, to choose from


@dataclass(frozen=True)
class HeadChoice:
    """The head that cross-validation chose.

    Attributes:
        kind: of the head.
        penalty: of a linear one.
        accuracy: of each candidate, by its name, on clips of recordings left out, the mean over
            the classes of two recordings or more; empty: there is no such class.
        familiarity: (clips,) of every clip to the clips of other recordings; NaN: there are none.
        kept: share of the earlier examples that keep their class; None: there are none.
        single: number of classes of one recording, which cannot be left out.
    """

    kind: HeadKind
    penalty: float
    accuracy: dict[str, float]
    familiarity: np.ndarray
    kept: float | None = None
    single: int = 0

    @property
    def name(self) -> str:
        """Of the chosen head, a key of `accuracy`."""
        return "prototype" if self.kind == "prototype" else f"linear {self.penalty:g}"

    def sentence(self) -> str:
        """What was chosen and why, in words."""
        listed = ", ".join(f"{name} {value:.0%}" for name, value in self.accuracy.items())
        if self.single and listed:
            count = f"{self.single} class{'es' * (self.single > 1)} of one recording not counted"
            listed += f"; {count}"
        unknown = "how often it is right is not known, as no class has two recordings"
        if self.kept is not None:
            tried = f"new clips of recordings left out {listed}" if listed else unknown
            return (
                f"head: {self.kind}, that of the earlier classes; {tried}, earlier examples that "
                f"keep their class {self.kept:.0%}"
            )
        if not listed:
            return f"head: {self.kind}; {unknown}"
        return f"head: {self.kind}, chosen on clips of recordings left out ({listed})"


def choose_head(
    embeddings: np.ndarray, labels: np.ndarray, groups: Sequence[str] | np.ndarray, parts: int = 5
) -> HeadChoice:
    """Choose kind and penalty by cross-validation over recordings.

    Of equally good ones the first is taken: prototypes, whose classes do not depend on each other.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        groups: (clips,) recording of each; clips of one recording are left out together.
        parts: number of parts; with fewer recordings, each is a part.
    """
    candidates: list[tuple[str, HeadKind, float]] = [("prototype", "prototype", 0.0)]
    for penalty in PENALTIES:
        candidates.append((f"linear {penalty:g}", "linear", penalty))
    hits = {name: np.full(len(labels), np.nan) for name, *_ in candidates}
    familiarity = familiarity_of(embeddings, labels, groups, parts)
    for train, test in split_parts(labels, groups, parts):
        for name, kind, penalty in candidates:
            hits[name][test] = part_hits(embeddings, labels, train, test, (kind, penalty))
    asked = np.isfinite(hits["prototype"])
    single = len(np.unique(labels)) - len(np.unique(labels[asked]))
    if not asked.any():
        return HeadChoice("prototype", 0.0, {}, familiarity, single=single)
    accuracy = {name: mean_over_classes(each, labels) for name, each in hits.items()}
    best = max(candidates, key=lambda each: accuracy[each[0]])  # the first of equals
    return HeadChoice(best[1], best[2], accuracy, familiarity, single=single)


def part_hits(
    embeddings: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    candidate: tuple[HeadKind, float],
) -> np.ndarray:
    """1 where a head fitted to some clips is right on others, (tested,); NaN: a class not in train.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        train: (clips,) mask.
        test: (clips,) mask.
        candidate: kind and penalty.
    """
    seen, of_train = np.unique(labels[train], return_inverse=True)
    kind, penalty = candidate
    shares = class_shares(of_train)
    head = fit_head(embeddings[train], of_train, kind, penalty, len(seen), shares)
    predicted = seen[head.scores(embeddings[test]).argmax(axis=1)]
    return np.where(np.isin(labels[test], seen), predicted == labels[test], np.nan)


def mean_over_classes(hits: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes of their share of hits; NaN, and a class of NaN alone, do not count."""
    counted = np.isfinite(hits)
    return float(np.mean([hits[counted & (labels == k)].mean() for k in set(labels[counted])]))


def try_extension(
    head: Head,
    example_labels: np.ndarray,
    embeddings: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str] | np.ndarray,
    parts: int = 5,
) -> HeadChoice:
    """Accuracy of an extended head on clips of recordings left out, among all classes.

    Args:
        head: of the earlier classes.
        example_labels: (examples,) class of each example in it.
        embeddings: (clips, width) of the new classes.
        labels: (clips,) index among the new classes.
        groups: (clips,) recording of each.
        parts: number of parts.
    """
    earlier = head.weights.shape[1]
    hits = np.full(len(labels), np.nan)
    for train, test in split_parts(labels, groups, parts):
        seen, of_train = np.unique(labels[train], return_inverse=True)
        tried = extend_head(head, example_labels, embeddings[train], of_train)
        predicted = tried.scores(embeddings[test]).argmax(axis=1) - earlier
        right = (predicted >= 0) & (seen[np.maximum(predicted, 0)] == labels[test])
        hits[test] = np.where(np.isin(labels[test], seen), right, np.nan)
    whole = extend_head(head, example_labels, embeddings, labels)
    kept = whole.scores(head.examples.T).argmax(axis=1) == example_labels
    asked = np.isfinite(hits)
    single = len(np.unique(labels)) - len(np.unique(labels[asked]))
    familiarity = np.full(len(labels), np.nan)
    choice = HeadChoice(head.kind, head.penalty, {}, familiarity, float(kept.mean()), single)
    if not asked.any():
        return choice
    return replace(choice, accuracy={choice.name: mean_over_classes(hits, labels)})
