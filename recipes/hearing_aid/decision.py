"""Predictions of a model on sequences of scenes, and a program decision fitted to them."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from zoo.data.sequences import SceneSequence
from zoo.edge.condition import level_dbfs
from zoo.edge.decision import Decision, DecisionSettings, LevelRule
from zoo.metrics.switching import NO_PROGRAM, SwitchingMetrics, pool_metrics, switching_metrics

# Rate of false switches that fitting aims at [1/min]: half of what is allowed, since it is higher
# on sequences that were not fitted to.
TARGET_FALSE_PER_MIN = 0.5
# Grid of settings
TIME_CONSTANTS_S = (1.0, 1.5, 2.0)
ENTER, LEAVE = (0.4, 0.5, 0.6), (0.3, 0.4)
DWELL_S = (1.0, 2.0)
ABSTAIN_BELOW = 0.1
MIN_COVERAGE = 0.5  # share of the time with a program
EVEN_SHARES = (0.999, 1.05, 1.1, 1.25, 1.5, 2.0)  # the likeliest class always has the first
FIT_HOPS = 8  # hops averaged for fitting
QUIET_MARGIN_DB = 3.0


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
            np.array([level_dbfs(hop) for hop in sequence.samples.reshape(-1, sequence.hop)]),
            sequence.hop / sequence.sample_rate_hz,
        )
        for sequence in sequences
    ]


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
) -> DecisionSettings:
    """Settings of the highest accuracy among those with enough coverage and few false switches.

    Grid search. Settings that abstain for more than 1 - `MIN_COVERAGE` of the time are left out: a
    decision that always abstains has no false switch. Where all of them do, as with a network that
    is hardly trained, thresholds near an equal share of the classes are searched, which never
    abstain. If none of the settings left keeps `TARGET_FALSE_PER_MIN`, the one with the fewest
    false switches is taken. A level rule excludes "quiet" above the 99th percentile of its levels
    and 3 dB.

    Args:
        classes: names.
        predictions: of the sequences to fit to; never those to measure on.
        say: takes a line of progress.
    """
    averaged = [_average_hops(each, FIT_HOPS) for each in predictions]
    levels = _quiet_rule(classes, predictions)

    def evaluate(
        thresholds: Iterable[tuple[float, float, float]],  # enter, leave, abstain below
    ) -> list[tuple[DecisionSettings, SwitchingMetrics]]:
        results = []
        for (enter, leave, abstain), time_s, dwell_s in product(
            thresholds, TIME_CONSTANTS_S, DWELL_S
        ):
            settings = DecisionSettings(time_s, enter, leave, abstain, dwell_s, levels)
            results.append((settings, evaluate_decision(settings, classes, averaged)))
        return results

    results = evaluate((enter, leave, ABSTAIN_BELOW) for enter, leave in product(ENTER, LEAVE))
    eligible = [pair for pair in results if pair[1].coverage >= MIN_COVERAGE]
    if not eligible:
        say(
            f"decision: no setting selects a program for {MIN_COVERAGE:.0%} of the time, the "
            "probabilities are too even; trying thresholds near equal shares of the classes"
        )
        thresholds = [min(1.0, factor / len(classes)) for factor in EVEN_SHARES]
        results = evaluate((each, each, 0.0) for each in thresholds)
        eligible = [pair for pair in results if pair[1].coverage >= MIN_COVERAGE]
    steady = [pair for pair in eligible if pair[1].false_per_min <= TARGET_FALSE_PER_MIN]
    if steady:
        best = max(steady, key=lambda pair: pair[1].accuracy)
    else:
        best = min(eligible, key=lambda pair: (pair[1].false_per_min, -pair[1].accuracy))
    say(
        f"decision: {len(eligible)} settings with enough coverage, {len(steady)} of them "
        f"with at most {TARGET_FALSE_PER_MIN} false switches a minute"
    )
    return best[0]


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


def _average_hops(predictions: HopPredictions, hops: int) -> HopPredictions:
    """Means over several hops: a filter with a time constant of 1 s gives nearly the same."""
    if predictions.hop_s > 0.1:
        return predictions
    count = len(predictions.truth) // hops
    used = slice(0, count * hops)
    return HopPredictions(
        predictions.truth[used].reshape(count, hops)[:, -1],
        predictions.probabilities[used].reshape(count, hops, -1).mean(axis=1),
        predictions.levels_dbfs[used].reshape(count, hops).mean(axis=1),
        predictions.hop_s * hops,
    )


def describe_settings(settings: DecisionSettings) -> str:
    """The settings in words."""
    text = (
        f"time constant {settings.time_constant_s:g} s, enter at {settings.enter:g}, leave below "
        f"{settings.leave:g}, abstain below {settings.abstain_below:g}, at least "
        f"{settings.dwell_s:g} s between two changes"
    )
    for rule in settings.levels:
        text += f", {rule.name} impossible above {rule.impossible_above:g} dBFS"
    return text
