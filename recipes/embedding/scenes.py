"""A small classifier of whole clips: the first blocks of the embedding, and a linear head.

Nothing but the head is trained on labels, on the clips and on noisy copies of a smaller weight, so
that folds take seconds. Whether a fold was heard in the distillation, without its labels, is said
beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.embedding.export_model import DATA_LICENCE
from recipes.embedding.head import (
    COPY_WEIGHT,
    NOISY_COPIES,
    PENALTY,
    Features,
    Head,
    changed_features,
    compute_features,
    embed,
    fit_to,
    probabilities_of,
)
from recipes.embedding.settings import SceneSettings
from recipes.embedding.strangers import measure_strangers
from recipes.embedding.students import copy_weights
from zoo import export, models
from zoo.baselines.linear import ridge_classifier
from zoo.convnets import (
    ConvNetModel,
    config_of,
    front_end_of,
    last_float_layer_of,
    sound_model,
)
from zoo.convnets.config import first_layers
from zoo.convnets.unknown_class import UNKNOWN, add_unknown_class
from zoo.crossvalidation import Predictions, robustness_accuracy, robustness_metrics
from zoo.crossvalidation.robustness import AS_RECORDED
from zoo.crossvalidation.strangers import METRICS, Unknown
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.corpora.licences import licence_of
from zoo.data.folds import Fold, group_keys, make_folds
from zoo.data.other_sound import read_strangers
from zoo.data.recordings import load_clips, title_of
from zoo.data.synthesis import scene
from zoo.export.precision import measure_precisions
from zoo.export.sound import classifier_quantities, classifier_settings
from zoo.metrics import calibration
from zoo.metrics.bootstrap import bootstrap_interval
from zoo.metrics.familiarity import prototypes_of
from zoo.names import graph_name
from zoo.progress import say
from zoo.report.metrics import manifest_metric

NEVER_HEARD = "4"  # fold that was in no part of the distillation
MIN_ACCURACY, MIN_CLIPS = 0.95, 10  # that the confidence threshold is chosen for
GOLDEN_SCENES = ("music", "rain", "speech", "traffic")
BASELINE = "linear, on band statistics"


def build_classifier(base: keras.Model, blocks: int, classes: int, name: str) -> ConvNetModel:
    """The front end and the first blocks of an embedding, with an output of classes.

    Args:
        base: model with an embedding.
        blocks: convolutions to keep.
        classes: number of classes; the head still has its initial weights.
        name: of the model.

    Raises:
        ValueError: more blocks than the base has.
    """
    front = [
        type(layer).from_config(layer.get_config())
        for layer in (base.get_layer(each) for each in getattr(base, "front", ()))
    ]
    config = first_layers(config_of(base), blocks)
    model = sound_model(config, front, classes, samples=base.input.shape[1], name=name)
    copy_weights(base, model)  # all but the new output
    return model


def evaluate_fold(features: Features, clips: Clips, fold: Fold) -> dict[str, Predictions]:
    """Predictions of a fold's test clips as recorded, by the head and by the baseline."""
    rows, labels = np.flatnonzero(fold.test), clips.labels
    head = fit_to(features, labels, fold.train)
    classes = len(clips.classes)
    score = ridge_classifier(features.statistics[fold.train], labels[fold.train], classes)
    linear = np.eye(len(clips.classes))[score(features.statistics[rows]).argmax(axis=1)]
    probabilities = probabilities_of(features.averages[rows], head)
    return {
        AS_RECORDED: Predictions(labels[rows], probabilities, rows),
        BASELINE: Predictions(labels[rows], linear, rows),
    }


def accuracy_entry(
    results: Sequence[Mapping[str, Predictions]], groups: np.ndarray
) -> dict[str, Any]:
    """Manifest entry of the accuracy over some folds, beside the baseline on the same."""
    hits = np.concatenate([_hits(result[AS_RECORDED]) for result in results])
    baseline = np.concatenate([_hits(result[BASELINE]) for result in results])
    rows = np.concatenate([result[AS_RECORDED].rows for result in results])
    interval = bootstrap_interval(lambda draw: float(hits[draw].mean()), groups[rows])
    return manifest_metric(interval, float(baseline.mean()), BASELINE)


