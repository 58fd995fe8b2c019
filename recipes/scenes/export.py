"""Export of the scene classifier in every format, with manifest and card."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from recipes.scenes.data import SceneData
from recipes.scenes.report import describe_abstention
from recipes.scenes.scores import Scores, compare_with_simplest, manifest_metrics, rarer_class
from recipes.scenes.settings import Settings
from zoo import export
from zoo.convnets import last_float_layer_of
from zoo.convnets.unknown_class import UNKNOWN
from zoo.crossvalidation.files import CALIBRATION_CLIPS
from zoo.crossvalidation.strangers import Unknown
from zoo.data.clips import spread_rows
from zoo.data.synthesis import scene
from zoo.export.sound import (
    classifier_quantities,
    classifier_settings,
    operating_point_entry,
)
from zoo.progress import say
from zoo.spectrogram import ReferenceLevel, Trim

GOLDEN_SCENES = ("music", "rain", "speech", "traffic")


def export_model(
    settings: Settings,
    model: keras.Model,
    data: SceneData,
    scores: Scores,
    facts: dict[str, Any],
    unknown: Unknown | None = None,
) -> None:
    """Write the model in every format, checked in fresh processes, to `settings.paths.model`.

    Args:
        settings: of the experiment.
        model: trained and calibrated, waveform to probabilities, "unknown" last where it is known.
        data: clips, licence and limits.
        scores: of the cross-validation.
        facts: entry `training` of the manifest.
        unknown: threshold of that class; None: the model has none.
    """
    clips, duration_s = data.clips, data.duration_s
    classes = clips.classes if unknown is None else (*clips.classes, UNKNOWN)
    samples = model.inputs[0].shape[1]
    golden = {
        # synthetic, not recorded: what a corpus' licence keeps from being passed on stays out of it
        name: np.resize(scene(name, seed=0, duration_s=max(1.0, duration_s)).samples, samples)
        for name in GOLDEN_SCENES
    }
    about = export.About(
        name=settings.paths.name,
        task=f"sound classification, {data.title}",
        description=f"{model.name}: from {duration_s:g} s of sound to the probability of each of "
        f"{len(clips.classes)} classes, front end inside{describe_level(model)}"
        f"{describe_trimming(model)}."
        + (
            ""
            if unknown is None
            else f" The last class, {UNKNOWN!r}, is for sounds of none of them."
        ),
        quantities=classifier_quantities(model, classes),
        metrics=manifest_metrics(scores) | ({} if unknown is None else unknown.metrics()),
        limits=[
            *data.limits,
            "Metrics are those of cross-validation; the weights were trained on all folds.",
            describe_abstention(scores),
            *([] if unknown is None else [unknown.limit()]),
        ],
        training=facts,
        settings={
            **classifier_settings(model, classes),
            "abstain_below": scores.threshold,
            **({} if unknown is None else {"unknown": unknown.entry()}),
            **operating_point(scores, clips.classes),
        },
        licence=data.licence.weights,
        data_licence=data.licence.data,
        provenance=f"Made by `{settings.command}`.",
        warnings=compare_with_simplest(scores).warnings,
    )
    rows = spread_rows(np.arange(len(clips)), CALIBRATION_CLIPS)
    examples = clips[rows].to_array(duration_s=duration_s)
    if unknown is not None:  # or no integers would reach as far as strangers do
        examples = np.concatenate([examples, np.stack(list(golden.values()))])
    export.write(
        settings.paths.model,
        about,
        export.Endpoints(model),
        golden,
        export.ExportOptions(examples=examples, front=last_float_layer_of(model)),
        progress=say,
    )


def describe_level(model: keras.Model) -> str:
    """Level that the `ReferenceLevel` layer scales clips to, as a clause; empty without it."""
    layer = next((layer for layer in model.layers if isinstance(layer, ReferenceLevel)), None)
    if layer is None:
        return ""
    return (
        f"; each clip is first scaled so that its loudest moments reach {layer.reference_db:g} dB, "
        f"by {layer.max_gain_db:g} dB at most, so the gain of the recording does not count"
    )


def operating_point(scores: Scores, classes: Sequence[str]) -> dict[str, Any]:
    """Entry `operating_point` of the manifest of two classes; empty for others."""
    if scores.operating_point is None:
        return {}
    positive = rarer_class(scores.test.labels)
    return operating_point_entry(
        scores.operating_point, positive=classes[positive], negative=classes[1 - positive]
    )


def describe_trimming(model: keras.Model) -> str:
    """Range of the `Trim` layer, as a clause for the description; empty without that layer."""
    trim = next((layer for layer in model.layers if isinstance(layer, Trim)), None)
    if trim is None:
        return ""
    return (
        f"; leading and trailing frames more than {trim.range_db:g} dB below the loudest are cut "
        "off, and the rest is repeated"
    )
