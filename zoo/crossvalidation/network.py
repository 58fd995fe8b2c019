"""Training of the network behind a fixed front end, with augmentation and a checkpoint of its own.

A checkpoint's name holds a hash of settings, clips and front end, so that no run resumes from the
checkpoint of another experiment.
"""

import hashlib
import importlib.util
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import augment, training
from zoo.checkpoints import VERSION
from zoo.convnets import split_model, standardize_of
from zoo.crossvalidation.predictions import BATCH_SIZE
from zoo.crossvalidation.settings import AugmentationSettings, TrainingSettings
from zoo.data.clips import Augment, Clips
from zoo.data.speed import rows_of_all_copies
from zoo.spectrogram import Standardize


@dataclass(frozen=True)
class PreparedNetwork:
    """A network behind its front end, with the batches that it is trained on.

    Attributes:
        network: (batch, time, bands, 1) to `probabilities`.
        clips: training clips at every speed, as front end output.
        augmentation: of the batches; None: none.
        seed: of order and augmentation.
        key: hash of settings, clips and front end.
    """

    network: keras.Model
    clips: Clips
    augmentation: Augment | None
    seed: int
    key: str

    def batches(self, step: int) -> tf.data.Dataset:
        """Endless training batches from a step on, augmented: x, {"probabilities": one-hot}."""
        size = min(BATCH_SIZE, len(self.clips))
        batches = self.clips.dataset(
            size, seed=self.seed, start_step=step, augment=self.augmentation
        )
        return batches.map(self.add_one_hot)

    def add_one_hot(
        self, x: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Labels as one-hot vectors under the name of the output; mixed labels are so already."""
        classes = len(self.clips.classes)
        return x, {
            "probabilities": tf.one_hot(labels, classes) if labels.dtype.is_integer else labels
        }


def train_network(
    model: keras.Model,
    features: Clips,
    train: np.ndarray,
    monitored: np.ndarray | None,
    settings: TrainingSettings,
    name: str,
) -> tuple[keras.Model, training.History]:
    """Train the part of `model` behind its fixed front end.

    Args:
        model: waveform to `probabilities`; its standardization is adapted to the training clips.
        features: front end output of every clip, (time, bands, 1) each.
        train: (clips,) training rows.
        monitored: (clips,) rows whose loss is plotted beside the training loss, and selects
            nothing; None: none.
        settings: of training.
        name: of the run, for its checkpoint and its logs.

    Returns:
        The part behind the front end, which shares its weights with `model`; the history.

    Raises:
        ValueError: a log for TensorBoard is requested and it is not installed, or training
            diverged.
        TrainingInterrupted: by Ctrl-C; the next run goes on from the checkpoint.
    """
    prepared = prepare_network(model, features, train, settings)
    stem = f"{name.replace(' ', '-')}-{prepared.key}"
    validation = None
    if monitored is not None:
        validation = features[monitored].all_batches(BATCH_SIZE).map(prepared.add_one_hot)
    history = training.fit(
        prepared.network,
        prepared.batches,
        validation,
        make_budget(settings),
        training.FitSettings(
            losses=make_losses(settings),
            seed=settings.seed,
            data=prepared.key,
            keep="last",  # clips to choose weights by would be too few, and missing in training
            checkpoint=settings.checkpoints and settings.checkpoints / f"{stem}.npz",
        ),
        callbacks=_tensorboard(settings.logs and settings.logs / stem),
        stream=sys.stderr,
    )
    history.require_whole(name, settings.learning_rate)
    return prepared.network, history


def make_budget(settings: TrainingSettings) -> training.Budget:
    """Length, learning rate and weight decay of the training of a fold."""
    return training.Budget(
        epochs=settings.epochs,
        steps_per_epoch=settings.steps_per_epoch,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )


def prepare_network(
    model: keras.Model, features: Clips, train: np.ndarray, settings: TrainingSettings
) -> PreparedNetwork:
    """Adapt the standardization to the training clips and make the training batches.

    Args:
        model: waveform to `probabilities`.
        features: front end output of every clip, (time, bands, 1) each.
        train: (clips,) training rows.
        settings: of training.
    """
    standardize = standardize_of(model)
    standardize.adapt(features[train].all_batches(BATCH_SIZE))
    front, network = split_model(model)
    clips = features[rows_of_all_copies(features.index, train)]
    augmentation = make_augmentation(
        settings.augmentation, network.input.shape, len(features.classes), fill_value(standardize)
    )
    key = checkpoint_key(settings, clips, front_end_key(front))
    return PreparedNetwork(network, clips, augmentation, settings.seed, key)


def make_losses(settings: TrainingSettings) -> dict[str, keras.Loss]:
    """Cross-entropy of the output `probabilities` against smoothed labels."""
    smoothing = settings.label_smoothing
    return {"probabilities": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)}


def make_augmentation(
    settings: AugmentationSettings, shape: tuple, classes: int, fill: Any = "mean"
) -> Augment | None:
    """Augmentation of batches of spectrograms (batch, time, bands, 1) [dB].

    Args:
        settings: which, and how strong.
        shape: of the network's input, (None, time, bands, 1).
        classes: number of classes.
        fill: value of masked places: "mean", or (bands,) from `fill_value`.

    Returns:
        A map over batches for `Clips.dataset`; None: no augmentation.
    """
    frames, bands = shape[1:3]
    steps = []
    if settings.time_shift:
        steps.append(augment.TimeShift())
    if settings.same_class:
        steps.append(augment.SameClass(settings.same_class))
    if settings.equaliser_db:
        steps.append(augment.Equaliser(settings.equaliser_db, settings.equaliser_db))
    if settings.freq_mixstyle:
        steps.append(augment.FreqMixStyle(share=settings.freq_mixstyle))
    if settings.masks:
        steps.append(
            augment.SpecAugment(
                time_width=max(1, frames // 8), band_width=max(1, bands // 8), fill=fill
            )
        )
    if settings.mixup:
        steps.append(augment.Mixup(classes, settings.mixup))
    return augment.chain(*steps) if steps else None


def fill_value(standardize: Standardize) -> Any:
    """Per-band training mean, the fill value of SpecAugment masks; "mean" without one per band."""
    return standardize.mean.numpy()[:, 0] if standardize.per_band else "mean"


def front_end_key(front: keras.Model) -> str:
    """Hash of all settings of a front end, eight hexadecimal digits."""
    # without names: Keras numbers layers by how many a process has made
    configs = [{**layer.get_config(), "name": type(layer).__name__} for layer in front.layers]
    return _hash(configs)


def checkpoint_key(settings: TrainingSettings, clips: Clips, front_end: str) -> str:
    """Hash of an experiment: training settings, training clips, front end; eight digits.

    Clips count with their content and their labels.

    Args:
        settings: of training; its folders do not count.
        clips: training clips.
        front_end: hash of the front end, from `front_end_key`.
    """
    values = asdict(replace(settings, checkpoints=None, logs=None))
    data = (clips.rows.tolist(), clips.labels.tolist(), clips.content)
    return _hash((values, data, front_end, VERSION))


def _hash(values: Any) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:8]


def _tensorboard(folder: Path | None) -> list[keras.callbacks.Callback]:
    if folder is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "--tensorboard needs the package tensorboard. Install it, or leave it out."
        )
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]
