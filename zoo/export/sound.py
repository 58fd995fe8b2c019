"""Manifest entries that all sound classifiers share: inputs, outputs, classes and front end."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from zoo.convnets import front_end_of
from zoo.data.split import Quantity


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
    """Manifest entries `classes` and `front_end` of a classifier.

    Args:
        model: waveform to probabilities.
        classes: names of the classes, in the order of the output.
    """
    return {"classes": list(classes), "front_end": dataclasses.asdict(front_end_of(model))}