def _hits(predictions: Predictions) -> np.ndarray:
    return predictions.probabilities.argmax(axis=1) == predictions.labels


def calibrate(results: Sequence[Mapping[str, Predictions]]) -> tuple[float, float | None]:
    """Temperature and confidence threshold, of the predictions of clips left out."""
    labels = np.concatenate([result[AS_RECORDED].labels for result in results])
    p = np.concatenate([result[AS_RECORDED].probabilities for result in results])
    temperature = calibration.fit_temperature(labels, p)
    scaled = calibration.apply_temperature(p, temperature)
    threshold = calibration.abstention_threshold(
        labels, scaled, min_accuracy=MIN_ACCURACY, min_clips=MIN_CLIPS
    )
    return temperature, None if threshold is None else threshold.confidence


def set_head(model: keras.Model, head: Head, temperature: float = 1.0) -> None:
    """Put a head, divided by a temperature, into the last layer."""
    model.layers[-1].set_weights([part / temperature for part in head])


def measure_unheard(
    model: keras.Model, features: Features, clips: Clips, fold: Fold
) -> dict[str, dict[str, Any]]:
    """Manifest entries of a fold that nothing heard: changed clips, and the file in 8 bits.

    Args:
        model: gets the head of that fold.
        features: of all clips.
        clips: waveforms.
        fold: whose test clips are measured on.
    """
    head, labels = fit_to(features, clips.labels, fold.train), clips.labels[fold.test]
    set_head(model, head)
    rows = np.flatnonzero(fold.test)
    changed = {
        name: Predictions(labels, probabilities_of(x, head), rows)
        for name, x in changed_features(model, clips[rows]).items()
    }
    duration_s = model.input.shape[1] / front_end_of(model).sample_rate_hz
    files = measure_precisions(
        model,
        clips[rows].to_array(duration_s=duration_s),
        examples=clips[np.flatnonzero(fold.train)[::4]].to_array(duration_s=duration_s),
        front=last_float_layer_of(model),
        weights=("float32", "int8"),
        progress=say,
    )
    title = f"{fold.name}, never heard"
    return {
        f"{title}, changed clips": robustness_metrics(robustness_accuracy([changed])),
        **{
            f"{title}, {name} file": {
                "accuracy": {"value": float(np.mean(each.predictions.argmax(axis=-1) == labels))},
                "kB": {"value": each.bytes / 1e3},
            }
            for name, each in files.items()
        },
    }


def run(settings: SceneSettings) -> dict[str, Any]:
    """Cross-validate, fit the head to all clips, export; returns the manifest.

    Raises:
        ValueError: a corpus or a base that cannot be used, in one line.
    """
    settings.paths.check()
    loaded = models.load(settings.base)
    corpus = corpora.read(settings.data)
    rate_hz = round(front_end_of(loaded.keras).sample_rate_hz)
    clips = load_clips(corpus.index, sample_rate_hz=rate_hz)
    name = graph_name(settings.paths.name)
    model = build_classifier(loaded.keras, settings.blocks, len(clips.classes), name)
    say(f"{settings.blocks} blocks of {settings.base}: {model.count_params():,} parameters")
    features = compute_features(model, clips)
    folds = make_folds(clips.index)
    results = {fold.name: evaluate_fold(features, clips, fold) for fold in folds}
    metrics = {}
    for is_heard, title in ((False, "never heard"), (True, "heard without labels")):
        chosen = [fold for fold in folds if (fold.name.split()[-1] != NEVER_HEARD) == is_heard]
        if chosen:
            entry = accuracy_entry([results[fold.name] for fold in chosen], group_keys(clips.index))
            metrics[f"{', '.join(fold.name for fold in chosen)}, {title}"] = {"accuracy": entry}
            say(f"{title}: accuracy {entry['value']:.3f}, {BASELINE} {entry['baseline']:.3f}")
        for fold in [] if is_heard else chosen:
            metrics |= measure_unheard(model, features, clips, fold)
    duration_s = model.input.shape[1] / rate_hz
    strangers, titles = read_strangers(settings.strangers, clips, duration_s)
    seen = None if strangers is None else embed(model, strangers)
    unknown = measure_strangers(features, clips, folds, seen, titles, NEVER_HEARD)
    say(unknown.limit())
    metrics[f"fold {NEVER_HEARD}, never heard, unknown sounds"] = unknown.metrics()[METRICS]
    temperature, threshold = calibrate(list(results.values()))
    set_head(model, fit_to(features, clips.labels, np.ones(len(clips), bool)), temperature)
    prototypes = prototypes_of(features.averages, clips.labels, len(clips.classes))
    whole = add_unknown_class(model, prototypes, unknown.threshold)
    about = _about(
        *(settings, whole, clips, metrics, threshold, title_of(corpus), loaded.manifest),
        unknown=unknown,
    )
    return _export(settings, whole, clips, about)


