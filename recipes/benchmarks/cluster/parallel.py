"""Data-parallel training: hashes for 1, 2 and 4 workers, kills of replicas, time and bytes."""

import os
import pickle
import signal
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.benchmarks.cluster.settings import Settings
from recipes.benchmarks.cluster.work import small_lstm
from zoo.checkpoints import hash_arrays
from zoo.sharded_training import GradientWorker, ShardedStep, pickle_model, sharded_step
from zoo.tasks import Workers

SHARDS, STEPS = 4, 12
LARGE = {"units": 64, "batch": 64, "length": 100}  # of the scaling


def train(workers: Workers, kills: Sequence[int] = (), steps: int = STEPS) -> tuple[str, int]:
    """Hash of the weights after some steps, and how many replicas died.

    Args:
        workers: of the shards.
        kills: number of the replica to kill in each of the first steps.
        steps: of the optimizer.
    """
    model, batches = small_lstm(0)
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    with sharded_step(model, SHARDS, workers) as step:
        iterator = iter(batches(0))
        for number in range(steps):
            if number < len(kills):
                os.kill(step.replicas.pids[kills[number]], signal.SIGKILL)
            step(iterator)
        deaths = step.replicas.deaths
    return hash_arrays(*model.get_weights()), deaths


def compare_hashes(ray: str | None) -> dict[str, str]:
    """Hash of the weights for 1, 2 and 4 workers."""
    return {f"{count} workers": train(Workers(count, ray))[0] for count in (1, 2, 4)}


def kill_replicas(settings: Settings, ray: str | None) -> dict[str, int | float]:
    """One training in which a random one of two replicas is killed in each of the first steps."""
    began = time.monotonic()
    expected, _ = train(Workers(1, ray), steps=max(STEPS, settings.rounds))
    rng = np.random.default_rng(settings.seed)
    victims = [int(rng.integers(2)) for _ in range(settings.rounds)]
    weights, deaths = train(Workers(2, ray), victims, max(STEPS, settings.rounds))
    return {
        "rounds": settings.rounds,
        "noticed": deaths,
        "same": settings.rounds if weights == expected else 0,
        "seconds": round(time.monotonic() - began),
    }


def measure_scaling() -> dict[str, Any]:
    """Time of a step without workers, with 1, 2 and 4, and the bytes that a step moves."""
    model, batches = small_lstm(0, **LARGE)
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    rows: dict[str, Any] = {"load": os.getloadavg()[0], "parameters": model.count_params()}
    data = iter(batches(0))
    x, y = next(data)
    rows["whole batch, no workers"] = _time(lambda: model.train_on_batch(x, y), [])
    for count in (1, 2):
        with sharded_step(model, SHARDS, Workers(count)) as step:
            pids = step.replicas.pids
            rows[f"{count} worker{'s' * (count > 1)}"] = _time(lambda step=step: step(data), pids)
    rows["bytes"] = _bytes(model, next(data))
    return rows


def _time(step: Any, pids: Sequence[int], count: int = 15) -> dict[str, float]:
    """Wall time of a step, processor time of a step here and in the busiest worker [ms]."""
    for _ in range(3):
        step()
    times = []
    began = [_processor_s(pid) for pid in (os.getpid(), *pids)]
    for _ in range(count):
        start = time.monotonic()
        step()
        times.append(time.monotonic() - start)
    ended = [_processor_s(pid) for pid in (os.getpid(), *pids)]
    own, *workers = (1e3 * (b - a) / count for a, b in zip(began, ended, strict=True))
    return {
        "median_ms": 1e3 * statistics.median(times),
        "least_ms": 1e3 * min(times),
        "most_ms": 1e3 * max(times),
        "own_processor_ms": own,
        "worker_processor_ms": max(workers, default=0.0),
    }


def _processor_s(pid: int) -> float:
    """Processor time of a process so far [s]; Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bytes(model: keras.Model, batch: Any) -> dict[str, int]:
    """Bytes of the messages of one step with one worker."""
    sent: list[int] = []

    class Meter:
        def __len__(self) -> int:
            return 1

        def call(self, requests: list[Any]) -> list[Any]:
            sent.append(sum(len(pickle.dumps(request, protocol=5)) for request in requests))
            replies = [worker(request) for request in requests]
            sent.append(sum(len(pickle.dumps(reply, protocol=5)) for reply in replies))
            return replies

    worker = GradientWorker(pickle_model(model))
    meter: Any = Meter()
    ShardedStep(model, SHARDS, meter)(iter([batch]))
    return {"to the worker": sent[0], "from the worker": sent[1]}
