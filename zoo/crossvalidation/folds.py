"""Training on each fold, predictions of its test part, and a linear baseline on the same fold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from zoo.baselines.linear import band_statistics, ridge_classifier
from zoo.crossvalidation.files import FileEvaluator
from zoo.crossvalidation.fold_tasks import experiment_key, run_folds
from zoo.crossvalidation.network import train_network
from zoo.crossvalidation.predictions import Predictions, pool_predictions, predict
from zoo.crossvalidation.robustness import RobustnessEvaluator
from zoo.crossvalidation.settings import TrainingSettings
from zoo.crossvalidation.unknown import Familiarity, FamiliarityEvaluator
from zoo.data.clips import Clips
from zoo.data.folds import Fold, assign_folds, group_keys
from zoo.export.precision import PrecisionResult
from zoo.progress import say
from zoo.tasks import Workers
from zoo.training import History

# as `train_network`: (model, features, training rows, monitored rows, settings, name) -> ...
Trainer = Callable[..., tuple[keras.Model, History]]
MAX_VALIDATION_FOLDS = 12  # a twelfth of the training groups, or one group of fewer
MAX_MONITORED_CLIPS = 500  # of the test part, whose loss is plotted beside the training loss


@dataclass(frozen=True)
class FoldResult:
    """Predictions of one fold, and the history of its training.

    Attributes:
        name: of the fold.
        test: predictions of the test part by the network.
        baseline: predictions of the test part by `linear_baseline`.
        validation: predictions of clips outside the test part, by which temperature and threshold
            of this fold are chosen; None: not known yet.
        history: of training.
        files: precision -> the exported file and its predictions of the test part.
        robustness: condition -> predictions of the test part, changed so.
        familiarity: of the test part, and of strangers; None: not measured.
    """

    name: str
    test: Predictions
    baseline: Predictions
    validation: Predictions | None
    history: History
    files: dict[str, PrecisionResult] = field(default_factory=dict)
    robustness: dict[str, Predictions] = field(default_factory=dict)
    familiarity: Familiarity | None = None


@dataclass(frozen=True)
class Evaluators:
    """What is measured of the trained model of each fold, beside its predictions.

    Attributes:
        files: exports it and predicts with its files, see `make_file_evaluator`; None: not done.
        robustness: predicts changed test clips, see `make_robustness_evaluator`; None: not done.
        familiarity: of test clips and of sounds of no class; None: not measured.
    """

    files: FileEvaluator | None = None
    robustness: RobustnessEvaluator | None = None
    familiarity: FamiliarityEvaluator | None = None

    @property
    def key(self) -> list[object]:
        """What results depend on."""
        familiarity = self.familiarity and self.familiarity.key
        return [self.files is not None, self.robustness is not None, familiarity]


NOTHING_MORE = Evaluators()


def cross_validate(
    build: Callable[[], keras.Model],
    features: Clips,
    folds: Sequence[Fold],
    settings: TrainingSettings,
    evaluators: Evaluators = NOTHING_MORE,
    *,
    train: Trainer = train_network,
    workers: Workers | None = None,
) -> list[FoldResult]:
    """Cross-validation: train a new model on each fold, predict its test part.

    The `validation` of a fold is what the networks of the other folds predict of their own test
    parts: no clip is lost to it. A single fold holds back a twelfth of its groups instead.

    Args:
        build: makes the whole model.
        features: front end output of every clip, from `Clips.with_features`; maybe at several
            speeds.
        folds: which clips to train and to test on.
        settings: of training.
        evaluators: of each trained model.
        train: trains the model of a fold, with the arguments and results of `train_network`.
        workers: where the folds are trained, each in a process of its own; `build` and the
            evaluators can then be pickled. None: one after the other, in this process.

    Raises:
        ValueError: a fold without a clip to test on, or a training part of a single group.
    """
    hold_back = len(folds) == 1
    if workers is not None:
        results = _evaluate_in_tasks(build, features, folds, settings, evaluators, train, workers)
    else:
        results = [
            evaluate_fold(
                *(build, features, fold, settings, evaluators), hold_back=hold_back, train=train
            )
            for fold in folds
        ]
    if hold_back:
        return results
    return [
        replace(
            result,
            validation=pool_predictions([other.test for other in results if other is not result]),
        )
        for result in results
    ]


def _evaluate_in_tasks(
    build: Callable[[], keras.Model],
    features: Clips,
    folds: Sequence[Fold],
    settings: TrainingSettings,
    evaluators: Evaluators,
    train: Trainer,
    workers: Workers,
) -> list[FoldResult]:
    common = {
        "build": build,
        "features": features,
        "folds": tuple(folds),
        "settings": settings,
        "evaluators": evaluators,
        "train": train,
    }
    parts = [(np.flatnonzero(f.train).tolist(), np.flatnonzero(f.test).tolist()) for f in folds]
    results = run_folds(
        "zoo.crossvalidation.folds:evaluate_numbered_fold",
        [fold.name for fold in folds],
        common,
        experiment_key(
            build, features, settings, parts, evaluators.key, train.__name__, workers.threads
        ),
        settings.checkpoints,
        workers,
    )
    return [_fold_result(each) for each in results]


def evaluate_numbered_fold(
    number: int,
    build: Callable[[], keras.Model],
    features: Clips,
    folds: Sequence[Fold],
    settings: TrainingSettings,
    evaluators: Evaluators,
    train: Trainer = train_network,
) -> FoldResult:
    """`evaluate_fold` of one of several folds: what a task of `cross_validate` calls.

    Args:
        number: of the fold.
        build: see `cross_validate`.
        features: see `cross_validate`.
        folds: all of them.
        settings: of training.
        evaluators: see `cross_validate`.
        train: see `cross_validate`.
    """
    hold_back = len(folds) == 1
    return evaluate_fold(
        *(build, features, folds[number], settings, evaluators), hold_back=hold_back, train=train
    )


def _fold_result(entries: dict[str, Any]) -> FoldResult:
    validation, familiarity = entries["validation"], entries["familiarity"]
    return FoldResult(
        entries["name"],
        test=Predictions(**entries["test"]),
        baseline=Predictions(**entries["baseline"]),
        validation=None if validation is None else Predictions(**validation),
        history=History(**entries["history"]),
        files={name: PrecisionResult(**each) for name, each in entries["files"].items()},
        robustness={name: Predictions(**each) for name, each in entries["robustness"].items()},
        familiarity=None if familiarity is None else Familiarity(**familiarity),
    )


def evaluate_fold(
    build: Callable[[], keras.Model],
    features: Clips,
    fold: Fold,
    settings: TrainingSettings,
    evaluators: Evaluators = NOTHING_MORE,
    *,
    hold_back: bool = False,
    train: Trainer = train_network,
) -> FoldResult:
    """Train on the training part of one fold and predict its test part.

    Args:
        build: makes the whole model.
        features: front end output of every clip.
        fold: which clips to train and to test on.
        settings: of training.
        evaluators: see `cross_validate`.
        hold_back: hold a twelfth of the training groups back, as `validation` of the result.
        train: see `cross_validate`.

    Raises:
        ValueError: no clip to test on, or a training part of a single group to hold one back from.
    """
    rows, test = np.flatnonzero(fold.train), np.flatnonzero(fold.test)
    if not len(test):
        raise ValueError(f"{fold.name} holds no clip to test on. Give another corpus or --folds.")
    validation = None
    if hold_back:
        rows, validation = split_validation(features, rows, settings.seed)
    say(f"{fold.name}: {len(rows)} training clips, {len(test)} test clips")
    model = build()
    monitored = test[:: -(-len(test) // MAX_MONITORED_CLIPS)]
    network, history = train(model, features, rows, monitored, settings, fold.name)
    return FoldResult(
        fold.name,
        test=predict(network, features, test),
        baseline=linear_baseline(features, np.flatnonzero(fold.train), test),
        validation=None if validation is None else predict(network, features, validation),
        history=history,
        files=evaluators.files(model, rows, test) if evaluators.files else {},
        robustness=evaluators.robustness(model, test) if evaluators.robustness else {},
        familiarity=evaluators.familiarity and evaluators.familiarity(model, rows, test),
    )


def split_validation(features: Clips, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation rows, no group on both sides.

    Args:
        features: all clips.
        rows: (clips,) which of them to split.
        seed: of the division.

    Returns:
        Training rows; validation rows, about a twelfth.

    Raises:
        ValueError: a single group.
    """
    index = features.index.iloc[rows]
    groups = len(np.unique(group_keys(index)))
    if groups < 2:
        raise ValueError(
            "A training part needs two groups (recordings, places, speakers) or more, one of them "
            f"to choose the threshold by. Received: {groups}."
        )
    held_back = assign_folds(index, count=min(MAX_VALIDATION_FOLDS, groups), seed=seed) == 0
    return rows[~held_back], rows[held_back]


def linear_baseline(features: Clips, train: np.ndarray, test: np.ndarray) -> Predictions:
    """Linear baseline: ridge regression of the class on each band's mean and deviation over time.

    Args:
        features: front end output of every clip, (time, bands, 1) each.
        train: (clips,) training rows.
        test: (clips,) test rows.

    Returns:
        Predictions of the test rows; a probability of 1 for the predicted class, 0 for the others.
    """
    classes = len(features.classes)
    x, x_test = (
        np.concatenate(  # clip by clip: all features together may not fit into memory
            [band_statistics(features.source[row][None, ..., 0]) for row in features.rows[rows]]
        )
        for rows in (train, test)
    )
    score = ridge_classifier(x, features.labels[train], classes)
    predicted = score(x_test).argmax(axis=1)
    return Predictions(features.labels[test], np.eye(classes)[predicted], test)
