"""What a model hears in sequences of scenes, and a decision fitted to it."""

import dataclasses
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from zoo.data.sequences import SceneSequence
from zoo.edge.condition import level_dbfs
from zoo.edge.decision import Decision, LevelRule, Settings
from zoo.metrics.switching import NO_PROGRAM, SwitchingMetrics, pool_metrics, switching_metrics

FALSE_PER_MIN = 0.5  # half of what is allowed: other sequences are harder than those fitted to
# What is tried
TIME_CONSTANTS_S = (1.0, 1.5, 2.0)
ENTER, LEAVE = (0.4, 0.5, 0.6), (0.3, 0.4)
DWELL_S = (1.0, 2.0)
ABSTAIN_BELOW = 0.1


class Heard(NamedTuple):
    """What was heard of one sequence, hop by hop.

    truth: (hops,). probabilities: (hops, classes). levels_dbfs: (hops,). hop_s: [s].
    """

    truth: np.ndarray
    probabilities: np.ndarray
    levels_dbfs: np.ndarray
    hop_s: float


def listened(
    sequences: Sequence[SceneSequence], answer: Callable[[np.ndarray], np.ndarray]
) -> list[Heard]:
    """Let a model hear sequences.

    Args:
        sequences: of scenes, in hops of the model.
        answer: waveform (samples,) -> probabilities of each hop (hops, classes).
    """
    heard = []
    for each in sequences:
        levels = np.array([level_dbfs(hop) for hop in each.samples.reshape(-1, each.hop)])
        told = answer(each.samples)
        heard.append(Heard(each.truth, told, levels, each.hop / each.sample_rate_hz))
    return heard


def decided(settings: Settings, classes: Sequence[str], heard: Heard) -> np.ndarray:
    """Number of the program after each hop, or `NO_PROGRAM`, (hops,)."""
    decision = Decision(settings, classes)
    numbers = {name: k for k, name in enumerate(classes)} | {None: NO_PROGRAM}
    return np.array(
        [
            numbers[decision.update(told, level, heard.hop_s).name]
            for told, level in zip(heard.probabilities, heard.levels_dbfs, strict=True)
        ]
    )


def judged(settings: Settings, classes: Sequence[str], heard: Sequence[Heard]) -> SwitchingMetrics:
    """Figures of a decision over all sequences."""
    return pool_metrics(
        [
            switching_metrics(each.truth, decided(settings, classes, each), each.hop_s)
            for each in heard
        ]
    )


def undecided(heard: Sequence[Heard]) -> SwitchingMetrics:
    """Figures of the likeliest class of every hop: what hysteresis is for."""
    return pool_metrics(
        [
            switching_metrics(each.truth, each.probabilities.argmax(axis=1), each.hop_s)
            for each in heard
        ]
    )


def fit(
    classes: Sequence[str], heard: Sequence[Heard], say: Callable[[str], None] = lambda text: None
) -> Settings:
    """The settings that are right for the longest time with few false switches.

    Tried on a grid. If none keeps `FALSE_PER_MIN`, the steadiest is taken. Nothing louder than what
    was quiet in the sequences (and 3 dB) can be quiet.

    Args:
        classes: names.
        heard: sequences to fit to; never those to measure on.
        say: takes a line of progress.
    """
    coarse = [_coarser(each, 8) for each in heard]
    levels = _quiet_rule(classes, heard)
    tried = []
    for time_s, enter, leave, dwell_s in product(TIME_CONSTANTS_S, ENTER, LEAVE, DWELL_S):
        settings = Settings(time_s, enter, leave, ABSTAIN_BELOW, dwell_s, levels)
        tried.append((settings, judged(settings, classes, coarse)))
    steady = [pair for pair in tried if pair[1].false_per_min <= FALSE_PER_MIN]
    if steady:
        chosen = max(steady, key=lambda pair: pair[1].accuracy)
    else:
        chosen = min(tried, key=lambda pair: (pair[1].false_per_min, -pair[1].accuracy))
    say(
        f"decision: {len(tried)} settings tried, {len(steady)} with at most {FALSE_PER_MIN} false "
        f"switches a minute"
    )
    return chosen[0]


def _quiet_rule(classes: Sequence[str], heard: Sequence[Heard]) -> tuple[LevelRule, ...]:
    if "quiet" not in classes:
        return ()
    number = list(classes).index("quiet")
    levels = np.concatenate([each.levels_dbfs[each.truth == number] for each in heard])
    if not levels.size:
        return ()
    highest = float(np.quantile(levels, 0.99)) + 3.0
    return (LevelRule("quiet", impossible_above=round(highest, 1)),)


def _coarser(heard: Heard, hops: int) -> Heard:
    """Means over several hops: a filter of a second does not see the difference."""
    if heard.hop_s > 0.1:
        return heard
    count = len(heard.truth) // hops
    used = slice(0, count * hops)
    return Heard(
        heard.truth[used].reshape(count, hops)[:, -1],
        heard.probabilities[used].reshape(count, hops, -1).mean(axis=1),
        heard.levels_dbfs[used].reshape(count, hops).mean(axis=1),
        heard.hop_s * hops,
    )


def described(settings: Settings) -> str:
    """The settings in words."""
    values = dataclasses.asdict(settings)
    text = (
        f"time constant {values['time_constant_s']:g} s, enter at {values['enter']:g}, leave below "
        f"{values['leave']:g}, abstain below {values['abstain_below']:g}, at least "
        f"{values['dwell_s']:g} s between two changes"
    )
    for rule in settings.levels:
        text += f", {rule.name} impossible above {rule.impossible_above:g} dBFS"
    return text
