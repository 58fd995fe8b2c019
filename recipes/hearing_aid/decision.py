"""Predictions of a model on sequences of scenes, and a program decision fitted to them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from recipes.hearing_aid.decision_search import (
    PADDED,
    Batch,
    HopPredictions,
    batch_metrics,
    make_batch,
    simulate,
)
from zoo.data.sequences import SceneSequence
from zoo.edge.condition import level_dbfs
from zoo.edge.decision import Decision, DecisionSettings, LevelRule, PairDwell
from zoo.edge.offset import OffsetFilter
from zoo.metrics.switching import NO_PROGRAM, SwitchingMetrics, pool_metrics, switching_metrics

MAX_FALSE_PER_MIN = 1.0  # rate of false switches that fitting allows [1/min]
MIN_COVERAGE = 0.5  # share of the time with a program
MIN_GAIN = 0.002  # accuracy that a setting of one class or pair must bring on the fitted sequences
MAX_REFINEMENTS = 20
EVEN_SHARES = (0.999, 1.05, 1.1, 1.25, 1.5, 2.0)  # the likeliest class always has the first
FIT_STEP_S = 0.128  # hops are averaged to about so long a step for fitting [s]
QUIET_MARGIN_DB = 3.0
# Grids of settings that all classes share
TIME_CONSTANTS_S = (0.15, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
ENTER, LEAVE = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7), (0.2, 0.3, 0.4, 0.45, 0.5, 0.55)
WEIGHTS_PER_S, CHANGES_PER_MIN = (2.0, 4.0, 6.0, 8.0, 12.0, 24.0), (0.1, 1.0, 6.0)
HMM_ENTER = (0.5, 0.7, 0.9, 0.97)
DWELL_S = (0.0, 1.0, 2.0, 3.0)
# Classes whose settings change together: the signal-to-noise ratio between them is a stated one
TOGETHER = frozenset({"speech", "speech_in_noise"})
# Steps of settings of one class or pair
CURVE_LIMITS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # [1/min]
THRESHOLD_STEPS, OFFSET_STEPS = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2), (-0.6, 0.6)


def predict_sequences(
    sequences: Sequence[SceneSequence], predict: Callable[[np.ndarray], np.ndarray]
) -> list[HopPredictions]:
    """Predictions of a model on sequences.

    Args:
        sequences: of scenes, in hops of the model.
        predict: waveform (samples,) -> probabilities of each hop (hops, classes).
    """
    return [
        HopPredictions(
            sequence.truth,
            predict(sequence.samples),
            _levels_dbfs(sequence),
            sequence.hop / sequence.sample_rate_hz,
        )
        for sequence in sequences
    ]


def _levels_dbfs(sequence: SceneSequence) -> np.ndarray:
    """(hops,) level, without a constant offset, as `zoo.edge.StreamClassifier` measures it."""
    offset = OffsetFilter(sequence.sample_rate_hz)
    hops = sequence.samples.reshape(-1, sequence.hop)
    return np.array([level_dbfs(offset.process(hop)) for hop in hops])


def decide_programs(
    settings: DecisionSettings, classes: Sequence[str], predictions: HopPredictions
) -> np.ndarray:
    """(hops,) class index of the program after each hop, or `NO_PROGRAM`."""
    decision = Decision(settings, classes)
    numbers = {name: number for number, name in enumerate(classes)} | {None: NO_PROGRAM}
    return np.array(
        [
            numbers[decision.update(probabilities, level, predictions.hop_s).name]
            for probabilities, level in zip(
                predictions.probabilities, predictions.levels_dbfs, strict=True
            )
        ]
    )


def evaluate_decision(
    settings: DecisionSettings, classes: Sequence[str], predictions: Sequence[HopPredictions]
) -> SwitchingMetrics:
    """Switching metrics of a decision over all sequences."""
    return pool_metrics(
        [
            switching_metrics(each.truth, decide_programs(settings, classes, each), each.hop_s)
            for each in predictions
        ]
    )


def evaluate_likeliest(predictions: Sequence[HopPredictions]) -> SwitchingMetrics:
    """Switching metrics of the likeliest class of each hop, the baseline of a decision."""
    return pool_metrics(
        [
            switching_metrics(each.truth, each.probabilities.argmax(axis=1), each.hop_s)
            for each in predictions
        ]
    )


def fit_decision(
    classes: Sequence[str],
    predictions: Sequence[HopPredictions],
    say: Callable[[str], None] = lambda text: None,
    *,
    refine: bool = True,
) -> DecisionSettings:
    """Settings of the highest accuracy after changes with enough coverage and few false switches.

    Accuracy is the mean over the classes, without the 2 s after each change (`BatchMetrics`): the
    delay has limits of its own, and over all time it rewards quick guesses that are then kept.
    Both methods of `zoo.edge.Decision` are fitted, and the better one is taken. Settings that all
    classes share come from a grid. Then thresholds and offsets of single classes and dwell times of
    pairs change one by one, the best change first, as long as it brings `MIN_GAIN` and helps in
    both halves of the sequences: without that rule 160 scenes were fitted and others got worse.
    Settings that abstain for more than 1 - `MIN_COVERAGE` of the time are left out. The grid has
    thresholds near an equal share of the classes as well, for a network that is hardly trained.
    Where no setting keeps `MAX_FALSE_PER_MIN`, the one with the fewest false switches is taken. A
    level rule excludes "quiet" above the 99th percentile of its levels and 3 dB.

    Args:
        classes: names.
        predictions: of the sequences to fit to; never those to measure on.
        say: takes a line of progress.
        refine: change settings of single classes and pairs too; not where few recordings stand for
            a class, since these settings are then those of the recordings.
    """
    base = DecisionSettings(levels=_quiet_rule(classes, predictions), abstain_below=0.0)
    hops = _hops_of_step(predictions)
    whole = make_batch(classes, predictions, base, hops)
    halves = [
        make_batch(classes, part, base, hops)
        for part in (predictions[::2], predictions[1::2])
        if part
    ]
    fitted = []
    for method, grid in decision_grids(base).items():
        even = _even_grid(grid, len(classes))
        best = _best_of(classes, [*grid, *even], whole)
        if best.enter in {each.enter for each in even}:
            say(
                f"decision, {method}: the probabilities are so even that thresholds near an equal "
                "share of the classes are best"
            )
        best = _refine(classes, best, whole, halves) if refine else best
        metrics = batch_metrics(simulate(classes, [best], whole), whole)
        say(
            f"decision, {method}: accuracy {metrics.settled[0]:.3f} after changes, "
            f"{metrics.false_per_min[0]:.2f} false switches a minute, mean delay "
            f"{metrics.delay_s[0]:.2f} s on the fitted sequences"
        )
        fitted.append((_scores(classes, [best], whole)[0], best))
    return max(fitted, key=lambda pair: pair[0])[1]


def decision_grids(base: DecisionSettings) -> dict[str, list[DecisionSettings]]:
    """Method -> settings that all classes share, with the level rules of `base`."""
    average = [
        replace(base, time_constant_s=time_s, enter=enter, leave=leave, dwell_s=dwell_s)
        for time_s, enter, leave, dwell_s in product(TIME_CONSTANTS_S, ENTER, LEAVE, DWELL_S)
        if leave <= enter
    ]
    hmm = [
        replace(
            base,
            method="hmm",
            weight_per_s=weight,
            changes_per_min=rate,
            enter=enter,
            leave=0.5,
            dwell_s=dwell_s,
        )
        for weight, rate, enter, dwell_s in product(
            WEIGHTS_PER_S, CHANGES_PER_MIN, HMM_ENTER, DWELL_S
        )
    ]
    return {"average": average, "hmm": hmm}


def _even_grid(grid: Sequence[DecisionSettings], classes: int) -> list[DecisionSettings]:
    """The grid with thresholds near an equal share of the classes."""
    shares = [min(1.0, factor / classes) for factor in EVEN_SHARES]
    others = {
        (each.time_constant_s, each.weight_per_s, each.changes_per_min, each.dwell_s): each
        for each in grid
    }
    return [replace(each, enter=s, leave=s) for each in others.values() for s in shares]


def delay_curves(
    classes: Sequence[str],
    fitted: Sequence[HopPredictions],
    measured: Sequence[HopPredictions],
    limits: Sequence[float] = CURVE_LIMITS,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Method -> false switches a minute and mean delay [s], one point for each limit.

    For each limit of false switches the setting of the grid that keeps it with the shortest delay
    on the fitted sequences; the numbers are those on the measured ones.

    Args:
        classes: names.
        fitted: predictions of the sequences that the decision is fitted to.
        measured: of other sequences.
        limits: of false switches [1/min].
    """
    base = DecisionSettings(levels=_quiet_rule(classes, fitted), abstain_below=0.0)
    hops = _hops_of_step(fitted)
    fit, test = (make_batch(classes, part, base, hops) for part in (fitted, measured))
    curves = {}
    for method, grid in decision_grids(base).items():
        metrics = batch_metrics(simulate(classes, grid, fit), fit)
        best = []
        for limit in limits:
            delays = np.where(metrics.false_per_min <= limit, metrics.delay_s, np.inf)
            if np.isfinite(delays).any():
                best.append(int(delays.argmin()))
        used = [grid[k] for k in dict.fromkeys(best)]
        if used:
            result = batch_metrics(simulate(classes, used, test), test)
            curves[method] = (result.false_per_min, result.delay_s)
    return curves


