"""A stream of sound through a step model, hop by hop: any rate, block size, type and channels."""

from collections import Counter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from zoo.edge.channels import ChannelMixer, Mix
from zoo.edge.condition import Condition, Inspected, Inspector, bridge, is_silent, level_dbfs
from zoo.edge.manifest_entries import sample_rate_hz
from zoo.edge.offset import OffsetFilter
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel

MAX_SPOILT = 0.25  # share of a hop that is filled in
FULL_SCALE = {"int16": 2.0**15, "int32": 2.0**31}  # of integer samples

Result = TypeVar("Result")


class Hop(NamedTuple):
    """A hop that went through the model, or did not.

    Attributes:
        time_s: end of the hop, from the start of the stream [s].
        condition: whether the model took the step with it; SOUND: it did.
        level_dbfs: RMS level without a constant offset [dBFS], -inf for zeros, NaN where samples
            are not finite.
        output: of the model, (values,); None where the hop did not count.
    """

    time_s: float
    condition: Condition
    level_dbfs: float
    output: npt.NDArray[np.float32] | None


class Fault(NamedTuple):
    """Why a hop does not count, and the share of its samples that are spoilt."""

    condition: Condition
    share: float


class SoundStream(Generic[Result]):
    """A stream through a sound model; `StreamClassifier` and `StreamEstimator` make results of it.

    Pipeline: check samples -> mix the channels -> resample -> hops -> remove a constant offset ->
    step model -> `result`. A hop that holds NaN, clipping, digital silence or a gap is reported and
    does not count. If at most a quarter of its samples are spoilt, the model takes its step with
    the last good value in their place. If more are, it takes one step over `condition.bridge`, from
    the sound before to that after.

    Args:
        model: a step model of `waveform`.
        output: name of its output.
        rate_hz: sample rate of the stream [Hz]; None: the model's own. Others are resampled.

    Raises:
        ValueError: another model, a manifest without a rate, or a rate that cannot be resampled.
    """

    def __init__(self, model: StepModel, output: str, rate_hz: int | None = None) -> None:
        if model.input_name != "waveform" or output not in model.output_names:
            raise ValueError(
                f"Expected a model from `waveform` to `{output}`, got one from "
                f"`{model.input_name}` to `{', '.join(model.output_names)}`."
            )
        self.model = model
        self.output = output
        self.model_rate_hz = sample_rate_hz(model.manifest)
        self.hop = model.input_shape[0]
        self.rate_hz = self.model_rate_hz if rate_hz is None else rate_hz
        self._resampler = Resampler(self.rate_hz, self.model_rate_hz)  # first: checks the rate
        self._mixer = ChannelMixer(self.rate_hz)
        self._offset = OffsetFilter(self.model_rate_hz)
        self.reset()

    def result(self, hop: Hop) -> Result:
        """What a hop gives; in order, once each."""
        raise NotImplementedError

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
        self._inspector = Inspector()
        self._buffer = np.zeros(self.hop, np.float32)  # the next hop
        self._filled = 0  # samples in the buffer
        self._samples = 0  # of the stream so far, at its own rate
        self._hops = 0
        self._faults: dict[int, Fault] = {}  # by the number of a hop to come
        self._before: npt.NDArray[np.float32] | None = None  # the last hop that was classified
        self._is_interrupted = False  # hops were left out since then

    def process(self, block: npt.NDArray[Any]) -> list[Result]:
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

    def finish(self) -> list[Result]:
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

    def _process_hops(self, samples: npt.NDArray[np.float32]) -> list[Result]:
        results: list[Result] = []
        start = 0
        while start < len(samples):
            part = samples[start : start + self.hop - self._filled]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            start += len(part)
            if self._filled == self.hop:
                self._filled = 0
                results.append(self.result(self._take(self._buffer)))
        return results

    def _take(self, hop: npt.NDArray[np.float32]) -> Hop:
        condition, share = self._faults.pop(self._hops, Fault(Condition.SOUND, 0.0))
        self._hops += 1
        if condition is Condition.SOUND and is_silent(hop):
            condition = Condition.SILENT
        output = None
        if condition is Condition.SOUND:
            sound = self._offset.process(hop)
            level = level_dbfs(sound)
            output = self._step(sound)
        else:
            if condition in (Condition.SILENT, Condition.GAP) or share > MAX_SPOILT:
                self._is_interrupted = True
            else:
                self._step(self._offset.process(hop))
            level = level_dbfs(hop - np.mean(hop, dtype=np.float64))
            if condition is Condition.NOT_FINITE:
                level = float("nan")
        return Hop(self._hops * self.hop_s, condition, level, output)

    def _step(self, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Output for a hop; a step over what was left out before comes first."""
        if self._is_interrupted and self._before is not None:
            self.model.step(bridge(self._before, sound))
        self._before, self._is_interrupted = sound, False
        return self.model.step(sound)[self.output]

    def _record_faults(self, faults: dict[Condition, npt.NDArray[np.intp]]) -> None:
        """Record the hops that samples at these places of the block belong to."""
        up, down = self._resampler.up, self._resampler.down
        for condition, places in faults.items():
            times = (self._samples + places.astype(np.int64)) * up  # in units of 1 / (rate down)
            # a sample of the stream may lie astride two hops
            first, last = times // down // self.hop, (times + up - 1) // down // self.hop
            for hop, count in Counter([*first.tolist(), *last[last > first].tolist()]).items():
                fault = self._faults.get(hop, Fault(condition, 0.0))
                # the worst counts: clipped, then a gap, then not finite
                if fault.condition is Condition.CLIPPED or condition is Condition.NOT_FINITE:
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
        return x.astype(np.float32) if x.ndim == 2 else x.astype(np.float32)[:, None]
