"""Cross-validate a scene classifier, calibrate it, train it on all folds, report, export."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.scenes import pretraining
from recipes.scenes.copies import compute_features
from recipes.scenes.data import SceneData, fold_count, load_data
from recipes.scenes.distillation import DistillationSettings, prepare_teacher
from recipes.scenes.export import export_model
from recipes.scenes.report import make_report, print_tables
from recipes.scenes.scores import compare_with_simplest, compute_scores
from recipes.scenes.settings import STEPS_PER_EPOCH, Settings
from recipes.scenes.unknown import can_be_unknown, unknown_of, with_unknown
from zoo import crossvalidation, presets
from zoo.convnets import output_layer_of, split_model
from zoo.crossvalidation import AugmentationSettings, TrainingSettings
from zoo.data.clips import Clips
from zoo.data.folds import Fold, describe_folds, make_folds
from zoo.data.other_sound import read_strangers
from zoo.explain import add_explanations
from zoo.progress import say
from zoo.training import History

SAME_CLASS_SHARE = 0.5


def run(settings: Settings) -> None:
    """Run the experiment and write report and model to `settings.paths`.

    Raises:
        ValueError: a corpus or settings that cannot be used, in one line.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    data, paths = load_data(settings), settings.paths
    clips = data.clips
    training = training_settings(settings)
    data, training, start = pretrain_network(settings, data, training)
    build = make_builder(settings, data, start)
    model = build()
    say(f"{settings.model}: {model.count_params():,} parameters, {len(clips.classes)} classes")
    count = fold_count(clips, settings)
    folds = describe_folds(clips.index, count=count)
    say(folds)
    parts = make_folds(clips.index, count=count, seed=settings.seed)
    data, features, train = prepare_training(settings, data, model, parts)
    evaluators, strangers = make_evaluators(settings, data, model, features)
    results = crossvalidation.cross_validate(
        build,
        features,
        parts[: settings.folds],
        training,
        evaluators,
        train=train,
        workers=settings.workers,
    )
    scores = compute_scores(results, clips)
    unknown = unknown_of(results, strangers)
    print_tables(scores)

    say("training the exported model on all folds")
    rows = np.arange(len(clips))
    _, history = train(model, features, rows, None, training, "whole")
    scale_logits(model, scores.temperature)

    report = make_report(settings, data, scores, results)
    if unknown is not None:
        unknown.add_to(report)
    first_of_class = np.unique(clips.labels, return_index=True)[1]
    source = "the first clip of each class, a training clip"
    add_explanations(
        report, model, clips, first_of_class, duration_s=data.duration_s, source=source
    )
    say(f"report: {report.write(paths.report)[-1]}")
    compare_with_simplest(scores).require_better(force=settings.force or settings.quick)
    facts = training_facts(settings, training, history, len(rows), scores.temperature)
    facts["cross_validation"] = folds
    if settings.teacher is not None:
        facts["teacher"] = settings.teacher.name
    if settings.frozen:
        facts["trained"] = "the last layer alone, behind pre-trained ones"
    if unknown is not None:
        model = with_unknown(model, features, rows, unknown)
    export_model(settings, model, data, scores, facts, unknown)
    if settings.checkpoint is None:  # they served to resume an interrupted run
        paths.remove_checkpoints()
    say(f"model: {paths.model}, {time.monotonic() - started:.0f} s in all")


def make_evaluators(
    settings: Settings, data: SceneData, model: keras.Model, features: Clips
) -> tuple[crossvalidation.Evaluators, tuple[str, ...]]:
    """What is measured of the network of each fold, and the corpora of the strangers.

    Args:
        settings: of the experiment.
        data: clips.
        model: whose front end is computed.
        features: front end output of every clip.

    Raises:
        ValueError: strangers that cannot be used, in one line.
    """
    clips, duration_s = data.clips, data.duration_s
    familiarity, titles = None, ()
    if can_be_unknown(model, clips.classes):
        strangers, titles = read_strangers(
            settings.strangers, clips, duration_s, settings.cache or "memory"
        )
        if strangers is not None:
            front, _ = split_model(model)
            strangers = strangers.with_features(front, duration_s=duration_s)
        familiarity = crossvalidation.FamiliarityEvaluator(features, strangers)
    files = None if settings.quick else crossvalidation.make_file_evaluator(clips, duration_s)
    robustness = crossvalidation.make_robustness_evaluator(clips, duration_s)
    return crossvalidation.Evaluators(files, robustness, familiarity), titles


def prepare_training(
    settings: Settings,
    data: SceneData,
    model: keras.Model,
    parts: Sequence[Fold],
) -> tuple[SceneData, Clips, crossvalidation.Trainer]:
    """Features of the clips and of their copies, and what trains the network of a fold on them.

    `data` is returned with what the card says of a teacher.

    Args:
        settings: of the experiment.
        data: clips.
        model: whose front end is computed.
        parts: folds.

    Raises:
        OSError: no such teacher.
        ValueError: other sound or a teacher that cannot be used, in one line.
    """
    if settings.teacher is not None:
        other = None
        if settings.teacher_sound:
            other = pretraining.read_other_sound(
                settings.teacher_sound, data, settings.cache, is_labelled=False
            )
        hearing = DistillationSettings(
            settings.cache or settings.paths.root, settings.without, settings.seed
        )
        return prepare_teacher(settings.teacher, data, model, parts, other, hearing)
    features = compute_features(
        *(data.clips, model, data.duration_s, settings.without),
        parts=parts,
        seed=settings.seed,
        cache=settings.cache,
        workers=settings.workers,
    )
    if settings.frozen:
        return data, features, pretraining.fit_last_layer
    return data, features, crossvalidation.train_network


