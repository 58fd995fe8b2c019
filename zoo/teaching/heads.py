"""Heads on a frozen embedding: prototypes, nearest examples, linear; and what is unknown.

Embeddings are compared by the cosine between them, so all are scaled to length 1 first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize

HeadKind = Literal["prototype", "linear"]
HEADS: tuple[HeadKind, ...] = ("prototype", "linear")
PENALTIES = (1e-3, 1e-2, 1e-1)  # of the weights of a linear head, to choose from
PROTOTYPE_SCALE = 12.0  # of a cosine as a logit
KEPT = 0.95  # share of known sounds that the threshold of the unknown lets pass
UNKNOWN = "unknown"


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
    weights, bias = _logistic(u, np.eye(count)[labels], penalty, PROTOTYPE_SCALE * means.T)
    return Head(kind, weights, bias, u.T, penalty=penalty)


def extend_head(
    head: Head, example_labels: np.ndarray, embeddings: np.ndarray, labels: np.ndarray
) -> Head:
    """A head with further classes behind its own, whose scores stay as they are.

    So an earlier answer changes only where a new class scores higher, or where the sound was
    unknown and resembles a new example. prototype: as in `fit_head`. linear: weights and bias of
    the new classes minimise the cross-entropy over all examples, those of the others held.

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
        targets = np.eye(earlier + count)[np.concatenate([example_labels, earlier + labels])]
        held = x @ head.weights + head.bias
        weights, bias = _logistic(x, targets, head.penalty, weights, held)
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
        accuracy: of each candidate, by its name, on clips of recordings left out.
        familiarity: (clips,) of every clip to the clips of other recordings.
        kept: share of the earlier examples that keep their class; None: there are none.
    """

    kind: HeadKind
    penalty: float
    accuracy: dict[str, float]
    familiarity: np.ndarray
    kept: float | None = None

    def sentence(self) -> str:
        """What was chosen and why, in words."""
        listed = ", ".join(f"{name} {value:.0%}" for name, value in self.accuracy.items())
        if self.kept is not None:
            return (
                f"head: {self.kind}, that of the earlier classes; new clips of recordings left out "
                f"{listed}, earlier examples that keep their class {self.kept:.0%}"
            )
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
    names = np.asarray(groups).astype(str)
    part = _parts(names, labels, parts)
    candidates: list[tuple[str, HeadKind, float]] = [("prototype", "prototype", 0.0)]
    for penalty in PENALTIES:
        candidates.append((f"linear {penalty:g}", "linear", penalty))
    correct = {name: np.zeros(len(labels), bool) for name, *_ in candidates}
    familiarity = np.full(len(labels), np.nan)
    u = unit(embeddings)
    for k in np.unique(part):
        test = part == k
        train = ~test & np.isin(labels, labels[~test])
        if not train.any():
            continue
        familiarity[test] = (u[test] @ u[train].T).max(axis=1)
        seen, of_train = np.unique(labels[train], return_inverse=True)
        for name, kind, penalty in candidates:
            head = fit_head(embeddings[train], of_train, kind, penalty, len(seen))
            predicted = seen[head.scores(embeddings[test]).argmax(axis=1)]
            correct[name][test] = predicted == labels[test]
    accuracy = {name: float(hits.mean()) for name, hits in correct.items()}
    best = max(candidates, key=lambda each: accuracy[each[0]])  # the first of equals
    return HeadChoice(best[1], best[2], accuracy, familiarity)


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
    part = _parts(np.asarray(groups).astype(str), labels, parts)
    earlier = head.weights.shape[1]
    correct = np.zeros(len(labels), bool)
    for k in np.unique(part):
        test = part == k
        train = ~test & np.isin(labels, labels[~test])
        if not train.any():
            continue
        seen, of_train = np.unique(labels[train], return_inverse=True)
        tried = extend_head(head, example_labels, embeddings[train], of_train)
        predicted = tried.scores(embeddings[test]).argmax(axis=1) - earlier
        is_new = predicted >= 0
        correct[test] = is_new & (seen[np.maximum(predicted, 0)] == labels[test])
    whole = extend_head(head, example_labels, embeddings, labels)
    kept = whole.scores(head.examples.T).argmax(axis=1) == example_labels
    name = "prototype" if head.kind == "prototype" else f"linear {head.penalty:g}"
    accuracy = {name: float(correct.mean())}
    familiarity = np.full(len(labels), np.nan)
    return HeadChoice(head.kind, head.penalty, accuracy, familiarity, float(kept.mean()))


def _parts(groups: np.ndarray, labels: np.ndarray, parts: int) -> np.ndarray:
    """Part of each clip: the recordings of every class are dealt out in turn."""
    part = np.zeros(len(groups), int)
    for label in np.unique(labels):
        for number, group in enumerate(sorted(set(groups[labels == label]))):
            part[(groups == group)] = number % parts
    return part


def unknown_threshold(familiarity: np.ndarray, kept: float = KEPT) -> float:
    """Familiarity below which a sound is unknown: the quantile that lets `kept` of known ones pass.

    Args:
        familiarity: of known sounds to clips of other recordings, NaN where there is none.
        kept: share of them that passes.
    """
    values = familiarity[np.isfinite(familiarity)]
    return float(np.quantile(values, 1 - kept)) if values.size else -1.0


Embed = Callable[[np.ndarray], np.ndarray]  # (clips, samples) -> (clips, width)
