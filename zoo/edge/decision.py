"""Decide which program to run from class probabilities: smoothing, hysteresis, dwell time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LevelRule:
    """Sound level as evidence for or against one class, applied to the probabilities of a hop.

    Attributes:
        name: of the class.
        certain_below: below this level the hop is of this class [dBFS]; None: no such level.
        impossible_above: above this level it is not [dBFS]; None: no such level.

    Raises:
        ValueError: limits that contradict each other.
    """

    name: str
    certain_below: float | None = None
    impossible_above: float | None = None

    def __post_init__(self) -> None:
        low, high = self.certain_below, self.impossible_above
        if low is not None and high is not None and low > high:
            raise ValueError(
                "`certain_below` must not exceed `impossible_above`. "
                f"Received: {low} and {high} dBFS for {self.name!r}."
            )


@dataclass(frozen=True)
class DecisionSettings:
    """Parameters of a decision, the entry `decision` of a manifest.

    Attributes:
        time_constant_s: of the first-order filter over the probabilities [s].
        enter: a program begins when its posterior is at least this.
        leave: another may follow only when the posterior of the present one is below this.
        abstain_below: below this the present one ends, even if no other may begin.
        dwell_s: shortest time between two changes [s].
        levels: absolute level as evidence.

    Raises:
        ValueError: a number out of range.
    """

    time_constant_s: float = 1.0
    enter: float = 0.6
    leave: float = 0.4
    abstain_below: float = 0.2
    dwell_s: float = 1.0
    levels: tuple[LevelRule, ...] = ()

    def __post_init__(self) -> None:
        if not (self.time_constant_s > 0 and self.dwell_s >= 0):
            raise ValueError(
                "`time_constant_s` must be above 0 and `dwell_s` 0 or more. "
                f"Received: {self.time_constant_s} and {self.dwell_s}."
            )
        if not 0 <= self.abstain_below <= self.leave <= self.enter <= 1:
            raise ValueError(
                "Thresholds must keep 0 <= abstain_below <= leave <= enter <= 1. "
                f"Received: {self.abstain_below}, {self.leave}, {self.enter}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `manifest["decision"]`."""
        return {**asdict(self), "levels": [asdict(rule) for rule in self.levels]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DecisionSettings":
        """DecisionSettings from the values that `to_dict` returns.

        Raises:
            ValueError: an unknown name, or a number out of range.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"A decision has no setting {', '.join(sorted(unknown))}.")
        try:
            rules = tuple(LevelRule(**rule) for rule in values.get("levels", ()))
            numbers: dict[str, Any] = {**values, "levels": rules}
            return cls(**numbers)
        except TypeError as error:
            raise ValueError(f"The settings of a decision cannot be read: {error}.") from None


class Program(NamedTuple):
    """A decision.

    Attributes:
        name: of the class, or None: abstaining.
        posterior: smoothed probabilities, (classes,), in the order of the classes.
        changed: whether this update changed the name.
    """

    name: str | None
    posterior: Float64Array
    changed: bool


class Decision:
    """Probabilities -> smoothed posterior -> program, with hysteresis.

    posterior += (1 - exp(-seconds / time_constant_s)) (probabilities - posterior), from equal
    shares: a first-order filter. Another class becomes the program when its posterior is the
    highest and at least `enter` while that of the present one is below `leave`; below
    `abstain_below` the present one ends without a successor. Either only `dwell_s` or more after
    the change before. Level rules are applied before the filter, hop by hop.

    Args:
        settings: parameters.
        classes: their names, in the order of the probabilities.

    Raises:
        ValueError: no classes, or a level rule of a class that is not among them.
    """

    def __init__(self, settings: DecisionSettings, classes: Sequence[str]) -> None:
        self.settings, self.classes = settings, tuple(classes)
        unknown = [rule.name for rule in settings.levels if rule.name not in self.classes]
        if unknown or not self.classes:
            raise ValueError(
                f"Level rules must name one of {', '.join(self.classes) or 'no classes'}. "
                f"Received: {', '.join(unknown) or 'none'}."
            )
        self.reset()

    def reset(self) -> None:
        """As before the first sound: equal shares, no program, free to change at once."""
        self._posterior: Float64Array = np.full(len(self.classes), 1.0 / len(self.classes))
        self._present: int | None = None
        self._held_s = math.inf

    def update(
        self, probabilities: npt.NDArray[np.floating[Any]], level_dbfs: float, seconds: float
    ) -> Program:
        """Update the decision with one hop.

        Args:
            probabilities: of the classes, (classes,).
            level_dbfs: 20 log10 of the RMS, where a full-scale square wave is 0 dBFS; -inf for
                silence.
            seconds: duration of the hop [s].

        Returns:
            The program after this hop.

        Raises:
            ValueError: another number of probabilities, or NaN.
        """
        evidence = np.asarray(probabilities, np.float64)
        if evidence.shape != self._posterior.shape or not np.isfinite(evidence).all():
            raise ValueError(
                f"`probabilities` must be {len(self.classes)} finite numbers. "
                f"Received: shape {evidence.shape}. Leave hops out that cannot be classified."
            )
        if math.isnan(level_dbfs):
            raise ValueError("`level_dbfs` must be a number or -inf. Received: NaN.")
        for rule in self.settings.levels:
            evidence = self._apply_level(rule, evidence, level_dbfs)
        share = -math.expm1(-seconds / self.settings.time_constant_s)
        self._posterior = self._posterior + share * (evidence - self._posterior)
        self._held_s += seconds
        chosen = self._choose()
        changed = chosen != self._present
        if changed:
            self._present, self._held_s = chosen, 0.0
        name = None if chosen is None else self.classes[chosen]
        return Program(name, self._posterior, changed)

    def _apply_level(
        self, rule: LevelRule, probabilities: Float64Array, level_dbfs: float
    ) -> Float64Array:
        is_class = np.array([name == rule.name for name in self.classes])
        if rule.certain_below is not None and level_dbfs < rule.certain_below:
            return is_class.astype(np.float64)
        if rule.impossible_above is not None and level_dbfs > rule.impossible_above:
            others = np.where(is_class, 0.0, probabilities)
            total = float(others.sum())
            # without evidence for any other class, all of them are equally probable
            return others / total if total > 0 else ~is_class / max(1, len(is_class) - 1)
        return probabilities

    def _choose(self) -> int | None:
        settings, posterior, present = self.settings, self._posterior, self._present
        if self._held_s < settings.dwell_s:
            return present
        best = int(posterior.argmax())
        if present is None:
            return best if posterior[best] >= settings.enter else None
        if posterior[present] < settings.leave and posterior[best] >= settings.enter:
            return best
        return None if posterior[present] < settings.abstain_below else present
