"""A trained stress-history model with all that its report and its export state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keras

from zoo.stress.experiment import Experiment
from zoo.stress.scoring import Errors


@dataclass(frozen=True)
class TrainedModel:
    """A stress-history model after training.

    Attributes:
        model: with an output `prediction`.
        description: one clause, such as "2-layer long short-term memory network".
        experiment: what it was trained and scored on.
        scores: model -> errors: this model first, then its baselines.
        command: that made it.
        warnings: what report and card say first.
        changed: model -> errors under changed loading, see `zoo.stress.robustness`.
        recommendation: which of the scored models to use, in words; may be empty.
    """

    model: keras.Model
    description: str
    experiment: Experiment
    scores: Mapping[str, Errors]
    command: str
    warnings: Sequence[str] = ()
    changed: Mapping[str, Errors] = field(default_factory=dict)
    recommendation: str = ""

    @property
    def name(self) -> str:
        """Name of the model among the scores."""
        return next(iter(self.scores))