def mean_delay_s(
    settings: DecisionSettings, classes: Sequence[str], predictions: Sequence[HopPredictions]
) -> tuple[float, float]:
    """False switches a minute and mean delay [s] of one decision, as in `delay_curves`."""
    batch = make_batch(classes, predictions, settings, 1)
    metrics = batch_metrics(simulate(classes, [settings], batch), batch)
    return float(metrics.false_per_min[0]), float(metrics.delay_s[0])


def _hops_of_step(predictions: Sequence[HopPredictions]) -> int:
    return max(1, round(FIT_STEP_S / predictions[0].hop_s))


def _scores(
    classes: Sequence[str], settings: Sequence[DecisionSettings], batch: Batch
) -> np.ndarray:
    """(settings,) accuracy after changes; below 0 with many false switches, -inf below coverage.

    A standard error of their number is added: of the best of many settings it is too low.
    """
    metrics = batch_metrics(simulate(classes, settings, batch), batch)
    minutes = (batch.truth != PADDED).sum() * batch.step_s / 60
    count = metrics.false_per_min * minutes
    few = (count + np.sqrt(count + 1)) / minutes <= MAX_FALSE_PER_MIN
    scores = np.where(few, metrics.settled, -metrics.false_per_min)
    return np.where(metrics.coverage >= MIN_COVERAGE, scores, -np.inf)


