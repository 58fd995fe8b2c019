"""Classify whole clips on a device: verified file, checked input, label by the manifest's rule."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from zoo.edge.classifier import as_float
from zoo.edge.condition import Condition
from zoo.edge.labels import ClipLabel, LabelRule, clip_condition
from zoo.edge.manifest_entries import clip_file_name, sample_rate_hz
from zoo.edge.resampling import Resampler
from zoo.manifest import read_manifest, verified_bytes


class ClipClassifier:
    """A TFLite model from one clip to the probabilities of classes. `open_clips` makes one.

    Attributes:
        manifest: of the folder.
        rule: from probabilities to a label.
        rate_hz: sample rate of a clip [Hz].
        samples: of a clip.

    Args:
        content: bytes of the file, verified.
        manifest: of its folder.
        file: its name.
        threads: that the interpreter may use.

    Raises:
        ValueError: not a TFLite file, not a classifier of clips, or a manifest without classes.
    """

    def __init__(
        self, content: bytes, manifest: Mapping[str, Any], file: str, threads: int = 1
    ) -> None:
        self.manifest, self.rule = manifest, LabelRule.from_manifest(manifest)
        self.rate_hz = sample_rate_hz(manifest)
        try:
            # the runner needs the interpreter, which holds its memory
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._run = self._interpreter.get_signature_runner("serving_default")
            self.samples = int(self._run.get_input_details()["waveform"]["shape"][1])
        except (ValueError, RuntimeError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{file}: not a TFLite classifier of clips ({reason}).") from None

    def probabilities(self, clip: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Probabilities (classes,) of a clip that holds sound.

        Args:
            clip: (samples,) in [-1, 1] at `rate_hz`.

        Raises:
            ValueError: another shape, NaN, infinity, or digital silence.
        """
        x = self._checked(clip)
        condition = clip_condition(x)
        if condition is not Condition.SOUND:
            raise ValueError(f"A clip must hold sound. Received: one that is {condition}.")
        return self._run(waveform=x[None])["probabilities"][0]

    def classify(self, clip: npt.ArrayLike) -> ClipLabel:
        """Label of a clip; of one without sound its condition, of one in doubt no name.

        Args:
            clip: (samples,) in [-1, 1] at `rate_hz`.

        Raises:
            ValueError: another shape.
        """
        x = self._checked(clip)
        if clip_condition(x) is not Condition.SOUND:
            return self.rule.classify(x, np.full(len(self.rule.classes), np.nan))
        return self.rule.classify(x, self.probabilities(x))

    def _checked(self, clip: npt.ArrayLike) -> npt.NDArray[np.float32]:
        x = np.asarray(clip, np.float32)
        if x.shape != (self.samples,):
            raise ValueError(
                f"A clip must have {self.samples} samples at {self.rate_hz} Hz. "
                f"Received: shape {x.shape}."
            )
        return x


class ClipResult(NamedTuple):
    """Label of one clip of a stream.

    Attributes:
        start_s: of the clip, from the start of the stream [s].
        end_s: of the clip, or of the stream where it is shorter [s].
        label: of the clip.
    """

    start_s: float
    end_s: float
    label: ClipLabel


def classify_stream(
    model: ClipClassifier, rate_hz: int, blocks: Iterable[npt.NDArray[Any]]
) -> Iterator[ClipResult]:
    """Labels of consecutive clips of a stream; the last one ends with the stream.

    A stream shorter than a clip is repeated.

    Args:
        model: of `open_clips`.
        rate_hz: sample rate of the stream [Hz]; another than the model's is resampled.
        blocks: as `StreamClassifier.process` takes them.

    Raises:
        ValueError: a rate that cannot be resampled, a block of another shape or type.
    """
    samples, rate = model.samples, model.rate_hz
    recent = np.zeros(
        0, np.float32
    )  # the end of the stream, a clip and what was not yet classified
    end = pending = 0  # samples of the stream so far, and those of them not yet classified
    for part in _resampled(Resampler(rate_hz, rate), blocks):
        recent = np.concatenate([recent, part])
        end, pending = end + len(part), pending + len(part)
        while pending >= samples:
            start = len(recent) - pending
            label = model.classify(recent[start : start + samples])
            yield ClipResult((end - pending) / rate, (end - pending + samples) / rate, label)
            pending -= samples
        recent = recent[-(samples + pending) :]
    if pending:
        last = recent[-samples:]
        label = model.classify(np.resize(last, samples))
        yield ClipResult((end - len(last)) / rate, end / rate, label)


def _resampled(
    resampler: Resampler, blocks: Iterable[npt.NDArray[Any]]
) -> Iterator[npt.NDArray[np.float32]]:
    """Mean of the channels at the rate of the model; NaN stays NaN, within reach of the filter."""
    with np.errstate(invalid="ignore"):
        for block in blocks:
            yield resampler.process(as_float(block).mean(axis=1))
        yield resampler.finish()


def open_clips(path: str | Path, *, weights: str = "float32", threads: int = 1) -> ClipClassifier:
    """Open the folder of a classifier of clips, such as saved_models/scenes-tiny.

    Args:
        path: folder with a manifest.json.
        weights: precision of the file: "float32", "float16", "dynamic", "int8".
        threads: as for `ClipClassifier`.

    Raises:
        ValueError: in one line: not a model folder, no such file, a file that was changed.
    """
    manifest = read_manifest(path)
    file = clip_file_name(manifest, weights)
    return ClipClassifier(verified_bytes(path, manifest, file), manifest, file, threads)
