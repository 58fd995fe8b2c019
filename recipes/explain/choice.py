"""Which method `zoo explain` takes by default: a rule that was written before the comparison.

1. A method stays whose evidence, after the weights of all layers were permuted, correlates with
   that of the trained network by less than 0.2 in rank, in the mean over clips: what does not
   depend on the weights explains nothing (Adebayo et al. 2018).
2. Of these the best by pointing stays, and every other one whose paired difference from it has a
   95 % bootstrap interval over clips that holds 0.
3. The same by the evidence inside the event, then by deletion.
4. Of those still left, the first in the order of `EXPLANATIONS`: occlusion before all others, as
   its number is measured, not estimated, and holds for any network behind a front end.

Only the clips of even blocks are looked at; the others are reported.
"""

from collections.abc import Sequence

import numpy as np

from recipes.explain.blocks import Measures
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.names import EXPLANATIONS

MAX_CORRELATION = 0.2
# measure -> 1 where higher is better, -1 where lower is
ORDER = {"hit": 1.0, "inside": 1.0, "deletion": -1.0}


def choose(
    measures: Measures, correlations: dict[str, np.ndarray]
) -> tuple[str, list[tuple[str, list[str]]]]:
    """The default method, and which methods stayed after each step of the rule.

    Args:
        measures: method -> measure -> (clips,), of the clips that choose.
        correlations: method -> rank correlation with random weights in all layers, (clips,).

    Raises:
        ValueError: no method depends on the weights.
    """
    left = [m for m in EXPLANATIONS if m in measures and correlations[m].mean() < MAX_CORRELATION]
    if not left:
        raise ValueError(
            f"No method has a correlation below {MAX_CORRELATION} with that of random weights."
        )
    steps = [("random weights", left)]
    for name, sign in ORDER.items():
        left = _best(left, {m: sign * measures[m][name] for m in left})
        steps.append((name, left))
    return left[0], steps


def _best(methods: Sequence[str], values: dict[str, np.ndarray]) -> list[str]:
    """The method with the highest mean, and those that do not differ from it."""
    best = max(methods, key=lambda method: values[method].mean())
    return [
        method
        for method in methods
        if method == best or interval(values[best] - values[method]).low <= 0
    ]


def interval(values: np.ndarray) -> Interval:
    """Mean of a measure (clips,) with its 95 % bootstrap interval over clips."""
    return bootstrap_interval(lambda rows: float(values[rows].mean()), np.arange(len(values)))
