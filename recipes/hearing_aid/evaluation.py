"""Evaluate the TFLite step files of a model: predictions on sequences, and cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.hearing_aid.decision import HopPredictions, predict_sequences
from zoo.data.sequences import SceneSequence
from zoo.edge.cost import Cost, measure_bytes
from zoo.edge.runtime import StepModel

FLOAT_FILE, INTEGER_FILE = "step.tflite", "step_int8.tflite"
Predictor = Callable[[np.ndarray], np.ndarray]  # (samples,) -> (hops, classes)
Predictions = Mapping[str, Sequence[HopPredictions]]  # kind of sequences -> predictions


@dataclass(frozen=True)
class StepEvaluation:
    """Evaluation of the step files of a model.

    Attributes:
        weights: of the file for devices: "int8", or "float32" where the export left that file out.
        predictions: of the file for devices, by kind of sequences.
        float_predictions: of the float32 file.
        streaming_error: largest absolute difference of a probability between the float32 file, step
            by step, and the Keras model.
        cost: of the file for devices.
    """

    weights: str
    predictions: Predictions
    float_predictions: Predictions
    streaming_error: float
    cost: Cost


def make_predictor(model: keras.Model, step: keras.Model) -> Predictor:
    """Function from a waveform (samples,) to probabilities of each hop (hops, classes), in Keras.

    A model with an output at every frame runs on the whole waveform; one with a single output runs
    step by step.

    Args:
        model: sound model with the output `probabilities`.
        step: its streaming twin.
    """
    if len(model.output["probabilities"].shape) == 3:
        whole = tf.function(
            lambda x: model(x, training=False)["probabilities"],
            input_signature=[tf.TensorSpec((1, None))],
        )
        return lambda samples: whole(samples[None])[0].numpy()
    run = tf.function(lambda inputs: step(inputs, training=False))
    shapes = {name: tuple(each.shape[1:]) for name, each in step.input.items()}
    return partial(_predict_by_steps, run, shapes)


def _predict_by_steps(
    run: Callable[[dict[str, Any]], dict[str, Any]],
    shapes: Mapping[str, tuple[int, ...]],
    samples: np.ndarray,
) -> np.ndarray:
    """Probabilities (hops, classes) of a streaming model in Keras."""
    states = {name: tf.zeros((1, *shape)) for name, shape in shapes.items() if name != "waveform"}
    probabilities = []
    for hop in samples.reshape(-1, 1, *shapes["waveform"]):
        outputs = run({"waveform": tf.constant(hop), **states})
        states = {name: outputs[f"{name}_next"] for name in states}
        probabilities.append(outputs["probabilities"][0].numpy())
    return np.array(probabilities)


@dataclass
class StepEvaluator:
    """Evaluates the step files of an export, which `zoo.export.write` calls with their folder.

    Attributes:
        states: names of the states of the step model.
        sequences: to measure on, by kind.
        keras_predictions: of the Keras model on the same sequences.
        hop_s: length of a step [s].
        timed_steps: steps to time.
    """

    states: Sequence[str]
    sequences: Mapping[str, Sequence[SceneSequence]]
    keras_predictions: Predictions
    hop_s: float
    timed_steps: int
    _evaluation: StepEvaluation | None = field(default=None, init=False)

    @property
    def evaluation(self) -> StepEvaluation:
        """Result of `evaluate`.

        Raises:
            ValueError: before it was called.
        """
        if self._evaluation is None:
            raise ValueError("The step files were not evaluated yet. Export the model first.")
        return self._evaluation

    def evaluate(self, folder: Path) -> StepEvaluation:
        """Run the step files over the sequences as a device does, and measure their cost.

        Args:
            folder: with step.tflite and, unless the export left it out, step_int8.tflite.

        Raises:
            ValueError: a file that cannot be run.
        """
        has_integer_file = (folder / INTEGER_FILE).exists()
        chosen = INTEGER_FILE if has_integer_file else FLOAT_FILE
        predictions = {file: self._predict(folder / file) for file in {FLOAT_FILE, chosen}}
        error = max(
            float(np.abs(a.probabilities - b.probabilities).max())
            for kind, each in predictions[FLOAT_FILE].items()
            for a, b in zip(each, self.keras_predictions[kind], strict=True)
        )
        self._evaluation = StepEvaluation(
            "int8" if has_integer_file else "float32",
            predictions[chosen],
            predictions[FLOAT_FILE],
            error,
            measure_bytes((folder / chosen).read_bytes(), chosen, self.hop_s, self.timed_steps),
        )
        return self._evaluation

    def _predict(self, file: Path) -> dict[str, list[HopPredictions]]:
        # what a step model needs of a manifest, which is written after the evaluation
        manifest = {"signatures": {"step": {"inputs": {name: {} for name in self.states}}}}
        model = StepModel(file.read_bytes(), manifest, file.name)
        return {
            kind: predict_sequences(each, partial(_predict_on_device, model))
            for kind, each in self.sequences.items()
        }


def _predict_on_device(model: StepModel, samples: np.ndarray) -> np.ndarray:
    """Probabilities (hops, classes) of a TFLite step model."""
    model.reset()
    hops = samples.reshape(-1, *model.input_shape)
    return np.array([model.step(hop)["probabilities"] for hop in hops])
