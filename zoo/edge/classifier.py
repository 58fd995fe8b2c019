"""Classify a stream of sound hop by hop: any sample rate, block size, sample type and channels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.edge.condition import Condition, Inspector, is_silent, level_dbfs
from zoo.edge.decision import Decision, DecisionSettings, Program
from zoo.edge.manifest_entries import sample_rate_hz
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel

FULL_SCALE = {"int16": 2.0**15, "int32": 2.0**31}  # of integer samples


class HopResult(NamedTuple):
    """Result of one hop.

    Attributes:
        time_s: end of the hop, from the start of the stream [s].
        condition: whether the hop could be classified; if not, the model did not take the step and
            the program stays as it was.
        level_dbfs: RMS level [dBFS], -inf for zeros, NaN where samples are not finite.
        probabilities: of the classes, (classes,); None if the hop was not classified.
        program: the decision after this hop.
    """

    time_s: float
    condition: Condition
    level_dbfs: float
    probabilities: npt.NDArray[np.float32] | None
    program: Program


class StreamClassifier:
    """Classifies a stream with a sound model.

    Pipeline: check samples -> mean of the channels -> resample -> hops -> step model -> decision. A
    hop that holds NaN, clipping or digital silence is reported in its result and not classified:
    the states of the model and the program stay as they were.

    Args:
        model: a step model from `waveform` to `probabilities`.
        rate_hz: sample rate of the stream [Hz]; None: the model's own. Others are resampled.

    Raises:
        ValueError: not a sound model, a manifest without classes or rate, or a rate that cannot be
            resampled.
    """

    def __init__(self, model: StepModel, rate_hz: int | None = None) -> None:
        manifest = model.manifest
        if model.input_name != "waveform" or "probabilities" not in model.output_names:
            raise ValueError(
                "Expected a model from `waveform` to `probabilities`, got one from "
                f"`{model.input_name}` to `{', '.join(model.output_names)}`."
            )
        try:
            self.classes: tuple[str, ...] = tuple(map(str, manifest["classes"]))
            settings = DecisionSettings.from_dict(manifest.get("decision") or {})
        except (KeyError, TypeError, AttributeError):
            raise ValueError(
                "Expected `classes` and `decision` of a sound model in the manifest. Export the "
                "model again."
            ) from None
        self.model = model
        self.model_rate_hz = sample_rate_hz(manifest)
        self.hop = model.input_shape[0]
        self.rate_hz = self.model_rate_hz if rate_hz is None else rate_hz
        self._resampler = Resampler(self.rate_hz, self.model_rate_hz)
        self._decision = Decision(settings, self.classes)
        self.reset()

    @property
    def hop_s(self) -> float:
        """Length of a hop [s]."""
        return self.hop / self.model_rate_hz

    def reset(self) -> None:
        """Reset all states: a new stream begins."""
        self.model.reset()
        self._resampler.reset()
        self._decision.reset()
        self._inspector = Inspector()
        self._program = Program(None, np.full(len(self.classes), 1 / len(self.classes)), False)
        self._buffer = np.zeros(self.hop, np.float32)  # the next hop
        self._filled = 0  # samples in the buffer
        self._samples = 0  # of the stream so far, at its own rate
        self._hops = 0
        self._faults: dict[int, Condition] = {}  # number of a hop to come -> why not to classify it

    def process(self, block: npt.NDArray[Any]) -> list[HopResult]:
        """Results of all hops that are complete with this block.

        Args:
            block: (samples,) or (samples, channels), int16, int32 or floating point with full scale
                at 1; channels are averaged.

        Raises:
            ValueError: another shape or type.
        """
        x = as_float(block)
        if not len(x):
            return []
        self._record_faults(self._inspector.inspect(x))
        self._samples += len(x)
        with np.errstate(invalid="ignore"):  # infinities of both signs
            mono = x.mean(axis=1)
        mono[~np.isfinite(mono)] = 0  # or it would be in every sample that the filter reaches
        return self._process_hops(self._resampler.process(mono))

    def finish(self) -> list[HopResult]:
        """Results of the hops that only the end of the stream completes."""
        return self._process_hops(self._resampler.finish())

    def hear(self, block: npt.NDArray[Any]) -> list[HopResult]:
        """As `process`: its name in version 0.1."""
        return self.process(block)

    def _process_hops(self, samples: npt.NDArray[np.float32]) -> list[HopResult]:
        results: list[HopResult] = []
        start = 0
        while start < len(samples):
            part = samples[start : start + self.hop - self._filled]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            start += len(part)
            if self._filled == self.hop:
                self._filled = 0
                results.append(self._classify(self._buffer))
        return results

    def _classify(self, hop: npt.NDArray[np.float32]) -> HopResult:
        condition = self._faults.pop(self._hops, Condition.SOUND)
        self._hops += 1
        level = level_dbfs(hop) if condition is not Condition.NOT_FINITE else float("nan")
        if condition is Condition.SOUND and is_silent(hop):
            condition = Condition.SILENT
        probabilities = None
        self._program = self._program._replace(changed=False)
        if condition is Condition.SOUND:
            probabilities = self.model.step(hop)["probabilities"]
            self._program = self._decision.update(probabilities, level, self.hop_s)
        return HopResult(self._hops * self.hop_s, condition, level, probabilities, self._program)

    def _record_faults(self, faults: dict[Condition, npt.NDArray[np.intp]]) -> None:
        """Record the hops that samples at these places of the block belong to."""
        up, down = self._resampler.up, self._resampler.down
        for condition, places in faults.items():
            times = (self._samples + places.astype(np.int64)) * up  # in units of 1 / (rate down)
            # a sample of the stream may lie astride two hops
            for each in (times // down // self.hop, (times + up - 1) // down // self.hop):
                for hop in sorted({int(number) for number in each}):
                    if self._faults.get(hop) is not Condition.NOT_FINITE:
                        self._faults[hop] = condition


def as_float(block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Samples as (samples, channels) float32, full scale at 1.

    Args:
        block: (samples,) or (samples, channels), int16, int32 or floating point.

    Raises:
        ValueError: another shape or type.
    """
    x = np.asarray(block)
    if x.ndim not in (1, 2) or (x.ndim == 2 and not x.shape[1]):
        raise ValueError(f"A block must be (samples,) or (samples, channels). Received: {x.shape}.")
    if x.dtype.name in FULL_SCALE:
        x = x.astype(np.float32) / np.float32(FULL_SCALE[x.dtype.name])
    elif x.dtype.kind != "f":
        raise ValueError(f"Samples must be int16, int32 or floating point. Received: {x.dtype}.")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and reported
        return x.astype(np.float32).reshape(len(x), -1)
