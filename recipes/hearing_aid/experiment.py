"""Run the recipe: clips, training, fit of the decision, evaluation, export, report."""

import dataclasses
import functools
import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from recipes.hearing_aid.band_training import training as band_training
from recipes.hearing_aid.band_training.settings import BandTraining
from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.conditions import Conditions, boundary_metrics, measure_conditions
from recipes.hearing_aid.decision import fit_decision, predict_sequences
from recipes.hearing_aid.decision_search import HopPredictions
from recipes.hearing_aid.evaluation import StepEvaluator, make_predictor
from recipes.hearing_aid.export_model import StreamingModel, export_model
from recipes.hearing_aid.final_weights import VALIDATION, final_metrics, final_note
from recipes.hearing_aid.metrics import manifest_metrics, metrics_table
from recipes.hearing_aid.pools import (
    SequenceSettings,
    SoundPools,
    draw_sequences,
    hearing_aid_pools,
    pools_of_classes,
)
from recipes.hearing_aid.report import ReportContents, build_report
from recipes.hearing_aid.scene_pools import CLIPS, HOPS, bank_pools
from recipes.hearing_aid.scene_training import training as scene_training
from recipes.hearing_aid.settings import Settings
from recipes.hearing_aid.synthetic import ClipSettings
from recipes.hearing_aid.training import TrainingSettings, train
from zoo import firmware, presets
from zoo.convnets import front_end_of, spectrogram_of, streaming_model
from zoo.data.bank import Bank, read_bank
from zoo.data.sequences import SceneSequence
from zoo.manifest import read_manifest
from zoo.metrics.comparison import Comparison
from zoo.models import load
from zoo.progress import say
from zoo.report import QUICK_NOTICE
from zoo.spectrogram import PRESETS
from zoo.targets import check_output_folder
from zoo.training import History

NETWORK = "crnn_hop"
RATE_HZ = 16_000
FITTING = 4  # sequences to fit the decision to, for each one to measure on
CALIBRATING = 24  # of them, for the ranges of integers
MEAN_MEMORY_S = 5.0  # of a mean over time, for models that are not recurrent
STREAMED_NOTE = (
    "Streamed from a trained model: the limits above about recordings are those of its training."
)
MEASURED_NOTICE = (
    "This page is of the weights that were measured. Those that are shipped learnt from the test "
    "sources as well; their decision is fitted by itself."
)


