"""Which program to run: changes its mind only when the scene does. NumPy only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class LevelRule:
    """What the level of a hop alone says about one class, whatever the network thinks.

    Attributes:
        name: of the class.
        certain_below: below this level the hop is of this class [dBFS]; None: never for sure.
        impossible_above: above it, it is not [dBFS]; None: it always may be.

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
class Settings:
    """Parameters of a decision, as a manifest keeps them.

    Attributes:
        time_constant_s: of the first-order filter over the probabilities [s].
        enter: a program begins when its posterior reaches this.
        leave: and may give way to another only when its own has fallen below this.
        abstain_below: below this it ends, even if no other may begin.
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
    def from_dict(cls, values: Mapping[str, Any]) -> "Settings":
        """The settings that `to_dict` described.

        Raises:
            ValueError: an unknown name, or a number out of range.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"A decision has no setting {', '.join(sorted(unknown))}.")
        try:
            rules = tuple(LevelRule(**rule) for rule in values.get("levels", ()))
            return cls(**{**values, "levels": rules})
        except TypeError as error:
            raise ValueError(f"The settings of a decision cannot be read: {error}.") from None


class Program(NamedTuple):
    """What was decided.

    Attributes:
        name: of the class, or None: abstaining.
        posterior: smoothed probabilities, (classes,), in the order of the classes.
        changed: whether this update changed the name.
    """

    name: str | None
    posterior: np.ndarray
    changed: bool


class Decision:
    """Probabilities -> smoothed posterior -> program, with hysteresis.

    posterior += (1 - exp(-seconds / time_constant_s)) (probabilities - posterior), from equal
    shares: a first-order filter. Another class becomes the program when its posterior is the
    highest and at least `enter` while that of the present one is below `leave`; below
    `abstain_below` the present one ends without a successor. Either only `dwell_s` or more after
    the change before. Levels speak before the filter, hop by hop.

    Args:
        settings: parameters.
        classes: their names, in the order of the probabilities.

    Raises:
        ValueError: no classes, or a level rule of a class that is not among them.
    """

    def __init__(self, settings: Settings, classes: Sequence[str]) -> None:
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
        self._posterior = np.full(len(self.classes), 1.0 / len(self.classes))
        self._present: int | None = None
        self._held_s = math.inf

    def update(self, probabilities: np.ndarray, level_dbfs: float, seconds: float) -> Program:
        """Take what was heard in one hop.

        Args:
            probabilities: of the classes, (classes,).
            level_dbfs: 20 log10 of the RMS, where a full-scale square wave is 0 dBFS; -inf for
                silence.
            seconds: duration of the hop [s].

        Raises:
            ValueError: another number of probabilities, or NaN.
        """
        heard = np.asarray(probabilities, np.float64)
        if heard.shape != self._posterior.shape or not np.isfinite(heard).all():
            raise ValueError(
                f"`probabilities` must be {len(self.classes)} finite numbers. "
                f"Received: shape {heard.shape}. Leave hops out that cannot be classified."
            )
        if math.isnan(level_dbfs):
            raise ValueError("`level_dbfs` must be a number or -inf. Received: NaN.")
        for rule in self.settings.levels:
            heard = self._by_level(rule, heard, level_dbfs)
        share = -math.expm1(-seconds / self.settings.time_constant_s)
        self._posterior = self._posterior + share * (heard - self._posterior)
        self._held_s += seconds
        chosen = self._choice()
        changed = chosen != self._present
        if changed:
            self._present, self._held_s = chosen, 0.0
        name = None if chosen is None else self.classes[chosen]
        return Program(name, self._posterior, changed)

    def _by_level(self, rule: LevelRule, heard: np.ndarray, level_dbfs: float) -> np.ndarray:
        its = np.array(self.classes) == rule.name
        if rule.certain_below is not None and level_dbfs < rule.certain_below:
            return its.astype(np.float64)
        if rule.impossible_above is not None and level_dbfs > rule.impossible_above:
            others = np.where(its, 0.0, heard)
            total = others.sum()
            # what was given wholly to the impossible class says nothing about the others
            return others / total if total > 0 else ~its / max(1, np.sum(~its))
        return heard

    def _choice(self) -> int | None:
        settings, posterior, present = self.settings, self._posterior, self._present
        if self._held_s < settings.dwell_s:
            return present
        best = int(posterior.argmax())
        if present is None:
            return best if posterior[best] >= settings.enter else None
        if posterior[present] < settings.leave and posterior[best] >= settings.enter:
            return best
        return None if posterior[present] < settings.abstain_below else present
