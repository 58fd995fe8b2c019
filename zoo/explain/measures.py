"""How good an explanation is, where the truth is known.

pointing    the highest evidence lies within the true time and frequency (Zhang et al. 2016)
inside      share of the positive evidence within them, beside their share of the area
deletion    mean probability of the class while points are set to the training mean, the strongest
            evidence first: lower is better (Petsiuk et al. 2018)
insertion   the same while points are put back into an empty clip: higher is better
sanity      rank correlation with the evidence of the same network with random weights, layer by
            layer from the output down; a method whose picture does not depend on the weights
            explains nothing (Adebayo et al. 2018)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
from scipy import stats

from zoo.convnets.open_set import OpenSet
from zoo.convnets.unknown_class import UnknownClass
from zoo.data.synthesis.truth import Event
from zoo.explain.clip import ExplainedClip
from zoo.explain.explanation import Explanation

STEPS = 10  # of a deletion curve
WITH_WEIGHTS = (  # layers that the sanity check randomises
    *(keras.layers.Dense, keras.layers.Conv2D, keras.layers.DepthwiseConv2D),
    *(OpenSet, UnknownClass),
)


@dataclass(frozen=True)
class Localisation:
    """Evidence of one explanation against the true places.

    Attributes:
        hit: whether the highest evidence lies inside.
        inside: share of the positive evidence inside.
        area: share of the area inside, what evidence spread evenly would have.
    """

    hit: bool
    inside: float
    area: float


def true_region(
    explanation: Explanation, event: Event, *, margin_s: float = 0.0, margin_octaves: float = 0.0
) -> np.ndarray:
    """Points of an explanation that lie within an event, (time, bands) of bool.

    Args:
        explanation: of the clip.
        event: the true one.
        margin_s: added before and after, such as half a window of the spectrogram [s].
        margin_octaves: added below and above, such as half a band [octaves].
    """
    times_s, hz = explanation.times_s, explanation.frequencies_hz
    rows = (times_s >= event.onset_s - margin_s) & (times_s <= event.offset_s + margin_s)
    factor = 2.0**margin_octaves
    columns = (hz >= event.low_hz / factor) & (hz <= event.high_hz * factor)
    return rows[:, None] & columns


def localise(explanation: Explanation, truth: np.ndarray) -> Localisation:
    """Compare the evidence with the places where the clip holds the class.

    Args:
        explanation: of the clip.
        truth: such as from `true_region`, (time, bands) of bool.
    """
    positive = np.maximum(explanation.evidence, 0.0)
    total = positive.sum()
    highest = np.unravel_index(explanation.evidence.argmax(), explanation.evidence.shape)
    return Localisation(
        hit=bool(truth[highest]),
        inside=float(positive[truth].sum() / total) if total else 0.0,
        area=float(truth.mean()),
    )


def onset_error_s(explanation: Explanation, onset_s: float) -> float:
    """From a true onset to the first frame with half of the highest evidence over time [s]."""
    over_time = np.maximum(explanation.evidence, 0.0).sum(axis=1)
    first = int((over_time >= 0.5 * over_time.max()).argmax())
    return float(explanation.times_s[first] - onset_s)


def deletion_and_insertion(
    clip: ExplainedClip, number: int, evidence: np.ndarray
) -> tuple[float, float]:
    """Means of both curves: of the probability of a class, or of a predicted value.

    Args:
        clip: explained.
        number: of the class.
        evidence: of each point of the features, (time, bands).

    Returns:
        deletion (lower is better), insertion (higher is better).
    """
    order = np.argsort(evidence, axis=None)[::-1]
    counts = np.linspace(0, order.size, STEPS + 1).astype(int)
    deleted, inserted = [], []
    for count in counts:
        mask = np.zeros(order.size, bool)
        mask[order[:count]] = True
        mask = mask.reshape(evidence.shape)[clip.source][..., None]
        deleted.append(np.where(mask, 0, clip.features))
        inserted.append(np.where(mask, clip.features, 0))
    values = clip.predict(np.stack([*deleted, *inserted]).astype(np.float32))[:, number]
    return float(values[: len(counts)].mean()), float(values[len(counts) :].mean())


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two maps of evidence; 0 where one of them is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(*(stats.rankdata(each, axis=None) for each in (first, second)))[0, 1])


def randomised(
    model: keras.Model, seed: int = 0, *, copy: keras.Model | None = None
) -> Iterator[tuple[str, keras.Model]]:
    """Copies of a model with random weights from the output down to one layer after the other.

    Cascading randomisation: the first copy has a new output layer, the last one new weights in
    every layer. Weights are permuted, so their distribution stays; normalisation keeps its own.

    Args:
        model: trained.
        seed: of the permutations.
        copy: a clone of the model to overwrite, so that its graphs are traced once; None: a new
            one.

    Yields:
        Name of the last layer randomised, and the copy; the copy is the same object each time.
    """
    rng = np.random.default_rng(seed)
    twin: keras.Model = keras.models.clone_model(model) if copy is None else copy
    twin.set_weights(model.get_weights())
    for layer in reversed(twin.layers):
        if not isinstance(layer, WITH_WEIGHTS):
            continue
        layer.set_weights(
            [rng.permuted(each, axis=None).reshape(each.shape) for each in layer.get_weights()]
        )
        yield layer.name, twin
