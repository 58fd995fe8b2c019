"""Heads on a frozen embedding: prototypes, nearest examples, linear.

Embeddings are compared by the cosine between them, so all are scaled to length 1 first.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize

from zoo.metrics.familiarity import unit_vectors

HeadKind = Literal["prototype", "linear"]
HEADS: tuple[HeadKind, ...] = ("prototype", "linear")
PROTOTYPE_SCALE = 12.0  # of a cosine as a logit


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
        return unit_vectors(embeddings) @ self.weights + self.bias

    def familiarity(self, embeddings: np.ndarray) -> np.ndarray:
        """Cosine to the nearest example (clips,)."""
        return (unit_vectors(embeddings) @ self.examples).max(axis=1)

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Class index (clips,); -1: unknown."""
        predicted = self.scores(embeddings).argmax(axis=1)
        return np.where(self.familiarity(embeddings) < self.threshold, -1, predicted)


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
    u = unit_vectors(embeddings)
    count = int(labels.max()) + 1 if classes is None else classes
    missing = np.flatnonzero(np.bincount(labels, minlength=count) == 0)
    if len(missing) or kind not in HEADS:
        raise ValueError(
            f"Expected a clip of every class and a head of {', '.join(HEADS)}. Received: {kind!r}, "
            f"{len(missing)} classes without a clip."
        )
    means = unit_vectors(np.stack([u[labels == k].mean(axis=0) for k in range(count)]))
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
    u = unit_vectors(embeddings)
    count, earlier = int(labels.max()) + 1, head.weights.shape[1]
    if (np.bincount(labels, minlength=count) == 0).any():
        raise ValueError("Expected a clip of every new class.")
    means = unit_vectors(np.stack([u[labels == k].mean(axis=0) for k in range(count)]))
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
