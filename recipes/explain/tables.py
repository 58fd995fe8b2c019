"""Tables of the comparison: methods x measures, kinds of events, layers, onsets, the choice."""

from collections.abc import Sequence

import numpy as np

from recipes.explain.blocks import Measures, halves
from recipes.explain.choice import MAX_CORRELATION, choose, interval
from zoo.metrics.bootstrap import Interval
from zoo.report import Column, Table

WITHIN_S = 0.05
REFERENCE = "grad-cam"  # whose deletion curve the others are compared with


def select(measures: Measures, rows: np.ndarray) -> Measures:
    """The same measures of some of the clips."""
    return {
        method: {name: values[rows] for name, values in each.items()}
        for method, each in measures.items()
    }


def chosen_default(measures: Measures, random: Measures) -> tuple[str, list[tuple[str, list[str]]]]:
    """The default by the rule of `recipes.explain.choice`, from the clips of even blocks."""
    clips = len(next(iter(measures.values()))["hit"])
    random_clips = len(next(iter(random.values()))["correlation"])
    correlations = {
        method: each["correlation"][halves(random_clips)[0], -1] for method, each in random.items()
    }
    return choose(select(measures, halves(clips)[0]), correlations)


def method_table(measures: Measures, random: Measures, what: str) -> Table:
    """Methods x measures, each with its 95 % bootstrap interval over clips.

    Args:
        measures: of the clips of one half.
        random: correlations with random weights, (clips, layers), of clips of the same half.
        what: which clips these are.
    """
    rows = []
    for method, each in measures.items():
        correlation = random[method]["correlation"][:, -1]
        fall = None
        if REFERENCE in measures and method != REFERENCE:
            fall = format_interval(interval(each["deletion"] - measures[REFERENCE]["deletion"]))
        rows.append(
            [
                method,
                format_interval(interval(each["hit"])),
                format_interval(interval(each["inside"])),
                f"{each['area'].mean():.3f}",
                format_interval(interval(each["deletion"])),
                fall,
                format_interval(interval(each["insertion"])),
                format_interval(interval(correlation)) if len(correlation) else None,
                f"{np.nanmean(each['other_clip']):.2f}",
                format_interval(interval(_within(each["onset_error_s"]))),
            ]
        )
    clips = len(next(iter(measures.values()))["hit"])
    return Table(
        [
            Column("method"),
            Column("pointing"),
            Column("evidence inside"),
            Column("share of area"),
            Column("deletion"),
            Column("deletion less Grad-CAM's"),
            Column("insertion"),
            Column("correlation, random weights"),
            Column("with another clip"),
            Column("first evidence within 50 ms"),
        ],
        rows,
        f"{what}: {clips} clips, {len(correlation)} of them with random weights; 95 % bootstrap "
        "intervals over clips. Pointing: share of clips whose highest evidence lies inside the "
        "event, in time and frequency. Evidence inside: share of the positive evidence; evidence "
        "spread evenly would have the share of area. Deletion: mean probability of the class while "
        "points are set to the training mean, the strongest evidence first, lower is better; "
        "insertion: while they are put back, higher is better. Correlation: absolute rank "
        "correlation with the evidence of the same network with all weights permuted, beside that "
        "of the evidence of two different clips. First evidence: the first time at which the "
        "evidence over all bands reaches half of its highest, against the true onset.",
    )


def kind_table(measures: Measures, kinds: Sequence[str], rows: np.ndarray) -> Table:
    """Pointing of each method by kind of event.

    Args:
        measures: of some clips.
        kinds: in the order of the clips, one after the other.
        rows: numbers of these clips among all.
    """
    kind = rows % len(kinds)
    lines = [
        [method, *(format_interval(interval(each["hit"][kind == k])) for k in range(len(kinds)))]
        for method, each in measures.items()
    ]
    counts = ", ".join(f"{(kind == k).sum()}" for k in range(len(kinds)))
    return Table(
        [Column("method"), *map(Column, kinds)],
        lines,
        f"Pointing by kind of event; clips: {counts}.",
    )


def layer_table(random: Measures, layers: Sequence[str]) -> Table:
    """Rank correlation with random weights, from the output layer down.

    Args:
        random: method -> "correlation" -> (clips, layers).
        layers: names, the output first.
    """
    clips = len(next(iter(random.values()))["correlation"])
    lines = []
    for k, layer in enumerate(layers):
        values = (each["correlation"][:, k].mean() for each in random.values())
        lines.append([layer, *(f"{value:.2f}" for value in values)])
    return Table(
        [Column("random down to"), *map(Column, random)],
        lines,
        "Mean absolute rank correlation with the evidence of the trained network, while the "
        "weights of one layer after the other are permuted, from the output down: "
        f"{clips} clips, each with permutations of its own.",
    )


def onset_table(onsets: Measures) -> Table:
    """How far the strongest place of an onset's evidence is from the onset."""
    lines = []
    for method, each in onsets.items():
        error = each["strongest_error_s"]
        lines.append(
            [
                method,
                format_interval(interval(_within(error))),
                f"{1000 * np.median(np.abs(error)):.0f}",
                f"{1000 * np.median(error):+.0f}",
                f"{each['probability'].mean():.2f}",
            ]
        )
    count = len(next(iter(onsets.values()))["hit"])
    return Table(
        [
            Column("method"),
            Column("within 50 ms"),
            Column("median distance", "ms"),
            Column("median difference", "ms"),
            Column("mean probability"),
        ],
        lines,
        f"{count} onsets: broadband noise that becomes 8 to 20 dB louder at a known time. Share "
        "whose strongest place of evidence lies within 50 ms of it, with 95 % intervals.",
    )


def choice_text(measures: Measures, random: Measures) -> str:
    """Which methods stayed after each step of the rule, and the one that is left."""
    try:
        default, steps = chosen_default(measures, random)
    except ValueError as error:
        return f"{error} The default stays."
    names = {
        "random weights": f"correlation with random weights below {MAX_CORRELATION}",
        "hit": "best pointing, or no different from it",
        "inside": "most evidence inside, or no different",
        "deletion": "lowest deletion, or no different",
    }
    lines = [f"{names[step]}: {', '.join(left)}" for step, left in steps]
    return (
        f"By the rule that was written before (see recipes/explain/choice.py), from the other half "
        f"of the clips: {'; '.join(lines)}. Default: {default}."
    )


def format_interval(value: Interval) -> str:
    """A value with its interval in brackets."""
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _within(error_s: np.ndarray) -> np.ndarray:
    return (np.abs(error_s) <= WITHIN_S).astype(float)
