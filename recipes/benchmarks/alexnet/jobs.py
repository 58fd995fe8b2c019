"""One job of the AlexNet benchmark, in a child process."""

import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.benchmarks.alexnet.settings import Settings
from zoo import presets
from zoo.data import synthesis
from zoo.spectrogram import PRESETS, Spectrogram

SIZE, CLASSES = 227, 1000


def run(job: str, settings: Settings) -> int:
    """Print the results of one job of the first network as JSON; returns the exit code."""
    jobs = {
        "import": lambda: {"peak_mb": _peak_mb()},
        "inference": lambda: _inference(settings),
        "training step": lambda: _training_step(settings),
        "spectrograms": lambda: _spectrograms(settings),
    }
    print(json.dumps(jobs[job]()))
    return 0


def _inference(settings: Settings) -> dict[str, Any]:
    model = presets.picture(settings.networks[0], CLASSES)
    predict = tf.function(lambda x: model(x, training=False))
    x = tf.constant(np.random.default_rng(0).random((settings.batch, SIZE, SIZE, 3), "float32"))
    return _time(lambda: predict(x)["probabilities"].numpy(), settings)


def _training_step(settings: Settings) -> dict[str, Any]:
    model = presets.picture(settings.networks[0], CLASSES)
    rng = np.random.default_rng(0)
    x = rng.random((settings.batch, SIZE, SIZE, 3), "float32")
    step = _make_step(model, x, rng.integers(0, CLASSES, settings.batch))
    return _time(lambda: float(step()), settings)


def _spectrograms(settings: Settings) -> dict[str, Any]:
    """Loss before each step on two clips of each of four scenes, as grey images."""
    keras.utils.set_random_seed(0)
    names = list(synthesis.SCENES)[:4]
    front_end = PRESETS["hearing_aid"]
    clips = [
        synthesis.scene(scene, seed=seed, sample_rate_hz=int(front_end.sample_rate_hz)).samples
        for scene in names
        for seed in (0, 1)
    ]
    images = keras.ops.image.resize(Spectrogram(front_end)(np.stack(clips)), (SIZE, SIZE))
    images = keras.ops.convert_to_numpy(images)
    images = (images - images.mean()) / images.std()
    step = _make_step(
        presets.picture(settings.networks[0], len(names)),
        np.repeat(images, 3, axis=-1),
        np.repeat(np.arange(len(names)), 2),
    )
    return {"losses": [float(step()) for _ in range(settings.steps + 1)], "peak_mb": _peak_mb()}


def _make_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    """A step of Adam on one fixed batch; it returns the loss before the step."""
    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)
    images, labels = tf.constant(x), tf.constant(y)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            probabilities = model(images, training=True)["probabilities"]
            losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
            loss = tf.reduce_mean(losses)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    return step


def _time(call: Callable[[], Any], settings: Settings) -> dict[str, Any]:
    call()
    elapsed_ms, processor_ms = [], []
    for _ in range(settings.repeats):
        start, processor_start = time.perf_counter(), time.process_time()
        call()
        elapsed_ms.append(1e3 * (time.perf_counter() - start))
        processor_ms.append(1e3 * (time.process_time() - processor_start))
    return {
        "batch": settings.batch,
        "median_ms": statistics.median(elapsed_ms),
        "fastest_ms": min(elapsed_ms),
        "processor_ms": statistics.median(processor_ms),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
