"""Evaluation of a fold's exported TFLite files on the clips that it holds out."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from zoo.convnets import last_float_layer_of
from zoo.data.clips import Clips, spread_rows
from zoo.export.precision import PrecisionResult, measure_precisions
from zoo.progress import say

CALIBRATION_CLIPS = 64  # enough to calibrate the ranges of integers on
FileEvaluator = Callable[[keras.Model, np.ndarray, np.ndarray], dict[str, PrecisionResult]]


def make_file_evaluator(clips: Clips, duration_s: float) -> FileEvaluator:
    """A function that exports a trained model in every precision and predicts held-out clips.

    Args:
        clips: waveforms, all.
        duration_s: of a clip for the model [s].

    Returns:
        (model, training rows, test rows) -> precision -> its file and predictions of the test rows.
    """
    return partial(_evaluate_files, clips, duration_s)


def _evaluate_files(
    clips: Clips, duration_s: float, model: keras.Model, train: np.ndarray, test: np.ndarray
) -> dict[str, PrecisionResult]:
    """A function of a module, so that it can be sent to another process."""
    examples = clips[spread_rows(train, CALIBRATION_CLIPS)].to_array(duration_s=duration_s)
    x = clips[test].to_array(duration_s=duration_s)
    return measure_precisions(
        model, x, examples=examples, front=last_float_layer_of(model), progress=say
    )
