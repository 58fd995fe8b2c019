"""Train on some patients, test on others, baselines beside the network."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recipes.wheeze import baselines as wheeze_baselines
from zoo import crossvalidation
from zoo.crossvalidation import Plan
from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from zoo.data.clips import Clips
    from zoo.data.folds import Fold
    from zoo.export.precision import Precise
    from zoo.training import History

AT_ONCE = 128  # breaths through the front end: small batches wait more than they work


@dataclass(frozen=True)
class Heard:
    """Every breath as the network and the baselines hear it.

    features: what the fixed front end makes of them. decibels: spectrograms. lasts_s: (clips,)
    duration of each breath [s].
    """

    features: "Clips"
    decibels: "Clips"
    lasts_s: np.ndarray


@dataclass(frozen=True)
class Judged:
    """One fold.

    Attributes:
        name: of the fold.
        test: rows of the breaths tested.
        probability: (tested,) of wheeze, from the network.
        validation: rows of the breaths that choose the threshold.
        validation_probability: of these.
        baselines: name -> (tested,) score.
        history: of training.
        files: precision -> what its file answered of the tested breaths.
    """

    name: str
    test: np.ndarray
    probability: np.ndarray
    validation: np.ndarray
    validation_probability: np.ndarray
    baselines: dict[str, np.ndarray]
    history: "History"
    files: "dict[str, Precise]" = field(default_factory=dict)


def heard(clips: "Clips", model: "keras.Model", *, duration_s: float) -> Heard:
    """What the fixed layers make of all breaths, once.

    Args:
        clips: waveforms.
        model: whole.
        duration_s: of a breath for the network [s].
    """
    from zoo.convnets import spectrogram_of, split_model

    front, _ = split_model(model)
    through = {"duration_s": duration_s, "batch_size": AT_ONCE}
    return Heard(
        features=clips.through(front, **through),
        decibels=clips.through(spectrogram_of(model), **through),
        lasts_s=clips.source.lengths[clips.rows] / clips.sample_rate_hz,
    )


def judged(
    build: "Callable[[], keras.Model]",
    breaths: Heard,
    folds: "list[Fold]",
    plan: Plan,
    *,
    division: str = "",
    audit: "Callable[[keras.Model, np.ndarray, np.ndarray], dict[str, Precise]] | None" = None,
) -> list[Judged]:
    """Train anew on each fold and ask about its test part.

    Args:
        build: makes the whole model.
        breaths: from `heard`.
        folds: over the breaths.
        plan: how to train.
        division: which the folds belong to; names their checkpoints.
        audit: of the first fold's model, the breaths it learnt from and those it is tested on.
    """
    features, found = breaths.features, []
    parts = []
    for fold in folds:
        learnt = np.flatnonzero(fold.train)
        parts.append(
            (*crossvalidation.parted(features, learnt, plan.seed), np.flatnonzero(fold.test))
        )
    simple = wheeze_baselines.baselines(
        breaths.decibels, breaths.lasts_s, [(np.r_[t, v], test) for t, v, test in parts]
    )
    for fold, (train, validation, test), scores in zip(folds, parts, simple, strict=True):
        say(f"{fold.name}: {len(train)} breaths to learn from, {len(test)} to test on")
        model = build()
        network, history = crossvalidation.train_network(
            model, features, train, validation, plan, _stem(division, fold)
        )
        found.append(
            Judged(
                fold.name,
                test,
                crossvalidation.ask(network, features, test).probabilities[:, 1],
                validation,
                crossvalidation.ask(network, features, validation).probabilities[:, 1],
                scores,
                history,
                audit(model, train, test) if audit and not found else {},
            )
        )
    return found


def _stem(division: str, fold: "Fold") -> str:
    """A name that can be a file's."""
    return re.sub(r"\W+", "-", f"{division} {fold.name}".strip())
