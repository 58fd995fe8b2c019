"""Test a wheeze detector by patient and by device, train it on all patients, report, export."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from recipes.wheeze.calibration import scale_output
from recipes.wheeze.data import load_data
from recipes.wheeze.export import export_model
from recipes.wheeze.folds import (
    Evaluators,
    Features,
    FoldResult,
    compute_features,
    divide_patients,
    evaluate_folds,
)
from recipes.wheeze.report import describe_operating_point, make_report, print_tables
from recipes.wheeze.scores import compare_with_simplest, compute_scores, manifest_metrics
from recipes.wheeze.settings import STEPS_PER_EPOCH, WARNING, Settings
from zoo import crossvalidation, presets
from zoo.crossvalidation import AugmentationSettings, TrainingSettings
from zoo.data.clips import Clips
from zoo.explain import add_explanations
from zoo.metrics.bootstrap import Interval
from zoo.progress import say
from zoo.training import History


def run(settings: Settings) -> None:
    """Run the experiment and write report and model to `settings.paths`.

    Raises:
        ValueError: a corpus or settings that cannot be used, in one line.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    say(WARNING)
    breaths, paths = load_data(settings), settings.paths
    clips = breaths.clips
    build = make_builder(settings)
    model = build()
    wheezes = int((clips.labels == 1).sum())
    say(f"{len(clips)} breaths, {wheezes} with wheeze; {model.count_params():,} parameters")
    features = compute_features(clips, model, duration_s=settings.duration_s)

    results = evaluate_divisions(settings, build, features, clips)
    scores = {division: compute_scores(each, clips) for division, each in results.items()}
    for division, each in scores.items():
        print_tables(division, each)
    headline = next(iter(scores.values()))
    if headline.operating_point is not None:
        print(describe_operating_point(headline.operating_point))
    repeated = repeat_with_seeds(settings, build, features, clips)

    say("training the exported model on all patients")
    training = training_settings(settings, settings.seed)
    train, validation = crossvalidation.split_validation(
        features.network, np.arange(len(clips)), settings.seed
    )
    history = History()
    if model.trainable_weights:
        _, history = crossvalidation.train_network(
            model, features.network, train, validation, training, "whole"
        )
    if headline.calibration is not None:
        scale_output(model, headline.calibration.scaling)

    report = make_report(settings, breaths, scores, results, repeated)
    rows = most_probable_wheezes(results)
    source = "the breaths to which the networks of the folds gave the highest probability of wheeze"
    add_explanations(report, model, clips, rows, duration_s=settings.duration_s, source=source)
    say(f"report: {report.write(paths.report)[-1]}")
    comparison = compare_with_simplest(headline)
    if comparison is not None:
        comparison.require_better(force=settings.force or settings.quick)
    warnings = [] if comparison is None else comparison.warnings
    facts = training_facts(training, history, len(train), len(validation))
    metrics = manifest_metrics(scores, repeated)
    export_model(settings, model, breaths, metrics, facts, headline.operating_point, warnings)
    if settings.checkpoint is None:  # they served to resume an interrupted run
        paths.remove_checkpoints()
    say(f"model: {paths.model}, {time.monotonic() - started:.0f} s in all")
    say(WARNING)


def make_builder(settings: Settings) -> Callable[[], keras.Model]:
    """A function that builds the whole model, with the same initial weights each time."""

    def build() -> keras.Model:
        keras.utils.set_random_seed(settings.seed)
        return presets.wheeze(
            duration_s=settings.duration_s,
            detector="lines" if settings.detector == "lines" else "peak",
        )

    return build


def training_settings(settings: Settings, seed: int) -> TrainingSettings:
    """Training of every fold and of the exported model.

    Args:
        settings: of the experiment.
        seed: of weights, order and augmentation.
    """
    checkpoint, logs = settings.checkpoint or settings.paths.checkpoints, settings.tensorboard
    run_name = f"wheeze-seed{seed}"
    return TrainingSettings(
        epochs=1 if settings.quick else settings.epochs,
        steps_per_epoch=4 if settings.quick else STEPS_PER_EPOCH,
        learning_rate=settings.learning_rate,
        # the front end removes the spectral slope of a microphone already
        augmentation=AugmentationSettings(time_shift=False, equaliser_db=0.0),
        seed=seed,
        checkpoints=checkpoint / run_name,
        logs=logs and logs / run_name,
    )


def evaluate_divisions(
    settings: Settings, build: Callable[[], keras.Model], features: Features, clips: Clips
) -> dict[str, list[FoldResult]]:
    """Results of every division of the patients; files and changed breaths in the first one."""
    training = training_settings(settings, settings.seed)
    files = crossvalidation.make_file_evaluator(clips, settings.duration_s)
    robustness = crossvalidation.make_robustness_evaluator(clips, settings.duration_s)
    results: dict[str, list[FoldResult]] = {}
    for division, folds in divide_patients(clips.index, settings, settings.seed).items():
        is_first = not results
        say(division)
        results[division] = evaluate_folds(
            build,
            features,
            folds,
            training,
            division=division,
            evaluators=Evaluators(
                files if is_first and not settings.quick else None,
                robustness if is_first else None,
            ),
        )
    return results


def repeat_with_seeds(
    settings: Settings, build: Callable[[], keras.Model], features: Features, clips: Clips
) -> dict[str, Interval]:
    """AUC of the first division for each further seed: patients divided and trained anew."""
    repeated = {}
    for seed in range(settings.seed + 1, settings.seed + settings.seeds):
        division, folds = next(iter(divide_patients(clips.index, settings, seed).items()))
        results = evaluate_folds(
            build, features, folds, training_settings(settings, seed), division=division
        )
        auc = compute_scores(results, clips).breaths.metrics["AUC"]
        repeated[f"seed {seed}"] = auc
        say(f"{division}, seed {seed}: AUC {auc}")
    return repeated


def most_probable_wheezes(
    results: Mapping[str, Sequence[FoldResult]], count: int = 4
) -> np.ndarray:
    """Rows of the test breaths of the highest probability in the first division, descending."""
    test = crossvalidation.pool_predictions([fold.test for fold in next(iter(results.values()))])
    return test.rows[np.argsort(-test.probabilities[:, 1])[:count]]


def training_facts(
    training: TrainingSettings, history: History, breaths: int, validation_breaths: int
) -> dict[str, Any]:
    """Entry `training` of the manifest; without epochs where nothing was trained."""
    if not history.loss:
        return {
            "seed": training.seed,
            "breaths": breaths + validation_breaths,
            "trained": "slope and offset of the probability alone",
        }
    return {
        "seed": training.seed,
        "breaths": breaths,
        "validation_breaths": validation_breaths,
        "epochs": len(history.loss),
        "batches_per_epoch": training.steps_per_epoch,
        "batch_size": crossvalidation.BATCH_SIZE,
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
