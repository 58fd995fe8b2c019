"""Cross-validation of sound classifiers: folds by group, resumable, for any model of a front end.

    features = clips.with_features(front_end)
    settings = TrainingSettings(epochs=40, steps_per_epoch=20)
    results = cross_validate(build, features, folds, settings)
    predictions = pool_predictions([result.test for result in results])

The front end is fixed, so it runs once over all clips; only the network behind it is trained, and
shares its weights with the whole model, waveform to probabilities.
"""

from zoo.crossvalidation.files import make_file_evaluator
from zoo.crossvalidation.folds import (
    Evaluators,
    FoldResult,
    Trainer,
    cross_validate,
    evaluate_fold,
    linear_baseline,
    split_validation,
)
from zoo.crossvalidation.mistakes import add_mistakes
from zoo.crossvalidation.network import (
    BATCH_SIZE,
    front_end_key,
    make_losses,
    prepare_network,
    train_network,
)
from zoo.crossvalidation.predictions import Predictions, pool_predictions, predict
from zoo.crossvalidation.robustness import (
    make_robustness_evaluator,
    robustness_accuracy,
    robustness_conditions,
    robustness_metrics,
)
from zoo.crossvalidation.settings import AugmentationSettings, TrainingSettings
from zoo.crossvalidation.unknown import Familiarity, FamiliarityEvaluator, embed_features

__all__ = [
    "BATCH_SIZE",
    "AugmentationSettings",
    "Evaluators",
    "Familiarity",
    "FamiliarityEvaluator",
    "FoldResult",
    "Predictions",
    "Trainer",
    "TrainingSettings",
    "add_mistakes",
    "cross_validate",
    "embed_features",
    "evaluate_fold",
    "front_end_key",
    "linear_baseline",
    "make_file_evaluator",
    "make_losses",
    "make_robustness_evaluator",
    "pool_predictions",
    "predict",
    "prepare_network",
    "robustness_accuracy",
    "robustness_conditions",
    "robustness_metrics",
    "split_validation",
    "train_network",
]
