"""The first half of `recipes.memory`: networks on the adding problem, and what makes them fail."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np

from zoo import plots
from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.memory import StepJacobians, fading, passes
from zoo.memory.adding import GUESS, adding
from zoo.memory.gradients import GradientNorms
from zoo.recurrent import VisibleRNN
from zoo.report import Column, Table

if TYPE_CHECKING:
    from zoo.report import Report

BATCH_SIZE = 64
SOLVED = 1e-3  # a hundred and seventieth of the error of a constant answer
CHECKS = 48  # of the error, in a full run
TEST_SEED = 10_000
ABLATION_SEEDS = 3
ADAM_RATE, DESCENT_RATE = 5e-3, 0.1
CLIP = 1.0  # norm of the gradient of all weights
LOOKED_AT = 16  # sequences whose Jacobians are averaged

NETWORKS: dict[str, Callable[[int], keras.layers.Layer]] = {
    "tanh": lambda units: SimpleRNNCell(units),
    "logistic": lambda units: SimpleRNNCell(units, activation="sigmoid"),
    "ReLU": lambda units: SimpleRNNCell(units, activation="relu"),
    "GRU": lambda units: GRUCell(units),
    "LSTM": lambda units: LSTMCell(units),
}


class Trained(NamedTuple):
    """One network, before and after."""

    errors: np.ndarray  # of the test sequences, at each check
    every: int  # training steps between checks
    norms: GradientNorms
    before: np.ndarray  # log ‖∂s_T/∂s_t‖ against the lag, mean over sequences
    after: np.ndarray
    exponent: float  # largest Lyapunov exponent before training
    bound: np.ndarray | None  # of a SimpleRNN before training


def length(options: argparse.Namespace) -> int:
    """Of a sequence."""
    return min(20, options.length) if options.quick else options.length


def race(report: "Report", options: argparse.Namespace) -> None:
    """Who learns to add over so many steps, and what its Jacobians said beforehand."""
    steps = 48 if options.quick else options.steps
    results = {
        name: train(
            make(options.units),
            length(options),
            steps,
            optimizer=adam(CLIP),
            seed=options.seed,
            name=name,
        )
        for name, make in NETWORKS.items()
    }
    rows = []
    for name, result in results.items():
        solved = np.flatnonzero(result.errors < SOLVED)
        rows.append(
            (
                name,
                float(result.errors[-1]),
                int((solved[0] + 1) * result.every) if len(solved) else "not",
                result.before[-1] / np.log(10),
                result.after[-1] / np.log(10),
                result.exponent,
            )
        )
    table = Table(
        [
            "network",
            Column("last error", number=".2g"),
            Column("solved after", "steps", "d"),
            Column("log10 ‖∂s_T/∂s_0‖ at first", number=".1f"),
            Column("after training", number=".1f"),
            Column("largest Lyapunov exponent at first", "1/step", ".3f"),
        ],
        rows,
        f"Adding two numbers among {length(options)}; always the same answer has error 0.167, "
        f"solved is below {SOLVED:g}.",
    )
    print(table.text())
    report.section(
        "Who can add two numbers far apart?",
        f"Each network has {options.units} units, the same batches, Adam at {ADAM_RATE:g} and a "
        f"gradient clipped to norm {CLIP:g}. Before training, gated networks forget as well, and a "
        "small norm does not condemn them: numbers near the end teach the gates to open, and the "
        "reach grows with what is learnt. Compare the norms after training. A logistic network "
        "cannot follow: its Jacobian is bounded by a quarter of its matrix.",
    ).table(table)
    report.figure(
        plots.race({n: r.errors for n, r in results.items()}, guess=GUESS, every=_every(results)),
        name="race",
        caption="Error on sequences never trained on. A curve ends where it is solved.",
        alt="Mean squared error against training steps of " + ", ".join(results),
    )
    panels = {"before training": {}, "after training": {}}
    for name, result in results.items():
        panels["before training"][name] = plots.Decay(result.before)
        panels["after training"][name] = plots.Decay(result.after)
    report.figure(
        plots.fading(panels),
        name="fading",
        caption="Geometric mean over sequences of ‖∂s_T/∂s_t‖, of the whole state: (h, C) for the "
        "LSTM.",
        alt="Norms of Jacobian products against the lag, before and after training.",
    )
    simple = {n: r for n, r in results.items() if r.bound is not None}
    report.figure(
        plots.fading(
            {
                n: {"actual": plots.Decay(r.before), "bound": plots.Decay(r.bound, bound=True)}
                for n, r in simple.items()
            }
        ),
        name="bounds",
        caption="SimpleRNN before training, and the bound (‖U‖ max φ')^k that no product exceeds. "
        "U is orthogonal, ‖U‖ = 1: tanh and ReLU lose by their slopes alone, the logistic, never "
        "steeper than 1/4, at least a factor of 4 a step.",
        alt="Jacobian products of three activations beside their bounds.",
    )
    report.figure(
        plots.gradients(
            {n: _whole(r.norms) for n, r in results.items()},
            {n: r.norms.clipped for n, r in results.items()},
        ),
        name="gradients",
        caption=f"Norm of the gradient of all weights at every step; orange where it was above "
        f"{CLIP:g} and cut.",
        alt="Gradient norms over training, one panel a network.",
    )
    _write_norms(results, options)


def ablation(report: "Report", options: argparse.Namespace) -> None:
    """One change at a time, on a shorter task, with several seeds."""
    steps = 24 if options.quick else max(1, options.steps // 3)
    steps_long = max(4, length(options) // 2)
    seeds = [options.seed + k for k in range(1 if options.quick else ABLATION_SEEDS)]
    glorot = {"recurrent_initializer": "glorot_uniform"}

    def simple(**settings: Any) -> Callable[[int], keras.layers.Layer]:
        return lambda units: SimpleRNNCell(units, **settings)

    variants = {
        "tanh, orthogonal": (simple(), adam, CLIP),
        "tanh, Glorot": (simple(**glorot), adam, CLIP),
        "ReLU, orthogonal": (simple(activation="relu"), adam, CLIP),
        "ReLU, Glorot": (simple(activation="relu", **glorot), adam, CLIP),
        "logistic, orthogonal": (simple(activation="sigmoid"), adam, CLIP),
        "logistic, Glorot": (simple(activation="sigmoid", **glorot), adam, CLIP),
        "LSTM, forget bias 1": (LSTMCell, adam, CLIP),
        "LSTM, forget bias 0": (lambda units: LSTMCell(units, unit_forget_bias=False), adam, CLIP),
        "tanh, not clipped": (simple(), adam, None),
        "ReLU, not clipped": (simple(activation="relu"), adam, None),
        "LSTM, not clipped": (LSTMCell, adam, None),
        "tanh, plain descent": (simple(), descent, CLIP),
        "tanh, plain descent, not clipped": (simple(), descent, None),
    }
    if options.quick:
        variants = dict(list(variants.items())[::4])
    rows = []
    for name, (make, optimizer, clip) in variants.items():
        results = [
            train(
                make(options.units),
                steps_long,
                steps,
                optimizer=optimizer(clip),
                seed=seed,
                name=f"{name}, seed {seed}",
            )
            for seed in seeds
        ]
        errors = np.nan_to_num([result.errors[-1] for result in results], nan=np.inf)
        after = [result.after[-1] for result in results]
        norms = np.concatenate([_whole(result.norms) for result in results])
        clipped = np.concatenate([result.norms.clipped for result in results])
        rows.append(
            (
                name,
                np.mean([result.before[-1] for result in results]) / np.log(10),
                None if np.isinf(errors).any() else np.mean(after) / np.log(10),
                float(np.nanmedian(norms)),
                float(np.nanmax(norms)),
                None if clip is None else float((clipped > 0).mean()),
                float(np.exp(np.log(errors).mean())),
                float(errors.min()),
                float(errors.max()),
                int(np.isinf(errors).sum()) or None,
            )
        )
    table = Table(
        [
            "network",
            Column("log10 ‖∂s_T/∂s_0‖ at first", number=".1f"),
            Column("after", number=".1f"),
            Column("median ‖gradient‖", number=".2g"),
            Column("largest", number=".2g"),
            Column("steps clipped", number=".0%"),
            Column("last error", number=".2g"),
            Column("best seed", number=".2g"),
            Column("worst", number=".2g"),
            Column("diverged", number="d"),
        ],
        rows,
        f"Adding over {steps_long} steps, {steps} training steps at most; geometric means over "
        f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}.",
    )
    print(table.text())
    report.section(
        "What has it to do with?",
        "Activation, initialisation of the recurrent matrix, forget bias and clipping, one at a "
        "time. Clipping cannot bring back a gradient that has vanished; it is there for one that "
        f"explodes. Adam (rate {ADAM_RATE:g}) divides every gradient by its own recent size and "
        "so survives a steep step, whose size then makes the following steps small: compare the "
        "rows with and without clipping, and how far the seeds lie apart. Plain gradient descent "
        f"(rate {DESCENT_RATE:g}) follows a gradient as far as it is long, and there one steep "
        "step can end the training.",
    ).table(table)


def adam(clip: float | None) -> keras.Optimizer:
    """Adam that cuts the gradient of all weights to this norm."""
    return keras.optimizers.Adam(ADAM_RATE, global_clipnorm=clip)


def descent(clip: float | None) -> keras.Optimizer:
    """Gradient descent that cuts the gradient of all weights to this norm."""
    return keras.optimizers.SGD(DESCENT_RATE, global_clipnorm=clip)


def train(
    cell: keras.layers.Layer,
    steps_long: int,
    steps: int,
    *,
    optimizer: keras.Optimizer,
    seed: int,
    name: str,
) -> Trained:
    """Teach one cell to add; stop when it can, or when the error is no number any more."""
    began = time.monotonic()
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, 2))
    h = VisibleRNN(cell, return_sequences=False, name="recurrent")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, name="readout")(h[cell.show[0]]))
    model.compile(optimizer, "mse", jit_compile=False)

    x, y = adding(steps * BATCH_SIZE, steps_long, seed)
    test = adding(512, steps_long, TEST_SEED)
    shown = test[0][:LOOKED_AT]
    before, exponent = decay_of(model, shown)
    bound = None
    if isinstance(cell, SimpleRNNCell):
        recurrent = np.asarray(cell.recurrent_kernel, np.float64)
        bound = fading.log_bound(recurrent, cell.activation.__name__, steps_long)
    checks, norms = _Checks(*test, every=max(1, steps // CHECKS)), GradientNorms()
    model.fit(x, y, batch_size=BATCH_SIZE, shuffle=False, verbose=0, callbacks=[checks, norms])
    # what has diverged has no memory to speak of
    after = (
        decay_of(model, shown)[0]
        if np.isfinite(checks.errors[-1])
        else np.full_like(before, np.nan)
    )
    print(
        f"  {name}: error {checks.errors[-1]:.2g} after {len(norms.losses)} steps, "
        f"{time.monotonic() - began:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return Trained(np.array(checks.errors), checks.every, norms, before, after, exponent, bound)


def decay_of(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of log ‖∂s_T/∂s_t‖ against the lag, and the largest Lyapunov exponent of the paths."""
    (run,) = passes(model, x)
    path = StepJacobians(run).array()
    exponent = fading.lyapunov(path, count=1).mean()
    return fading.log_norms(path).mean(axis=1), float(exponent)


class _Checks(keras.callbacks.Callback):
    """Error of the test sequences now and then; stops when the task is solved."""

    def __init__(self, x: np.ndarray, y: np.ndarray, every: int) -> None:
        super().__init__()
        self.x, self.y, self.every = x, y, every
        self.errors: list[float] = []

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            error = float(np.mean((np.asarray(self.model(self.x)) - self.y) ** 2))
            self.errors.append(error)
            if error < SOLVED or not np.isfinite(error):
                self.model.stop_training = True


def _every(results: dict[str, Trained]) -> int:
    return next(iter(results.values())).every


def _whole(norms: GradientNorms) -> np.ndarray:
    return np.linalg.norm(norms.norms, axis=1)


def _write_norms(results: dict[str, Trained], options: argparse.Namespace) -> None:
    folder = options.reports / ("memory-quick" if options.quick else "memory")
    for name, result in results.items():
        result.norms.write(folder / f"gradients-{name.lower()}.csv")
