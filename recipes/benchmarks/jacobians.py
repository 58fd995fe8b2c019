"""Seconds and peak memory of every per-step Jacobian of an LSTM stack, beside the naive way.

python -m recipes.benchmarks.jacobians [--units 64] [--layers 2] [--time 200] [--batch 32]
    [--naive-steps 4]

The naive way is one `tape.batch_jacobian` in eager mode for each step and layer, which is already
kinder than `tape.jacobian`: that one computes the zero blocks between sequences as well, and is
measured too. Both are timed on `--naive-steps` steps, after one that is not counted, and
multiplied up to all. Each way runs in a process of its own; the peak is that of the process, above
what it held before. Ours takes every Jacobian in turn and keeps none, as `log_norms` and `lyapunov`
do; its first round includes making the graph.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=64, help="width of a layer (default 64)")
    parser.add_argument("--layers", type=int, default=2, help="layers (default 2)")
    parser.add_argument("--batch", type=int, default=32, help="sequences (default 32)")
    parser.add_argument("--time", type=int, default=200, help="steps (default 200)")
    parser.add_argument("--naive-steps", type=int, default=4, help="timed naively (default 4)")
    options = parser.parse_args()
    if min(vars(options).values()) < 1:
        print("error: every option must be 1 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    spawn = multiprocessing.get_context("spawn")
    print(
        f"{options.layers} x LSTM({options.units}), {options.time} steps, batch {options.batch}: "
        f"Jacobians of {2 * options.units} x {2 * options.units}"
    )
    first = None
    for name in ("StepJacobians", "batch_jacobian a step", "jacobian a step"):
        with spawn.Pool(1) as pool:
            seconds, megabytes, remark = pool.apply(_measure, (name, options))
        first = first or seconds
        print(
            f"{name:22} {seconds:9.1f} s  {seconds / first:7.1f} x  peak +{megabytes:6.0f} MB"
            f"  {remark}",
            flush=True,
        )
    return 0


def _measure(name: str, options: argparse.Namespace) -> tuple[float, float, str]:
    """Seconds, megabytes above the start, and what to know about them."""
    import keras
    import numpy as np

    from zoo.cells import LSTMCell
    from zoo.memory import passes
    from zoo.recurrent import recurrent_model

    keras.utils.set_random_seed(0)
    model = recurrent_model([LSTMCell(options.units) for _ in range(options.layers)])
    shape = (options.batch, options.time, 3)
    runs = passes(model, np.random.default_rng(0).standard_normal(shape, np.float32))
    held = _peak_megabytes()
    if name == "StepJacobians":
        seconds, remark = _ours(runs)
    else:
        seconds, remark = _naive(runs, name.startswith("batch"), options.naive_steps)
    return seconds, _peak_megabytes() - held, remark


def _ours(runs) -> tuple[float, str]:
    from zoo.memory import StepJacobians

    began = time.perf_counter()
    paths = [StepJacobians(run) for run in runs]
    rounds = []
    for _ in range(2):
        for path in paths:
            for jacobian in path:
                assert jacobian.any()
        rounds.append(time.perf_counter() - began)
        began = time.perf_counter()
    return rounds[0], f"first round; the second takes {rounds[1]:.1f} s"


def _naive(runs, batched: bool, count: int) -> tuple[float, str]:
    import tensorflow as tf

    def jacobian(run, step):
        x = tf.constant(run.x[step])
        state = tf.constant(run.states[step])
        with tf.GradientTape() as tape:
            tape.watch(state)
            after, _ = run.cell.step(x, run.cell.State(*tf.split(state, 2, axis=-1)))
            after = tf.concat(after, axis=-1)
        return (tape.batch_jacobian if batched else tape.jacobian)(after, state).numpy()

    jacobian(runs[0], 0)
    began = time.perf_counter()
    for step in range(1, 1 + count):
        for run in runs:
            jacobian(run, step % len(run.x))
    seconds = (time.perf_counter() - began) / count * len(runs[0].x)
    return seconds, f"extrapolated from {count} of {len(runs[0].x)} steps"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