def _about(
    settings: SceneSettings,
    model: keras.Model,
    clips: Clips,
    metrics: dict[str, Any],
    threshold: float | None,
    title: str,
    of_base: Mapping[str, Any],
    *,
    unknown: Unknown,
) -> export.About:
    """Entries of the manifest."""
    base, classes = Path(settings.base).name, (*clips.classes, UNKNOWN)
    return export.About(
        name=settings.paths.name,
        task=f"sound classification, {title}",
        description=f"The first {settings.blocks} blocks of {base} and a linear head: from 5 s of "
        f"sound to the probability of each of {len(clips.classes)} classes, front end inside; gain "
        f"and silence at the ends do not count. The last class, {UNKNOWN!r}, is for sounds of none "
        "of them.",
        quantities=classifier_quantities(model, classes),
        metrics=metrics,
        limits=[
            f"Trained on {title} alone: other microphones and places may differ.",
            f"{base} was distilled on sound of folds 1 to 3 without labels, by a teacher that "
            "heard them as well: only fold 4 is sound that no part of it ever heard.",
            "The number of blocks follows from 128 kB in 8 bits, the penalty of the head and "
            "the weight of noisy copies were chosen on folds 1 to 3.",
            "That there are noisy copies at all was decided after fold 4 had been right for 65 % "
            "in white noise without them: its accuracy in noise is not a blind test.",
            "The exported head was fitted to all folds.",
            unknown.limit(),
        ],
        training={
            "clips": len(clips),
            "noisy_copies": NOISY_COPIES,
            "weight_of_a_copy": COPY_WEIGHT,
            "penalty": PENALTY,
            "base": base,
            "trained": "the head alone",
        },
        settings={
            **classifier_settings(model, classes),
            "abstain_below": threshold,
            "unknown": unknown.entry(),
        },
        licence=of_base.get("licence", ""),
        data_licence=f"{licence_of(title).data} {base}: {DATA_LICENCE}",
        provenance=f"Made by `{settings.command}`.",
    )


def _export(
    settings: SceneSettings, model: keras.Model, clips: Clips, about: export.About
) -> dict[str, Any]:
    samples = model.input.shape[1]
    duration_s = samples / front_end_of(model).sample_rate_hz
    golden = {
        name: np.resize(scene(name, seed=0, duration_s=5.0).samples, samples)
        for name in GOLDEN_SCENES
    }
    examples = clips[np.arange(0, len(clips), 5)].to_array(duration_s=duration_s)
    return export.write(
        settings.paths.model,
        about,
        export.Endpoints(model),
        golden,
        export.ExportOptions(  # with strangers, or no integers would reach as far
            examples=np.concatenate([examples, np.stack(list(golden.values()))]),
            front=last_float_layer_of(model),
        ),
        progress=say,
    )
