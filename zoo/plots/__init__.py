"""Arrays in, matplotlib figures out, in one style; no model is known here.

`figure.savefig(path)` writes a figure; `zoo.report.Report` collects several on a page. A new figure
is a function from arrays or plain dicts to a `Figure` under `zoo.plots.style.house_style`, in the
file that holds its idea.
"""

from zoo.plots.certificate import ErrorCurve, extrapolation, refinement
from zoo.plots.explanation import evidence
from zoo.plots.lecture import (
    Activation,
    Matrix,
    activations,
    matrices,
    spectrograms,
    waveform_and_spectrogram,
)
from zoo.plots.loops import Loop, identified_fit, loops
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
from zoo.plots.sound import SoundImage
from zoo.plots.states import Trace, states_over_time
from zoo.plots.timeline import Timeline, timeline

__all__ = [
    "Activation",
    "Decay",
    "ErrorCurve",
    "Loop",
    "Matrix",
    "SoundImage",
    "Timeline",
    "Trace",
    "activations",
    "error_against_parameters",
    "error_by_split",
    "evidence",
    "extrapolation",
    "fading",
    "gate_use",
    "gradients",
    "identified_fit",
    "learning_curves",
    "loops",
    "matrices",
    "memory_of_material",
    "refinement",
    "spectra",
    "spectrograms",
    "states_over_time",
    "task_errors",
    "timeline",
    "waveform_and_spectrogram",
]
