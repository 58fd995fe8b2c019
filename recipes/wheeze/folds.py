"""Divisions of patients into training and test parts, and the predictions on each fold."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import pandas as pd

from recipes.wheeze.baselines import score_baselines
from recipes.wheeze.settings import Settings
from zoo.convnets import spectrogram_of, split_model
from zoo.crossvalidation import (
    Predictions,
    TrainingSettings,
    predict,
    split_validation,
    train_network,
)
from zoo.crossvalidation.files import FileEvaluator
from zoo.crossvalidation.robustness import RobustnessEvaluator
from zoo.data.clips import Clips
from zoo.data.folds import (
    Fold,
    describe_folds,
    device_folds,
    group_keys,
    make_folds,
    official_folds,
)
from zoo.export.precision import PrecisionResult
from zoo.progress import say
from zoo.training import History

FRONT_END_BATCH = 128  # breaths; small batches spend more time on overhead than on work


@dataclass(frozen=True)
class Features:
    """Every breath as input of the network and of the baselines.

    Attributes:
        network: output of the fixed front end.
        spectrograms: output of its spectrogram layer [dB].
        durations_s: (clips,) duration of each breath [s].
    """

    network: Clips
    spectrograms: Clips
    durations_s: np.ndarray


@dataclass(frozen=True)
class FoldResult:
    """Predictions of one fold by network and baselines.

    Attributes:
        name: of the fold.
        test: predictions of the test part by the network; class 1 is wheeze.
        validation: of the breaths that choose the threshold.
        baselines: name -> (test breaths,) score.
        history: of training.
        files: precision -> the exported file and its predictions of the test part.
        robustness: condition -> predictions of the test part, its breaths changed so.
    """

    name: str
    test: Predictions
    validation: Predictions
    baselines: dict[str, np.ndarray]
    history: History
    files: dict[str, PrecisionResult] = field(default_factory=dict)
    robustness: dict[str, Predictions] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluators:
    """What else is evaluated of the model of a fold.

    Attributes:
        files: exports the model of the first fold and predicts with its files; None: none.
        robustness: predicts changed breaths of every fold; None: none.
    """

    files: FileEvaluator | None = None
    robustness: RobustnessEvaluator | None = None


def compute_features(clips: Clips, model: keras.Model, *, duration_s: float) -> Features:
    """Output of the fixed layers for all breaths.

    Args:
        clips: waveforms.
        model: waveform to probabilities.
        duration_s: of a breath for the network [s].
    """
    front, _ = split_model(model)
    network, spectrograms = (
        clips.with_features(layers, duration_s=duration_s, batch_size=FRONT_END_BATCH)
        for layers in (front, spectrogram_of(model))
    )
    return Features(network, spectrograms, clips.source.lengths[clips.rows] / clips.sample_rate_hz)


def divide_patients(index: pd.DataFrame, settings: Settings, seed: int) -> dict[str, list[Fold]]:
    """Divisions by patient: official or in folds; then by device where there are two or more.

    An official division with patients on both sides comes second to one without them. Folds by
    patient are whole: all breaths of a patient in one part, whatever device recorded them. Where
    the training part leaves a device out, it leaves out every patient that it recorded.

    Args:
        index: one row a breath.
        settings: number of folds; a quick run has no division by device.
        seed: of the folds.

    Returns:
        Name of the division -> its folds.

    Raises:
        ValueError: a division whose test breaths are of one label.
    """
    count = 5 if settings.data else 2 if settings.quick else 3
    count = min(count, len(np.unique(group_keys(index))))
    is_official = len(official_folds(index)) > 1
    say(describe_folds(index, count=count))
    divisions = {
        "official division, leak-free" if is_official else "folds by patient": make_folds(
            index, count=count, seed=seed, leak_free=True
        )
    }
    with_leaks = make_folds(index, count=count, seed=seed)
    leaking = [name for fold in with_leaks for name in fold.leaking]
    if leaking:
        say(f"in both parts of the official division: patients {', '.join(leaking)}")
        divisions["official division, with its leaks"] = with_leaks
    is_wheeze = (index["label"].astype(str) == "wheeze").to_numpy()
    for fold in [] if settings.quick else device_folds(index):
        if all(len(set(is_wheeze[part])) == 2 for part in (fold.train, fold.test)):
            divisions[f"{fold.name.removeprefix('without ')}, from other devices"] = [fold]
    divisions = {name: parts[: settings.folds] for name, parts in divisions.items()}
    for name, parts in divisions.items():
        tested = is_wheeze[np.any([fold.test for fold in parts], axis=0)]
        if tested.all() or not tested.any():
            raise ValueError(
                f"{name}: expected test breaths with and without wheeze. Received: "
                f"{tested.sum()} of {len(tested)} with wheeze. Test more folds (--folds), or give "
                "breaths of more patients."
            )
    return divisions


def evaluate_folds(
    build: Callable[[], keras.Model],
    features: Features,
    folds: Sequence[Fold],
    training: TrainingSettings,
    *,
    division: str = "",
    evaluators: Evaluators | None = None,
) -> list[FoldResult]:
    """Train a new model on each fold and predict its test part, beside the baselines.

    Args:
        build: makes the whole model.
        features: of all breaths.
        folds: over the breaths.
        training: settings.
        division: which the folds belong to; names their checkpoints.
        evaluators: of the trained models; None: none.

    Raises:
        ValueError: a training part of a single patient.
    """
    clips, also = features.network, evaluators or Evaluators()
    parts = []
    for fold in folds:
        train, validation = split_validation(clips, np.flatnonzero(fold.train), training.seed)
        parts.append((train, validation, np.flatnonzero(fold.test)))
    baselines = score_baselines(
        features.spectrograms,
        features.durations_s,
        [(np.concatenate([train, validation]), test) for train, validation, test in parts],
    )
    results = []
    for fold, (train, validation, test), scores in zip(folds, parts, baselines, strict=True):
        say(f"{fold.name}: {len(train)} training breaths, {len(test)} test breaths")
        model = build()
        name = re.sub(r"\W+", "-", f"{division} {fold.name}".strip())
        network, history = split_model(model)[1], History()
        if model.trainable_weights:
            network, history = train_network(model, clips, train, validation, training, name)
        is_first = not results
        results.append(
            FoldResult(
                fold.name,
                test=predict(network, clips, test),
                validation=predict(network, clips, validation),
                baselines=scores,
                history=history,
                files=also.files(model, train, test) if also.files and is_first else {},
                robustness=also.robustness(model, test) if also.robustness else {},
            )
        )
    return results
