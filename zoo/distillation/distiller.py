"""Distillation: students learn a teacher's embedding and scores from endless mixtures.

Students are sound models with a linear output `embedding`; several learn from the same batches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from zoo.distillation.mixing import Mixer

START_LOGIT = -5.0
TEACHER_GAIN_DB = 6.0  # the teacher learnt from sound that is louder than the reference level


@dataclass(frozen=True)
class Projection:
    """Linear map of a teacher's embedding to that of a student: (e - mean) matrix.

    The matrix holds principal components, each divided by a power of its deviation, scaled so that
    the outputs have a mean square of 1 in all.

    Attributes:
        mean: (teacher width,).
        matrix: (teacher width, student width).
        explained: share of the teacher's variance that the components hold.
    """

    mean: np.ndarray
    matrix: np.ndarray
    explained: float

    @classmethod
    def fit(cls, embeddings: np.ndarray, width: int, whitening: float = 0.5) -> "Projection":
        """Fit to embeddings (n, teacher width).

        Args:
            embeddings: of mixtures.
            width: number of components.
            whitening: power of the deviation to divide by: 0 keeps the components as they are, 1
                gives all the same variance.
        """
        mean = embeddings.mean(axis=0, dtype=np.float64)
        centred = embeddings - mean
        variance, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        variance, vectors = variance[::-1][:width], vectors[:, ::-1][:, :width]
        total = np.square(centred).sum(axis=1).mean()
        deviation = np.sqrt(np.maximum(variance, 1e-6 * variance[0]))
        matrix = vectors / deviation**whitening
        matrix = matrix / np.sqrt(np.sum(deviation ** (2 - 2 * whitening)) / width)
        return cls(
            mean.astype(np.float32), matrix.astype(np.float32), float(variance.sum() / total)
        )


class Distiller(keras.Model):
    """Trains students on mixtures; its output is the loss of each.

    loss = 1 - cos(s, t) + weight_mse |s - t|^2 / width + weight_scores mean BCE(scores)

    Args:
        mixer: of the sound bank.
        teacher: `waveform` to `embedding` and `scores`.
        students: name -> model of `waveform` with the output `embedding`.
        projection: of the teacher's embedding.
        batch: mixtures of a step.
        weights: of the mean squared error and of the scores.
    """

    def __init__(
        self,
        mixer: Mixer,
        teacher: keras.Model,
        students: Mapping[str, keras.Model],
        projection: Projection,
        *,
        batch: int,
        weights: tuple[float, float] = (0.5, 20.0),
    ) -> None:
        super().__init__(name="distiller")
        self.mixer, self.teacher, self.batch, self.loss_weights = mixer, teacher, batch, weights
        self.students = dict(students)
        self.mean = ops.convert_to_tensor(projection.mean)
        self.matrix = ops.convert_to_tensor(projection.matrix)
        scores = teacher.output["scores"].shape[-1]
        # the scores follow from the embedding by a layer that only training has
        # a start from scores near zero, as most are
        start = keras.initializers.Constant(START_LOGIT)
        self.score_layers = {
            name: layers.Dense(scores, bias_initializer=start, name=f"scores_{name}")
            for name in students
        }
        for name, layer in self.score_layers.items():
            layer.build((None, self.students[name].output["embedding"].shape[-1]))
        self.built = True

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Losses (1, students) of a new batch; `x` does not matter."""
        if keras.backend.backend() == "torch":
            # students have layers of the same names, and Keras clears gradients by name
            for weight in self.trainable_variables:
                weight.value.grad = None
        loud, student_input, _ = self.mixer.draw(self.batch)
        teacher_output = self.teacher(loud * 10 ** (TEACHER_GAIN_DB / 20), training=False)
        target = ops.matmul(teacher_output["embedding"] - self.mean, self.matrix)
        losses = [
            self.student_loss(name, student_input, target, teacher_output["scores"], training)
            for name in self.students
        ]
        return ops.stack(losses)[None]

    def student_loss(
        self,
        name: str,
        student_input: KerasTensor,
        target: KerasTensor,
        scores: KerasTensor,
        training: bool,
    ) -> KerasTensor:
        """Loss of one student, a scalar."""
        output = self.students[name](student_input, training=training)["embedding"]
        cosine = ops.sum(ops.normalize(output) * ops.normalize(target), axis=-1)
        error = ops.mean(ops.square(output - target), axis=-1)
        logits = self.score_layers[name](output)
        entropy = ops.binary_crossentropy(scores, logits, from_logits=True)
        mse, bce = self.loss_weights
        return ops.mean(1 - cosine + mse * error) + bce * ops.mean(entropy)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
    ) -> KerasTensor:
        """Sum over the students."""
        return ops.sum(y_pred)


def no_input() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless placeholders: the distiller draws its own batches."""
    while True:
        yield np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)


def teacher_embeddings(mixer: Mixer, teacher: keras.Model, batch: int, steps: int) -> np.ndarray:
    """Teacher's embeddings of mixtures, to fit a projection to, (n, width)."""
    parts = []
    for _ in range(steps):
        loud = mixer.draw(batch)[0]
        embedding = teacher(loud * 10 ** (TEACHER_GAIN_DB / 20), training=False)["embedding"]
        parts.append(ops.convert_to_numpy(embedding))
    return np.concatenate(parts)
