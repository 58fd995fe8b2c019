"""Knowledge distillation: a network from scratch learns from labels and from a teacher.

    loss = H(q, p) + weight (1 - cos(s, t) + 0.5 |s - t|^2 / width)

p are the probabilities of the network and q their targets: the smoothed label of a clip, mixed with
the probabilities of a linear head on the teacher's embedding that is fitted to the training part of
the same fold (Hinton et al. 2015); of mixtures and of unlabelled sound the latter alone. s is a
linear output beside the last layer, which is not exported, and t the principal components of the
teacher's embedding.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers, ops

from recipes.scenes.copies import (
    MIXED,
    FrontEnd,
    JoinedSource,
    compute_features,
    compute_mixtures,
    join_mixtures,
)
from recipes.scenes.data import SceneData
from recipes.scenes.pretraining import OtherSound, join_licences
from recipes.scenes.teacher import AveragedTeacher, compute_embeddings
from zoo import training
from zoo.checkpoints import hash_arrays
from zoo.convnets import output_layer_of, standardize_of
from zoo.crossvalidation import BATCH_SIZE, TrainingSettings
from zoo.crossvalidation.network import PreparedNetwork, make_budget, prepare_network
from zoo.data.clips import Clips
from zoo.data.folds import Fold
from zoo.data.speed import rows_of_all_copies
from zoo.distillation import Projection
from zoo.teaching.heads import fit_head
from zoo.training import History

TEACHER = "teacher"  # name of the output that learns the embedding
MSE_WEIGHT = 0.5  # as `zoo.distillation.Distiller`


@dataclass(frozen=True)
class Strength:
    """How much the teacher counts.

    Attributes:
        share: of the teacher's probabilities in the targets of a labelled clip, 0 to 1.
        weight: of the embedding beside the cross-entropy.
        width: number of principal components.
        penalty: of the teacher's linear head.
    """

    share: float = 0.5
    weight: float = 1.0
    width: int = 96
    penalty: float = 1e-4


@keras.saving.register_keras_serializable("recipes")
class EmbeddingLoss(keras.Loss):
    """weight (1 - cos(s, t) + 0.5 |s - t|^2 / width) of a clip.

    Args:
        weight: of the whole.
        **kwargs: as for `keras.Loss`.
    """

    def __init__(self, weight: float = 1.0, **kwargs: str) -> None:
        super().__init__(**{"name": "embedding_loss", **kwargs})
        self.weight = weight

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Loss of each clip, (batch,)."""
        cosine = ops.sum(ops.normalize(y_true) * ops.normalize(y_pred), axis=-1)
        error = ops.mean(ops.square(y_true - y_pred), axis=-1)
        return self.weight * (1 - cosine + MSE_WEIGHT * error)

    def get_config(self) -> dict:
        """Settings as plain values."""
        return {**super().get_config(), "weight": self.weight}


@dataclass(frozen=True)
class Targets:
    """What each training clip is trained towards.

    Attributes:
        labels: (clips,) class index; a number of its own for a clip without a class.
        probabilities: (clips, classes).
        embeddings: (clips, width).
    """

    labels: np.ndarray
    probabilities: np.ndarray
    embeddings: np.ndarray


