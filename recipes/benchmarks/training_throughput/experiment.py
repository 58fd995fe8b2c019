"""Times of training steps on the input pipeline and on one batch kept in memory."""

import io
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from recipes.benchmarks.training_throughput.settings import Settings
from recipes.scenes import experiment as scenes
from recipes.scenes.data import load_data
from recipes.scenes.settings import Settings as SceneSettings
from zoo import training
from zoo.crossvalidation import make_losses, prepare_network

MAX_WAITING = 0.05
PREFETCHED = 2  # batches that are ready when a block begins: not counted
Step = Callable[[Any, Any], None]


@dataclass
class Times:
    """Times of some steps.

    Attributes:
        waiting_s: until the batch was there [s].
        step_s: of the training step [s].
        processor_s: processor time of both [s].
    """

    waiting_s: list[float] = field(default_factory=list)
    step_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)

    def measure(self, batches: Iterator[tuple[Any, Any]], step: Step) -> int:
        """Take one step and add its times.

        Returns:
            Clips in its batch.
        """
        began, processor = time.perf_counter(), time.process_time()
        x, y = next(batches)
        arrived = time.perf_counter()
        step(x, y)
        self.step_s.append(time.perf_counter() - arrived)
        self.waiting_s.append(arrived - began)
        self.processor_s.append(time.process_time() - processor)
        return len(x)

    @property
    def waiting_share(self) -> float:
        """Waiting over all time; of means, because waiting comes in lumps."""
        total = statistics.mean(map(sum, zip(self.waiting_s, self.step_s, strict=True)))
        return statistics.mean(self.waiting_s) / total


def run(settings: Settings) -> int:
    """Measure every network and print two lines each.

    Returns:
        1 if a network waits too long for its batches, else 0.

    Raises:
        ValueError: too few steps in a block, or a corpus that cannot be used.
    """
    if settings.steps <= PREFETCHED:
        raise ValueError(f"--steps must be above {PREFETCHED}. Received: {settings.steps}.")
    worst = 0.0
    print(f"{'':20}{'':14}{'clips/s':>9}{'waiting':>10}{'ms a step':>11}{'processor ms':>14}")
    for name in settings.models:
        batch_size, pipeline, kept = measure_network(name, settings)
        for label, times in (("input pipeline", pipeline), ("one batch", kept)):
            step_s = statistics.median(times.step_s)
            total_s = statistics.median(times.waiting_s) + step_s
            print(
                f"{name:20}{label:14}{batch_size / total_s:9,.0f}{times.waiting_share:10.2%}"
                f"{1e3 * step_s:11,.1f}{1e3 * statistics.median(times.processor_s):14,.1f}",
                flush=True,
            )
            worst = max(worst, times.waiting_share)
    print(f"longest waiting: {worst:.2%} (aim: at most {MAX_WAITING:.0%})")
    return 0 if worst <= MAX_WAITING else 1


def measure_network(name: str, settings: Settings) -> tuple[int, Times, Times]:
    """Measure the training of one network.

    Args:
        name: of the network.
        settings: data, number of blocks and steps.

    Returns:
        Clips in a batch; times with the input pipeline; times with one batch kept in memory.
    """
    scene_settings = SceneSettings(data=settings.data, model=name)
    data = load_data(scene_settings)
    model = scenes.make_builder(scene_settings, data)()
    features = scenes.compute_features(data.clips, model, data.duration_s, parts=())
    fold = scenes.training_settings(scene_settings)
    prepared = prepare_network(model, features, np.arange(len(data.clips)), fold)
    warm_up = training.Budget(epochs=1, steps_per_epoch=3, learning_rate=fold.learning_rate)
    training.fit(
        prepared.network,
        prepared.batches,
        None,
        warm_up,
        training.FitSettings(losses=make_losses(fold)),
        stream=io.StringIO(),
    )
    train_step = tf.function(
        lambda x, y: prepared.network.train_step((x, y)), reduce_retracing=True
    )

    def step(x: Any, y: Any) -> None:
        float(train_step(x, y)["loss"])  # waits for it

    pipeline = iter(prepared.batches(0))
    kept = itertools.repeat(next(pipeline))
    batch_size = Times().measure(pipeline, step)
    times = Times(), Times()
    for _ in range(settings.blocks):
        for block, batches in zip(times, (pipeline, kept), strict=True):
            for number in range(settings.steps):
                (Times() if number < PREFETCHED else block).measure(batches, step)
    return batch_size, *times
