"""Training of the causal network on scenes mixed in the bands of the front end."""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.hearing_aid.band_acoustics import BandMix
from recipes.hearing_aid.band_pool import BandPool, read_pool
from recipes.hearing_aid.band_scenes import BandMixer
from recipes.hearing_aid.band_training.settings import BandTraining
from recipes.hearing_aid.classes import BOUNDARY_SNR_DB, CLASSES
from recipes.hearing_aid.conditions import SNRS_DB, fit_boundary
from recipes.hearing_aid.scene_bank import pools_bank, scene_sources
from recipes.hearing_aid.scene_mixing import SceneMix, SceneMixer
from recipes.hearing_aid.scene_training import training as scene_training
from zoo.convnets import front_end_of, spectrogram_of, split_model, standardize_of
from zoo.data.bank import RATE_HZ, Bank, read_bank
from zoo.distillation import load_weights, save_weights
from zoo.files import write_text
from zoo.metrics.switching import SETTLE_S
from zoo.progress import say
from zoo.spectrogram.settings import FrontEnd

TARGETS = 32  # principal components of the teacher's embedding
TAUGHT = 64_000  # samples of a recording that the teacher hears
TARGET_WEIGHT = 0.15  # of their squared error in the loss
LABEL_SMOOTHING = 0.03
PAIR_WEIGHT = 0.5  # of the loss of noise against engines alone, which are the hardest pair
WARMUP = 0.03
CHECK_BATCHES, CHECK_BATCH = 10, 12  # scenes of waveforms that were not trained on


def band_centres_hz(front_end: FrontEnd) -> np.ndarray:
    """Centres of the mel bands [Hz], (bands,)."""
    weights = front_end.mel_weights()
    return (front_end.bin_frequencies_hz @ weights) / weights.sum(axis=0)


