"""How good an explanation is, where the truth is known.

pointing    the highest evidence lies within the true time and frequency (Zhang et al. 2016)
inside      share of the positive evidence within them, beside their share of the area
deletion    mean log-odds while patches are set to the mean, the strongest evidence first, as a
share of the whole: lower is better (Petsiuk et al. 2018)
insertion   the same while patches are put back: higher is better
sanity      rank correlation with the evidence of the same network with random weights; a
method whose picture does not depend on the weights explains nothing (Adebayo et
al. 2018)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
from scipy import stats

from zoo.data.synthesis.truth import Event
from zoo.explain.clip import ExplainedClip
from zoo.explain.explanation import Explanation

STEPS = 20  # of a deletion curve


@dataclass(frozen=True)
class Localisation:
    """Evidence of one explanation against one true event.

    Attributes:
        hit: whether the highest evidence lies inside.
        inside: share of the positive evidence inside.
        area: share of the area inside, what evidence spread evenly would have.
        onset_error_s: from the true onset to the first frame with half of the highest evidence [s].
    """

    hit: bool
    inside: float
    area: float
    onset_error_s: float


def localise(
    explanation: Explanation, event: Event, *, margin_s: float = 0.0, margin_octaves: float = 0.0
) -> Localisation:
    """Compare the evidence with the event that the clip holds.

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
    truth = rows[:, None] & columns
    positive = np.maximum(explanation.evidence, 0.0)
    total = positive.sum()
    highest = np.unravel_index(explanation.evidence.argmax(), explanation.evidence.shape)
    over_time = positive.sum(axis=1)
    first = int((over_time >= 0.5 * over_time.max()).argmax())
    return Localisation(
        hit=bool(truth[highest]),
        inside=float(positive[truth].sum() / total) if total else 0.0,
        area=float(truth.mean()),
        onset_error_s=float(times_s[first] - event.onset_s),
    )


def deletion_and_insertion(
    clip: ExplainedClip, number: int, evidence: np.ndarray
) -> tuple[float, float]:
    """Means of both curves, as shares of the log-odds of the whole clip over the empty one.

    Args:
        clip: explained.
        number: of the class.
        evidence: of each point of the features, (time, bands).

    Returns:
        deletion (0 is best), insertion (1 is best).
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
    scores = clip.score(np.stack([*deleted, *inserted]).astype(np.float32), number)
    empty, whole = scores[len(counts)], scores[0]
    shares = (scores - empty) / (whole - empty) if abs(whole - empty) > 1e-6 else 0 * scores
    return float(shares[: len(counts)].mean()), float(shares[len(counts) :].mean())


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two maps of evidence; 0 where one of them is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(*(stats.rankdata(each, axis=None) for each in (first, second)))[0, 1])


def randomised(model: keras.Model, seed: int = 0) -> Iterator[tuple[str, keras.Model]]:
    """Copies of a model with random weights from the output down to one layer after the other.

    Cascading randomisation: the first copy has a new output layer, the last one new weights in
    every layer. Weights are permuted, so their distribution stays; normalisation keeps its own.

    Args:
        model: trained.
        seed: of the permutations.

    Yields:
        Name of the last layer randomised, and the copy; the copy is the same object each time.
    """
    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in reversed(copy.layers):
        if not isinstance(
            layer, keras.layers.Dense | keras.layers.Conv2D | keras.layers.DepthwiseConv2D
        ):
            continue
        layer.set_weights(
            [rng.permuted(each, axis=None).reshape(each.shape) for each in layer.get_weights()]
        )
        yield layer.name, copy
