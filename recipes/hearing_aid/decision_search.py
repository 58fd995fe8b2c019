"""Many settings of a decision on many sequences at once, as `zoo.edge.Decision` decides one by one.

Arrays over (settings, sequences): what takes a second a setting hop by hop takes one for hundreds.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.edge.decision import MIN_PROBABILITY, Decision, DecisionSettings
from zoo.metrics.switching import NO_PROGRAM, SETTLE_S


class HopPredictions(NamedTuple):
    """Predictions of one sequence, hop by hop.

    Attributes:
        truth: (hops,) class index.
        probabilities: (hops, classes).
        levels_dbfs: (hops,) RMS level [dBFS].
        hop_s: length of a hop [s].
    """

    truth: np.ndarray
    probabilities: np.ndarray
    levels_dbfs: np.ndarray
    hop_s: float


class Batch(NamedTuple):
    """Sequences of one hop length side by side, padded at their ends.

    Attributes:
        truth: (sequences, steps) class index; -2 where padded.
        probabilities: (sequences, steps, classes) after level rules, means over the hops of a step.
        log_probabilities: likewise, means of their logarithms.
        step_s: length of a step [s].
    """

    truth: np.ndarray
    probabilities: np.ndarray
    log_probabilities: np.ndarray
    step_s: float


class BatchMetrics(NamedTuple):
    """Metrics of several settings, (settings,) each; see `zoo.metrics.switching`.

    Attributes:
        accuracy: share of the time with the right program.
        coverage: share of the time with a program.
        false_per_min: false switches a minute.
        delay_s: mean time from the start of a scene to its program, at most its duration [s].
        settled: mean over the classes of the share of the time with the right program, from
            `SETTLE_S` after each change on; `accuracy` where no scene is so long.
    """

    accuracy: np.ndarray
    coverage: np.ndarray
    false_per_min: np.ndarray
    delay_s: np.ndarray
    settled: np.ndarray


PADDED = -2


def make_batch(
    classes: Sequence[str],
    predictions: Sequence[HopPredictions],
    levels: DecisionSettings,
    hops: int,
) -> Batch:
    """Sequences side by side, with the level rules of `levels` applied.

    Args:
        classes: names.
        predictions: of the sequences, with hops of one length.
        levels: settings whose level rules count.
        hops: averaged to one step; 1: none.
    """
    rules = Decision(levels, classes)
    steps = max(1, max(len(each.truth) // hops for each in predictions))
    shape = (len(predictions), steps, len(classes))
    truth = np.full(shape[:2], PADDED)
    probabilities, logs = np.full(shape, 1 / len(classes)), np.zeros(shape)
    for k, each in enumerate(predictions):
        count = len(each.truth) // hops
        used = slice(0, count * hops)
        after = np.array(
            [
                rules.apply_levels(p, level)
                for p, level in zip(each.probabilities[used], each.levels_dbfs[used], strict=True)
            ]
        ).reshape(count, hops, len(classes))
        truth[k, :count] = each.truth[used].reshape(count, hops)[:, -1]
        probabilities[k, :count] = after.mean(axis=1)
        logs[k, :count] = np.log(np.maximum(after, MIN_PROBABILITY)).mean(axis=1)
    return Batch(truth, probabilities, logs, predictions[0].hop_s * hops)


def simulate(
    classes: Sequence[str], settings: Sequence[DecisionSettings], batch: Batch
) -> np.ndarray:
    """(settings, sequences, steps) class index of the program after each step, or `NO_PROGRAM`.

    Args:
        classes: names.
        settings: all of one method.
        batch: of sequences.
    """
    decisions = [Decision(each, classes) for each in settings]
    sequences, steps = batch.truth.shape
    shape = (len(settings), sequences)
    enter, leave = (np.array([getattr(d, n) for d in decisions]) for n in ("enter", "leave"))
    dwell = np.array([d.dwell_s for d in decisions])  # (settings, present, next)
    any_dwell = np.array([each.dwell_s for each in settings])[:, None]
    abstain = np.array([each.abstain_below for each in settings])[:, None]
    track = _tracker(settings, decisions, batch)
    posterior = np.full((*shape, len(classes)), 1 / len(classes))
    present = np.full(shape, NO_PROGRAM)
    held = np.full(shape, math.inf)
    programs = np.empty((*shape, steps), np.int8)
    row = np.arange(len(settings))[:, None]
    for step in range(steps):
        posterior = track(posterior, step)
        held = held + batch.step_s
        best = posterior.argmax(axis=-1)
        of_best = np.take_along_axis(posterior, best[..., None], axis=-1)[..., 0]
        of_present = np.take_along_axis(posterior, present[..., None], axis=-1)[..., 0]
        has_program = present != NO_PROGRAM
        enters = of_best >= enter[row, best]
        free = held >= np.where(has_program, dwell[row, present, best], any_dwell)
        leaves = ~has_program | ((best != present) & (of_present < leave[row, present]))
        ends = has_program & (of_present < abstain) & (held >= any_dwell)
        changes = enters & free & leaves
        after = np.where(changes, best, np.where(ends, NO_PROGRAM, present))
        held = np.where(after != present, 0.0, held)
        present = after
        programs[..., step] = present
    return programs


def _tracker(settings: Sequence[DecisionSettings], decisions: Sequence[Decision], batch: Batch):
    """Function from posterior (settings, sequences, classes) and step to the next posterior."""
    methods = {each.method for each in settings}
    if len(methods) != 1:
        raise ValueError(f"Expected settings of one method. Received: {', '.join(methods)}.")

    def column(values: Sequence[float]) -> np.ndarray:
        return np.array(values)[:, None, None]

    if methods == {"average"}:
        share = column([-math.expm1(-batch.step_s / each.time_constant_s) for each in settings])
        return lambda posterior, step: (
            posterior + share * (batch.probabilities[:, step] - posterior)
        )
    change = column([-math.expm1(-batch.step_s * s.changes_per_min / 60) for s in settings])
    weight = column([batch.step_s * each.weight_per_s for each in settings])
    offsets = np.array([each.offsets for each in decisions])[:, None]

    def forward(posterior: np.ndarray, step: int) -> np.ndarray:
        others = (1 - posterior) / max(1, posterior.shape[-1] - 1)
        log_posterior = weight * (batch.log_probabilities[:, step] + offsets)
        log_posterior += np.log(posterior + change * (others - posterior))
        result = np.exp(log_posterior - log_posterior.max(axis=-1, keepdims=True))
        return result / result.sum(axis=-1, keepdims=True)

    return forward


def batch_metrics(programs: np.ndarray, batch: Batch) -> BatchMetrics:
    """Metrics of several settings.

    Args:
        programs: (settings, sequences, steps), of `simulate`.
        batch: of the sequences.
    """
    truth = batch.truth
    is_real = truth != PADDED
    before = np.concatenate([np.full_like(programs[..., :1], NO_PROGRAM), programs[..., :-1]], -1)
    is_right = (programs == truth) & is_real
    left_wrong = (programs == NO_PROGRAM) & (before != truth)
    false = (programs != before) & ~is_right & ~left_wrong & is_real
    minutes = is_real.sum() * batch.step_s / 60
    accuracy = is_right.sum(axis=(1, 2)) / is_real.sum()
    return BatchMetrics(
        accuracy,
        ((programs != NO_PROGRAM) & is_real).sum(axis=(1, 2)) / is_real.sum(),
        false.sum(axis=(1, 2)) / minutes,
        _mean_delay_s(is_right, batch),
        _settled_accuracy(is_right, batch, accuracy),
    )


def _settled_accuracy(is_right: np.ndarray, batch: Batch, otherwise: np.ndarray) -> np.ndarray:
    """Mean over the classes, without the first `SETTLE_S` of each scene; (settings,)."""
    truth, steps = batch.truth, np.arange(batch.truth.shape[1])
    starts = np.diff(truth, axis=1, prepend=PADDED - 1) != 0
    since = steps - np.maximum.accumulate(np.where(starts, steps, 0), axis=1)
    used = (since * batch.step_s >= SETTLE_S) & (truth != PADDED)
    masks = [used & (truth == number) for number in np.unique(truth[used])]
    if not masks:
        return otherwise
    return np.mean([is_right[:, mask].mean(axis=1) for mask in masks], axis=0)


def _mean_delay_s(is_right: np.ndarray, batch: Batch) -> np.ndarray:
    """Mean over scenes of the time to the right program; a scene without it counts as a whole."""
    delays = []
    for k, truth in enumerate(batch.truth):
        truth = truth[truth != PADDED]
        starts = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
        for start, end in zip(starts, [*starts[1:], len(truth)], strict=True):
            right = is_right[:, k, start:end]
            first = np.where(right.any(axis=1), right.argmax(axis=1), end - start)
            delays.append(first * batch.step_s)
    return np.mean(delays, axis=0)
