"""Classify a stream of sound hop by hop: any sample rate, block size, sample type and channels."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.edge.channels import ChannelMixer, Mix
from zoo.edge.condition import Condition, Inspected, Inspector, bridge, is_silent, level_dbfs
from zoo.edge.decision import Decision, DecisionSettings, Program
from zoo.edge.labels import LabelRule
from zoo.edge.manifest_entries import sample_rate_hz
from zoo.edge.offset import OffsetFilter
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel

MAX_SPOILT = 0.25  # share of a hop that is filled in
FULL_SCALE = {"int16": 2.0**15, "int32": 2.0**31}  # of integer samples


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


class Fault(NamedTuple):
    """Why not to classify a hop, and the share of its samples that are spoilt."""

    condition: Condition
    share: float


class StreamClassifier:
    """Classifies a stream with a sound model.

    Pipeline: check samples -> mix the channels -> resample -> hops -> remove a constant offset ->
    step model -> rule of the manifest (operating point, abstention; `LabelRule.evidence`) ->
    decision. A hop that holds NaN, clipping, digital silence or a gap is reported in
    its result and not classified: the program stays as it was. If at most a quarter of its samples
    are spoilt, the model takes its step with the last good value in their place. If more are, it
    takes one step over `condition.bridge`, from the sound before to that after.

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
            self.rule = LabelRule.from_manifest(manifest)
            self.classes = self.rule.classes
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
        self._mixer = ChannelMixer(self.rate_hz)
        self._resampler = Resampler(self.rate_hz, self.model_rate_hz)
        self._offset = OffsetFilter(self.model_rate_hz)
        self._decision = Decision(settings, self.classes)
        self.reset()

    @property
    def hop_s(self) -> float:
        """Length of a hop [s]."""
        return self.hop / self.model_rate_hz

    @property
    def mix(self) -> Mix:
        """How the channels of the stream are mixed, and why."""
        return self._mixer.mix

    def reset(self) -> None:
        """Reset all states: a new stream begins."""
        self.model.reset()
        self._mixer.reset()
        self._offset.reset()
        self._resampler.reset()
        self._decision.reset()
        self._inspector = Inspector()
        self._program = Program(None, np.full(len(self.classes), 1 / len(self.classes)), False)
        self._buffer = np.zeros(self.hop, np.float32)  # the next hop
        self._filled = 0  # samples in the buffer
        self._samples = 0  # of the stream so far, at its own rate
        self._hops = 0
        self._faults: dict[int, Fault] = {}  # by the number of a hop to come
        self._before: npt.NDArray[np.float32] | None = None  # the last hop that was classified
        self._is_interrupted = False  # hops were left out since then

    def process(self, block: npt.NDArray[Any]) -> list[HopResult]:
        """Results of all hops that are complete with this block.

        Args:
            block: (samples,) or (samples, channels), int16, int32 or floating point with full scale
                at 1; channels are mixed by `ChannelMixer`.

        Raises:
            ValueError: another shape or type, or another number of channels than before.
        """
        x = as_float(block)
        if not len(x):
            return []
        return self._process_hops(self._resampler.process(self._clean(self._inspector.process(x))))

    def mark_gap(self) -> None:
        """Note that samples were lost before the next block: its first hop has condition GAP."""
        self._record_faults({Condition.GAP: np.zeros(1, np.intp)})

    def finish(self) -> list[HopResult]:
        """Results of the hops that only the end of the stream completes."""
        parts = [self._clean(self._inspector.finish()), self._mixer.finish()]
        rest = [self._resampler.process(np.concatenate(parts)), self._resampler.finish()]
        return self._process_hops(np.concatenate(rest))

    def _clean(self, inspected: Inspected) -> npt.NDArray[np.float32]:
        """Record the faults of samples, and mix their channels."""
        if not len(inspected.samples):
            return np.zeros(0, np.float32)
        self._record_faults(inspected.faults)
        self._samples += len(inspected.samples)
        return self._mixer.process(inspected.samples)

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
        condition, share = self._faults.pop(self._hops, Fault(Condition.SOUND, 0.0))
        self._hops += 1
        if condition is Condition.SOUND and is_silent(hop):
            condition = Condition.SILENT
        self._program = self._program._replace(changed=False)
        probabilities = label = None
        if condition is Condition.SOUND:
            sound = self._offset.process(hop)
            level = level_dbfs(sound)
            probabilities = self._step(sound)
            label = self.rule.label(probabilities)
            evidence = self.rule.evidence(probabilities)
            self._program = self._decision.update(evidence, level, self.hop_s)
        else:
            if condition in (Condition.SILENT, Condition.GAP) or share > MAX_SPOILT:
                self._is_interrupted = True
            else:
                self._step(self._offset.process(hop))
            level = level_dbfs(hop - np.mean(hop, dtype=np.float64))
            if condition is Condition.NOT_FINITE:
                level = float("nan")
        time_s = self._hops * self.hop_s
        return HopResult(time_s, condition, level, probabilities, self._program, label)

    def _step(self, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities of a hop; a step over what was left out before comes first."""
        if self._is_interrupted and self._before is not None:
            self.model.step(bridge(self._before, sound))
        self._before, self._is_interrupted = sound, False
        return self.model.step(sound)["probabilities"]

    def _record_faults(self, faults: dict[Condition, npt.NDArray[np.intp]]) -> None:
        """Record the hops that samples at these places of the block belong to."""
        up, down = self._resampler.up, self._resampler.down
        for condition, places in faults.items():
            times = (self._samples + places.astype(np.int64)) * up  # in units of 1 / (rate down)
            # a sample of the stream may lie astride two hops
            first, last = times // down // self.hop, (times + up - 1) // down // self.hop
            for hop, count in Counter([*first.tolist(), *last[last > first].tolist()]).items():
                fault = self._faults.get(hop, Fault(condition, 0.0))
                if fault.condition is not Condition.NOT_FINITE:
                    fault = fault._replace(condition=condition)
                share = 1.0 if condition is Condition.GAP else count * up / down / self.hop
                self._faults[hop] = fault._replace(share=fault.share + share)


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
