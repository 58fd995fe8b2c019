"""Which classifiers get the class "unknown", its threshold, and the classifier with it."""

from collections.abc import Sequence

import keras
import numpy as np

from zoo.convnets import ConvNetModel, config_of
from zoo.convnets.unknown_class import UNKNOWN, add_unknown_class
from zoo.crossvalidation import FoldResult, embed_features
from zoo.crossvalidation.strangers import Unknown, measure_unknown
from zoo.data.clips import Clips
from zoo.metrics.familiarity import prototypes_of


def can_be_unknown(model: keras.Model, classes: Sequence[str]) -> bool:
    """Whether a classifier gets the class "unknown".

    Not one of two classes, which has a threshold of its own, and not one that streams: its last
    layer sees a mean over a time that grows.

    Args:
        model: waveform to probabilities.
        classes: names.
    """
    return len(classes) > 2 and UNKNOWN not in classes and not config_of(model).causal


def unknown_of(results: Sequence[FoldResult], titles: tuple[str, ...] = ()) -> Unknown | None:
    """Threshold and scores of the folds together; None: not measured in them.

    Args:
        results: of the folds.
        titles: corpora of the strangers.
    """
    folds = [each.familiarity for each in results if each.familiarity is not None]
    confident = [each.test.probabilities.max(axis=1) for each in results]
    return measure_unknown(folds, confident, titles) if folds else None


def with_unknown(
    model: ConvNetModel, features: Clips, rows: np.ndarray, unknown: Unknown
) -> ConvNetModel:
    """The trained classifier with the class "unknown", its prototypes of the clips as recorded.

    Args:
        model: trained and calibrated.
        features: front end output of every clip, maybe with altered copies.
        rows: (clips,) of the clips themselves, which the folds compared with as well.
        unknown: threshold.
    """
    embeddings = embed_features(model, features, rows)
    prototypes = prototypes_of(embeddings, features.labels[rows], len(features.classes))
    return add_unknown_class(model, prototypes, unknown.threshold)
