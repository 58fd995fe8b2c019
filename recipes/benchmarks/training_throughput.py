"""Clips a second in training, and how long the input pipeline leaves the network waiting.

python -m recipes.benchmarks.training_throughput [--data PATH] [--models residual_tiny alexnet_gap]

Runs `recipes.scenes` up to the point where it hands network and batches to `zoo.training.fit`, and
measures what was handed over. Blocks of steps on its batches take turns with blocks on one batch
kept in memory, so that a busy machine slows both alike. Waiting is the time that the next batch
takes to come; the pipeline also takes processor time from the network, which the second row shows.
Exit code 1 if the network waits for more than 5 % of the time.
"""

import argparse
import io
import os
import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

from zoo.names import current_name

MOST_WAITING = 0.05
KEPT = 2  # batches that lie ready when a block begins: not counted


@dataclass
class Block:
    """Seconds of some steps: until the batch was there, in the network, and of the processor."""

    waited: list[float] = field(default_factory=list)
    learnt: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def add(self, batches, step) -> int:
        """Take a step; returns how many clips it learnt from."""
        began, worked = time.perf_counter(), time.process_time()
        x, y = next(batches)
        came = time.perf_counter()
        step(x, y)
        self.learnt.append(time.perf_counter() - came)
        self.waited.append(came - began)
        self.busy.append(time.process_time() - worked)
        return len(x)


class _Measured(Exception):
    """Ends the recipe once its training was measured."""


def main() -> int:
    """Measure every network and print two lines each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="corpus in any layout (default: synthetic)")
    parser.add_argument(
        "--models", nargs="+", type=current_name, default=["residual_tiny", "alexnet_gap"]
    )
    parser.add_argument("--blocks", type=int, default=6, help="of either kind")
    parser.add_argument("--steps", type=int, default=10, help="in a block")
    options = parser.parse_args()
    if options.blocks < 1 or options.steps <= KEPT:
        print(f"error: --blocks must be 1 or more, --steps above {KEPT}", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the recipe does
    worst = 0.0
    print(f"{'':20}{'':14}{'clips/s':>9}{'waiting':>10}{'ms a step':>11}{'processor ms':>14}")
    for name in options.models:
        clips, pipeline, kept = _blocks(name, options)
        for label, block in (("its batches", pipeline), ("one, kept", kept)):
            step = statistics.median(block.learnt)
            # the mean, for waiting comes in lumps
            wait = statistics.mean(block.waited) / statistics.mean(
                map(sum, zip(block.waited, block.learnt, strict=True))
            )
            print(
                f"{name:20}{label:14}{clips / (statistics.median(block.waited) + step):9,.0f}"
                f"{wait:10.2%}{1e3 * step:11,.1f}{1e3 * statistics.median(block.busy):14,.1f}",
                flush=True,
            )
            worst = max(worst, wait)
    print(f"the longest waiting: {worst:.2%} (aim: at most {MOST_WAITING:.0%})")
    return 0 if worst <= MOST_WAITING else 1


def _blocks(name: str, options: argparse.Namespace) -> tuple[int, Block, Block]:
    """Clips in a batch, and what the recipe's own batches and a kept one took."""
    import tensorflow as tf

    from recipes.scenes import experiment as scenes
    from zoo import training

    fit, found = training.fit, []

    def stand_in(model, batches, validation, budget, *, losses, **_) -> None:
        """Compile and warm up as the recipe would, then measure instead of training on."""
        short = replace(budget, epochs=1, steps_per_epoch=3)
        fit(model, batches, validation, short, losses=losses, stream=io.StringIO())
        learn = tf.function(lambda x, y: model.train_step((x, y)), reduce_retracing=True)

        def step(x, y) -> None:
            float(learn(x, y)["loss"])  # waits for it

        own = iter(batches(0))
        kept = iter(tf.data.Dataset.from_tensors(next(own)).repeat())
        size = step(*next(own)) or Block().add(own, step)
        both = Block(), Block()
        for _ in range(options.blocks):
            for block, source in zip(both, (own, kept), strict=True):
                for number in range(options.steps):
                    (Block() if number < KEPT else block).add(source, step)
        found.append((size, *both))
        raise _Measured

    arguments = ["--model", name, "--folds", "1"]
    if options.data:
        arguments += ["--data", str(options.data)]
    with mock.patch.object(training, "fit", stand_in):
        try:
            scenes.main(arguments)
        except _Measured:
            return found[0]
    raise SystemExit("error: the recipe ended without training")


if __name__ == "__main__":
    sys.exit(main())
