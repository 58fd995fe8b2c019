"""Estimate quantities of a stream of sound hop by hop: regressions, such as a level in decibels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.edge.condition import Condition
from zoo.edge.runtime import StepModel
from zoo.edge.stream import Hop, SoundStream

OUTPUT = "prediction"


class HopEstimate(NamedTuple):
    """Estimates of one hop.

    Attributes:
        time_s: end of the hop, from the start of the stream [s].
        condition: whether the hop counted; if not, the model did not take the step.
        level_dbfs: RMS level without a constant offset [dBFS].
        values: in the order of `StreamEstimator.names`, (values,); None if the hop did not count.
    """

    time_s: float
    condition: Condition
    level_dbfs: float
    values: npt.NDArray[np.float32] | None


class StreamEstimator(SoundStream[HopEstimate]):
    """Estimates quantities of a stream with a regression of sound.

    Args:
        model: a step model from `waveform` to `prediction`.
        rate_hz: sample rate of the stream [Hz]; None: the model's own. Others are resampled.

    Raises:
        ValueError: another model, a manifest without its quantities or rate, or a rate that cannot
            be resampled.
    """

    def __init__(self, model: StepModel, rate_hz: int | None = None) -> None:
        super().__init__(model, OUTPUT, rate_hz)
        self.names, self.units = quantities_of(model.manifest)

    def result(self, hop: Hop) -> HopEstimate:
        """Estimates of a hop."""
        return HopEstimate(*hop)


def is_estimator(manifest: Mapping[str, Any]) -> bool:
    """Whether a model estimates quantities of sound hop by hop.

    Args:
        manifest: of the model folder.
    """
    step = manifest["signatures"].get("step")
    return step is not None and "waveform" in step["inputs"] and OUTPUT in step["outputs"]


def quantities_of(manifest: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the estimated quantities.

    Args:
        manifest: of the model folder.

    Raises:
        ValueError: a manifest without them.
    """
    try:
        features = manifest["signatures"]["step"]["outputs"][OUTPUT]["features"]
        names = tuple(str(each["name"]) for each in features)
        return names, tuple(str(each["unit"]) for each in features)
    except (KeyError, TypeError):
        raise ValueError(
            f"Expected name and unit of each feature of `{OUTPUT}` in the manifest. Export the "
            "model again."
        ) from None
