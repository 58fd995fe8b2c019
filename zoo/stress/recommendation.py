"""Which of several models of one material to use, in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from zoo.stress.scoring import Errors

SAME = 1.05  # ratio of errors up to which the model with fewer parameters is recommended
POOR = 0.1  # nRMSE above which no model follows the data


@dataclass(frozen=True)
class Recommendation:
    """The model to use.

    Attributes:
        name: of the model.
        text: why, one or two sentences.
    """

    name: str
    text: str


def recommend(
    scores: Mapping[str, Errors],
    parameters: Mapping[str, int],
    split: str = "held out",
    chosen: str | None = None,
    passed_over: str = "",
) -> Recommendation:
    """Recommend the model with the lowest error, or a simpler one that is as good.

    Args:
        scores: model -> errors; models whose error is no number are not considered.
        parameters: model -> number of its parameters; models that are missing are not considered.
        split: of data that none was fitted to.
        chosen: the model to recommend, of those that are as good as the best one; None: the one
            with the fewest parameters within 5 % of its error.
        passed_over: clause on why the one of the lowest error is not the chosen one; empty: it is
            hardly better.

    Raises:
        ValueError: no model has a finite error on that split.
    """
    errors = {
        name: each[split]["nrmse"]
        for name, each in scores.items()
        if name in parameters and split in each and math.isfinite(each[split]["nrmse"])
    }
    if not errors:
        raise ValueError(f"Expected models with an error on the split {split!r}. Received: none.")
    best = min(errors, key=errors.__getitem__)
    alike = [name for name, error in errors.items() if error <= SAME * errors[best]]
    name = chosen or min(alike, key=lambda each: (parameters[each], errors[each]))
    text = f"Recommended: {_described(name, errors, parameters)} on the {split} data."
    if name != best:
        has_more = parameters[best] > parameters[name]
        why = "with more parameters" if has_more else "and follows the whole test less well"
        why = passed_over or f"is hardly better, {why}"
        text += f" {_described(best, errors, parameters)} {why}."
    others = sorted((each for each in errors if each not in (name, best)), key=errors.__getitem__)
    if others:
        text += f" Next: {'; '.join(_described(each, errors, parameters) for each in others[:2])}."
    if errors[best] > POOR:
        text += (
            f" None follows the data within {_percent(POOR)}: the material, or the test, has more "
            "in it than these models hold."
        )
    return Recommendation(name, text)


def _described(name: str, errors: Mapping[str, float], parameters: Mapping[str, int]) -> str:
    count = parameters[name]
    plural = "" if count == 1 else "s"
    return f"{name} ({count:,} parameter{plural}), nRMSE {_percent(errors[name])}"


def _percent(share: float) -> str:
    digits = ".2g" if share < 0.995 else ".0f"  # 100 %, not 1e+02 %
    return f"{100 * share:{digits}} %"
