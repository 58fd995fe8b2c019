"""What a run reached beside what is aimed for, in the terms of someone who fits hearing aids."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recipes.hearing_aid.conditions import MAX_BOUNDARY_ERROR_DB
from zoo.metrics.switching import SETTLE_S
from zoo.report import Column, Table

BALANCED = f"balanced accuracy from {SETTLE_S:g} s after each change on"
OF_CLASS = "accuracy in ", f" from {SETTLE_S:g} s after each change on"
# Name of a metric -> what it means, aim, whether more is better, factor to percent or seconds.
AIMS = {
    BALANCED: (f"right program from {SETTLE_S:g} s after a change on [%]", 85.0, True, 100),
    "false switches a minute": ("switches to a wrong program, a minute", 1.0, False, 1),
    "share of scenes never found": ("scenes whose program never came [%]", 5.0, False, 100),
    "median delay [s]": ("half of the scenes are found within [s]", 2.5, False, 1),
    "delay of 9 in 10 changes [s]": ("nine in ten are found within [s]", 6.0, False, 1),
}
MIN_OF_CLASS, MAX_COST = 70.0, 3.0  # [%], [points]


def summary_table(metrics: Mapping[str, Any]) -> Table:
    """Measured values beside their aims, for each kind of sequences.

    Args:
        metrics: of the manifest, see `metrics.manifest_metrics`.
    """
    rows: list[tuple] = []
    for kind, entries in metrics.items():
        if BALANCED not in entries:
            continue
        for name, (meaning, aim, is_more_better, factor) in AIMS.items():
            value = entries[name]["value"]
            rows.append(_row(f"{meaning}, {kind}", value and factor * value, aim, is_more_better))
            if name == BALANCED:
                worst, share = min(_of_classes(entries).items(), key=lambda item: item[1])
                meaning = f"the same in the worst class, {worst}, {kind}"
                rows.append(_row(meaning, share, MIN_OF_CLASS))
        cost = 100 * (entries[BALANCED]["baseline"] - entries[BALANCED]["value"])
        meaning = f"what the steady decision costs [points], {kind}"
        rows.append(_row(meaning, cost, MAX_COST, is_more_better=False))
    for entry in metrics.get("conditions", {}).values():
        error = abs(entry["value"] - entry["baseline"])
        meaning = f"speech becomes speech in noise below {entry['baseline']:g} dB SNR, off by [dB]"
        rows.append(_row(meaning, error, MAX_BOUNDARY_ERROR_DB, is_more_better=False))
    return Table(
        ("what", Column("measured", number=".3g"), "aim", "reached"),
        rows,
        "Delays count from the change of scene on. A dash: so many were never found.",
    )


def _of_classes(entries: Mapping[str, Any]) -> dict[str, float]:
    """Class -> share of the time in its program [%], from some seconds after each change on."""
    before, after = OF_CLASS
    return {
        name.removeprefix(before).removesuffix(after): 100 * entry["value"]
        for name, entry in entries.items()
        if name.startswith(before) and name.endswith(after)
    }


def _row(meaning: str, value: float | None, aim: float, is_more_better: bool = True) -> tuple:
    is_met = value is not None and (value >= aim if is_more_better else value <= aim)
    sign = "at least" if is_more_better else "at most"
    return meaning, value, f"{sign} {aim:g}", "yes" if is_met else "no"


def class_delays(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], classes: Sequence[str], hop_s: float
) -> dict[str, np.ndarray]:
    """Delay of the program of every scene [s], inf where it never came; class -> (scenes,).

    Args:
        pairs: (truth, programs) of each sequence, (hops,) each.
        classes: names; one without scenes is left out.
        hop_s: length of a hop [s].
    """
    delays: dict[str, list[float]] = {name: [] for name in classes}
    for truth, programs in pairs:
        starts = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
        for start, end in zip(starts, [*starts[1:], len(truth)], strict=True):
            right = np.flatnonzero(programs[start:end] == truth[start])
            delay = hop_s * int(right[0]) if right.size else np.inf
            delays[classes[int(truth[start])]].append(delay)
    return {name: np.array(each) for name, each in delays.items() if each}
