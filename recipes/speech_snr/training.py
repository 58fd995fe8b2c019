"""Train the network on mixtures that are drawn as they are needed."""

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.speech_snr.mixtures import Mixture, MixtureSettings, draw_mixture
from recipes.speech_snr.settings import Settings
from recipes.speech_snr.sources import Sources
from zoo import models, presets, training
from zoo.convnets import output_layer_of, spectrogram_of, standardize_of
from zoo.data.bank import RATE_HZ
from zoo.data.synthesis.seeds import stream
from zoo.progress import say, track
from zoo.spectrogram import PRESETS
from zoo.training import History

NETWORK = "crnn_hop_wide"
OUTPUTS = ("snr_db", "level_dba")
BATCH, STEPS = 16, 40
SPEECH_OCTAVES = 0.25  # up and down, of voices in training; of noises twice as much
TRAIN_S = 10.0  # of a mixture in training, so that it goes on for seconds after a fall of the level
FALL = 0.4  # share of mixtures in training whose level falls
SETTLE_S = 1.0  # errors before do not count in training
HUBER_DB = 3.0  # errors above count linearly


def build() -> keras.Model:
    """Waveform (batch, samples) to `prediction` (batch, hops, 2), front end inside."""
    return presets.sound(
        NETWORK,
        len(OUTPUTS),
        duration_s=None,
        front_end=PRESETS["hearing_aid"],
        task="regression",
    )


def truth_of(mixtures: list[Mixture]) -> np.ndarray:
    """Signal-to-noise ratio [dB] and level [dB(A)] of every hop, (mixtures, hops, 2)."""
    return np.stack([np.stack([each.snr_db, each.level_dba], axis=-1) for each in mixtures])


def train(
    model: keras.Model, train_sources: Sources, validation: Sources, settings: Settings
) -> History:
    """Train `model`, with targets of mean 0 and deviation 1, and put the scale into its last layer.

    Args:
        model: of `build`.
        train_sources: of the mixtures.
        validation: of those that choose the epoch.
        settings: of the run.

    Raises:
        ValueError: a checkpoint of another run or a damaged one, or training diverged.
        TrainingInterrupted: by Ctrl-C.
    """
    size = 8 if settings.quick else 64
    rng = stream(settings.seed, "scale")
    if settings.start is not None:
        load_weights(model, settings.start)
    drawn = [draw_mixture(train_sources, rng) for _ in track(range(size), size, "trial mixtures")]
    waveforms = np.stack([each.samples for each in drawn])
    if settings.start is None:
        spectrogram = spectrogram_of(model)
        standardize_of(model).adapt([np.asarray(spectrogram(x)) for x in np.split(waveforms, 8)])
    targets = truth_of(drawn).reshape(-1, len(OUTPUTS))
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    last = output_layer_of(model)
    if settings.start is not None:  # whose outputs are in decibels
        kernel, bias = last.get_weights()
        last.set_weights([kernel / deviation, (bias - mean) / deviation])
    say(f"training: {model.count_params():,} parameters")
    history = training.fit(
        model,
        lambda step: batches(train_sources, settings, step, mean, deviation),
        held_out(validation, settings, mean, deviation),
        training.Budget(
            epochs=settings.epochs or (1 if settings.quick else 40),
            steps_per_epoch=2 if settings.quick else STEPS,
            learning_rate=settings.learning_rate,
            weight_decay=0.01,
        ),
        training.FitSettings(
            losses={"prediction": keras.losses.Huber(HUBER_DB / float(deviation[0]))},
            seed=settings.seed,
            checkpoint=_checkpoint(settings),
        ),
        stream=sys.stderr,
    )
    history.require_whole("the network", settings.learning_rate)
    kernel, bias = last.get_weights()
    last.set_weights([kernel * deviation, bias * deviation + mean])
    return history


def load_weights(model: keras.Model, name: str) -> None:
    """Put the weights of a saved model into one of `build`.

    Args:
        model: of `build`.
        name: name or folder of the saved model.

    Raises:
        ValueError: no such model, or one of other layers.
    """
    saved = models.load(name).keras.get_weights()
    shapes = [[w.shape for w in weights] for weights in (model.get_weights(), saved)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"--start {name}: its layers are not those of this recipe, {NETWORK}. Give a model "
            "that this recipe wrote."
        )
    model.set_weights(saved)


def batches(
    sources: Sources, settings: Settings, step: int, mean: np.ndarray, deviation: np.ndarray
) -> tf.data.Dataset:
    """Endless batches from a step on, each by seed and step alone: waveform, targets, weights."""
    name = "batch" if settings.start is None else f"batch after {Path(settings.start).name}"
    varied = MixtureSettings(seconds=TRAIN_S, speech_octaves=SPEECH_OCTAVES, fall=FALL)

    def generate() -> Iterator[tuple[np.ndarray, dict, dict]]:
        for number in count(step):
            rng = stream(settings.seed, name, number)
            drawn = [draw_mixture(sources, rng, varied) for _ in range(BATCH)]
            yield _batch(drawn, mean, deviation)

    data = tf.data.Dataset.from_generator(generate, output_signature=_signature(TRAIN_S))
    return data.prefetch(2)


def held_out(
    sources: Sources, settings: Settings, mean: np.ndarray, deviation: np.ndarray
) -> tf.data.Dataset:
    """Validation batches, the same at every epoch."""
    rng, varied = stream(settings.seed, "validation"), MixtureSettings(seconds=TRAIN_S, fall=FALL)
    drawn = [
        _batch([draw_mixture(sources, rng, varied) for _ in range(BATCH)], mean, deviation)
        for _ in range(1 if settings.quick else 8)
    ]
    data = tf.data.Dataset.from_generator(lambda: iter(drawn), output_signature=_signature(TRAIN_S))
    return data.apply(tf.data.experimental.assert_cardinality(len(drawn)))


def _batch(
    mixtures: list[Mixture], mean: np.ndarray, deviation: np.ndarray
) -> tuple[np.ndarray, dict, dict]:
    target = ((truth_of(mixtures) - mean) / deviation).astype(np.float32)
    settings = MixtureSettings()
    weight = np.ones(target.shape[:2], np.float32)
    weight[:, : round(SETTLE_S * RATE_HZ / settings.hop)] = 0
    waveforms = np.stack([each.samples for each in mixtures])
    return waveforms, {"prediction": target}, {"prediction": weight}


def _signature(seconds: float) -> tuple:
    samples = round(seconds * RATE_HZ)
    hops = samples // MixtureSettings().hop
    return (
        tf.TensorSpec((BATCH, samples)),
        {"prediction": tf.TensorSpec((BATCH, hops, len(OUTPUTS)))},
        {"prediction": tf.TensorSpec((BATCH, hops))},
    )


def _checkpoint(settings: Settings) -> Path | None:
    if settings.checkpoint is None:
        return None
    return settings.checkpoint / f"speech-snr-seed{settings.seed}.npz"
