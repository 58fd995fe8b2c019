"""How familiar strangers, sounds of no class, are to a classifier on the first blocks."""

from collections.abc import Sequence

import numpy as np

from recipes.embedding.head import Features, fit_to, probabilities_of
from zoo.crossvalidation import Familiarity
from zoo.crossvalidation.strangers import Unknown, measure_unknown
from zoo.data.clips import Clips
from zoo.data.folds import Fold
from zoo.metrics.familiarity import familiarity_to, prototypes_of


def measure_strangers(
    features: Features,
    clips: Clips,
    folds: Sequence[Fold],
    strangers: np.ndarray | None,
    titles: tuple[str, ...],
    never_heard: str,
) -> Unknown:
    """Threshold of the unknown, scored on the fold that was never heard, or else on all folds.

    Args:
        features: of all clips.
        clips: their labels.
        folds: all of them.
        strangers: what the head sees of sounds of no class, (clips, width); None: there are none.
        titles: corpora that these are from.
        never_heard: last word of the name of that fold.
    """
    scored, further = [], []
    unheard = [fold for fold in folds if fold.name.split()[-1] == never_heard]
    for fold in folds:
        train, test, x = fold.train, fold.test, features.averages
        prototypes = prototypes_of(x[train], clips.labels[train], len(clips.classes))
        members, head = familiarity_to(x[test], prototypes), fit_to(features, clips.labels, train)
        sure = probabilities_of(x[test], head).max(axis=1)
        if unheard and fold not in unheard:
            further.append((members, sure))
        elif strangers is None:
            scored.append((Familiarity(members), sure))
        else:
            p = probabilities_of(strangers, head).max(axis=1)
            scored.append((Familiarity(members, familiarity_to(strangers, prototypes), p), sure))
    familiarities, confident = zip(*scored, strict=True)
    return measure_unknown(familiarities, confident, titles, further)
