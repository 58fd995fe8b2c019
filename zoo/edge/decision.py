"""Decide which program to run from class probabilities: filter, hysteresis, dwell time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

MIN_PROBABILITY = 1e-3  # in logarithms: a single hop never rules a class out


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
class PairDwell:
    """Shortest time of one program before a certain other one.

    Attributes:
        leave: class of the present program.
        enter: class of the next one.
        seconds: from the beginning of the present one [s].

    Raises:
        ValueError: a negative time.
    """

    leave: str
    enter: str
    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < math.inf:
            raise ValueError(
                f"A dwell time must be 0 s or more. Received: {self.seconds} s from {self.leave!r} "
                f"to {self.enter!r}."
            )


def _no_numbers() -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class DecisionSettings:
    """Parameters of a decision, the entry `decision` of a manifest.

    Attributes:
        time_constant_s: of the first-order filter over the probabilities [s]; "average" only.
        enter: a program begins when its posterior is at least this.
        leave: another may follow only when the posterior of the present one is below this.
        abstain_below: below this the present one ends, even if no other may begin.
        dwell_s: shortest time between two changes [s].
        levels: absolute level as evidence.
        method: how the posterior follows from the probabilities, see `Decision`: "average", a
            first-order filter, or "hmm", the forward filter of a hidden Markov model.
        enter_by_class: class -> its own `enter`.
        leave_by_class: class -> its own `leave`.
        dwell_by_pair: of pairs of classes with another time than `dwell_s`.
        weight_per_s: log likelihoods of 1 s of hops count as those of so many independent
            observations [1/s]; "hmm" only.
        changes_per_min: rate at which scenes change in the model [1/min]; "hmm" only.
        offsets: class -> what is added to the logarithm of its probability; "hmm" only.

    Raises:
        ValueError: a number out of range.
    """

    time_constant_s: float = 1.0
    enter: float = 0.6
    leave: float = 0.4
    abstain_below: float = 0.2
    dwell_s: float = 1.0
    levels: tuple[LevelRule, ...] = ()
    method: Literal["average", "hmm"] = "average"
    enter_by_class: Mapping[str, float] = field(default_factory=_no_numbers)
    leave_by_class: Mapping[str, float] = field(default_factory=_no_numbers)
    dwell_by_pair: tuple[PairDwell, ...] = ()
    weight_per_s: float = 8.0
    changes_per_min: float = 6.0
    offsets: Mapping[str, float] = field(default_factory=_no_numbers)

    def __post_init__(self) -> None:
        if not (self.time_constant_s > 0 and self.dwell_s >= 0):
            raise ValueError(
                "`time_constant_s` must be above 0 and `dwell_s` 0 or more. "
                f"Received: {self.time_constant_s} and {self.dwell_s}."
            )
        for name in {"", *self.enter_by_class, *self.leave_by_class}:
            enter, leave = self.thresholds(name)
            if not 0 <= self.abstain_below <= leave <= enter <= 1:
                raise ValueError(
                    "Thresholds must keep 0 <= abstain_below <= leave <= enter <= 1. "
                    f"Received: {self.abstain_below}, {leave}, {enter}"
                    + (f" of {name!r}." if name else ".")
                )
        if self.method not in ("average", "hmm"):
            raise ValueError(f"`method` must be 'average' or 'hmm'. Received: {self.method!r}.")
        if not (self.weight_per_s > 0 and self.changes_per_min > 0):
            raise ValueError(
                "`weight_per_s` and `changes_per_min` must be above 0. "
                f"Received: {self.weight_per_s} and {self.changes_per_min}."
            )
        if not all(map(math.isfinite, self.offsets.values())):
            raise ValueError(f"`offsets` must be finite. Received: {dict(self.offsets)}.")

    def thresholds(self, name: str) -> tuple[float, float]:
        """`enter` and `leave` of a class."""
        return self.enter_by_class.get(name, self.enter), self.leave_by_class.get(name, self.leave)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `manifest["decision"]`."""
        return {
            **asdict(self),
            "levels": [asdict(rule) for rule in self.levels],
            "dwell_by_pair": [asdict(pair) for pair in self.dwell_by_pair],
        }

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
            pairs = tuple(PairDwell(**pair) for pair in values.get("dwell_by_pair", ()))
            numbers: dict[str, Any] = {**values, "levels": rules, "dwell_by_pair": pairs}
            return cls(**numbers)
        except (TypeError, AttributeError) as error:
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
    """Probabilities -> posterior -> program, with hysteresis.

    With the method "average" the posterior is a first-order filter of the probabilities,
    posterior += (1 - exp(-seconds / time_constant_s)) (probabilities - posterior).
    With "hmm" it is the forward filter of a hidden Markov model: scenes change at
    `changes_per_min`, to any other class alike, and a hop is an observation of likelihood
    (max(probability, `MIN_PROBABILITY`) exp(offset))^(weight_per_s seconds): less than one, since
    neighbouring hops are alike. Both begin at equal shares.

    Another class becomes the program when its posterior is the highest and at least its `enter`
    while that of the present one is below its `leave`; below `abstain_below` the present one ends
    without a successor. Either only `dwell_s`, or what the pair of classes has, or more after the
    change before. Level rules are applied to the probabilities, hop by hop.

    Args:
        settings: parameters.
        classes: their names, in the order of the probabilities.

    Raises:
        ValueError: no classes, or settings of a class that is not among them.
    """

    def __init__(self, settings: DecisionSettings, classes: Sequence[str]) -> None:
        self.settings, self.classes = settings, tuple(classes)
        named = {
            *(rule.name for rule in settings.levels),
            *settings.enter_by_class,
            *settings.leave_by_class,
            *settings.offsets,
            *(name for pair in settings.dwell_by_pair for name in (pair.leave, pair.enter)),
        }
        unknown = sorted(named - set(self.classes))
        if unknown or not self.classes:
            raise ValueError(
                f"Rules must name one of {', '.join(self.classes) or 'no classes'}. "
                f"Received: {', '.join(unknown) or 'none'}."
            )
        limits = [settings.thresholds(name) for name in self.classes]
        self.enter, self.leave = (np.array(each) for each in zip(*limits, strict=True))
        self.offsets = np.array([settings.offsets.get(name, 0.0) for name in self.classes])
        # shortest time of a program before each other one (classes, classes) [s]
        self.dwell_s: Float64Array = np.full(2 * (len(self.classes),), float(settings.dwell_s))
        for pair in settings.dwell_by_pair:
            place = self.classes.index(pair.leave), self.classes.index(pair.enter)
            self.dwell_s[place] = pair.seconds
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
        evidence = self.apply_levels(evidence, level_dbfs)
        self._posterior = self._track(evidence, seconds)
        self._held_s += seconds
        chosen = self._choose()
        changed = chosen != self._present
        if changed:
            self._present, self._held_s = chosen, 0.0
        name = None if chosen is None else self.classes[chosen]
        return Program(name, self._posterior, changed)

    def apply_levels(self, probabilities: Float64Array, level_dbfs: float) -> Float64Array:
        """Probabilities (classes,) of a hop after the level rules."""
        for rule in self.settings.levels:
            probabilities = self._apply_level(rule, probabilities, level_dbfs)
        return probabilities

    def _track(self, evidence: Float64Array, seconds: float) -> Float64Array:
        """Posterior after a hop."""
        settings, before = self.settings, self._posterior
        if settings.method == "average":
            share = -math.expm1(-seconds / settings.time_constant_s)
            return before + share * (evidence - before)
        change = -math.expm1(-seconds * settings.changes_per_min / 60)
        others = (1 - before) / max(1, len(before) - 1)
        log_likelihood = np.log(np.maximum(evidence, MIN_PROBABILITY)) + self.offsets
        log_posterior = settings.weight_per_s * seconds * log_likelihood
        log_posterior += np.log(before + change * (others - before))
        posterior = np.exp(log_posterior - log_posterior.max())
        return posterior / posterior.sum()

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
        best = int(posterior.argmax())
        if present is None:
            if self._held_s < settings.dwell_s or posterior[best] < self.enter[best]:
                return None
            return best
        if (
            best != present
            and posterior[present] < self.leave[present]
            and posterior[best] >= self.enter[best]
            and self._held_s >= self.dwell_s[present, best]
        ):
            return best
        if posterior[present] < settings.abstain_below and self._held_s >= settings.dwell_s:
            return None
        return present