def _best_of(
    classes: Sequence[str], settings: Sequence[DecisionSettings], batch: Batch
) -> DecisionSettings:
    return settings[int(_scores(classes, settings, batch).argmax())]


def _refine(
    classes: Sequence[str],
    settings: DecisionSettings,
    whole: Batch,
    halves: Sequence[Batch],
) -> DecisionSettings:
    """Settings with changes of single classes and pairs that help in both halves."""

    def accuracies(candidates: Sequence[DecisionSettings]) -> np.ndarray:
        parts = [batch_metrics(simulate(classes, candidates, half), half) for half in halves]
        return np.array([part.settled for part in parts])

    for _ in range(MAX_REFINEMENTS):
        score, before = _scores(classes, [settings], whole)[0], accuracies([settings])
        candidates = _changed(classes, settings)
        scores = _scores(classes, candidates, whole)
        helps = (accuracies(candidates) >= before + MIN_GAIN / 4).all(axis=0)
        scores = np.where(helps & (scores >= score + MIN_GAIN), scores, -np.inf)
        best = int(scores.argmax())
        if not np.isfinite(scores[best]):
            break
        settings = candidates[best]
    return settings


def _changed(classes: Sequence[str], settings: DecisionSettings) -> list[DecisionSettings]:
    """Settings that differ in one threshold or offset of a class, or in the dwell of a pair.

    Those of `TOGETHER` change as one class.
    """
    changed = []
    pair = tuple(name for name in classes if name in TOGETHER)
    for names in [*((name,) for name in classes if name not in pair), *filter(None, [pair])]:
        enter, leave = settings.thresholds(names[0])
        for step in THRESHOLD_STEPS:
            higher = round(min(max(enter + step, 0.05), 0.99), 3)
            other = min(round(max(leave + step, 0.0), 3), enter)
            enters = {**settings.enter_by_class, **dict.fromkeys(names, higher)}
            leaves = {**settings.leave_by_class, **dict.fromkeys(names, min(leave, higher))}
            changed.append(replace(settings, enter_by_class=enters, leave_by_class=leaves))
            leaves = {**settings.leave_by_class, **dict.fromkeys(names, other)}
            changed.append(replace(settings, leave_by_class=leaves))
        if settings.method == "hmm":
            for step in OFFSET_STEPS:
                offset = round(settings.offsets.get(names[0], 0.0) + step, 3)
                offsets = {**settings.offsets, **dict.fromkeys(names, offset)}
                changed.append(replace(settings, offsets=offsets))
    present = {(pair.leave, pair.enter): pair for pair in settings.dwell_by_pair}
    for leave, enter, seconds in product(classes, classes, DWELL_S):
        if leave != enter:
            pairs = {**present, (leave, enter): PairDwell(leave, enter, seconds)}
            changed.append(replace(settings, dwell_by_pair=tuple(pairs.values())))
    return changed


def _quiet_rule(
    classes: Sequence[str], predictions: Sequence[HopPredictions]
) -> tuple[LevelRule, ...]:
    if "quiet" not in classes:
        return ()
    number = list(classes).index("quiet")
    levels = np.concatenate([each.levels_dbfs[each.truth == number] for each in predictions])
    if not levels.size:
        return ()
    highest = float(np.quantile(levels, 0.99)) + QUIET_MARGIN_DB
    return (LevelRule("quiet", impossible_above=round(highest, 1)),)


def describe_settings(settings: DecisionSettings) -> str:
    """The settings in words."""
    if settings.method == "hmm":
        text = (
            f"hidden Markov model, {settings.weight_per_s:g} independent observations a second, "
            f"{settings.changes_per_min:g} changes a minute"
        )
        for name, offset in settings.offsets.items():
            text += f", {name} {offset:+g}"
    else:
        text = f"time constant {settings.time_constant_s:g} s"
    text += (
        f", enter at {settings.enter:g}, leave below {settings.leave:g}, abstain below "
        f"{settings.abstain_below:g}, at least {settings.dwell_s:g} s between two changes"
    )
    for name in sorted({*settings.enter_by_class, *settings.leave_by_class}):
        enter, leave = settings.thresholds(name)
        text += f", {name}: enter at {enter:g}, leave below {leave:g}"
    for pair in settings.dwell_by_pair:
        text += f", at least {pair.seconds:g} s from {pair.leave} to {pair.enter}"
    for rule in settings.levels:
        text += f", {rule.name} impossible above {rule.impossible_above:g} dBFS"
    return text