def run(settings: Settings) -> None:
    """Run the recipe and write report and model to `settings.paths`.

    Raises:
        ValueError: a model or a corpus that cannot be used.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    if settings.firmware is not None:
        check_output_folder(settings.firmware)
    model, pools, history = make_model(settings)
    say("predictions on sequences of scenes")
    sequences = make_sequences(settings, pools, model)
    figures = fit_and_prepare(settings, model, pools, sequences, history)
    paths = settings.paths
    if settings.final_weights is None:
        shipped, manifest = figures, export(settings, paths.model, figures, pools, sequences)
        metrics = manifest["metrics"]
    else:
        say("export of the weights that are measured")
        measured = export(settings, paths.root / "figures", figures, pools, sequences)
        metrics = measured["metrics"]
        say("the weights that are shipped")
        shipped, manifest = export_final(settings, pools, sequences, metrics)
    print(metrics_table(manifest["metrics"]).text())
    write_report(settings, figures, sequences, metrics)
    if settings.firmware is not None:
        weights = shipped.evaluator.evaluation.weights
        files = firmware.write(paths.model, settings.firmware, weights=weights)
        say(f"firmware: {', '.join(map(str, files))}")
    say(f"model: {paths.model}, in {time.monotonic() - started:.0f} s from the start")


@dataclasses.dataclass(frozen=True)
class Sequences:
    """Sequences of scenes.

    Attributes:
        fitting: to fit the decision to, of validation clips.
        measuring: to measure on, by kind.
    """

    fitting: list[SceneSequence]
    measuring: dict[str, list[SceneSequence]]


@dataclasses.dataclass(frozen=True)
class FittedModel:
    """A model with its fitted decision, and what measures its files.

    Attributes:
        trained: model, streaming twin and decision.
        evaluator: of the step files, with its sequences.
        fitted: predictions of the sequences that the decision was fitted to.
        conditions: programs over ratio and level; None: not measured.
    """

    trained: StreamingModel
    evaluator: StepEvaluator
    fitted: list[HopPredictions]
    conditions: Conditions | None


def fit_and_prepare(
    settings: Settings,
    model: keras.Model,
    pools: SoundPools,
    sequences: Sequences,
    history: History | None = None,
) -> FittedModel:
    """Fit the decision of a model and run it over the sequences, before it is exported."""
    step = streaming_model(model, memory_s=MEAN_MEMORY_S)
    predict = make_predictor(model, step)
    fitted = predict_sequences(sequences.fitting, predict)
    decision = fit_decision(pools.classes, fitted, say, refine=not settings.bank)
    warnings = compare_with_chance(history, len(pools.classes)).warnings if history else ()
    origin = read_manifest(settings.model) if settings.model and settings.refit else {}
    trained = StreamingModel(model, step, pools.classes, decision, history, warnings, origin)
    evaluator = StepEvaluator(
        states=trained.states,
        sequences=sequences.measuring,
        keras_predictions={
            kind: predict_sequences(each, predict) for kind, each in sequences.measuring.items()
        },
        hop_s=trained.hop / sample_rate_hz(model),
        timed_steps=1000 if settings.quick else 10_000,
    )
    conditions = None
    if pools.mixer is not None:
        say("programs over signal-to-noise ratio and level")
        scenes = 2 if settings.quick else 8
        conditions = measure_conditions(pools.mixer, predict, decision, scenes)
    return FittedModel(trained, evaluator, fitted, conditions)


def export(
    settings: Settings,
    folder: Path,
    fitted: FittedModel,
    pools: SoundPools,
    sequences: Sequences,
    complete: Callable[[dict], dict] = lambda metrics: metrics,
) -> dict:
    """Export a model, measure its step files; returns the manifest.

    Args:
        settings: of the run.
        folder: target.
        fitted: model with its decision.
        pools: that it was trained on.
        sequences: to calibrate integers on.
        complete: measured metrics -> those of the manifest.
    """
    trained, conditions = fitted.trained, fitted.conditions

    def evaluate(files: Path) -> dict:
        say("measuring the step files")
        evaluation = fitted.evaluator.evaluate(files)
        metrics = manifest_metrics(evaluation, trained.decision, trained.classes)
        if conditions is not None:
            metrics["conditions"] = boundary_metrics(conditions)
        return complete(metrics)

    return export_model(
        folder,
        settings.paths.name,
        trained,
        pools,
        sequences.fitting[:CALIBRATING],
        evaluate=evaluate,
        command=settings.command,
    )


def export_final(
    settings: Settings, pools: SoundPools, sequences: Sequences, figures: dict
) -> tuple[FittedModel, dict]:
    """Export the weights that are shipped, with the figures of those that were measured.

    Args:
        settings: of the run, with `weights` and `final_weights`.
        pools: of the held-out recordings; nothing is measured on their test part.
        sequences: of the run; validation sequences alone are used.
        figures: metrics of the weights that were measured.

    Returns:
        The model and its manifest.
    """
    assert settings.weights is not None and settings.final_weights is not None
    note = final_note(settings.final_weights, settings.weights)
    pools = dataclasses.replace(pools, mixer=None, limits=(note, *pools.limits))
    own = Sequences(sequences.fitting, {VALIDATION: sequences.measuring[VALIDATION]})
    fitted = fit_and_prepare(settings, scene_training.load(settings.final_weights), pools, own)
    folder = settings.paths.model
    complete = functools.partial(final_metrics, of_sibling=figures)
    return fitted, export(settings, folder, fitted, pools, own, complete)


def make_model(settings: Settings) -> tuple[keras.Model, SoundPools, History | None]:
    """A trained model with the clips of its classes; the history is None where it was opened.

    Raises:
        ValueError: a model or a corpus that cannot be used.
    """
    if settings.bank:
        return *make_model_of_bank(settings), None
    if settings.model is None:
        pools = make_pools(settings, None)
        keras.utils.set_random_seed(settings.seed)
        model, history = train_network(settings, pools)
        comparison = compare_with_chance(history, len(pools.classes))
        comparison.require_better(force=settings.force or settings.quick)
        return model, pools, history
    opened = open_classifier(settings.model)
    pools = make_pools(settings, opened)
    if not settings.refit:
        pools = with_limits_of(settings.model, pools)
    keras.utils.set_random_seed(settings.seed)
    return opened[0], pools, None


def make_model_of_bank(settings: Settings) -> tuple[keras.Model, SoundPools]:
    """A network trained on scenes of recordings, now or before, and clips it never heard.

    Raises:
        OSError: no bank or weights there.
        ValueError: a source without clips.
    """
    if settings.weights is None:
        folder = settings.paths.root / "scenes"
        training = BandTraining(settings.seconds, settings.learning_rate, seed=settings.seed)
        model = band_training.train([*settings.bank, *settings.train_bank], folder, training)
    else:
        model = scene_training.load(settings.weights)
    return model, pools_of_banks(settings)


def pools_of_banks(settings: Settings) -> SoundPools:
    """Clips of the recordings of the banks that are held out.

    Raises:
        OSError: no bank there.
        ValueError: a source without clips.
    """
    bank = Bank.join([read_bank(folder) for folder in settings.bank])
    trained = [read_bank(folder) for folder in settings.train_bank]
    clips, hops = (4, 200) if settings.quick else (CLIPS, HOPS)
    return bank_pools(bank, seed=settings.seed, clips=clips, hops=hops, trained=trained)


def compare_with_chance(history: History, classes: int) -> Comparison:
    """Validation loss beside that of the same probability for every class."""
    loss = history.val_loss[history.best_epoch]
    return Comparison("validation loss [nat]", loss, math.log(classes), "equal probabilities")


def open_classifier(folder: Path) -> tuple[keras.Model, tuple[str, ...]]:
    """A saved sound classifier and its classes.

    Raises:
        ValueError: a folder that holds none, or was changed.
    """
    classes = read_manifest(folder).get("classes")
    if not classes:
        raise ValueError(f"{folder}: expected a classifier of sound, got a model without classes.")
    return load(folder).keras, tuple(classes)


def with_limits_of(folder: Path, pools: SoundPools) -> SoundPools:
    """The pools with limits and data licence of the trained model in `folder`.

    Raises:
        ValueError: a folder without a manifest.
    """
    manifest = read_manifest(folder)
    limits = (*manifest["limits"], STREAMED_NOTE)
    data_licence = manifest.get("data_licence", manifest["licence"])
    return dataclasses.replace(pools, limits=limits, data_licence=data_licence)


def sample_rate_hz(model: keras.Model) -> int:
    """Sample rate of a sound model [Hz]."""
    return round(front_end_of(model).sample_rate_hz)


def make_pools(
    settings: Settings, opened: tuple[keras.Model, tuple[str, ...]] | None
) -> SoundPools:
    """Clips of the classes of the hearing aid, or of those of the opened model.

    Raises:
        ValueError: a corpus that cannot be used, or classes without clips.
    """
    clips, duration_s = (2, 2.0) if settings.quick else (settings.clips, 8.0)
    rate_hz = RATE_HZ if opened is None else sample_rate_hz(opened[0])
    clip_settings = ClipSettings(clips, duration_s, rate_hz, settings.seed)
    if opened is None or opened[1] == CLASSES:
        return hearing_aid_pools(settings.data, clip_settings)
    return pools_of_classes(opened[1], settings.data, clip_settings)


def train_network(settings: Settings, pools: SoundPools) -> tuple[keras.Model, History]:
    """A new network, trained."""
    model = presets.sound(
        NETWORK, len(pools.classes), duration_s=None, front_end=PRESETS["hearing_aid"]
    )
    say(f"{NETWORK}: {model.count_params():,} parameters, {len(pools.classes)} classes")
    checkpoint = None
    if settings.checkpoint is not None:
        checkpoint = settings.checkpoint / f"{NETWORK}-seed{settings.seed}.npz"
    training = TrainingSettings(
        epochs=settings.epochs or (1 if settings.quick else 14),
        steps=2 if settings.quick else 40,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        checkpoint=checkpoint,
    )
    return model, train(model, pools.train, pools.validation, training)


def make_sequences(settings: Settings, pools: SoundPools, model: keras.Model) -> Sequences:
    """Sequences to fit the decision to, of validation clips; and to measure on, by kind."""
    count, scenes = (1, 3) if settings.quick else (12, 10)
    hop = streaming_model(model, memory_s=MEAN_MEMORY_S).input["waveform"].shape[1]
    drawn = SequenceSettings(count, scenes, hop, sample_rate_hz(model), settings.seed)
    fitting = draw_sequences(
        pools.validation, dataclasses.replace(drawn, count=FITTING * count), "fit"
    )
    kinds = {"synthetic sequences": pools.test, "recorded sequences": pools.recorded}
    measuring = {
        name: draw_sequences(pool, drawn, name) for name, pool in kinds.items() if any(pool)
    }
    if settings.final_weights is not None:
        measuring[VALIDATION] = fitting[:count]
    return Sequences(fitting, measuring)


def write_report(
    settings: Settings, figures: FittedModel, sequences: Sequences, metrics: dict
) -> None:
    """Write the page of the run, of the model that was measured."""
    trained = figures.trained
    front = spectrogram_of(trained.model)

    def spectrogram(samples: np.ndarray) -> np.ndarray:
        return front(samples[None])[0, ..., 0].numpy()

    report = build_report(
        ReportContents(
            name=settings.name,
            evaluation=figures.evaluator.evaluation,
            metrics=metrics,
            decision=trained.decision,
            classes=trained.classes,
            sequences=sequences.measuring,
            fitted=figures.fitted,
            conditions=figures.conditions,
            spectrogram=spectrogram,
            history=trained.history,
            command=settings.command,
            frequencies_hz=front.front_end.frequencies_hz,
            notices=[
                *([QUICK_NOTICE] if settings.quick else []),
                *([MEASURED_NOTICE] if settings.final_weights else []),
                *trained.warnings,
            ],
        )
    )
    say(f"report: {report.write(settings.paths.report)[-1]}")
