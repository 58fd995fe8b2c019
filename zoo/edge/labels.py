"""Label of a clip from its probabilities: operating point of a detector, abstention, bad input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.edge.condition import Condition, is_silent


class ClipLabel(NamedTuple):
    """Label of one clip.

    Attributes:
        name: of the class; None: abstaining, or a clip that cannot be classified.
        probability: of that class, or of the likeliest one where the rule abstains; NaN for a clip
            that cannot be classified.
        condition: of the clip.
    """

    name: str | None
    probability: float
    condition: Condition

    def __str__(self) -> str:
        if self.condition is not Condition.SOUND:
            return f"({self.condition})"
        return self.name or "(abstains)"


@dataclass(frozen=True)
class LabelRule:
    """Rule from the probabilities of a classifier to a label, as its manifest states it.

    1. A clip of NaN, infinity or digital silence has no label.
    2. Where the highest probability is below `abstain_below`, the rule abstains.
    3. A detector of two classes says `positive` where the probability of that class is at least
       `threshold`, else the other class; other classifiers say the likeliest class.

    Attributes:
        classes: names, in the order of the probabilities.
        abstain_below: confidence below which to abstain; None: never.
        positive: class of the operating point; None: no operating point.
        threshold: of its probability.

    Raises:
        ValueError: a class that is not among `classes`, or numbers outside 0 to 1.
    """

    classes: tuple[str, ...]
    abstain_below: float | None = None
    positive: str | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.positive is not None and (
            self.positive not in self.classes or len(self.classes) != 2
        ):
            raise ValueError(
                "An operating point needs two classes, one of them its own. "
                f"Received: {self.positive!r} of {', '.join(self.classes)}."
            )
        if not (0 <= self.threshold <= 1 and 0 <= (self.abstain_below or 0.0) <= 1):
            raise ValueError(
                "Thresholds must lie from 0 to 1. "
                f"Received: {self.threshold}, abstain_below {self.abstain_below}."
            )

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "LabelRule":
        """The rule of a saved classifier: entries `classes`, `abstain_below`, `operating_point`.

        Args:
            manifest: of the model folder.

        Raises:
            ValueError: no classes, or entries that cannot be read.
        """
        try:
            classes = tuple(map(str, manifest["classes"]))
            point: Mapping[str, Any] = manifest.get("operating_point") or {}
            below = manifest.get("abstain_below")
            return cls(
                classes,
                abstain_below=None if below is None else float(below),
                positive=str(point["class"]) if point else None,
                threshold=float(point["threshold"]) if point else 0.5,
            )
        except (KeyError, TypeError, AttributeError):
            raise ValueError(
                "Expected `classes` in the manifest, and `class` and `threshold` in its "
                "`operating_point`. Export the model again."
            ) from None

    def describe(self) -> str:
        """The rule in one line."""
        if self.positive is None:
            text = "label: the likeliest class"
        else:
            negative = self.classes[1 - self.classes.index(self.positive)]
            text = f"label: {self.positive} from probability {self.threshold:.3g}, else {negative}"
        if self.abstain_below is None:
            return text
        return f"{text}; none where the highest probability is below {self.abstain_below:.3g}"

    def label(self, probabilities: npt.NDArray[np.floating[Any]]) -> str | None:
        """Name of the class, or None: abstaining.

        Args:
            probabilities: of one clip, (classes,).

        Raises:
            ValueError: another number of probabilities, or NaN.
        """
        p = np.asarray(probabilities, np.float64)
        if p.shape != (len(self.classes),) or not np.isfinite(p).all():
            raise ValueError(
                f"`probabilities` must be {len(self.classes)} finite numbers. "
                f"Received: shape {p.shape}, {int(np.isfinite(p).sum())} of them finite."
            )
        if self.abstain_below is not None and float(p.max()) < self.abstain_below:
            return None
        if self.positive is None:
            return self.classes[int(p.argmax())]
        index = self.classes.index(self.positive)
        return self.classes[index if p[index] >= self.threshold else 1 - index]

    def evidence(self, probabilities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Probabilities for a decision over time, where even odds are those of the rule.

        Of a detector the log-odds of the positive class are taken from those of its threshold, so
        that a probability at the threshold becomes 1/2. Where the rule abstains, all classes get
        equal shares. Otherwise the probabilities are returned as they are.

        Args:
            probabilities: of one hop, (classes,).

        Returns:
            (classes,) with the sum 1.

        Raises:
            ValueError: as `label`.
        """
        if self.label(probabilities) is None:
            return np.full(len(self.classes), 1 / len(self.classes))
        p = np.asarray(probabilities, np.float64)
        if self.positive is None:
            return p
        index = self.classes.index(self.positive)
        for_it, against = p[index] * (1 - self.threshold), (1 - p[index]) * self.threshold
        total = for_it + against
        share = for_it / total if total > 0 else 0.5
        return np.where(np.arange(2) == index, share, 1 - share)

    def classify(
        self,
        waveform: npt.NDArray[np.floating[Any]],
        probabilities: npt.NDArray[np.floating[Any]],
    ) -> ClipLabel:
        """Label of a clip, its samples checked.

        Args:
            waveform: (samples,), as given to the model.
            probabilities: that the model returned, (classes,); of a clip that cannot be classified
                they are not looked at.

        Raises:
            ValueError: as `label`.
        """
        condition = clip_condition(waveform)
        if condition is not Condition.SOUND:
            return ClipLabel(None, float("nan"), condition)
        name = self.label(probabilities)
        p = probabilities.max() if name is None else probabilities[self.classes.index(name)]
        return ClipLabel(name, float(p), condition)


def clip_condition(waveform: npt.NDArray[np.floating[Any]]) -> Condition:
    """Whether a clip (samples,) can be classified: NOT_FINITE, SILENT, or SOUND.

    A clip that is silent in part is sound, and so is a clipped one: of a whole clip some of the
    samples may be at full scale.
    """
    if not np.isfinite(waveform).all():
        return Condition.NOT_FINITE
    return Condition.SILENT if is_silent(waveform) else Condition.SOUND
