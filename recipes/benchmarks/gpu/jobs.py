"""What is timed, in TensorFlow: this package, and Keras' own layers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import presets
from zoo.augment import AddNoise, SpecAugment, TimeShift, chain
from zoo.cells import LSTMCell, RelaxationCell
from zoo.recurrent import fused_graphs, recurrent_model, view
from zoo.spectrogram import PRESETS, Spectrogram

Step = Callable[[], float]
RATE_HZ = 32_000  # of `scenes-alexnet`
CLASSES = 10


@dataclass(frozen=True)
class Sizes:
    """Sizes of all jobs.

    Attributes:
        batch: paths in a batch.
        time: steps of a path.
        units: of the narrow and of the wide LSTM.
        picture: rows and columns of AlexNet's pictures.
        pictures: in a batch.
        clips: in a batch.
        clip_s: length of a clip [s].
    """

    batch: int = 64
    time: int = 100
    units: tuple[int, ...] = (32, 128)
    picture: int = 227
    pictures: int = 64
    clips: int = 32
    clip_s: float = 5.0


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        what: is computed.
        who: computes it.
        items: paths, pictures or clips in a step.
        build: makes the function that is timed; it returns a number that depends on all of it.
    """

    what: str
    who: str
    items: int
    build: Callable[[], Step]


def tensorflow_rows(sizes: Sizes) -> Iterator[Row]:
    """Rows of this package and of Keras' layers."""
    for units in sizes.units:
        what = f"LSTM 2x{units}, training step"
        lstm = partial(_visible_lstm, units)
        for who, build, compiled in (
            ("zoo, every state, loop", partial(lstm, fused=False), False),
            ("zoo, every state, one op", partial(lstm, fused=True), False),
            ("zoo, every state, XLA", partial(lstm, fused=True), True),
            ("zoo, outputs, by device", partial(_visible_outputs, units), False),
            ("keras.layers.LSTM, outputs", partial(_keras_lstm, units), False),
        ):
            batch = random_paths(sizes)
            yield Row(what, who, sizes.batch, partial(_regression, build, batch, compiled))
    what, batch = "relaxation cell, training step", random_paths(sizes, positive=True)
    for who, compiled in (("zoo, XLA", True), ("zoo, loop", False)):
        build = partial(recurrent_model, [RelaxationCell()], targets=None)
        yield Row(what, who, sizes.batch, partial(_regression, build, batch, compiled))
    pictures = random_pictures(sizes)
    shape = (sizes.picture, sizes.picture, 3)
    for who, build in (
        ("zoo", partial(presets.picture, "alexnet", 1000, shape=shape)),
        ("Keras' layers", partial(_keras_alexnet, sizes.picture)),
    ):
        step = partial(_classes, build, pictures)
        yield Row("AlexNet, training step", who, sizes.pictures, step)
    yield from _sound_rows(sizes)


def _sound_rows(sizes: Sizes) -> Iterator[Row]:
    waves, labels = random_clips(sizes), np.arange(sizes.clips) % CLASSES
    build = partial(presets.sound, "alexnet_gap", CLASSES, duration_s=sizes.clip_s)
    what = "scenes-alexnet's network, training step"
    yield Row(what, "zoo, waveform in", sizes.clips, partial(_classes, build, (waves, labels)))
    ours = PRESETS["librosa"]
    theirs = keras.layers.MelSpectrogram(
        fft_length=ours.fft_length,
        sequence_stride=ours.hop,
        sampling_rate=int(ours.sample_rate_hz),
        num_mel_bins=ours.bands,
    )
    spectrogram = Spectrogram(ours)
    what = f"log-mel of {waves.shape[1]:,} samples"
    for who, layer in (("zoo", spectrogram), ("keras.layers.MelSpectrogram", theirs)):
        yield Row(what, who, sizes.clips, partial(_forward, layer, waves))
    for what, augment, x in (
        ("shift and noise of sound", chain(TimeShift(), AddNoise()), waves),
        ("masks of spectrograms", chain(SpecAugment()), np.asarray(spectrogram(waves))),
    ):
        yield Row(what, "zoo", sizes.clips, partial(_augment, augment, x))


