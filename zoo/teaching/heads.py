"""Heads on a frozen embedding: prototypes, nearest examples, linear; and what is unknown.

Embeddings are compared by the cosine between them, so all are scaled to length 1 first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.optimize import minimize

HeadKind = Literal["prototype", "linear"]
HEADS: tuple[HeadKind, ...] = ("prototype", "linear")
PENALTIES = (1e-3, 1e-2, 1e-1)  # of the weights of a linear head, to choose from
PROTOTYPE_SCALE = 12.0  # of a cosine as a logit
KEPT = 0.95  # share of known sounds that the threshold of the unknown lets pass
UNKNOWN = "unknown"
# Familiarity that 95 % of known sounds reach with so many examples of each of five classes:
# sound-embedding on ESC-10's folds 1 to 3, other recordings, 200 draws.
PRIOR_SHOTS = (1.0, 2.0, 3.0, 5.0, 10.0)
PRIOR_FAMILIARITY = (0.249, 0.386, 0.433, 0.529, 0.621)
PRIOR_CLIPS = 20  # known clips that the prior counts as


@dataclass(frozen=True)
class Head:
    """Class scores z = W u + b of an embedding u of length 1, and the examples it was made of.

    familiarity(u) = max over examples x of u x, a cosine; below `threshold` a sound is unknown.

    Attributes:
        kind: "prototype" or "linear".
        weights: W (width, classes).
        bias: b (classes,).
        examples: (width, examples), of length 1 each.
        threshold: of the familiarity; -1: nothing is unknown.
        penalty: of a linear head; 0 for prototypes.
    """

    kind: HeadKind
    weights: np.ndarray
    bias: np.ndarray
    examples: np.ndarray
    threshold: float = -1.0
    penalty: float = 0.0

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """Class scores (clips, classes)."""
        return unit(embeddings) @ self.weights + self.bias

    def familiarity(self, embeddings: np.ndarray) -> np.ndarray:
        """Cosine to the nearest example (clips,)."""
        return (unit(embeddings) @ self.examples).max(axis=1)

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Class index (clips,); -1: unknown."""
        predicted = self.scores(embeddings).argmax(axis=1)
        return np.where(self.familiarity(embeddings) < self.threshold, -1, predicted)