def powers_by(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Function from a waveform (samples,) to powers (frames, bands) of the model's front end."""
    layer = spectrogram_of(model)
    levels = tf.function(layer, input_signature=[tf.TensorSpec((1, None))])
    return lambda x: (10 ** (levels(x[None])[0, ..., 0].numpy() / 10)).astype(np.float32)


def teacher_targets(pool: BandPool, file: Path) -> dict[str, np.ndarray]:
    """What YAMNet says of each recording: principal components of its mean embedding, of unit size.

    Args:
        pool: recordings with their waveforms.
        file: of the teacher.

    Returns:
        Source of noise, vehicles or music -> (sounds, `TARGETS`).

    Raises:
        OSError: no such file.
        ValueError: a file of another network.
    """
    # here, since LiteRT beside TensorFlow is loaded only where there is a teacher
    from zoo.teachers.runtime import SAMPLE_RATE_HZ, open_teacher

    teacher = open_teacher(file)
    names = ("noise", "engine", "music")
    means = {
        name: np.array(
            [
                teacher(each.samples[:TAUGHT], SAMPLE_RATE_HZ).embeddings.mean(axis=0)
                for each in pool.sounds[name]
            ]
        )
        for name in names
    }
    x = np.concatenate(list(means.values()))
    centre = x.mean(axis=0)
    _, sizes, axes = np.linalg.svd(x - centre, full_matrices=False)
    # as in `recipes.embedding`: each component divided by the root of its deviation
    scale = np.sqrt(sizes[:TARGETS] / np.sqrt(len(x)))
    projected = {k: (each - centre) @ axes[:TARGETS].T / scale for k, each in means.items()}
    size = np.sqrt(np.mean(np.concatenate(list(projected.values())) ** 2))
    return {name: (each / size).astype(np.float32) for name, each in projected.items()}


class WaveformCheck:
    """Recall of the hops of scenes of waveforms, of recordings that were not trained on.

    Args:
        bank: sound bank.
        part: of `part_of`.
        model: whose front end is used.
        seed: of the scenes.
    """

    def __init__(self, bank: Bank, part: str, model: keras.Model, seed: int) -> None:
        mixer = SceneMixer(pools_bank(scene_sources(bank, (part,), seed)), SceneMix(), seed=seed)
        layer = spectrogram_of(model)
        draws = [mixer.draw(CHECK_BATCH) for _ in range(CHECK_BATCHES)]
        self.x = np.concatenate([layer(x).numpy() for x, _ in draws])
        self.truth = np.concatenate([truth.numpy() for _, truth in draws])

    def __call__(self, network: keras.Model) -> np.ndarray:
        """(classes, classes) shares of each class taken for each class."""
        predicted = np.concatenate(
            [
                network(part, training=False)["probabilities"].numpy().argmax(axis=-1)
                for part in np.array_split(self.x, CHECK_BATCHES)
            ]
        )
        counts = np.zeros((len(CLASSES), len(CLASSES)))
        np.add.at(counts, (self.truth.ravel(), predicted.ravel()), 1)
        return counts / np.maximum(1, counts.sum(axis=1, keepdims=True))


def train(banks: list[Path], out: Path, settings: BandTraining) -> keras.Model:
    """Train on recordings of `settings.parts`; write `hearing.npz` and `hearing.json`.

    Args:
        banks: folders of sound banks.
        out: folder.
        settings: of the training.

    Raises:
        OSError: no bank, weights or teacher there.
        ValueError: a source without recordings, or weights of another network.
    """
    keras.utils.set_random_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    bank = Bank.join([read_bank(folder) for folder in banks])
    model = scene_training.build()
    front_end = front_end_of(model)
    say("front end over all recordings")
    pool = read_pool(
        bank, settings.parts, powers_by(model), band_centres_hz(front_end), seed=settings.seed
    )
    for name, sounds in pool.sounds.items():
        groups = {sound.group for sound in sounds}
        say(f"{name}: {len(sounds)} recordings, {len(groups)} sources")
    targets = {}
    if settings.teacher is not None:
        say("the teacher over noises, vehicles and music")
        targets = teacher_targets(pool, settings.teacher)
    mix = BandMix(hop_s=front_end.hop / front_end.sample_rate_hz)
    mixer = BandMixer(pool, mix, targets)
    rng = np.random.default_rng(settings.seed)
    if settings.weights is not None:
        load_weights(model, settings.weights)
    else:
        standardize_of(model).adapt([mixer.draw(rng, settings.batch)[0] for _ in range(20)])
    check = WaveformCheck(bank, "validation", model, settings.seed + 1)
    start = model.get_weights()
    facts = fit(model, mixer, rng, settings, check, out)
    model.set_weights(mean_weights(model.get_weights(), start, settings.trained_share))
    held_out = SceneMixer(
        pools_bank(scene_sources(bank, ("validation",), settings.seed)),
        SceneMix(change=0.0),
        seed=settings.seed + 2,
    )
    facts["boundary_db_before"] = BoundaryScenes(held_out, model).centre(model)
    save_weights(model, out / "hearing.npz")
    confusion = check(split_model(model)[1])
    facts |= {"classes": list(CLASSES), "parts": list(settings.parts)}
    facts |= {"validation_confusion": confusion.tolist()}
    write_text(out / "hearing.json", json.dumps(facts))
    return model


def fit(
    model: keras.Model,
    mixer: BandMixer,
    rng: np.random.Generator,
    settings: BandTraining,
    check: WaveformCheck,
    out: Path,
) -> dict[str, Any]:
    """Train until the time is over; the learning rate follows the clock to zero.

    Returns:
        Steps and mean losses.
    """
    _, network = split_model(model)
    both = with_teacher_head(network, max(1, mixer.width))
    optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    optimizer.build(both.trainable_variables)

    @tf.function
    def step(x, y, target, weight):  # tensors as `BandMixer.draw` returns them
        with tf.GradientTape() as tape:
            probabilities, embedding = both(x, training=True)
            smooth = (1 - LABEL_SMOOTHING) * y + LABEL_SMOOTHING / len(CLASSES)
            loss = -tf.reduce_mean(tf.reduce_sum(smooth * tf.math.log(probabilities + 1e-7), -1))
            total = loss + PAIR_WEIGHT * pair_loss(probabilities, smooth)
            if mixer.width:
                error = tf.reduce_mean(tf.square(embedding - target), axis=-1)
                total += (
                    TARGET_WEIGHT * tf.reduce_sum(weight * error) / tf.reduce_sum(weight + 1e-3)
                )
        variables = both.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss

    started, number, losses, recent = time.monotonic(), 0, [], []
    while (share := (time.monotonic() - started) / settings.seconds) < 1:
        rising = min(1.0, share / WARMUP)
        falling = 0.5 * (1 + np.cos(np.pi * share))
        optimizer.learning_rate = settings.learning_rate * max(1e-3, rising * falling)
        recent.append(float(step(*map(tf.constant, mixer.draw(rng, settings.batch)))))
        number += 1
        if number % settings.report_steps == 0:
            losses.append(float(np.mean(recent)))
            recent = []
            recall = check(network).diagonal()
            say(
                f"{100 * share:3.0f} %, step {number}, loss {losses[-1]:.4f}, validation recall "
                f"{recall.mean():.3f} {' '.join(f'{each:.2f}' for each in recall)}"
            )
            save_weights(model, out / "hearing.npz")
    save_weights(model, out / "hearing.npz")
    return {"steps": number, "losses": losses}


def pair_loss(probabilities: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Cross-entropy [nat] of noise against engines, as if there were these two classes alone.

    Args:
        probabilities: (batch, frames, classes).
        y: labels, likewise; hops of other classes hardly count.

    Returns:
        Mean over all hops, so that it weighs as the loss of six classes does.
    """
    pair = [CLASSES.index("noise"), CLASSES.index("wind_or_vehicle")]
    p, labels = tf.gather(probabilities, pair, axis=-1), tf.gather(y, pair, axis=-1)
    p = (p + 1e-7) / tf.reduce_sum(p + 1e-7, axis=-1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(labels * tf.math.log(p), axis=-1))


def mean_weights(
    trained: list[np.ndarray], start: list[np.ndarray], share: float
) -> list[np.ndarray]:
    """Mean of each weight, share trained + (1 - share) start, statistics of normalisation included.

    Args:
        trained: weights after a training.
        start: those it began with.
        share: of the trained ones.
    """
    return [share * a + (1 - share) * b for a, b in zip(trained, start, strict=True)]


def with_teacher_head(network: keras.Model, width: int) -> keras.Model:
    """The network with a second output (batch, frames, width), linear in what its LSTM says."""
    x = hidden = network.input
    for layer in network.layers[1:]:  # one after another
        x = layer(x)
        if isinstance(x, dict):  # of the LSTM
            x = hidden = x["hidden"]
    return keras.Model(network.input, [x, keras.layers.Dense(width, name="teacher")(hidden)])


class BoundaryScenes:
    """Scenes of speech at many signal-to-noise ratios, as levels of the front end.

    Args:
        mixer: of scenes of recordings that were not trained on.
        model: whose front end is used.
        scenes: of each ratio.
    """

    def __init__(self, mixer: SceneMixer, model: keras.Model, scenes: int = 8) -> None:
        settings, layer = mixer.settings, spectrogram_of(model)
        noisy = CLASSES.index("speech_in_noise")
        self.levels = []
        for snr in SNRS_DB:
            mixer.settings = dataclasses.replace(settings, noisy_snr_db=(snr, snr))
            self.levels.append(layer(mixer.draw_class(noisy, scenes)).numpy())
        mixer.settings = settings

    def centre(self, model: keras.Model) -> float:
        """Shift two biases so that the measured boundary becomes the stated one.

        Returns:
            The boundary before [dB].
        """
        network = split_model(model)[1]
        speech, noisy = CLASSES.index("speech"), CLASSES.index("speech_in_noise")
        settled = round(SETTLE_S * RATE_HZ / front_end_of(model).hop)
        log_odds = []
        for x in self.levels:
            p = network(x, training=False)["probabilities"].numpy()[:, settled:]
            log_odds.append(np.log(p[..., speech] + 1e-9) - np.log(p[..., noisy] + 1e-9))
        shares = np.array([np.mean(each > 0) for each in log_odds])
        before, _ = fit_boundary(np.array(SNRS_DB), shares, 1 - shares)

        def error_db(shift: float) -> float:
            shares = np.array([np.mean(each + shift > 0) for each in log_odds])
            return fit_boundary(np.array(SNRS_DB), shares, 1 - shares)[0] - BOUNDARY_SNR_DB

        shifts = np.linspace(-3, 3, 61)
        shift = shifts[int(np.argmin([abs(error_db(each)) for each in shifts]))]
        layer = model.get_layer("probabilities")
        kernel, bias = layer.get_weights()
        bias[speech] += shift / 2
        bias[noisy] -= shift / 2
        layer.set_weights([kernel, bias])
        return before
