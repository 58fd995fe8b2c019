"""Classify whole clips on a device: verified file, checked input, label by the manifest's rule."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from zoo.edge.channels import ChannelMixer
from zoo.edge.condition import Condition
from zoo.edge.labels import ClipLabel, LabelRule, clip_condition
from zoo.edge.manifest_entries import clip_file_name, sample_rate_hz
from zoo.edge.resampling import Resampler
from zoo.edge.stream import as_float
from zoo.edge.windows import sliding_windows
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

    def warm_up(self) -> None:
        """Run once: the first call allocates memory, logs to standard error and is slow."""
        self._run(waveform=np.zeros((1, self.samples), np.float32))

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
    model: ClipClassifier,
    rate_hz: int,
    blocks: Iterable[npt.NDArray[Any] | Literal[Condition.GAP]],
    say: Callable[[str], None] = lambda text: None,
    *,
    hop_s: float | None = None,
) -> Iterator[ClipResult]:
    """Labels of windows over a stream; the last one ends with the stream.

    A stream shorter than a clip is repeated.

    Args:
        model: of `open_clips`.
        rate_hz: sample rate of the stream [Hz]; another than the model's is resampled.
        blocks: as `StreamClassifier.process` takes them; GAP where samples were lost, and the clip
            that the next one belongs to is not classified.
        say: takes a line where the channels are not averaged.
        hop_s: from the start of one window to that of the next [s]; None: the length of a clip.

    Raises:
        ValueError: a rate that cannot be resampled, a block of another shape or type.
    """
    rate = model.rate_hz
    gaps: list[int] = []  # samples before which some were lost
    hop = None if hop_s is None else max(1, round(hop_s * rate))

    def sound() -> Iterator[npt.NDArray[np.float32]]:
        end = 0  # of the stream so far
        for part in _resampled(rate_hz, rate, blocks, say):
            if part is Condition.GAP:
                gaps.append(end)
            else:
                end += len(part)
                yield part

    for start, end, samples in sliding_windows(sound(), model.samples, hop):
        if any(start <= place < end for place in gaps):
            label = ClipLabel(None, float("nan"), Condition.GAP)
        else:
            label = model.classify(samples)
        yield ClipResult(start / rate, end / rate, label)


def _resampled(
    rate_hz: int,
    to_hz: int,
    blocks: Iterable[npt.NDArray[Any] | Literal[Condition.GAP]],
    say: Callable[[str], None],
) -> Iterator[npt.NDArray[np.float32] | Literal[Condition.GAP]]:
    """Mixed channels at the rate of the model; NaN stays NaN, within reach of the filter."""
    resampler, mixer, note = Resampler(rate_hz, to_hz), ChannelMixer(rate_hz), ""
    with np.errstate(invalid="ignore"):
        for block in blocks:
            if block is Condition.GAP:
                yield block
            else:
                yield resampler.process(mixer.process(as_float(block)))
            if mixer.mix.note != note:
                note = mixer.mix.note
                say(note or "all channels are averaged")
        yield resampler.process(mixer.finish())
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
