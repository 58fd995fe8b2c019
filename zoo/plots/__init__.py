"""Figures: functions from arrays to matplotlib figures in one style.

`figure.savefig(path)` writes a figure; `zoo.report.Report` puts several on a page. A new figure is
a function with the decorator `zoo.plots.style.house_style`, in the module named for what it draws.
Figures of classifiers are in `zoo.plots.binary` and `zoo.plots.multiclass`.
"""

from zoo.plots.activations import Activation, activations
from zoo.plots.certificate import ErrorCurve, extrapolation, refinement
from zoo.plots.explanation import evidence, random_weights
from zoo.plots.filters import first_filters
from zoo.plots.hierarchy import feature_hierarchy
from zoo.plots.loops import Loop, identified_fit, loops, number_rows, predicted_loops
from zoo.plots.matrices import Matrix, matrices
from zoo.plots.memory import (
    Decay,
    fading,
    gate_use,
    gradients,
    memory_of_material,
    spectra,
    task_errors,
)
from zoo.plots.scores import error_against_parameters, error_by_split, learning_curves
from zoo.plots.spectrograms import SpectrogramImage, spectrograms, waveform_and_spectrogram
from zoo.plots.states import Trace, states_over_time
from zoo.plots.switching import (
    delay_against_false_switches,
    found_over_time,
    shares_by_condition,
)
from zoo.plots.timeline import Timeline, timeline

__all__ = [
    "Activation",
    "Decay",
    "ErrorCurve",
    "Loop",
    "Matrix",
    "SpectrogramImage",
    "Timeline",
    "Trace",
    "activations",
    "delay_against_false_switches",
    "error_against_parameters",
    "error_by_split",
    "evidence",
    "extrapolation",
    "fading",
    "feature_hierarchy",
    "first_filters",
    "found_over_time",
    "gate_use",
    "gradients",
    "identified_fit",
    "learning_curves",
    "loops",
    "matrices",
    "memory_of_material",
    "number_rows",
    "predicted_loops",
    "random_weights",
    "refinement",
    "shares_by_condition",
    "spectra",
    "spectrograms",
    "states_over_time",
    "task_errors",
    "timeline",
    "waveform_and_spectrogram",
]
