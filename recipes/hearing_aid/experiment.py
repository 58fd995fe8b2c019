"""Run the recipe: clips, training, fit of the decision, evaluation, export, report."""

import dataclasses
import math
import time
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
    step = streaming_model(model, memory_s=MEAN_MEMORY_S)
    predict = make_predictor(model, step)

    say("predictions on sequences of scenes")
    rate_hz, hop = sample_rate_hz(model), step.input["waveform"].shape[1]
    fitting, measuring = make_sequences(settings, pools, hop, rate_hz)
    fitted = predict_sequences(fitting, predict)
    decision = fit_decision(pools.classes, fitted, say, refine=not settings.bank)
    warnings = compare_with_chance(history, len(pools.classes)).warnings if history else ()
    origin = read_manifest(settings.model) if settings.model and settings.refit else {}
    trained = StreamingModel(model, step, pools.classes, decision, history, warnings, origin)
    evaluator = StepEvaluator(
        states=trained.states,
        sequences=measuring,
        keras_predictions={k: predict_sequences(each, predict) for k, each in measuring.items()},
        hop_s=hop / rate_hz,
        timed_steps=1000 if settings.quick else 10_000,
    )

    conditions = None
    if pools.mixer is not None:
        say("programs over signal-to-noise ratio and level")
        scenes = 2 if settings.quick else 8
        conditions = measure_conditions(pools.mixer, predict, decision, scenes)

    def evaluate(folder: Path) -> dict:
        say("measuring the step files")
        metrics = manifest_metrics(evaluator.evaluate(folder), decision, pools.classes)
        if conditions is not None:
            metrics["conditions"] = boundary_metrics(conditions)
        return metrics

    paths = settings.paths
    manifest = export_model(
        paths.model,
        paths.name,
        trained,
        pools,
        fitting[:CALIBRATING],
        evaluate=evaluate,
        command=settings.command,
    )
    print(metrics_table(manifest["metrics"]).text())
    results = Results(evaluator, manifest["metrics"], fitted, conditions)
    write_report(settings, trained, results)
    if settings.firmware is not None:
        weights = evaluator.evaluation.weights
        files = firmware.write(paths.model, settings.firmware, weights=weights)
        say(f"firmware: {', '.join(map(str, files))}")
    say(f"model: {paths.model}, in {time.monotonic() - started:.0f} s from the start")


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


def make_sequences(
    settings: Settings, pools: SoundPools, hop: int, rate_hz: int
) -> tuple[list[SceneSequence], dict[str, list[SceneSequence]]]:
    """Sequences to fit the decision to, of validation clips; and to measure on, by kind."""
    count, scenes = (1, 3) if settings.quick else (12, 10)
    sequences = SequenceSettings(count, scenes, hop, rate_hz, settings.seed)
    fitting = dataclasses.replace(sequences, count=FITTING * count)
    kinds = {"synthetic sequences": pools.test, "recorded sequences": pools.recorded}
    measuring = {
        name: draw_sequences(pool, sequences, name) for name, pool in kinds.items() if any(pool)
    }
    return draw_sequences(pools.validation, fitting, "fit"), measuring


@dataclasses.dataclass(frozen=True)
class Results:
    """What a run has measured.

    Attributes:
        evaluator: of the step files, with its sequences.
        metrics: of the manifest.
        fitted: predictions of the sequences that the decision was fitted to.
        conditions: programs over ratio and level; None: not measured.
    """

    evaluator: StepEvaluator
    metrics: dict
    fitted: list[HopPredictions]
    conditions: Conditions | None


def write_report(settings: Settings, trained: StreamingModel, results: Results) -> None:
    """Write the page of the run."""
    front = spectrogram_of(trained.model)

    def spectrogram(samples: np.ndarray) -> np.ndarray:
        return front(samples[None])[0, ..., 0].numpy()

    report = build_report(
        ReportContents(
            name=settings.name,
            evaluation=results.evaluator.evaluation,
            metrics=results.metrics,
            decision=trained.decision,
            classes=trained.classes,
            sequences=results.evaluator.sequences,
            fitted=results.fitted,
            conditions=results.conditions,
            spectrogram=spectrogram,
            history=trained.history,
            command=settings.command,
            frequencies_hz=front.front_end.frequencies_hz,
            notices=[*([QUICK_NOTICE] if settings.quick else []), *trained.warnings],
        )
    )
    say(f"report: {report.write(settings.paths.report)[-1]}")