def training_settings(settings: Settings) -> TrainingSettings:
    """Training of every fold and of the exported model."""
    default_epochs = 2 if settings.quick else 40 if settings.data else 12
    equaliser_db = AugmentationSettings.equaliser_db
    logs = settings.tensorboard
    return TrainingSettings(
        epochs=settings.epochs or default_epochs,
        steps_per_epoch=4 if settings.quick else STEPS_PER_EPOCH,
        learning_rate=settings.learning_rate,
        augmentation=AugmentationSettings(
            time_shift="shifts" not in settings.without,
            same_class=0.0 if "same-class" in settings.without else SAME_CLASS_SHARE,
            equaliser_db=0.0 if "equaliser" in settings.without else equaliser_db,
            masks="masks" not in settings.without,
            mixup=settings.mixup,
            freq_mixstyle=settings.freq_mixstyle,
        ),
        seed=settings.seed,
        checkpoints=checkpoint_folder(settings),
        logs=logs and logs / f"{settings.model}-seed{settings.seed}",
    )


def checkpoint_folder(settings: Settings) -> Path:
    """Folder of the checkpoints of one network and seed."""
    folder = settings.checkpoint or settings.paths.checkpoints
    return folder / f"{settings.model}-seed{settings.seed}"


def pretrain_network(
    settings: Settings, data: SceneData, training: TrainingSettings
) -> tuple[SceneData, TrainingSettings, pretraining.Weights]:
    """Train the network on the corpora of `settings.pretrain`, if there are any.

    Args:
        settings: network, seed and corpora.
        data: that is cross-validated.
        training: of every fold.

    Returns:
        `data` with limits and licences of these corpora; `training` with checkpoints of its own;
        weights to begin with, none without such corpora.

    Raises:
        ValueError: corpora that cannot be used, in one line.
    """
    if not settings.pretrain:
        return data, training, {}
    other = pretraining.read_other_sound(settings.pretrain, data, settings.cache)
    model = make_builder(settings, replace(data, clips=other.clips))()
    start = pretraining.pretrain(model, other, data.duration_s, training)
    if training.checkpoints is not None:  # their names do not tell initial weights apart
        name = f"{training.checkpoints.name}-pretrained-{pretraining.hash_weights(start)}"
        training = replace(training, checkpoints=training.checkpoints.with_name(name))
    return pretraining.add_terms(data, other.titles), training, start


def make_builder(
    settings: Settings, data: SceneData, start: pretraining.Weights | None = None
) -> Callable[[], keras.Model]:
    """A function that builds the whole model, with the same initial weights each time.

    Args:
        settings: network and seed.
        data: classes, sample rate and duration of the clips.
        start: weights to begin with, by name of layer; None: those of the seed.

    Raises:
        ValueError: clips without a sample rate.
    """
    rate_hz = data.clips.sample_rate_hz
    if rate_hz is None:
        raise ValueError("Expected waveforms. Received: clips without a sample rate.")

    return partial(
        build_model,
        settings.model,
        len(data.clips.classes),
        sample_rate_hz=rate_hz,
        duration_s=data.duration_s,
        seed=settings.seed,
        start=start,
    )


def build_model(
    model: str,
    classes: int,
    *,
    sample_rate_hz: int,
    duration_s: float,
    seed: int,
    start: pretraining.Weights | None = None,
) -> keras.Model:
    """The whole model with the initial weights of a seed.

    Args:
        model: name of the network.
        classes: number of classes.
        sample_rate_hz: of the clips [Hz].
        duration_s: of a clip for the network [s].
        seed: of the weights.
        start: weights to begin with, by name of layer; the other layers have those of the seed.
    """
    keras.utils.set_random_seed(seed)
    built = presets.sound(model, classes, sample_rate_hz=sample_rate_hz, duration_s=duration_s)
    pretraining.set_weights(built, start or {})
    return built


def scale_logits(model: keras.Model, temperature: float) -> None:
    """Put temperature scaling into the last layer: softmax((W x + b) / T)."""
    last = output_layer_of(model)
    last.set_weights([weights / temperature for weights in last.get_weights()])


def training_facts(
    settings: Settings,
    training: TrainingSettings,
    history: History,
    clips: int,
    temperature: float,
) -> dict[str, Any]:
    """Entry `training` of the manifest."""
    return {
        "seed": settings.seed,
        "clips": clips,
        "epochs": len(history.loss),
        "batches_per_epoch": training.steps_per_epoch,
        "batch_size": crossvalidation.BATCH_SIZE,
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "temperature": temperature,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
