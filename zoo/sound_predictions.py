"""Predictions of a saved model of sound for recordings: windows or hops, a file or a folder."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo.edge
from zoo.data import audio
from zoo.data.corpora.folder import notes_on_other_files
from zoo.data.corpora.index import SOUND_NAMES, display_name
from zoo.data.sound_level import running_mean, whole_ratio_db
from zoo.edge import capture
from zoo.edge.classifier import HopResult, StreamClassifier
from zoo.edge.condition import Condition
from zoo.edge.estimator import HopEstimate, StreamEstimator
from zoo.edge.labels import ClipLabel, LabelRule, clip_condition
from zoo.edge.resampling import describe_missing_band
from zoo.edge.runtime import StepModel, quiet
from zoo.edge.stream import SoundStream
from zoo.edge.windows import Window, sliding_windows, window_starts
from zoo.models import LoadedModel
from zoo.plots.prediction import class_probabilities
from zoo.plots.regression import Estimated, estimates_over_time
from zoo.progress import say, track
from zoo.report import Table

BATCH_SIZE = 32  # windows in memory at a time
DAMAGED = "damaged"  # in the column of conditions
SHORT_S = 0.05  # of a recording that is repeated many times
RATIO = "snr_db"  # quantity whose value for a whole recording is said as well
SETTLED_S = 2.0  # from then on it counts: over this time speech and noise are averaged


@dataclass(frozen=True)
class ClipPrediction:
    """Probabilities of the classes in windows that cover a recording.

    Attributes:
        name: of the recording.
        classes: names.
        starts_s: start of each window [s], (windows,).
        ends_s: end of each window [s], (windows,).
        probabilities: (windows, classes), NaN for a window that cannot be classified.
        labels: of each window, by the rule in the manifest of the model.
    """

    name: str
    classes: Sequence[str]
    starts_s: np.ndarray
    ends_s: np.ndarray
    probabilities: np.ndarray
    labels: Sequence[ClipLabel]

    def table(self) -> Table:
        """A row a window: start, end, condition, label, and the probability of each class.

        The label is empty where the model abstains or the window cannot be classified, the
        probabilities in the latter case.
        """
        rows = []
        for k, label in enumerate(self.labels):
            is_sound = label.condition is Condition.SOUND
            values = [rounded(p) if is_sound else None for p in self.probabilities[k]]
            times = rounded(self.starts_s[k]), rounded(self.ends_s[k])
            rows.append([*times, str(label.condition), label.name, *values])
        return Table(["start_s", "end_s", "condition", "prediction", *self.classes], rows)

    def summary(self) -> str:
        """How many windows have which label, the most frequent first, in one line."""
        counts = Counter(map(str, self.labels)).most_common()
        shown = ", ".join(f"{name} {count}" for name, count in counts)
        return f"{self.name}: {shown} of {len(self.labels)} {_windows_word(len(self.labels))}"

    def figure(self) -> Figure:
        """Heat map of the probabilities over time."""
        return class_probabilities(
            self.starts_s, self.ends_s, self.probabilities, self.classes, title=self.name
        )


@dataclass(frozen=True)
class HopPrediction:
    """Results of a streaming classifier, hop by hop.

    Attributes:
        name: of the recording.
        classes: names.
        hop_s: length of a hop [s].
        hops: one result each.
    """

    name: str
    classes: Sequence[str]
    hop_s: float
    hops: Sequence[HopResult]

    def table(self) -> Table:
        """A row a hop: its end, condition, level, program, and the probability of each class."""
        rows = []
        for hop in self.hops:
            values = [None] * len(self.classes)
            if hop.probabilities is not None:
                values = [rounded(value) for value in hop.probabilities]
            level = rounded(hop.level_dbfs)
            rows.append([rounded(hop.time_s), str(hop.condition), level, hop.program.name, *values])
        columns = ["time_s", "condition", "level_dbfs", "program"]
        return Table([*columns, *self.classes], rows)

    def summary(self) -> str:
        """For how long which program runs, the longest first, in one line."""
        counts = Counter(hop.program.name or "(none)" for hop in self.hops).most_common()
        shown = ", ".join(f"{name} {count * self.hop_s:.1f}" for name, count in counts)
        return f"{self.name}: {shown} of {len(self.hops) * self.hop_s:.1f} s"

    def figure(self) -> Figure:
        """Heat map of the probabilities over time; blank where a hop was not classified."""
        blank = np.full(len(self.classes), np.nan)
        ends_s = np.array([hop.time_s for hop in self.hops])
        return class_probabilities(
            ends_s - self.hop_s,
            ends_s,
            np.stack([blank if h.probabilities is None else h.probabilities for h in self.hops]),
            self.classes,
            title=self.name,
        )


@dataclass(frozen=True)
class EstimatePrediction:
    """Estimates of a streaming regression, hop by hop.

    Attributes:
        name: of the recording.
        names: of the quantities.
        units: of the quantities.
        hop_s: length of a hop [s].
        hops: one result each.
    """

    name: str
    names: Sequence[str]
    units: Sequence[str]
    hop_s: float
    hops: Sequence[HopEstimate]

    @property
    def values(self) -> np.ndarray:
        """(hops, quantities), NaN where a hop did not count."""
        blank = np.full(len(self.names), np.nan)
        return np.stack([blank if hop.values is None else hop.values for hop in self.hops])

    def table(self) -> Table:
        """A row a hop: its end, condition, level, and the estimates."""
        rows = []
        for hop in self.hops:
            values = [None] * len(self.names)
            if hop.values is not None:
                values = [rounded(value) for value in hop.values]
            rows.append([rounded(hop.time_s), str(hop.condition), rounded(hop.level_dbfs), *values])
        return Table(["time_s", "condition", "level_dbfs", *self.names], rows)

    @property
    def whole_ratio_db(self) -> float | None:
        """Ratio of speech to noise of the recording from `SETTLED_S` on [dB]; None: unknown.

        It is that of powers, see `zoo.data.sound_level.whole_ratio_db`.
        """
        if RATIO not in self.names:
            return None
        levels = np.array([hop.level_dbfs for hop in self.hops])
        is_sound = np.array([hop.values is not None for hop in self.hops])
        power = np.where(is_sound, 10 ** (np.where(is_sound, levels, 0.0) / 10), 0.0)
        power = running_mean(power, self.hop_s, SETTLED_S)
        counts = is_sound & (np.arange(len(power)) >= round(SETTLED_S / self.hop_s))
        if not counts.any():
            return None
        return whole_ratio_db(power[counts], self.values[counts, self.names.index(RATIO)])

    def summary(self) -> str:
        """Median and range of each quantity over the hops, ratio of the whole, in one line."""
        values = self.values
        counted = values[np.isfinite(values).all(axis=1)]
        if not len(counted):
            return f"{self.name}: no hop that counts"
        parts = [
            f"{name} {np.median(x):.3g} ({np.min(x):.3g} to {np.max(x):.3g}) {unit}"
            for name, unit, x in zip(self.names, self.units, counted.T, strict=True)
        ]
        line = f"{self.name}: {', '.join(parts)}"
        if RATIO not in self.names:
            return line
        whole = self.whole_ratio_db
        if whole is None:
            return f"{line}; too short for a ratio of the whole, which counts from {SETTLED_S:g} s"
        return f"{line}; of the whole from {SETTLED_S:g} s on, by powers, {RATIO} {whole:.1f} dB"

    def figure(self) -> Figure:
        """Each quantity over time."""
        labels = [f"{name} [{unit}]" for name, unit in zip(self.names, self.units, strict=True)]
        return estimates_over_time(
            np.array([hop.time_s for hop in self.hops]),
            [Estimated(label, None, x) for label, x in zip(labels, self.values.T, strict=True)],
        )


SoundPrediction = ClipPrediction | HopPrediction | EstimatePrediction


@dataclass(frozen=True)
class FolderPrediction:
    """Predictions for all recordings of a folder.

    Attributes:
        folder: its path.
        predictions: path below the folder -> prediction, or why the recording cannot be used.
    """

    folder: Path
    predictions: Mapping[str, SoundPrediction | str]

    def table(self) -> Table:
        """The tables of all recordings, with the file in front and the reason of damage behind."""
        columns: list[str] = []
        rows = []
        for name, prediction in self.predictions.items():
            if isinstance(prediction, str):
                rows.append((name, None, prediction))
                continue
            table = prediction.table()
            columns = [column.heading for column in table.columns]
            rows += [(name, row, None) for row in table.rows]
        blank = [DAMAGED if column == "condition" else None for column in columns]
        return Table(
            ["file", *columns, "reason"],
            [[name, *(blank if row is None else row), reason] for name, row, reason in rows],
        )


@dataclass(frozen=True)
class WindowSettings:
    """Windows over a recording, and their rule.

    Attributes:
        hop_s: from the start of one window to that of the next [s]; None: the length of a window.
        threshold: of a detector, the probability from which on it says so, of others that below
            which they abstain; None: that of the manifest.
    """

    hop_s: float | None = None
    threshold: float | None = None

    def rule_of(self, manifest: Mapping[str, object]) -> LabelRule:
        """The rule of a manifest, with the threshold of these settings.

        Raises:
            ValueError: a manifest that cannot be read, or a threshold outside 0 to 1.
        """
        rule = LabelRule.from_manifest(manifest)
        if self.threshold is None:
            return rule
        name = "abstain_below" if rule.positive is None else "threshold"
        return replace(rule, **{name: self.threshold})


def predict_clips(
    model: LoadedModel, file: Path, settings: WindowSettings | None = None
) -> ClipPrediction:
    """Probabilities of the classes, and labels, in windows that cover a recording of any length.

    The last window ends with the recording. A recording shorter than a window is repeated, as in
    training. Windows of digital silence, NaN or infinity have no label.

    Args:
        model: classifier of whole clips, opened as "tflite".
        file: recording.
        settings: of the windows.

    Raises:
        ValueError: a recording that cannot be used.
    """
    settings = settings or WindowSettings()
    rule = settings.rule_of(model.manifest)
    rate_hz = int(model.manifest["front_end"]["sample_rate_hz"])
    starts, ends, probabilities, labels = [], [], [], []
    try:
        for batch in _batches(_windows(model, file, rate_hz, settings.hop_s), BATCH_SIZE):
            p = _predict_windows(model, batch, len(rule.classes))
            labels += [rule.classify(w.samples, row) for w, row in zip(batch, p, strict=True)]
            starts += [window.start for window in batch]
            ends += [window.end for window in batch]
            probabilities.append(p)
    except audio.DamagedRecording as error:
        raise ValueError(f"{file}: {error}") from None
    return ClipPrediction(
        display_name(file.name),
        rule.classes,
        np.array(starts) / rate_hz,
        np.array(ends) / rate_hz,
        np.concatenate(probabilities),
        labels,
    )


def _windows(model: LoadedModel, file: Path, rate_hz: int, hop_s: float | None) -> Iterator[Window]:
    """Windows of a recording, with progress for a long one."""
    header = audio.read_header(file)
    if header.duration_s < SHORT_S:
        _note(file, f"only {1000 * header.duration_s:.3g} ms of sound, repeated to fill a window")
    samples = audio.resampled_length(header.frames, header.sample_rate_hz, rate_hz)
    length = model.shapes["waveform"][1] or samples
    hop = length if hop_s is None else max(1, round(hop_s * rate_hz))
    blocks = audio.stream_live(file, sample_rate_hz=rate_hz, note=lambda text: _note(file, text))
    windows = sliding_windows(blocks, length, hop)
    return track(windows, len(window_starts(samples, length, hop)), "windows")


def _predict_windows(model: LoadedModel, windows: Sequence[Window], classes: int) -> np.ndarray:
    """(windows, classes) probabilities, NaN where a window holds no sound."""
    probabilities = np.full((len(windows), classes), np.nan)
    clips = np.stack([window.samples for window in windows])
    is_sound = np.array([clip_condition(clip) is Condition.SOUND for clip in clips])
    if is_sound.any():
        probabilities[is_sound] = model.predict(waveform=clips[is_sound])["probabilities"]
    return probabilities


def predict_hops(model: Path, file: Path) -> HopPrediction:
    """Results of a streaming classifier for every hop of a recording.

    Args:
        model: folder of a step model of sound.
        file: recording of any sample rate.

    Raises:
        ValueError: a recording or a model that cannot be used.
    """
    source = capture.from_file(file)
    classifier = StreamClassifier(_open_step(model), source.sample_rate_hz)
    hops = _all_hops(classifier, source, file)
    return HopPrediction(display_name(file.name), classifier.classes, classifier.hop_s, hops)


def predict_estimates(model: Path, file: Path) -> EstimatePrediction:
    """Estimates of a streaming regression for every hop of a recording.

    Args:
        model: folder of a step model of sound.
        file: recording of any sample rate.

    Raises:
        ValueError: a recording or a model that cannot be used.
    """
    source = capture.from_file(file)
    estimator = StreamEstimator(_open_step(model), source.sample_rate_hz)
    hops = _all_hops(estimator, source, file)
    return EstimatePrediction(
        display_name(file.name), estimator.names, estimator.units, estimator.hop_s, hops
    )


def _open_step(model: Path) -> StepModel:
    with quiet():
        step_model = zoo.edge.open(model)
        step_model.warm_up()
    return step_model


def _all_hops(stream: SoundStream[Any], source: capture.Source, file: Path) -> list[Any]:
    hops, notes = [], {""}
    missing = describe_missing_band(source.sample_rate_hz, stream.model_rate_hz)
    if missing:
        _note(file, missing)
    for block in source.blocks:
        if not isinstance(block, Condition):  # a file has no gaps
            hops += stream.process(block)
        if stream.mix.note not in notes:
            notes.add(stream.mix.note)
            _note(file, stream.mix.note)
    hops += stream.finish()
    if not hops:
        raise ValueError(f"{file}: shorter than a hop of {1000 * stream.hop_s:g} ms.")
    return hops


def _note(file: Path, text: str) -> None:
    """Say what was done with a recording."""
    say(f"{display_name(file.name)}: {text}")


def find_recordings(folder: Path) -> list[Path]:
    """Files below a folder whose names end like those of recordings, sorted; hidden ones left out.

    What else is there is said in a line.

    Raises:
        ValueError: there are none.
    """
    recordings, others = [], []
    for place, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(place, name)
            if name.lower().endswith(SOUND_NAMES):
                recordings.append(path)
            else:
                others.append(os.path.relpath(path, folder))
    notes = [*notes_on_other_files(others)]
    if not recordings:
        expected = f"no recording in this folder. Expected {', '.join(SOUND_NAMES)}."
        raise ValueError(" ".join([f"{folder}: {expected}", *notes]))
    for note in notes:
        say(note)
    return recordings


def _windows_word(count: int) -> str:
    return "window" if count == 1 else "windows"


def rounded(value: float) -> float:
    """With the six digits that a float32 has."""
    return float(f"{value:.6g}")


def predict_folder(folder: Path, predict: Callable[[Path], SoundPrediction]) -> FolderPrediction:
    """Predictions for every recording below a folder, each with a line on standard error.

    Args:
        folder: of recordings.
        predict: prediction for one of them.

    Raises:
        ValueError: no recording, or none that can be used.
    """
    predictions: dict[str, SoundPrediction | str] = {}
    for path in find_recordings(folder):
        name = display_name(os.path.relpath(path, folder))
        try:
            prediction = replace(predict(path), name=name)
            say(prediction.summary())
        except ValueError as error:
            prediction = str(error).removeprefix(f"{path}: ").rstrip(".")
            say(f"{name}: {DAMAGED}: {prediction}")
        predictions[name] = prediction
    if all(isinstance(each, str) for each in predictions.values()):
        raise ValueError(f"{folder}: none of its {len(predictions)} recordings can be used.")
    return FolderPrediction(folder, predictions)


def _batches(items: Iterable[Window], size: int) -> Iterator[tuple[Window, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, size)):
        yield batch
