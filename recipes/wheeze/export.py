"""Export of the wheeze detector in every format, with manifest and card."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from recipes.wheeze.data import Breaths
from recipes.wheeze.settings import WARNING, Settings
from zoo import export
from zoo.convnets import last_float_layer_of
from zoo.crossvalidation.files import CALIBRATION_CLIPS
from zoo.data.clips import spread_rows
from zoo.data.synthesis import breath, draw_patient
from zoo.export.sound import (
    classifier_quantities,
    classifier_settings,
    operating_point_entry,
)
from zoo.metrics.operating_point import OperatingPoint
from zoo.progress import say

DESCRIPTIONS = {
    "peak": "The height of the highest tone above the smoothed spectrum, less what is constant "
    "over the breath, which a tenth of the breath exceeds; nothing but slope and offset of the "
    "probability is fitted",
    "lines": "A network of a few weights, monotonic in the prominence of tones",
}


def export_model(
    settings: Settings,
    model: keras.Model,
    breaths: Breaths,
    metrics: dict[str, dict[str, dict[str, Any]]],
    facts: dict[str, Any],
    point: OperatingPoint | None,
    warnings: Sequence[str] = (),
) -> None:
    """Write the model in every format, checked in fresh processes, to `settings.paths.model`.

    Args:
        settings: of the experiment.
        model: trained and calibrated, waveform to probabilities.
        breaths: clips, licence and limits.
        metrics: entry `metrics` of the manifest.
        facts: entry `training` of the manifest.
        point: operating point; None: not known.
        warnings: first lines of the card.
    """
    clips, duration_s = breaths.clips, settings.duration_s
    samples = model.inputs[0].shape[1]
    golden = {
        # synthetic, not recorded: a patient's breath stays where it was recorded
        name: np.resize(
            breath(draw_patient(0, name), seed=0, duration_s=max(2.0, duration_s)).samples, samples
        )
        for name in ("normal", "wheeze")
    }
    about = export.About(
        name=settings.paths.name,
        task="wheeze in a breath, research only",
        description=f"{DESCRIPTIONS[settings.detector]}: from {duration_s:g} s of breath at "
        f"{clips.sample_rate_hz} Hz to the probability of a wheeze, front end inside.",
        quantities=classifier_quantities(model, clips.classes),
        metrics=metrics,
        limits=list_limits(settings, breaths, metrics),
        training=facts,
        settings={
            **classifier_settings(model, clips.classes),
            **(
                {}
                if point is None
                else operating_point_entry(point, positive="wheeze", negative="normal")
            ),
        },
        licence=breaths.licence.weights,
        data_licence=breaths.licence.data,
        provenance=f"Made by `{settings.command}`.",
        warnings=warnings,
    )
    rows = spread_rows(np.arange(len(clips)), CALIBRATION_CLIPS)
    export.write(
        settings.paths.model,
        about,
        export.Endpoints(model),
        golden,
        export.ExportOptions(
            examples=clips[rows].to_array(duration_s=duration_s),
            front=last_float_layer_of(model),
        ),
        progress=say,
    )


def list_limits(
    settings: Settings, breaths: Breaths, metrics: dict[str, dict[str, dict[str, Any]]]
) -> list[str]:
    """Limits of use for the card, with a line where the best baseline was not exceeded."""
    limits = [
        WARNING,
        "Intended for research and teaching: finding breaths that are worth listening to.",
        *breaths.limits,
        "Metrics are those of patients held out; the weights were trained on all patients.",
        f"A breath of other length than {settings.duration_s:g} s is cut to its centre, or "
        "repeated.",
    ]
    auc = next(iter(metrics.values()))["AUC"]
    if settings.detector == "peak":
        limits.append("It is the best of the simple baselines itself: networks were not better.")
    elif auc["value"] <= auc["baseline"]:
        limits.append(f"Its AUC does not exceed that of the baseline {auc['baseline_name']}.")
    return limits