def unit(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings scaled to length 1, (clips, width) float64."""
    x = np.asarray(embeddings, np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def fit_head(
    embeddings: np.ndarray,
    labels: np.ndarray,
    kind: HeadKind = "prototype",
    penalty: float = 1e-2,
    classes: int | None = None,
    shares: np.ndarray | None = None,
) -> Head:
    """Fit a head.

    prototype: w_c = s m_c / |m_c| with m_c the mean of a class, b = 0: a class does not depend on
    the others. linear: multinomial logistic regression with a penalty on W^2.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        kind: of the head.
        penalty: of a linear head.
        classes: number of them; None: as many as the labels show.
        shares: (clips,) how much each counts in a linear head, in any unit, such as
            `class_shares`; None: all the same.

    Raises:
        ValueError: a class without a clip, or an unknown kind.
    """
    u = unit(embeddings)
    count = int(labels.max()) + 1 if classes is None else classes
    missing = np.flatnonzero(np.bincount(labels, minlength=count) == 0)
    if len(missing) or kind not in HEADS:
        raise ValueError(
            f"Expected a clip of every class and a head of {', '.join(HEADS)}. Received: {kind!r}, "
            f"{len(missing)} classes without a clip."
        )
    means = unit(np.stack([u[labels == k].mean(axis=0) for k in range(count)]))
    if kind == "prototype":
        return Head(kind, PROTOTYPE_SCALE * means.T, np.zeros(count), u.T)
    share = None if shares is None else shares / shares.mean()
    targets = np.eye(count)[labels]
    weights, bias = _logistic(u, targets, penalty, PROTOTYPE_SCALE * means.T, shares=share)
    return Head(kind, weights, bias, u.T, penalty=penalty)


def class_shares(labels: np.ndarray) -> np.ndarray:
    """How much each clip counts so that all classes count the same, (clips,), 1 in the mean."""
    counts = np.bincount(labels)
    share = 1 / counts[labels]
    return share / share.mean()


def extend_head(
    head: Head, example_labels: np.ndarray, embeddings: np.ndarray, labels: np.ndarray
) -> Head:
    """A head with further classes behind its own, whose scores stay as they are.

    So an earlier answer changes only where a new class scores higher, or where the sound was
    unknown and resembles a new example. prototype: as in `fit_head`. linear: weights and bias of
    the new classes minimise the cross-entropy over all examples, in which all classes count the
    same, those of the others held.

    Args:
        head: of the earlier classes.
        example_labels: (examples,) class of each example in it.
        embeddings: (clips, width) of the new classes.
        labels: (clips,) index among the new classes, 0 to the highest.

    Raises:
        ValueError: a new class without a clip.
    """
    u = unit(embeddings)
    count, earlier = int(labels.max()) + 1, head.weights.shape[1]
    if (np.bincount(labels, minlength=count) == 0).any():
        raise ValueError("Expected a clip of every new class.")
    means = unit(np.stack([u[labels == k].mean(axis=0) for k in range(count)]))
    weights, bias = PROTOTYPE_SCALE * means.T, np.zeros(count)
    if head.kind == "linear":
        x = np.concatenate([head.examples.T, u])
        joined = np.concatenate([example_labels, earlier + labels])
        held = x @ head.weights + head.bias
        targets = np.eye(earlier + count)[joined]
        weights, bias = _logistic(x, targets, head.penalty, weights, held, class_shares(joined))
    return Head(
        head.kind,
        np.concatenate([head.weights, weights], axis=1),
        np.concatenate([head.bias, bias]),
        np.concatenate([head.examples, u.T], axis=1),
        head.threshold,
        head.penalty,
    )


def fit_softmax(
    x: np.ndarray, labels: np.ndarray, penalty: float, shares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression on standardized features, as weights of the features.

    p = softmax(x W + b), with a penalty on the square of the weights of (x - mean) / deviation.

    Args:
        x: (clips, width).
        labels: (clips,) class index, all from 0 to the highest present.
        penalty: of the weights.
        shares: (clips,) how much each counts, in any unit; None: all the same.

    Returns:
        W (width, classes), b (classes,).
    """
    share = np.ones(len(x)) if shares is None else np.asarray(shares, np.float64)
    share = share / share.mean()
    mean = np.average(x, axis=0, weights=share)
    deviation = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=share)) + 1e-6
    targets = np.eye(int(labels.max()) + 1)[labels]
    start = np.zeros((x.shape[1], targets.shape[1]))
    weights, bias = _logistic((x - mean) / deviation, targets, penalty, start, shares=share)
    weights = weights / deviation[:, None]
    return weights, bias - mean @ weights


