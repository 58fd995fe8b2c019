"""Sound of any rate, block size and type -> hops -> what the model hears, hop by hop."""

from typing import NamedTuple

import numpy as np

from zoo.edge.condition import Condition, Inspector, is_silent, level_dbfs
from zoo.edge.decision import Decision, Program, Settings
from zoo.edge.folder import sample_rate_hz
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel

_FULL = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}


class Answer(NamedTuple):
    """What was heard in one hop.

    Attributes:
        time_s: where the hop ends, from the start of the stream [s].
        condition: whether it could be classified; if not, the model has not heard it and the
            program stands.
        level_dbfs: RMS level [dBFS], -inf for zeros, NaN where samples are not finite.
        probabilities: of the classes, (classes,); None if it was not classified.
        program: what was decided so far.
    """

    time_s: float
    condition: Condition
    level_dbfs: float
    probabilities: np.ndarray | None
    program: Program


class Listener:
    """Hears a stream with a sound model.

    A hop that holds NaN, clipping or digital silence is reported in its answer and not classified:
    the model does not hear it, its states and the program stay as they were.

    Args:
        model: a step model from `waveform` to `probabilities`.
        rate_hz: of the stream [Hz]; None: the model's own. Others are resampled.

    Raises:
        ValueError: a model that does not hear, a manifest that does not say how, a rate that
            cannot be resampled.
    """

    def __init__(self, model: StepModel, rate_hz: int | None = None) -> None:
        manifest = model.manifest
        if model.input_name != "waveform" or "probabilities" not in model.output_names:
            raise ValueError(
                "Expected a model from `waveform` to `probabilities`, got one from "
                f"`{model.input_name}` to `{', '.join(model.output_names)}`."
            )
        try:
            self.classes = tuple(map(str, manifest["classes"]))
            settings = Settings.from_dict(manifest.get("decision") or {})
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
        """Forget everything: a new stream begins."""
        self.model.reset()
        self._resampler.reset()
        self._decision.reset()
        self._inspector = Inspector()
        self._program = Program(None, np.full(len(self.classes), 1 / len(self.classes)), False)
        self._waiting = np.zeros(self.hop, np.float32)  # the next hop, as far as it has come
        self._come = 0  # samples of it
        self._taken = 0  # samples of the stream so far, at its own rate
        self._hops = 0
        self._spoiled: dict[int, Condition] = {}  # hops to come that cannot be classified

    def hear(self, block: np.ndarray) -> list[Answer]:
        """Answers for all hops that are complete with this block.

        Args:
            block: (samples,) or (samples, channels), int16, int32 or floating point with full scale
                at 1; channels are averaged.

        Raises:
            ValueError: another shape or type.
        """
        x = _as_float(block)
        if not len(x):
            return []
        self._spoil(self._inspector.inspect(x))
        self._taken += len(x)
        with np.errstate(invalid="ignore"):  # infinities of both signs
            mono = x.mean(axis=1)
        mono[~np.isfinite(mono)] = 0  # or it would be in every sample that the filter reaches
        return self._heard(self._resampler.process(mono))

    def finish(self) -> list[Answer]:
        """Answers for the hops that only the end of the stream completes."""
        return self._heard(self._resampler.finish())

    def _heard(self, samples: np.ndarray) -> list[Answer]:
        answers, place = [], 0
        while place < len(samples):
            part = samples[place : place + self.hop - self._come]
            self._waiting[self._come : self._come + len(part)] = part
            self._come += len(part)
            place += len(part)
            if self._come == self.hop:
                self._come = 0
                answers.append(self._answer(self._waiting))
        return answers

    def _answer(self, hop: np.ndarray) -> Answer:
        condition = self._spoiled.pop(self._hops, Condition.SOUND)
        self._hops += 1
        level = level_dbfs(hop) if condition is not Condition.NOT_FINITE else float("nan")
        if condition is Condition.SOUND and is_silent(hop):
            condition = Condition.SILENT
        probabilities = None
        self._program = self._program._replace(changed=False)
        if condition is Condition.SOUND:
            probabilities = self.model.step(hop)["probabilities"]
            self._program = self._decision.update(probabilities, level, self.hop_s)
        return Answer(self._hops * self.hop_s, condition, level, probabilities, self._program)

    def _spoil(self, found: dict[Condition, np.ndarray]) -> None:
        """Note the hops that samples at these places of the block belong to."""
        up, down = self._resampler.up, self._resampler.down
        for condition, places in found.items():
            times = (self._taken + places.astype(np.int64)) * up  # in units of 1 / (rate down)
            # a sample of the stream may lie astride two hops
            for each in (times // down // self.hop, (times + up - 1) // down // self.hop):
                for hop in np.unique(each).tolist():
                    if self._spoiled.get(hop) is not Condition.NOT_FINITE:
                        self._spoiled[hop] = condition


def _as_float(block: np.ndarray) -> np.ndarray:
    """(samples, channels) float32, full scale at 1."""
    x = np.asarray(block)
    if x.ndim not in (1, 2) or (x.ndim == 2 and not x.shape[1]):
        raise ValueError(f"A block must be (samples,) or (samples, channels). Received: {x.shape}.")
    if x.dtype in _FULL:
        x = x.astype(np.float32) / np.float32(_FULL[x.dtype])
    elif x.dtype.kind != "f":
        raise ValueError(f"Samples must be int16, int32 or floating point. Received: {x.dtype}.")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and reported
        return x.astype(np.float32).reshape(len(x), -1)
