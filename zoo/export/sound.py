"""Manifest entries that all sound classifiers share: inputs, outputs, classes and front end."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from zoo.convnets import front_end_of
from zoo.data.split import Quantity
from zoo.metrics.operating_point import OperatingPoint
from zoo.report.metrics import manifest_metric

INPUT_CONTRACT = {
    "samples": "finite numbers in [-1, 1]; the files do not check them: do it before",
    "NaN or infinity": "refuse: float32 and float16 files return NaN, dynamic and int8 files "
    "probabilities that mean nothing",
    "silence": "refuse: a clip that deviates from its mean by less than -100 dBFS (RMS) holds no "
    "sound, and the probabilities of every file mean nothing",
    "checked by": "zoo predict, zoo.edge, recipes.app",
}


def classifier_quantities(
    model: keras.Model, classes: Sequence[str]
) -> dict[str, tuple[Quantity, ...]]:
    """Quantities of a classifier: `waveform` (batch, samples), `probabilities` (batch, classes).

    Args:
        model: waveform to probabilities.
        classes: names of the classes, in the order of the output.
    """
    sample_rate_hz = front_end_of(model).sample_rate_hz
    waveform = Quantity("waveform", "1", f"sound in [-1, 1] at {sample_rate_hz:g} Hz")
    return {
        "waveform": (waveform,),
        "probabilities": tuple(Quantity(name, "-", f"probability of {name}") for name in classes),
    }


def classifier_settings(model: keras.Model, classes: Sequence[str]) -> dict[str, Any]:
    """Manifest entries `classes`, `front_end` and `input_contract` of a classifier.

    Args:
        model: waveform to probabilities.
        classes: names of the classes, in the order of the output.
    """
    return {
        "classes": list(classes),
        "front_end": dataclasses.asdict(front_end_of(model)),
        "input_contract": INPUT_CONTRACT,
    }


def operating_point_entry(
    point: OperatingPoint, *, positive: str, negative: str
) -> dict[str, dict[str, Any]]:
    """Manifest entry `operating_point` of a classifier of two classes.

    `zoo.edge.labels.LabelRule` reads it.

    Args:
        point: threshold, prior, sensitivity and specificity.
        positive: class that the threshold is of.
        negative: the other one.
    """
    return {
        "operating_point": {
            "class": positive,
            "threshold": point.threshold,
            "rule": f"{positive} where its probability is at least the threshold, else {negative}",
            "sensitivity": manifest_metric(point.sensitivity),
            "specificity": manifest_metric(point.specificity),
            "measured": "on groups held out, at thresholds chosen on other groups (Youden's J)",
            "prior": point.prior,
            "calibration": f"probabilities hold where the share of {positive} is the prior; for "
            "another share q add logit(q) - logit(prior) to logit(p), and move the threshold alike",
        }
    }