def _logistic(
    x: np.ndarray,
    targets: np.ndarray,
    penalty: float,
    start: np.ndarray,
    held: np.ndarray | None = None,
    shares: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of multinomial logistic regression.

    `held`: scores of classes before; `shares`: how much each example counts, 1 in the mean.
    """
    share = np.ones((len(x), 1)) if shares is None else shares[:, None]
    width, classes = start.shape
    before = np.zeros((len(x), 0)) if held is None else held

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(width, classes), flat[-classes:]
        z = np.concatenate([before, x @ weights + bias], axis=1)
        z = z - z.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(z).sum(axis=1, keepdims=True))
        error = share * (np.exp(z - log_sum) - targets) / len(x)
        value = -np.sum(share * targets * (z - log_sum)) / len(x) + 0.5 * penalty * np.sum(
            weights**2
        )
        error = error[:, before.shape[1] :]
        gradient = np.concatenate([(x.T @ error + penalty * weights).ravel(), error.sum(axis=0)])
        return float(value), gradient

    first = np.concatenate([start.ravel(), np.zeros(classes)])
    flat = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return flat[:-classes].reshape(width, classes), flat[-classes:]


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


def familiarity_of(
    embeddings: np.ndarray, labels: np.ndarray, groups: Sequence[str] | np.ndarray, parts: int = 5
) -> np.ndarray:
    """Cosine of every clip to the nearest of other recordings, (clips,); NaN: as `split_parts`.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        groups: (clips,) recording of each.
        parts: number of parts.
    """
    familiarity = np.full(len(labels), np.nan)
    u = unit(embeddings)
    for train, test in split_parts(labels, groups, parts):
        familiarity[test] = (u[test] @ u[train].T).max(axis=1)
    return familiarity


def split_parts(
    labels: np.ndarray, groups: Sequence[str] | np.ndarray, parts: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Training and test clips of each part, masks; no recording is in both.

    Args:
        labels: (clips,) class index.
        groups: (clips,) recording of each.
        parts: number of parts; the recordings of every class are dealt out in turn, that of a
            class that has one only is in no test.
    """
    part = _parts(np.asarray(groups).astype(str), labels, parts)
    for k in np.unique(part[part >= 0]):
        yield part != k, part == k


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


def _parts(groups: np.ndarray, labels: np.ndarray, parts: int) -> np.ndarray:
    """Part of each clip: the recordings of every class are dealt out in turn; -1: always trained.

    The recording of a class that has one only is always trained on, so that it competes.
    """
    part, single = np.zeros(len(groups), int), []
    for label in np.unique(labels):
        names = sorted(set(groups[labels == label]))
        single += names if len(names) == 1 else []
        for number, group in enumerate(names):
            part[groups == group] = number % parts
    part[np.isin(groups, single)] = -1
    return part


def unknown_threshold(
    familiarity: np.ndarray, shots: float | None = None, kept: float = KEPT
) -> float:
    """Familiarity below which a sound is unknown: the quantile that lets `kept` of known ones pass.

    Of n known sounds and a prior p(shots) that counts as m = 20: (n q + m p) / (n + m), where q is
    their quantile. The prior is that of `PRIOR_FAMILIARITY`.

    Args:
        familiarity: of known sounds to clips of other recordings, NaN where there is none.
        shots: examples of a class, for the prior; None: without a prior, -1 where none is known.
        kept: share of known sounds that passes.
    """
    values = familiarity[np.isfinite(familiarity)]
    quantile = float(np.quantile(values, 1 - kept)) if values.size else -1.0
    if shots is None:
        return quantile
    prior = float(np.interp(np.log(shots), np.log(PRIOR_SHOTS), PRIOR_FAMILIARITY))
    return (len(values) * quantile + PRIOR_CLIPS * prior) / (len(values) + PRIOR_CLIPS)


@dataclass(frozen=True)
class StrangerTrial:
    """Each class as a stranger to the others: how well strangers are told from members.

    Attributes:
        auroc: probability that a member is more familiar than a stranger; None: no clip has
            another recording of its class.
        kept: share of members above the threshold; None likewise.
        passed: share of strangers above it.
    """

    auroc: float | None
    kept: float | None
    passed: float


def try_strangers(
    embeddings: np.ndarray, labels: np.ndarray, familiarity: np.ndarray, threshold: float
) -> StrangerTrial:
    """Familiarity of every clip to the other classes alone, against that to other recordings.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index, two classes or more.
        familiarity: (clips,) of `familiarity_of`.
        threshold: of the unknown.
    """
    u = unit(embeddings)
    outside = np.where(labels[:, None] != labels[None], u @ u.T, -1.0).max(axis=1)
    inside = familiarity[np.isfinite(familiarity)]
    passed = float(np.mean(outside >= threshold))
    if not inside.size:
        return StrangerTrial(None, None, passed)
    wins = np.mean(inside[:, None] > outside[None]) + 0.5 * np.mean(inside[:, None] == outside)
    return StrangerTrial(float(wins), float(np.mean(inside >= threshold)), passed)