def random_paths(sizes: Sizes, positive: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Input (batch, time, 3) and target (batch, time, 1); `positive`: Δt in the last column."""
    x = np.random.default_rng(0).standard_normal((sizes.batch, sizes.time, 3), np.float32)
    if positive:
        x[..., 2] = 0.05
    return x, np.tanh(x.cumsum(axis=1)[..., :1] / 10)


def random_pictures(sizes: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and their classes."""
    shape = (sizes.pictures, sizes.picture, sizes.picture, 3)
    return np.random.default_rng(0).random(shape, np.float32), np.arange(sizes.pictures) % CLASSES


def random_clips(sizes: Sizes) -> np.ndarray:
    """Noise, (clips, samples)."""
    shape = (sizes.clips, round(sizes.clip_s * RATE_HZ))
    return 0.1 * np.random.default_rng(0).standard_normal(shape, np.float32)


def _visible_lstm(units: int, fused: bool) -> keras.Model:
    return recurrent_model([LSTMCell(units), LSTMCell(units)], fused=fused)


def _visible_outputs(units: int) -> keras.Model:
    return view(_visible_lstm(units, fused=True), show=lambda cell: cell.show[:1])


def _keras_lstm(units: int) -> keras.Model:
    inputs = h = keras.Input((None, 3))
    for _ in range(2):
        h = keras.layers.LSTM(units, return_sequences=True)(h)
    return keras.Model(inputs, {"prediction": keras.layers.Dense(1)(h)})


def _keras_alexnet(size: int) -> keras.Model:
    """AlexNet (Krizhevsky et al. 2012) without groups and without response normalisation."""
    layers = keras.layers
    x = inputs = keras.Input((size, size, 3))
    for k, (width, window, stride) in enumerate(
        ((96, 11, 4), (256, 5, 1), (384, 3, 1), (384, 3, 1), (256, 3, 1))
    ):
        pad = "valid" if k == 0 else "same"
        x = layers.Conv2D(width, window, stride, padding=pad, activation="relu")(x)
        if k in (0, 1, 4):
            x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dropout(0.5)(layers.Dense(4096, "relu")(x))
    return keras.Model(inputs, {"probabilities": layers.Dense(1000, "softmax")(x)})


def _regression(
    build: Callable[[], keras.Model], batch: tuple[np.ndarray, np.ndarray], compiled: bool
) -> Step:
    def loss(outputs: dict[str, Any], y: Any) -> Any:
        return tf.reduce_mean(tf.square(outputs["prediction"] - y))

    return _training_step(build(), batch, loss, compiled)


def _classes(build: Callable[[], keras.Model], batch: tuple[np.ndarray, np.ndarray]) -> Step:
    def loss(outputs: dict[str, Any], y: Any) -> Any:
        losses = keras.losses.sparse_categorical_crossentropy(y, outputs["probabilities"])
        return tf.reduce_mean(losses)

    return _training_step(build(), batch, loss, compiled=False)


def _training_step(
    model: keras.Model,
    batch: tuple[np.ndarray, np.ndarray],
    loss_of: Callable[[Any, Any], Any],
    compiled: bool,
) -> Step:
    x, y = (tf.constant(each) for each in batch)
    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step() -> Any:
        with tf.GradientTape() as tape, fused_graphs(compiled):
            outputs = model(x, training=True)
            loss = loss_of(outputs, y)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss, outputs  # all outputs, so that the graph cannot leave states out

    return lambda: float(step()[0])


def _forward(layer: Callable[[Any], Any], x: np.ndarray) -> Step:
    kept, run = tf.constant(x), tf.function(lambda x: tf.reduce_sum(layer(x)))
    return lambda: float(run(kept))


def _augment(augment: Callable[..., Any], x: np.ndarray) -> Step:
    kept, labels = tf.constant(x), tf.zeros(len(x), tf.int32)
    run = tf.function(lambda x, seed: tf.reduce_sum(augment(x, labels, seed)[0]))
    return lambda: float(run(kept, tf.constant([0, 1])))
