"""Classify a stream of sound hop by hop: probabilities, label and program of every hop."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.edge.condition import Condition
from zoo.edge.decision import Decision, DecisionSettings, Program
from zoo.edge.labels import LabelRule
from zoo.edge.runtime import StepModel
from zoo.edge.stream import Hop, SoundStream


class HopResult(NamedTuple):
    """Result of one hop.

    Attributes:
        time_s: end of the hop, from the start of the stream [s].
        condition: whether the hop could be classified; if not, the model did not take the step and
            the program stays as it was.
        level_dbfs: RMS level without a constant offset [dBFS], -inf for zeros, NaN where samples
            are not finite.
        probabilities: of the classes, (classes,); None if the hop was not classified.
        program: the decision after this hop.
        label: of this hop alone, by the rule in the manifest; None: the rule abstains, or the hop
            was not classified.
    """

    time_s: float
    condition: Condition
    level_dbfs: float
    probabilities: npt.NDArray[np.float32] | None
    program: Program
    label: str | None = None


class StreamClassifier(SoundStream[HopResult]):
    """Classifies a stream with a sound model.

    As `SoundStream`, and then: step model -> rule of the manifest (operating point, abstention;
    `LabelRule.evidence`) -> decision. A hop that does not count keeps the program.

    Args:
        model: a step model from `waveform` to `probabilities`.
        rate_hz: sample rate of the stream [Hz]; None: the model's own. Others are resampled.

    Raises:
        ValueError: not a sound model, a manifest without classes or rate, or a rate that cannot be
            resampled.
    """

    def __init__(self, model: StepModel, rate_hz: int | None = None) -> None:
        if "probabilities" in model.output_names:
            try:
                self.rule = LabelRule.from_manifest(model.manifest)
                self.classes = self.rule.classes
                settings = DecisionSettings.from_dict(model.manifest.get("decision") or {})
            except (KeyError, TypeError, AttributeError):
                raise ValueError(
                    "Expected `classes` and `decision` of a sound model in the manifest. Export "
                    "the model again."
                ) from None
            self._decision = Decision(settings, self.classes)
        super().__init__(model, "probabilities", rate_hz)

    def reset(self) -> None:
        """Reset all states: a new stream begins."""
        super().reset()
        self._decision.reset()
        self._program = Program(None, np.full(len(self.classes), 1 / len(self.classes)), False)

    def hear(self, block: npt.NDArray[Any]) -> list[HopResult]:
        """As `process`: its name in version 0.1."""
        return self.process(block)

    def result(self, hop: Hop) -> HopResult:
        """Label of a hop, and the program after it."""
        self._program = self._program._replace(changed=False)
        label = None
        if hop.output is not None:
            label = self.rule.label(hop.output)
            evidence = self.rule.evidence(hop.output)
            self._program = self._decision.update(evidence, hop.level_dbfs, self.hop_s)
        return HopResult(
            hop.time_s, hop.condition, hop.level_dbfs, hop.output, self._program, label
        )