@dataclass(frozen=True)
class DistillationSettings:
    """What the teacher hears, and where that is kept.

    Attributes:
        folder: for the teacher's embeddings.
        without: augmentations that are left out, see `compute_features`.
        seed: of noise, rooms, gains and mixtures.
    """

    folder: Path
    without: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class DistillingTrainer:
    """Trains the network of a fold with a teacher; called as `zoo.crossvalidation.train_network`.

    Attributes:
        embeddings: (rows of the features, 1024) of the teacher.
        other: features of unlabelled sound; None: none.
        other_embeddings: (clips of it, 1024).
        strength: how much the teacher counts.
    """

    embeddings: np.ndarray
    other: Clips | None = None
    other_embeddings: np.ndarray | None = None
    strength: Strength = Strength()

    @property
    def __name__(self) -> str:
        """Name for the keys of results: two teachers are two trainings."""
        arrays = hash_arrays(self.embeddings, self.other_embeddings)
        return f"distil-{hashlib.sha256(f'{arrays} {self.strength}'.encode()).hexdigest()[:8]}"

    def __call__(
        self,
        model: keras.Model,
        features: Clips,
        train: np.ndarray,
        monitored: np.ndarray | None,
        settings: TrainingSettings,
        name: str,
    ) -> tuple[keras.Model, History]:
        """Train the part of `model` behind its fixed front end.

        Args:
            model: waveform to `probabilities`.
            features: front end output of every clip, of its copies and of mixtures.
            train: (clips,) training rows; the teacher speaks of these and of `other` alone.
            monitored: (clips,) rows whose cross-entropy is plotted beside the training loss; None:
                none.
            settings: of training.
            name: of the run, for its checkpoint.

        Returns:
            The part behind the front end, which shares its weights with `model`; the history.

        Raises:
            ValueError: training diverged.
            TrainingInterrupted: by Ctrl-C.
        """
        prepared = prepare_network(model, features, train, settings)
        rows = rows_of_all_copies(features.index, train)
        targets = self.make_targets(features, rows)
        batches = DistillationBatches(prepared, self._join(prepared.clips), targets)
        student = add_teacher_output(model, targets.embeddings.shape[1])
        key = hashlib.sha256(f"{prepared.key} {self.__name__}".encode()).hexdigest()[:8]
        stem = f"{name.replace(' ', '-')}-{key}"
        validation = None
        if monitored is not None:
            clips = features[monitored].all_batches(BATCH_SIZE)
            validation = clips.map(prepared.add_one_hot).map(batches.without_teacher)
        history = training.fit(
            student,
            batches,
            validation,
            make_budget(settings),
            training.FitSettings(
                losses={
                    "probabilities": keras.losses.CategoricalCrossentropy(
                        label_smoothing=settings.label_smoothing
                    ),
                    TEACHER: EmbeddingLoss(self.strength.weight),
                },
                seed=settings.seed,
                data=key,
                keep="last",
                checkpoint=settings.checkpoints and settings.checkpoints / f"{stem}.npz",
            ),
            stream=sys.stderr,
        )
        history.require_whole(name, settings.learning_rate)
        return prepared.network, history

    def make_targets(self, features: Clips, rows: np.ndarray) -> Targets:
        """Targets of training clips, then of the unlabelled ones.

        Args:
            features: of every clip and copy.
            rows: (training clips,) of all copies and mixtures that are trained on.
        """
        classes, labels = len(features.classes), features.labels[rows]
        embeddings, is_mixed = self.embeddings[rows], _is_mixed(features.index.iloc[rows])
        head = fit_head(
            embeddings[~is_mixed], labels[~is_mixed], "linear", self.strength.penalty, classes
        )
        unlabelled = np.arange(0 if self.other_embeddings is None else len(self.other_embeddings))
        if self.other_embeddings is not None:
            embeddings = np.concatenate([embeddings, self.other_embeddings])
        scores = head.scores(embeddings)
        spoken = np.exp(scores - scores.max(axis=1, keepdims=True))
        spoken /= spoken.sum(axis=1, keepdims=True)
        share = np.where(is_mixed, 1.0, self.strength.share)[:, None]
        known = len(rows)
        spoken[:known] = share * spoken[:known] + (1 - share) * np.eye(classes)[labels]
        # a number of its own: no other clip is of the same class
        alone = classes + np.arange(known + len(unlabelled))
        numbers = np.concatenate([np.where(is_mixed, alone[:known], labels), alone[known:]])
        projection = Projection.fit(embeddings, min(self.strength.width, *embeddings.shape))
        targets = (embeddings - projection.mean) @ projection.matrix
        return Targets(numbers.astype(np.int32), spoken.astype(np.float32), targets)

    def _join(self, clips: Clips) -> Clips:
        """Training clips and unlabelled ones, each labelled by its number."""
        parts = [clips] if self.other is None else [clips, self.other]
        count = sum(map(len, parts))
        names = tuple(map(str, range(count)))
        return replace(
            clips,
            index=pd.DataFrame({"label": names}),
            source=JoinedSource(parts),
            rows=np.arange(count),
            classes=names,
        )


