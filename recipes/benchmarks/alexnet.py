"""What AlexNet at full size costs here: milliseconds and memory of a training step and an answer.

python -m recipes.benchmarks.alexnet [--models alexnet alexnet_groups] [--batch 8] [--repeats 5]

227 x 227 x 3 pictures, 1000 classes. Each row is measured in a process of its own, so that its
memory is its own. Last, the network learns spectrograms of synthetic scenes as pictures, a few
steps on one batch, and the loss must fall; exit code 1 if it does not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

JOBS = ("import", "answer", "training step", "spectrograms")
SIZE, CLASSES = 227, 1000


def main() -> int:
    """Measure every job of every network in a process of its own and print a line each."""
    options = _options()
    if min(options.batch, options.repeats, options.steps) < 1:
        print("error: --batch, --repeats and --steps must be 1 or more", file=sys.stderr)
        return 2
    if options.job:
        print(json.dumps(_JOBS[options.job](options.models[0], options)))
        return 0
    print(
        f"{'':16}{'':16}{'batch':>6}{'median ms':>11}{'fastest':>9}{'processor':>11}{'peak MB':>9}"
    )
    base = _in_a_process("import", options.models[0])
    print(f"{'TensorFlow alone':32}{'':37}{base['peak_mb']:9,.0f}", flush=True)
    fallen = True
    for model in options.models:
        for job, batch in (("answer", 1), ("answer", options.batch), ("training step", None)):
            found = _in_a_process(job, model, *(["--batch", str(batch)] if batch else []))
            print(
                f"{model:16}{job:16}{found['batch']:6}{found['median_ms']:11,.0f}"
                f"{found['fastest_ms']:9,.0f}{found['processor_ms']:11,.0f}{found['peak_mb']:9,.0f}",
                flush=True,
            )
        found = _in_a_process("spectrograms", model)
        losses = found["losses"]
        fallen &= losses[-1] < losses[0]
        print(f"{model:16}learns spectrograms: loss {', '.join(f'{x:.2f}' for x in losses)}")
    return 0 if fallen else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", nargs="+", choices=("alexnet", "alexnet_groups"), default=["alexnet"]
    )
    parser.add_argument("--batch", type=int, default=8, help="pictures in a training step")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each, the median counts")
    parser.add_argument("--steps", type=int, default=8, help="on spectrograms")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(job: str, model: str, *more: str) -> dict:
    command = [sys.executable, "-m", "recipes.benchmarks.alexnet", *sys.argv[1:]]
    command += ["--models", model, "--job", job, *more]  # the last of an option counts
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    if done.returncode:
        raise SystemExit(f"error: {job} of {model} ended with {done.returncode}; see above")
    return json.loads(done.stdout.splitlines()[-1]) | {"job": job}


def _import(name: str, options: argparse.Namespace) -> dict:
    import zoo.presets  # noqa: F401

    return {"peak_mb": _peak_mb()}


def _answer(name: str, options: argparse.Namespace) -> dict:
    import numpy as np
    import tensorflow as tf

    from zoo import presets

    model = presets.picture(name, CLASSES)
    run = tf.function(lambda x: model(x, training=False))
    x = tf.constant(np.random.default_rng(0).random((options.batch, SIZE, SIZE, 3), "float32"))
    return _timed(lambda: run(x)["probabilities"].numpy(), options)


def _training_step(name: str, options: argparse.Namespace) -> dict:
    import numpy as np

    from zoo import presets

    model = presets.picture(name, CLASSES)
    draw = np.random.default_rng(0)
    x = draw.random((options.batch, SIZE, SIZE, 3), "float32")
    step = _step(model, x, draw.integers(0, CLASSES, options.batch))
    return _timed(lambda: float(step()), options)


def _spectrograms(name: str, options: argparse.Namespace) -> dict:
    """Loss before each step on two clips of each of four scenes, as grey pictures."""
    import keras
    import numpy as np

    from zoo import presets
    from zoo.data import synthesis
    from zoo.spectrogram import PRESETS, Spectrogram

    keras.utils.set_random_seed(0)
    names = list(synthesis.SCENES)[:4]
    front_end = PRESETS["hearing_aid"]
    clips = [
        synthesis.scene(scene, seed=seed, sample_rate_hz=int(front_end.sample_rate_hz)).samples
        for scene in names
        for seed in (0, 1)
    ]
    pictures = keras.ops.image.resize(Spectrogram(front_end)(np.stack(clips)), (SIZE, SIZE))
    pictures = keras.ops.convert_to_numpy(pictures)
    pictures = (pictures - pictures.mean()) / pictures.std()
    step = _step(
        presets.picture(name, len(names)),
        np.repeat(pictures, 3, axis=-1),
        np.repeat(np.arange(len(names)), 2),
    )
    return {"losses": [float(step()) for _ in range(options.steps + 1)], "peak_mb": _peak_mb()}


def _step(model, x, y) -> Callable[[], object]:
    """One step of Adam on a batch that stays; returns the loss before it."""
    import keras
    import tensorflow as tf

    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            answers = model(x, training=True)["probabilities"]
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, answers))
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    return step


def _timed(run: Callable[[], object], options: argparse.Namespace) -> dict:
    run()
    passed, busy = [], []
    for _ in range(options.repeats):
        began, worked = time.perf_counter(), time.process_time()
        run()
        passed.append(1e3 * (time.perf_counter() - began))
        busy.append(1e3 * (time.process_time() - worked))
    return {
        "batch": options.batch,
        "median_ms": statistics.median(passed),
        "fastest_ms": min(passed),
        "processor_ms": statistics.median(busy),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_JOBS = dict(zip(JOBS, (_import, _answer, _training_step, _spectrograms), strict=True))


if __name__ == "__main__":
    sys.exit(main())