@dataclass(frozen=True)
class DistillationBatches:
    """Endless training batches from a step on: x, targets of both outputs.

    Attributes:
        prepared: augmentation and seed.
        clips: each labelled by its number.
        targets: of each clip.
    """

    prepared: PreparedNetwork
    clips: Clips
    targets: Targets

    def __call__(self, step: int) -> tf.data.Dataset:
        """Batches from a step on."""
        size = min(BATCH_SIZE, len(self.clips))
        labels = tf.constant(self.targets.labels)
        probabilities = tf.constant(self.targets.probabilities)
        embeddings = tf.constant(self.targets.embeddings)
        augmentation = self.prepared.augmentation

        def augment(
            x: tf.Tensor, numbers: tf.Tensor, seed: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            if augmentation is not None:
                x, _ = augmentation(x, tf.gather(labels, numbers), seed)
            return x, numbers

        def add_targets(x: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, dict]:
            return x, {
                "probabilities": tf.gather(probabilities, numbers),
                TEACHER: tf.gather(embeddings, numbers),
            }

        batches = self.clips.dataset(
            size, seed=self.prepared.seed, start_step=step, augment=augment
        )
        return batches.map(add_targets)

    def without_teacher(self, x: tf.Tensor, y: dict) -> tuple[tf.Tensor, dict, dict]:
        """A batch whose loss is the cross-entropy alone: the teacher did not hear these clips."""
        count = tf.shape(x)[0]
        y = {**y, TEACHER: tf.zeros((count, self.targets.embeddings.shape[1]))}
        return x, y, {"probabilities": tf.ones(count), TEACHER: tf.zeros(count)}


def prepare_teacher(
    file: Path,
    data: SceneData,
    model: keras.Model,
    parts: Sequence[Fold],
    other: OtherSound | None,
    settings: DistillationSettings,
) -> tuple[SceneData, Clips, DistillingTrainer]:
    """Let the teacher hear every clip, its copies, mixtures and other sound.

    Args:
        file: of the teacher.
        data: that is cross-validated.
        model: whose front end is computed.
        parts: folds; clips are mixed with clips that the same fold tests on alone.
        other: unlabelled sound; None: none.
        settings: of copies, seed and folder.

    Returns:
        `data` with what the card says of the teacher; features of the clips, their copies and
        mixtures; the trainer of a fold.

    Raises:
        OSError: no such file.
        ValueError: not a file of this teacher.
    """
    clips, duration_s = data.clips, data.duration_s
    rate_hz = clips.sample_rate_hz
    assert rate_hz is not None  # they are waveforms
    teacher = AveragedTeacher(file, rate_hz, clips.samples(duration_s))

    def compute(front: keras.Model | FrontEnd) -> Clips:
        features = compute_features(
            *(clips, front, duration_s, settings.without), parts=parts, seed=settings.seed
        )
        mixtures = compute_mixtures(clips, front, duration_s, parts=parts, seed=settings.seed)
        return join_mixtures(features, mixtures)

    def compute_other(front: keras.Model | FrontEnd) -> Clips:
        assert other is not None
        without = (*settings.without, "speeds")
        return compute_features(other.clips, front, duration_s, without, parts=())

    features = compute(model)
    trainer = DistillingTrainer(_embeddings(teacher, compute, features, settings.folder))
    data = add_terms(data, other.titles if other else ())
    if other is None:
        return data, features, trainer
    unlabelled = compute_other(model)
    embeddings = _embeddings(teacher, compute_other, unlabelled, settings.folder)
    return data, features, replace(trainer, other=unlabelled, other_embeddings=embeddings)


def _embeddings(
    teacher: AveragedTeacher,
    compute: Callable[[FrontEnd], Clips],
    features: Clips,
    folder: Path,
) -> np.ndarray:
    text = f"{features.content} {features.index.to_csv(index=False)}"
    name = f"teacher-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return compute_embeddings(teacher, compute, folder / name)


def add_terms(data: SceneData, titles: Sequence[str]) -> SceneData:
    """`data` with the teacher in the limits, and the licences of what it heard beside the corpus.

    Args:
        data: that is cross-validated.
        titles: of the corpora that it heard without labels.
    """
    also = f", and without labels of {', '.join(titles)}" if titles else ""
    limit = (
        "Learnt from labels and from a teacher, YAMNet (Plakal and Ellis 2019, Apache-2.0), which "
        f"spoke of the training clips, of their altered copies and mixtures{also}; in "
        "cross-validation of no clip of the test fold."
    )
    licence = join_licences(data.licence, titles)
    return replace(data, licence=licence, limits=(*data.limits, limit))


def add_teacher_output(model: keras.Model, width: int) -> keras.Model:
    """The part of a model behind its front end, with a linear output `teacher` beside its own.

    It computes what the last layer of the model sees; all layers but the new one are shared.

    Args:
        model: waveform to `probabilities`.
        width: of the output.
    """
    embedding = output_layer_of(model).input
    start = keras.initializers.GlorotUniform(seed=0)
    output = layers.Dense(width, kernel_initializer=start, name=TEACHER)(embedding)
    outputs = {"probabilities": model.output["probabilities"], TEACHER: output}
    return keras.Model(standardize_of(model).input, outputs, name=f"{model.name}_student")


def _is_mixed(index: pd.DataFrame) -> np.ndarray:
    return index[MIXED].to_numpy(bool) if MIXED in index else np.zeros(len(index), bool)
